# Training, validation and test subsets.
#
# Purpose  the paper's stratified split, a grouped one that leaks nothing, the released PairDx's own; all measured.
# Inputs   curated/pairs.parquet
# Outputs  {split}/split.parquet, {split}/leakage.json (the grouped split's job fails if anything is shared)


rule make_split:
    input:
        pairs="<results>/curated/pairs.parquet",
    output:
        split="<results>/{split}/split.parquet",
        leakage="<results>/{split}/leakage.json",
    log:
        "<logs>/{split}/make_split.log",
    benchmark:
        "<benchmarks>/{split}/make_split.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("make_split.py"),
        fractions=config["split"]["fractions"],
        seed=config["split"]["seed"],
    script:
        "../scripts/make_split.py"
