# What the predictions of all systems say together.
#
# Purpose  which differences are more than chance, two systems at a time on the same test pairs; what the split does, where
#          both the stratified and the grouped one are configured; the pairs on which two systems disagree; how much of a
#          zero-shot accuracy is the prompt's. One job: all of it is made of the same files. And the price of leakage.
# Inputs   {split}/{model}/seed{seed}/predictions.parquet and prompts.parquet (evaluate.smk), curated/pairs.parquet
# Outputs  tables/system_tests, split_effect, leakage_price, prompt_sensitivity and disagreements_{split} (.csv, .md, .html, .tex), figures
#          system_tests and split_effect (.svg, .png)


rule compare_predictions:
    input:
        predictions=cells("<results>/{split}/{model}/seed{seed}/predictions.parquet"),
        prompts=cells(
            "<results>/{split}/{model}/seed{seed}/prompts.parquet", model=prompted_models()
        ),
        pairs="<results>/curated/pairs.parquet",
    output:
        **comparisons_where_there_are(),
        **outputs_of_table("system_tests", "tests"),
        tests_html=report(
            "<results>/tables/system_tests.html",
            caption="../report/system_tests.rst",
            category=COMPARISON,
            subcategory="1. Seeds and tests",
            labels={"item": "3. Tests between systems (table)"},
        ),
        tests_svg=report(
            "<results>/figures/system_tests.svg",
            caption="../report/system_tests.rst",
            category=COMPARISON,
            subcategory="1. Seeds and tests",
            labels={"item": "2. Tests between systems (figure)"},
        ),
        tests_png="<results>/figures/system_tests.png",
    log:
        "<logs>/tables/comparisons.log",
    benchmark:
        "<benchmarks>/tables/comparisons.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("compare_predictions.py"),
        cells=cell_names(),
        prompted=cell_names(prompted_models()),
        own={name: config["models"][name]["settings"]["templates"] for name in prompted_models()},
        splits=config["splits"],
        registry=registry(),
        training_seed=config["seeds"][0],
        compared=compared_models(),
        classes=config["curation"]["classes"],
        listed=config["errors"]["listed"],
        drawn=config["corpus"] == "demo",
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_predictions.py"


# The price of leakage: one test set, trained with and without its siblings. Apart from the above, so that whoever asks for
# it trains these systems and no others.
rule price_leakage:
    input:
        with_siblings=priced_predictions(WITH_SIBLINGS),
        without_siblings=priced_predictions(WITHOUT_SIBLINGS),
        split=f"<results>/{WITH_SIBLINGS}/split.parquet",
        other_split=f"<results>/{WITHOUT_SIBLINGS}/split.parquet",
        pairs="<results>/curated/pairs.parquet",
    output:
        multiext("<results>/tables/leakage_price", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/leakage_price.html",
            caption="../report/leakage_price.rst",
            category=COMPARISON,
            subcategory="2. Price of leakage",
            labels={"item": "1. Trained with and without siblings of the test pairs (table)"},
        ),
    log:
        "<logs>/tables/leakage_price.log",
    benchmark:
        "<benchmarks>/tables/leakage_price.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("price_leakage.py"),
        cells=priced_cells(),
        registry=registry(priced_models()),
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/price_leakage.py"


# Whoever asks by name for a table that the configuration has nothing for is told which key leaves it out.
rule say_why_it_is_left_out:
    input:
        reason_it_is_left_out,
    output:
        "<results>/tables/{table}.csv",
    wildcard_constraints:
        table=one_of(tables_left_out()),
