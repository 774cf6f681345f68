# Calibration and abstention: how far a system's probabilities are to be believed.
#
# Purpose  temperature scaling fitted on validation pairs, risk by coverage, and whether a class that no system was
#          trained on is noticed. One job per dataset: all of it is made of the same predictions.
# Inputs   {dataset}/{split}/{system}/seed{seed}/predictions.parquet and out_of_distribution.parquet (systems/evaluate.smk)
# Outputs  tables calibration and out_of_distribution, figures reliability and risk_coverage: plan/declared.py declares them

for suffix, names in shapes("assess_confidence"):

    rule:
        name:
            f"assess_confidence{suffix}"
        input:
            predictions=plan.files.in_dataset("predictions.parquet"),
            scored=plan.files.in_dataset("out_of_distribution.parquet"),
        output:
            **outputs_of("assess_confidence", names[0]),
        log:
            "<logs>/tables/confidence_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/confidence_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=code_of("assess_confidence.py"),
            cells=plan.cells_of_dataset,
            splits=plan.splits,
            registry=plan.shown_of_dataset,
            classes=plan.labels,
            abstention=config["evaluation"]["abstention"],
            out_of_distribution=plan.of("out_of_distribution"),
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/assess_confidence.py"
