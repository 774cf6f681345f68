# Calibration and abstention: how far a system's probabilities are to be believed.
#
# Purpose  temperature scaling fitted on validation pairs, risk by coverage, and whether a class that no system was
#          trained on is noticed.
# Inputs   {split}/{model}/seed{seed}/predictions.parquet and out_of_distribution.parquet (evaluate.smk)
# Outputs  tables/calibration.csv and .md, figures/reliability_{split} and risk_coverage_{split}, tables/unknown_class.csv
#          and .md


rule measure_calibration:
    input:
        predictions=cells("<results>/{split}/{model}/seed{seed}/predictions.parquet"),
        library=library("measure_calibration.py"),
    output:
        multiext("<results>/tables/calibration", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/calibration.html",
            caption="../report/calibration.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "1. Calibration and abstention (table)"},
        ),
    log:
        "<logs>/tables/calibration.log",
    benchmark:
        "<benchmarks>/tables/calibration.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cells=cell_names(),
        registry=registry(),
        classes=config["curation"]["classes"],
        abstention=config["evaluation"]["abstention"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/measure_calibration.py"


rule plot_calibration:
    input:
        predictions=predictions_of_split,
        library=library("plot_calibration.py"),
    output:
        reliability=report(
            "<results>/figures/reliability_{split}.svg",
            caption="../report/reliability.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "2. Reliability diagrams (figure)", "split": "{split}"},
        ),
        reliability_png="<results>/figures/reliability_{split}.png",
        risk_coverage=report(
            "<results>/figures/risk_coverage_{split}.svg",
            caption="../report/risk_coverage.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "3. Risk by coverage (figure)", "split": "{split}"},
        ),
        risk_coverage_png="<results>/figures/risk_coverage_{split}.png",
    log:
        "<logs>/figures/calibration_{split}.log",
    benchmark:
        "<benchmarks>/figures/calibration_{split}.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cells=cells_of_split,
        registry=registry(),
        classes=config["curation"]["classes"],
        coverage=config["evaluation"]["abstention"]["coverage"],
    script:
        "../scripts/plot_calibration.py"


rule detect_unknown_class:
    input:
        scored=cells("<results>/{split}/{model}/seed{seed}/out_of_distribution.parquet"),
        library=library("detect_unknown_class.py"),
    output:
        multiext("<results>/tables/unknown_class", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/unknown_class.html",
            caption="../report/unknown_class.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "4. Detection of an unknown class (table)"},
        ),
    log:
        "<logs>/tables/unknown_class.log",
    benchmark:
        "<benchmarks>/tables/unknown_class.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cells=cell_names(),
        registry=registry(),
        unknown_classes=config["curation"]["out_of_distribution"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/detect_unknown_class.py"
