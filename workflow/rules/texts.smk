# Texts: the captions as the systems read them.
#
# Purpose  how much of the captions is read at all.
# Inputs   curated/pairs.parquet, packed/vocabulary.json, the tokenisers' files of model folders (fetch.smk; no weights)
# Outputs  tables/texts.csv, .md, .html and .tex


rule describe_texts:
    input:
        unpack(tokeniser_files),
        pairs="<results>/curated/pairs.parquet",
    output:
        multiext("<results>/tables/texts", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/texts.html",
            caption="../report/texts.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "7. Captions as the systems read them (table)"},
        ),
    log:
        "<logs>/tables/texts.log",
    benchmark:
        "<benchmarks>/tables/texts.tsv"
    conda:
        "../../envs/learning.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("describe_texts.py"),
        systems={name: text_reader(name) for name in text_models()},
        registry=registry(text_models()),
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/describe_texts.py"
