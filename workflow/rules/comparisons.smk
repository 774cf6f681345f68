# Tests between systems, and what the split does to accuracy.
#
# Purpose  which differences are more than chance, two systems at a time on the same test pairs; the price of leakage as a
#          number, per system, where both the stratified and the grouped split are configured.
# Inputs   {split}/{model}/seed{seed}/predictions.parquet (evaluate.smk)
# Outputs  tables/system_tests and tables/split_effect (.csv, .md, .html), figures of the same names (.svg, .png)


rule compare_pairs_of_systems:
    input:
        # Of the first seed: one trained classifier against another. (Seeds averaged are an ensemble, another system.)
        predictions=expand(
            "<results>/{split}/{model}/seed{seed}/predictions.parquet",
            split=config["splits"],
            model=models(),
            seed=config["seeds"][0],
        ),
        library=library("compare_pairs_of_systems.py"),
    output:
        multiext("<results>/tables/system_tests", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/system_tests.html",
            caption="../report/system_tests.rst",
            category=COMPARISON,
            subcategory="1. Seeds and tests",
            labels={"item": "3. Tests between systems (table)"},
        ),
        svg=report(
            "<results>/figures/system_tests.svg",
            caption="../report/system_tests.rst",
            category=COMPARISON,
            subcategory="1. Seeds and tests",
            labels={"item": "2. Tests between systems (figure)"},
        ),
        png="<results>/figures/system_tests.png",
    log:
        "<logs>/tables/system_tests.log",
    benchmark:
        "<benchmarks>/tables/system_tests.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        splits=config["splits"],
        registry=registry(),
        training_seed=config["seeds"][0],
        several_seeds=len(cell_names()) > len(config["splits"]) * len(models()),
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_pairs_of_systems.py"


rule compare_splits:
    input:
        predictions=predictions_of_compared_splits,
        library=library("compare_splits.py"),
    output:
        multiext("<results>/tables/split_effect", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/split_effect.html",
            caption="../report/split_effect.rst",
            category=COMPARISON,
            subcategory="2. Price of leakage",
            labels={"item": "2. Stratified against grouped split (table)"},
        ),
        svg=report(
            "<results>/figures/split_effect.svg",
            caption="../report/split_effect.rst",
            category=COMPARISON,
            subcategory="2. Price of leakage",
            labels={"item": "1. Stratified against grouped split (figure)"},
        ),
        png="<results>/figures/split_effect.png",
    log:
        "<logs>/tables/split_effect.log",
    benchmark:
        "<benchmarks>/tables/split_effect.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cells=cell_names(splits=COMPARED_SPLITS),
        registry=registry(),
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_splits.py"
