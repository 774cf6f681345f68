# Tables and figures about the pairs: how many, chosen how, divided how, and how they read.
#
# Purpose  what a reader sees of a dataset before any system.
# Inputs   curated/, packed/, {split}/split.parquet and leakage.json; the tokenisers' files of model folders (fetch.smk; no
#          weights) and packed/vocabulary.json
# Outputs  tables and figures of one dataset: plan/declared.py declares them. Datasets without captions or ages have fewer, and
#          rules of their own.


for suffix, names in shapes("describe_dataset"):

    rule:
        name:
            f"describe_dataset{suffix}"
        input:
            pairs="<results>/{dataset}/curated/pairs.parquet",
            images=plan.files.images,
            splits=plan.files.per_split("split.parquet"),
        output:
            **outputs_of("describe_dataset", names[0]),
        log:
            "<logs>/tables/dataset_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/dataset_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("describe_dataset.py"),
            classes=plan.strata_names,
            several=plan.several,
            splits=plan.splits,
            seed=plan.of("curation.seed"),
            min_age=plan.of("curation.min_age"),
            drawn=plan.drawn,
            tells=plan.facts.tells,
            tokens=plan.tokens,
            in_paper=plan.published.titles("describe_dataset"),
        script:
            "../../scripts/describe_dataset.py"


for suffix, names in shapes("describe_curation"):

    rule:
        name:
            f"describe_curation{suffix}"
        input:
            pairs="<results>/{dataset}/curated/pairs.parquet",
            rejected="<results>/{dataset}/curated/rejected.parquet",
            funnel="<results>/{dataset}/curated/funnel.csv",
            leakage=plan.files.per_split("leakage.json"),
        output:
            **outputs_of("describe_curation", names[0]),
        log:
            "<logs>/tables/curation_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/curation_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("describe_curation.py"),
            classes=plan.strata_names,
            several=plan.several,
            out_of_distribution=plan.of("out_of_distribution"),
            identifiers=plan.of("curation.identifiers"),
            tells=plan.facts.tells,
            seed=plan.of("curation.seed"),
            drawn=plan.drawn,
        script:
            "../../scripts/describe_curation.py"


rule describe_texts:
    input:
        unpack(plan.questions.tokeniser_files),
        pairs="<results>/{dataset}/curated/pairs.parquet",
    output:
        **outputs_of("describe_texts"),
    log:
        "<logs>/tables/texts_{dataset}.log",
    benchmark:
        "<benchmarks>/tables/texts_{dataset}.tsv"
    conda:
        "../../../envs/learning.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("describe_texts.py"),
        systems=plan.questions.text_readers_of,
        registry=plan.questions.shown_text_readers,
        drawn=plan.drawn,
    script:
        "../../scripts/describe_texts.py"
