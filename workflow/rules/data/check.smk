# What to know of documents before anything trains.
#
# Purpose  counts by class and subset, rejections, groups that span classes, copies and label conflicts, the systems that run
#          and those that do not, and what a run would cost, in plain words. Nothing is computed for it that a run does not
#          need anyway, and nothing is trained.
# Inputs   curated/, {split}/split.parquet and leakage.json; benchmarks of earlier runs, as far as there are any
# Outputs  check/check.md, .html (a page of the report) and .txt
# Steps    check_documents_of_dataset; check_documents prints the texts whenever it is asked for
# Notes    Earlier runs' benchmarks, results/{run}/config.yaml and passports are no inputs: measured later, they make no page
#          anew.


rule check_documents_of_dataset:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        out_of_distribution="<results>/{dataset}/curated/out_of_distribution.parquet",
        rejected="<results>/{dataset}/curated/rejected.parquet",
        funnel="<results>/{dataset}/curated/funnel.csv",
        spellings="<results>/{dataset}/curated/stages/rows_per_label.parquet",
        as_read="<results>/{dataset}/curated/stages/as_read.json",
        splits=plan.files.per_split("split.parquet"),
        leakage=plan.files.per_split("leakage.json"),
    output:
        **outputs_of("check_documents_of_dataset"),
        text="<results>/{dataset}/check/check.txt",
    log:
        "<logs>/{dataset}/check/check_documents.log",
    benchmark:
        "<benchmarks>/tables/check_{dataset}.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=code_of("check_documents.py"),
        facts=facts_of_check(world),
        run=config["run"],
        benchmarks=lambda wildcards: benchmark_patterns(),
    script:
        "../../scripts/check_documents.py"


# Without outputs, to which Snakemake counts a benchmark: it runs whenever it is asked for.
rule check_documents:
    """what there is to know of the documents before anything trains, as text and as pages"""
    input:
        texts=expand("<results>/{dataset}/check/check.txt", dataset=plan.datasets),
        pages=expand("<results>/{dataset}/check/check.html", dataset=plan.datasets),
    log:
        "<logs>/check_documents.log",
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("print_checks.py"),
    script:
        "../../scripts/print_checks.py"
