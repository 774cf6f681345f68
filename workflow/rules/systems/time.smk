# Seconds per image on the CPU.
#
# Purpose  the paper's protocol, from image file and caption to label, one pair at a time, and batches as in deployment;
#          the stages of what a system reads, once per system: it depends on the architecture, not on split or seed.
# Inputs   the system's files of the first split and seed, the dataset's archives
# Outputs  timing/{system}.json


rule time_system:
    input:
        unpack(plan.files.built_from),
        unpack(plan.files.saved_first),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        split=plan.files.first_split("split.parquet"),
        archives=by_contents(plan.stores),
    output:
        timing="<results>/{dataset}/timing/{system}.json",
    log:
        "<logs>/{dataset}/timing/{system}.log",
    benchmark:
        "<benchmarks>/{dataset}/timing/{system}.tsv"
    conda:
        "../../../envs/learning.yaml"
    threads: config["timing"]["threads"]
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("time_system.py", plan.modules.timing),
        family=plan.family_name,
        reads=plan.reads,
        untrained=plan.untrained,
        classes=plan.labels,
        archives=plan.archives,
        image_size=plan.files.size,
        squaring=plan.of("packing.squaring"),
        timing=config["timing"],
    script:
        "../../scripts/time_system.py"
