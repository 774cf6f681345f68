# Training, validation and test subsets.
#
# Purpose  the paper's stratified split, a grouped one that leaks nothing, the released PairDx's own; all measured. For the
#          price of leakage also with_siblings: the grouped one, with siblings of test pairs in training.
# Inputs   curated/pairs.parquet
# Outputs  {split}/split.parquet, {split}/leakage.json (a job fails whose split shares more than it promises;
#          one that no system can be trained on says so there, and the jobs that would refuse)


rule make_split:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
    output:
        split="<results>/{dataset}/{split}/split.parquet",
        leakage="<results>/{dataset}/{split}/leakage.json",
    log:
        "<logs>/{dataset}/{split}/make_split.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/make_split.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("make_split.py"),
        classes=plan.strata,
        fractions=plan.of("split.fractions"),
        seed=plan.of("split.seed"),
    script:
        "../../scripts/make_split.py"
