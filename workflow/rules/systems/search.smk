# The learning-rate search; its trainings are jobs of train.smk, on entries that the plan adds to the registry.
#
# Purpose  a learning rate for a system whose own is not known, chosen on validation pairs; no test pair is looked at.
# Inputs   {dataset}/{split}/{system}_lr{rate}/seed{seed}/training.csv, one per rate
# Outputs  tables and figure learning_rate_search; made by the target `learning_rate_search` only, and fed back to nothing: the
#          chosen rate is put into an overlay by hand


rule choose_learning_rate:
    input:
        histories=plan.search.histories,
    output:
        **outputs_of("choose_learning_rate"),
    log:
        "<logs>/tables/learning_rate_search.log",
    benchmark:
        "<benchmarks>/tables/learning_rate_search.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("choose_learning_rate.py"),
        facts=plan.search.facts,
        states=plan.search.states,
    script:
        "../../scripts/choose_learning_rate.py"
