# Errors that one can look at: confident mistakes of every system, and pairs on which two systems disagree.
#
# Purpose  numbers say how often a system is wrong; pictures and captions say where (paper, Section 5). One job per split
#          draws the mistakes of all systems.
# Inputs   {split}/{model}/seed{seed}/predictions.parquet of the first seed, curated/pairs.parquet, packed/images.npy
# Outputs  figures/mistakes_{split}_{model}.svg and .png, tables/disagreements_{split}.csv and .md


rule show_mistakes:
    input:
        predictions=first_predictions(models()),
        pairs="<results>/curated/pairs.parquet",
        images="<results>/packed/images.npy",
        library=library("show_mistakes.py"),
    output:
        sheets=[mistake_sheet(name) for name in models()],
        pngs=[f"<results>/figures/mistakes_{{split}}_{name}.png" for name in models()],
    log:
        "<logs>/figures/mistakes_{split}.log",
    benchmark:
        "<benchmarks>/figures/mistakes_{split}.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        registry=registry(),
        classes=config["curation"]["classes"],
        mistakes=config["errors"]["mistakes"],
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/show_mistakes.py"


rule list_disagreements:
    input:
        predictions=first_predictions(compared_models() or models()),
        pairs="<results>/curated/pairs.parquet",
        library=library("list_disagreements.py"),
    output:
        multiext("<results>/tables/disagreements_{split}", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/disagreements_{split}.html",
            caption="../report/disagreements.rst",
            category=ERRORS,
            subcategory="2. Disagreements of two systems",
            labels={"item": "Pairs on which they disagree (table)", "split": "{split}"},
        ),
    log:
        "<logs>/tables/disagreements_{split}.log",
    benchmark:
        "<benchmarks>/tables/disagreements_{split}.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        registry=registry(compared_models() or models()),
        named=bool(compared_models()),
        classes=config["curation"]["classes"],
        listed=config["errors"]["listed"],
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/list_disagreements.py"
