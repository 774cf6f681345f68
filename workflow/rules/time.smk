# Seconds per image on the CPU.
#
# Purpose  the paper's protocol, from image file and caption to label, one pair at a time, and batches as in deployment;
#          the stages of what a system reads, once per system: it depends on the architecture, not on split or seed.
# Inputs   the system's files of the first split and seed, the corpus's archives
# Outputs  timing/{model}.json


rule time_model:
    input:
        unpack(model_resources),
        unpack(first_model_files),
        pairs="<results>/curated/pairs.parquet",
        split=f"<results>/{config['splits'][0]}/split.parquet",
        archives=corpus_stores(),
    output:
        timing="<results>/timing/{model}.json",
    log:
        "<logs>/timing/{model}.log",
    benchmark:
        "<benchmarks>/timing/{model}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: config["timing"]["threads"]
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of_family("time_model.py"),
        family=of_system("family"),
        reads=of_system("reads"),
        untrained=untrained,
        classes=config["curation"]["classes"],
        archives=corpus_archives(),
        image_size=config["packing"]["image_size"],
        squaring=config["packing"]["squaring"],
        timing=config["timing"],
    script:
        "../scripts/time_model.py"
