# The dataset to hand on.
#
# Purpose  the dataset in the published archive's own layout, described for people and for machines.
# Inputs   curated/ (pairs, out-of-distribution pairs, rejections, funnel), {split}/split.parquet and leakage.json,
#          the dataset's archives
# Outputs  archive/{dataset}.zip (image_metadata.csv and images/), croissant.json, datasheet.md and .html

VERSION = configuration.read_yaml(ROOT / "CITATION.cff")["version"]


rule archive_dataset:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        split=plan.files.first_split("split.parquet"),
        archives=by_contents(plan.stores),
    output:
        archive=ensure("<results>/{dataset}/archive/{dataset}.zip", non_empty=True),
    log:
        "<logs>/{dataset}/archive/archive_dataset.log",
    benchmark:
        "<benchmarks>/{dataset}/archive/archive_dataset.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("archive_dataset.py"),
        archives=plan.archives,
    script:
        "../../scripts/archive_dataset.py"


rule write_croissant:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        archive="<results>/{dataset}/archive/{dataset}.zip",
    output:
        croissant="<results>/{dataset}/archive/croissant.json",
    log:
        "<logs>/{dataset}/archive/write_croissant.log",
    benchmark:
        "<benchmarks>/{dataset}/archive/write_croissant.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("write_croissant.py"),
        facts=lambda wildcards: plan.facts.archive(wildcards) | {"version": VERSION},
    script:
        "../../scripts/write_croissant.py"


rule write_datasheet:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        out_of_distribution="<results>/{dataset}/curated/out_of_distribution.parquet",
        rejected="<results>/{dataset}/curated/rejected.parquet",
        funnel="<results>/{dataset}/curated/funnel.csv",
        splits=plan.files.per_split("split.parquet"),
        leakage=plan.files.per_split("leakage.json"),
    output:
        **outputs_of("write_datasheet"),
    log:
        "<logs>/{dataset}/archive/write_datasheet.log",
    benchmark:
        "<benchmarks>/{dataset}/archive/write_datasheet.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=code_of("write_datasheet.py"),
        splits=plan.splits,
        version=VERSION,
        facts=plan.facts.datasheet,
    script:
        "../../scripts/write_datasheet.py"
