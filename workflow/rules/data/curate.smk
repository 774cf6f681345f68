# From the raw data to pairs.
#
# Purpose  every candidate becomes a pair, an out-of-distribution pair, or a rejection with a reason.
# Inputs   the dataset's tables and archives (fetch.smk)
# Outputs  curated/pairs.parquet, curated/out_of_distribution.parquet, curated/rejected.parquet, curated/funnel.csv,
#          review/sheet.csv and review/images/ (a sample for a person to look at)
# Steps    ingest_tables -> inspect_archive (one job per archive) -> curate_pairs -> export_review_sheet
# Review   the sheet is copied, filled in and named in curation.review.decisions of the dataset; curate_pairs then carries it out


rule ingest_tables:
    input:
        unpack(by_contents(plan.outside.tables)),
    output:
        candidates="<results>/{dataset}/curated/stages/candidates.parquet",
        rejected="<results>/{dataset}/curated/stages/rejected_by_tables.parquet",
        counts="<results>/{dataset}/curated/stages/rows_per_label.parquet",
        as_read="<results>/{dataset}/curated/stages/as_read.json",
    log:
        "<logs>/{dataset}/curated/ingest_tables.log",
    benchmark:
        "<benchmarks>/{dataset}/curated/ingest_tables.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        code=code_of("ingest_tables.py", plan.modules.reader),
        settings=plan.curated_by(
            "classes",
            "out_of_distribution",
            "modalities",
            "min_age",
            "unknown_age",
            "licences",
            "caption_problems",
            "identifiers",
        ),
        reader=plan.reader_name,
        source=plan.reader_settings,
        stored=plan.outside.tables_stored,
        lacks=plan.lacks,
        several=plan.several,
        needs_subset=plan.needs_subset,
        subset=plan.of("subset"),
        seed=plan.of("curation.seed"),
    script:
        "../../scripts/ingest_tables.py"


rule inspect_archive:
    input:
        archive=by_contents(plan.outside.store),
        candidates="<results>/{dataset}/curated/stages/candidates.parquet",
    output:
        facts="<results>/{dataset}/curated/stages/facts/{archive}.parquet",
    log:
        "<logs>/{dataset}/curated/inspect_archive/{archive}.log",
    benchmark:
        "<benchmarks>/{dataset}/curated/inspect_archive/{archive}.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code_of("inspect_archive.py"),
        stored=plan.outside.stored,
        settings=plan.of("curation.images"),
    script:
        "../../scripts/inspect_archive.py"


rule curate_pairs:
    input:
        unpack(plan.files.decisions),
        candidates="<results>/{dataset}/curated/stages/candidates.parquet",
        rejected="<results>/{dataset}/curated/stages/rejected_by_tables.parquet",
        counts="<results>/{dataset}/curated/stages/rows_per_label.parquet",
        facts=plan.files.facts,
    output:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        out_of_distribution="<results>/{dataset}/curated/out_of_distribution.parquet",
        rejected="<results>/{dataset}/curated/rejected.parquet",
        funnel="<results>/{dataset}/curated/funnel.csv",
    log:
        "<logs>/{dataset}/curated/curate_pairs.log",
    benchmark:
        "<benchmarks>/{dataset}/curated/curate_pairs.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        code=code_of("curate_pairs.py"),
        settings=plan.curated_by("classes", "duplicates", "balance"),
        seed=plan.of("curation.seed"),
    script:
        "../../scripts/curate_pairs.py"


rule export_review_sheet:
    input:
        unpack(plan.files.decisions),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        archives=by_contents(plan.stores),
    output:
        sheet="<results>/{dataset}/review/sheet.csv",
        images=directory("<results>/{dataset}/review/images"),
    log:
        "<logs>/{dataset}/review/export_review_sheet.log",
    benchmark:
        "<benchmarks>/{dataset}/review/export_review_sheet.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("export_review_sheet.py"),
        archives=plan.archives,
        sample=plan.of("curation.review.sample"),
        seed=plan.of("curation.seed"),
    script:
        "../../scripts/export_review_sheet.py"
