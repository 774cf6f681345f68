# The learning-rate search; its trainings are jobs of train.smk, on entries that search_space.smk adds to the registry.
#
# Purpose  a learning rate for a system whose own is not known, chosen on validation pairs; no test pair is looked at.
# Inputs   {split}/{model}_lr{rate}/seed{seed}/training.csv, one per rate
# Outputs  tables/learning_rate_search.csv, .md, .html and .tex, figures/learning_rate_search.svg and .png; made by the target
#          `learning_rate_search` only, and fed back to nothing: the chosen rate is put into an overlay by hand


rule choose_learning_rate:
    input:
        histories=candidate_histories,
    output:
        multiext("<results>/tables/learning_rate_search", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/learning_rate_search.html",
            caption="../report/learning_rate_search.rst",
            category=SYSTEMS,
            subcategory=title_of_search,
            labels={
                "item": "7. Learning-rate search (table)",
                "split": search_settings().get("split", ""),
            },
        ),
        svg=report(
            "<results>/figures/learning_rate_search.svg",
            caption="../report/learning_rate_search.rst",
            category=SYSTEMS,
            subcategory=title_of_search,
            labels={
                "item": "6. Learning-rate search (figure)",
                "split": search_settings().get("split", ""),
            },
        ),
        png="<results>/figures/learning_rate_search.png",
    log:
        "<logs>/tables/learning_rate_search.log",
    benchmark:
        "<benchmarks>/tables/learning_rate_search.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("choose_learning_rate.py"),
        facts=search_facts,
        states=candidate_states,
    script:
        "../scripts/choose_learning_rate.py"
