# From the raw corpus to pairs.
#
# Purpose  every candidate becomes a pair, an out-of-distribution pair, or a rejection with a reason.
# Inputs   the corpus's tables and archives (fetch.smk)
# Outputs  curated/pairs.parquet, curated/out_of_distribution.parquet, curated/rejected.parquet, curated/funnel.csv,
#          review/sheet.csv and review/images/ (a sample for a person to look at)
# Steps    ingest_tables -> inspect_archive (one job per archive) -> curate_pairs -> export_review_sheet
# Review   the sheet is copied, filled in and named in curation.review.decisions; curate_pairs then carries it out


rule ingest_tables:
    input:
        unpack(corpus_tables),
    output:
        candidates="<results>/curated/stages/candidates.parquet",
        rejected="<results>/curated/stages/rejected_by_tables.parquet",
        counts="<results>/curated/stages/rows_per_label.parquet",
    log:
        "<logs>/curated/ingest_tables.log",
    benchmark:
        "<benchmarks>/curated/ingest_tables.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        code=code_of("ingest_tables.py"),
        settings=curation(
            "classes",
            "out_of_distribution",
            "modalities",
            "min_age",
            "unknown_age",
            "licences",
            "caption_problems",
            "identifiers",
        ),
        corpus=config["corpus"],
        release=release_settings(),
        subset=config["subset"],
        seed=config["curation"]["seed"],
    script:
        "../scripts/ingest_tables.py"


rule inspect_archive:
    input:
        archive=lambda wildcards: corpus_store(wildcards.archive),
        candidates="<results>/curated/stages/candidates.parquet",
    output:
        facts="<results>/curated/stages/facts/{archive}.parquet",
    log:
        "<logs>/curated/inspect_archive/{archive}.log",
    benchmark:
        "<benchmarks>/curated/inspect_archive/{archive}.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code_of("inspect_archive.py"),
        settings=config["curation"]["images"],
    script:
        "../scripts/inspect_archive.py"


rule curate_pairs:
    input:
        **review_decisions(),
        candidates="<results>/curated/stages/candidates.parquet",
        rejected="<results>/curated/stages/rejected_by_tables.parquet",
        counts="<results>/curated/stages/rows_per_label.parquet",
        facts=expand(
            "<results>/curated/stages/facts/{archive}.parquet",
            archive=corpus_archives(),
        ),
    output:
        pairs="<results>/curated/pairs.parquet",
        out_of_distribution="<results>/curated/out_of_distribution.parquet",
        rejected="<results>/curated/rejected.parquet",
        funnel="<results>/curated/funnel.csv",
    log:
        "<logs>/curated/curate_pairs.log",
    benchmark:
        "<benchmarks>/curated/curate_pairs.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        code=code_of("curate_pairs.py"),
        settings=curation("classes", "duplicates", "balance"),
        seed=config["curation"]["seed"],
    script:
        "../scripts/curate_pairs.py"


rule export_review_sheet:
    input:
        **review_decisions(),
        pairs="<results>/curated/pairs.parquet",
        archives=corpus_stores(),
    output:
        sheet="<results>/review/sheet.csv",
        images=directory("<results>/review/images"),
    log:
        "<logs>/review/export_review_sheet.log",
    benchmark:
        "<benchmarks>/review/export_review_sheet.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("export_review_sheet.py"),
        archives=corpus_archives(),
        sample=config["curation"]["review"]["sample"],
        seed=config["curation"]["seed"],
    script:
        "../scripts/export_review_sheet.py"
