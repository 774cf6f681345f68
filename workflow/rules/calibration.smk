# Calibration and abstention: how far a system's probabilities are to be believed.
#
# Purpose  temperature scaling fitted on validation pairs, risk by coverage, and whether a class that no system was
#          trained on is noticed. One job: all of it is made of the same predictions.
# Inputs   {split}/{model}/seed{seed}/predictions.parquet and out_of_distribution.parquet (evaluate.smk)
# Outputs  tables/calibration and unknown_class (.csv, .md, .html, .tex), figures/reliability_{split} and
#          risk_coverage_{split} (.svg, .png)


rule assess_confidence:
    input:
        predictions=cells("<results>/{split}/{model}/seed{seed}/predictions.parquet"),
        scored=cells("<results>/{split}/{model}/seed{seed}/out_of_distribution.parquet"),
    output:
        **outputs_of_table("calibration", "calibration"),
        **outputs_of_table("unknown_class", "unknown"),
        calibration_html=report(
            "<results>/tables/calibration.html",
            caption="../report/calibration.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "1. Calibration and abstention (table)"},
        ),
        unknown_html=report(
            "<results>/tables/unknown_class.html",
            caption="../report/unknown_class.rst",
            category=COMPARISON,
            subcategory="3. Confidence",
            labels={"item": "4. Detection of an unknown class (table)"},
        ),
        reliability=[
            confidence_figure(
                "reliability", "reliability.rst", "2. Reliability diagrams (figure)", split
            )
            for split in config["splits"]
        ],
        reliability_png=expand("<results>/figures/reliability_{split}.png", split=config["splits"]),
        risk_coverage=[
            confidence_figure(
                "risk_coverage", "risk_coverage.rst", "3. Risk by coverage (figure)", split
            )
            for split in config["splits"]
        ],
        risk_coverage_png=expand(
            "<results>/figures/risk_coverage_{split}.png", split=config["splits"]
        ),
    log:
        "<logs>/tables/confidence.log",
    benchmark:
        "<benchmarks>/tables/confidence.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("assess_confidence.py"),
        cells=cell_names(),
        splits=config["splits"],
        registry=registry(),
        classes=config["curation"]["classes"],
        abstention=config["evaluation"]["abstention"],
        unknown_classes=config["curation"]["out_of_distribution"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/assess_confidence.py"
