# Several labels per pair: what systems find in an image, at home and on other datasets.
#
# Purpose  scores, thresholds and ROC curves of every finding of one system; all systems in one comparison, on their own dataset
#          and on those that they are tested on; per dataset which differences are more than chance, how far probabilities are to
#          be believed, and how much is the prompts'. What systems/evaluate.smk and comparisons.smk are for one label per pair:
#          a dataset has the ones or the others, by its task.
# Inputs   {dataset}/{split}/{system}/seed{seed}/ (predictions.parquet, also in tested_on/{other}/, prompts.parquet, training.csv)
# Outputs  {split}/{system}/seed{seed}/metrics.json of every seed; tables and figures: plan/declared.py declares them
# Steps    report_findings | report_findings_once | report_findings_baseline_seeds | report_findings_baseline (one script: with
#          training curves or without, of every seed or of the first), compare_findings_of_dataset, compare_findings

# Ending of the name, whether there are further seeds, and whether there are training curves.
FINDINGS_REPORTS = (
    ("", True, True),
    ("_once", False, True),
    ("_baseline_seeds", True, False),
    ("_baseline", False, False),
)

for ending, has_seeds, has_curves in FINDINGS_REPORTS if plan.findings.datasets else ():

    rule:
        name:
            f"report_findings{ending}"
        input:
            predictions=plan.files.in_seeds("predictions.parquet"),
            histories=plan.files.in_seeds("training.csv") if has_curves else [],
        output:
            **outputs_of("report_findings", leave_out=[] if has_curves else ["findings_training"]),
            metrics=expand(
                METRICS,
                seed=config["seeds"] if has_seeds else config["seeds"][:1],
                allow_missing=True,
            ),
        log:
            "<logs>/tables/findings_{dataset}_{split}_{system}.log",
        benchmark:
            "<benchmarks>/tables/findings_{dataset}_{split}_{system}.tsv"
        wildcard_constraints:
            dataset=one_of(plan.findings.datasets),
            system=one_of(plan.reported(random=has_seeds, curves=has_curves)),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=code_of("report_findings.py", plan.modules.task),
            task=plan.of("task"),
            registry=plan.shown_of_system,
            classes=plan.class_names,
            several=plan.several,
            drawn=plan.drawn,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/report_findings.py"


for suffix, names in shapes("compare_findings_of_dataset"):

    rule:
        name:
            f"compare_findings_of_dataset{suffix}"
        input:
            predictions=plan.findings.files_of,
            prompts=plan.questions.prompted_files,
        output:
            **outputs_of("compare_findings_of_dataset", names[0]),
        log:
            "<logs>/tables/findings_tests_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/findings_tests_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            code=code_of("compare_findings_of_dataset.py"),
            asked=plan.findings.asked_by,
            prompted=plan.questions.prompted_cells_of,
            own=plan.findings.own_prompts,
            facts=plan.findings.facts_of,
            registry=plan.shown_of_dataset,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_findings_of_dataset.py"


for suffix, _ in shapes("compare_findings"):

    rule:
        name:
            f"compare_findings{suffix}"
        input:
            predictions=plan.findings.files(),
        output:
            **outputs_of("compare_findings"),
        log:
            "<logs>/tables/findings_comparison.log",
        benchmark:
            "<benchmarks>/tables/findings_comparison.tsv"
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            code=code_of("compare_findings.py", plan.modules.tasks_having(FINDINGS_COMPARISON)),
            task=plan.findings.task,
            asked=plan.findings.asked,
            facts=plan.findings.facts(),
            registry=plan.findings.shown(),
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_findings.py"


# Beside people and beside the paper's own system, on the findings that a competition counts.
for suffix, _ in shapes("compare_competition"):

    rule:
        name:
            f"compare_competition{suffix}"
        input:
            **paper_file(),
            predictions=plan.findings.competition_files(),
        output:
            **outputs_of("compare_competition"),
        log:
            "<logs>/tables/competition.log",
        benchmark:
            "<benchmarks>/tables/competition.tsv"
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("compare_competition.py", plan.modules.tasks_having(FINDINGS_COMPARISON)),
            asked=plan.findings.in_competition,
            facts=plan.findings.competition_facts(),
            registry=plan.findings.shown_in_competition(),
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_competition.py"
