# The dataset to hand on.
#
# Purpose  the dataset in the published archive's own layout, described for people and for machines.
# Inputs   curated/ (pairs, out-of-distribution pairs, rejections, funnel), {split}/split.parquet and leakage.json,
#          the corpus's archives
# Outputs  dataset/pairdx.zip (image_metadata.csv and images/), dataset/croissant.json, dataset/datasheet.md and .html

DATASET_LAYOUT = {key: config["release"][key] for key in ("metadata", "images", "columns")}
# The subset that the exported table names for each pair is that of the first split.
DATASET_SPLIT = config["splits"][0]
DATASET_VERSION = read_yaml("CITATION.cff")["version"]
# The record that was downloaded; none of files that lay on disk already, and none of a demo.
DATASET_RECORD = {
    "multicare": None if config["multicare"]["path"] else config["multicare"]["record"],
    "release": None if config["release"]["path"] else config["downloads"]["release"]["record"],
    "demo": None,
}[config["corpus"]]
DATASET_FACTS = {
    "title": f"PairDx (run {config['run']})",
    "corpus": config["corpus"],
    "classes": config["curation"]["classes"],
}


rule export_dataset:
    input:
        pairs="<results>/curated/pairs.parquet",
        split=f"<results>/{DATASET_SPLIT}/split.parquet",
        archives=corpus_stores(),
    output:
        archive=ensure("<results>/dataset/pairdx.zip", non_empty=True),
    log:
        "<logs>/dataset/export_dataset.log",
    benchmark:
        "<benchmarks>/dataset/export_dataset.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("export_dataset.py"),
        archives=corpus_archives(),
        layout=DATASET_LAYOUT,
    script:
        "../scripts/export_dataset.py"


rule write_croissant:
    input:
        pairs="<results>/curated/pairs.parquet",
        archive="<results>/dataset/pairdx.zip",
    output:
        croissant="<results>/dataset/croissant.json",
    log:
        "<logs>/dataset/write_croissant.log",
    benchmark:
        "<benchmarks>/dataset/write_croissant.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("write_croissant.py"),
        layout=DATASET_LAYOUT,
        facts={
            **DATASET_FACTS,
            "split": DATASET_SPLIT,
            "version": DATASET_VERSION,
            "url": DATASET_RECORD
            and f"{config['downloads']['zenodo'].rstrip('/')}/records/{DATASET_RECORD}",
        },
    script:
        "../scripts/write_croissant.py"


rule write_datasheet:
    input:
        pairs="<results>/curated/pairs.parquet",
        out_of_distribution="<results>/curated/out_of_distribution.parquet",
        rejected="<results>/curated/rejected.parquet",
        funnel="<results>/curated/funnel.csv",
        splits=expand("<results>/{split}/split.parquet", split=config["splits"]),
        leakage=expand("<results>/{split}/leakage.json", split=config["splits"]),
    output:
        md="<results>/dataset/datasheet.md",
        html=report(
            "<results>/dataset/datasheet.html",
            caption="../report/datasheet.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "1. Datasheet"},
        ),
    log:
        "<logs>/dataset/write_datasheet.log",
    benchmark:
        "<benchmarks>/dataset/write_datasheet.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=code_of("write_datasheet.py"),
        splits=config["splits"],
        version=DATASET_VERSION,
        facts={
            **DATASET_FACTS,
            "record": DATASET_RECORD,
            "archives": corpus_archives(),
            "min_age": config["curation"]["min_age"],
            "unknown_age": config["curation"]["unknown_age"],
            "identifiers": config["curation"]["identifiers"],
            "tokens": config["models"]["pairdx_fusion"]["settings"]["tokens"],
        },
    script:
        "../scripts/write_datasheet.py"
