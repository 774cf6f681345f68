# The paper's numbers, one by one; stated.smk finds what is set beside them.
#
# Purpose  every number that config/paper.yaml states beside ours, with a verdict.
# Inputs   tables/comparison.csv and dataset.csv, curated/funnel.csv, predictions and passports of the paper's systems on
#          the stratified split, config/paper.yaml
# Outputs  tables/discrepancies.csv, .md, .html and .tex


rule list_discrepancies:
    input:
        comparison="<results>/tables/comparison.csv",
        dataset="<results>/tables/dataset.csv",
        funnel="<results>/curated/funnel.csv",
        predictions=papers_files("predictions.parquet"),
        passports=papers_files("passport.json"),
        paper=own_file(PAPER),
    output:
        multiext("<results>/tables/discrepancies", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/discrepancies.html",
            caption="../report/discrepancies.rst",
            category=OVERVIEW,
            labels={"item": "4. The paper's numbers beside ours (table)"},
        ),
    log:
        "<logs>/tables/discrepancies.log",
    benchmark:
        "<benchmarks>/tables/discrepancies.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("list_discrepancies.py"),
        cells=papers_cells(),
        registry=registry(),
        configured=configured_like_paper(),
        screened=config["corpus"] != "release",
        drawn=config["corpus"] == "demo",
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/list_discrepancies.py"
