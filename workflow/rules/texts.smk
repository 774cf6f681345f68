# Texts: the prompts of zero-shot systems, and the captions as the systems read them.
#
# Purpose  how much of an accuracy is the prompt's, and how much of the captions is read at all.
# Inputs   {split}/{model}/seed{seed}/ (train.smk), packed/, {split}/split.parquet, curated/pairs.parquet, the tokenisers'
#          files of model folders (fetch.smk; no weights)
# Outputs  {split}/{model}/seed{seed}/prompts.parquet (test pairs), tables/prompt_sensitivity.csv and .md,
#          tables/texts.csv and .md


rule vary_prompts:
    input:
        unpack(model_files),
        unpack(model_resources),
        unpack(training_data),
        library=library("vary_prompts.py"),
    output:
        prompts="<results>/{split}/{model}/seed{seed}/prompts.parquet",
    log:
        "<logs>/{split}/{model}/seed{seed}/vary_prompts.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/vary_prompts.tsv"
    wildcard_constraints:
        model=one_of(prompted_models()),
    conda:
        "../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        classes=config["curation"]["classes"],
        templates=config["prompt_sensitivity"]["templates"],
        batch_size=config["evaluation"]["batch_size"],
    script:
        "../scripts/vary_prompts.py"


rule compare_prompts:
    input:
        prompts=prompt_files,
        library=library("compare_prompts.py"),
    output:
        multiext("<results>/tables/prompt_sensitivity", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/prompt_sensitivity.html",
            caption="../report/prompt_sensitivity.rst",
            category=COMPARISON,
            subcategory="5. Prompts",
            labels={"item": "Accuracy by prompt template (table)"},
        ),
    log:
        "<logs>/tables/prompt_sensitivity.log",
    benchmark:
        "<benchmarks>/tables/prompt_sensitivity.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cells=cell_names(prompted_models()),
        registry=registry(prompted_models()),
        own={name: config["models"][name]["settings"]["templates"] for name in prompted_models()},
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_prompts.py"


rule describe_texts:
    input:
        unpack(tokeniser_files),
        pairs="<results>/curated/pairs.parquet",
        library=library("describe_texts.py"),
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
        systems={name: text_reader(name) for name in text_models()},
        registry=registry(text_models()),
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/describe_texts.py"
