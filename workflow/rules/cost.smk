# What the systems cost, and what the jobs of this run took.
#
# Purpose  the cost side of the comparison: training, energy, memory, CPU time; accuracy against it; what each job took.
# Inputs   tables/comparison.csv (report.smk), passports (train.smk), timing/ (time.smk), config/paper.yaml, and the
#          benchmark files of every job up to predictions, metrics and timings
# Outputs  tables/cost.*, timing.*, benchmarks.* (.csv, .md, .html, .tex), figures/accuracy_against_cost.svg and .png
# Notes    For Snakemake a benchmark file is a product of its job like an output, and so can be an input here: the DAG
#          orders the jobs, and no folder is walked. Where a benchmark file is missing, its job is run again.


rule describe_cost:
    input:
        comparison="<results>/tables/comparison.csv",
        passports=cells("<results>/{split}/{model}/seed{seed}/passport.json"),
        timings=expand("<results>/timing/{model}.json", model=models()),
        benchmarks=benchmark_files,
        paper=own_file(PAPER),
    output:
        multiext("<results>/tables/cost", cost_csv=".csv", cost_md=".md", cost_tex=".tex"),
        multiext(
            "<results>/tables/benchmarks",
            benchmarks_csv=".csv",
            benchmarks_md=".md",
            benchmarks_tex=".tex",
        ),
        **outputs_of_table("timing", "timing"),
        timing_html=report(
            "<results>/tables/timing.html",
            caption="../report/timing.rst",
            category=COST,
            labels={"item": "2. CPU seconds per image, by stage (table)"},
        ),
        cost_html=report(
            "<results>/tables/cost.html",
            caption="../report/cost.rst",
            category=COST,
            labels={"item": "1. Training and classification, by system (table)"},
        ),
        benchmarks_html=report(
            "<results>/tables/benchmarks.html",
            caption="../report/benchmarks.rst",
            category=COST,
            labels={"item": "3. What the jobs took, by rule (table)"},
        ),
        svg=report(
            "<results>/figures/accuracy_against_cost.svg",
            caption="../report/accuracy_against_cost.rst",
            category=OVERVIEW,
            labels={"item": "3. Accuracy against cost (figure)"},
        ),
        png="<results>/figures/accuracy_against_cost.png",
    log:
        "<logs>/tables/cost.log",
    benchmark:
        "<benchmarks>/tables/cost.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("describe_cost.py"),
        cells=cell_names(),
        jobs=measured_jobs,
        registry=registry(),
    script:
        "../scripts/describe_cost.py"
