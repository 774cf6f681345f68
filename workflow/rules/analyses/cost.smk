# What the systems cost, and what the jobs of this run took.
#
# Purpose  the cost side of the comparison: training, energy, memory, CPU time; accuracy against it; what each job took.
# Inputs   tables/comparison.csv (where it is made), passports and, of datasets that it leaves out, training.csv (systems/train.smk),
#          {dataset}/timing/, the paper's file, and the benchmark files of every job up to predictions, metrics and timings
# Outputs  tables cost, timing and benchmarks, figure accuracy_against_cost
# Notes    For Snakemake a benchmark file is a product of its job like an output, and so can be an input here: the DAG
#          orders the jobs, and no folder is walked. Where a benchmark file is missing, its job is run again.


rule describe_cost:
    input:
        **paper_file(compared=True),
        **compared_file(),
        passports=plan.files.of_cells("passport.json"),
        histories=plan.files.not_compared("training.csv", trained=True),
        timings=plan.files.timings(),
        benchmarks=benchmark_files,
    output:
        **outputs_of("describe_cost"),
    log:
        "<logs>/tables/cost.log",
    benchmark:
        "<benchmarks>/tables/cost.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("describe_cost.py"),
        cells=plan.cells,
        timed=plan.files.timed(),
        datasets=plan.shown_datasets(),
        jobs=lambda wildcards: measured_jobs(plan),
        registry=plan.shown(),
        paper_cells=plan.published.compared_places,
    script:
        "../../scripts/describe_cost.py"
