# What the results of all systems say together.
#
# Purpose  one comparison of all systems on all datasets; which differences are more than chance, two systems at a time on the
#          same test pairs; what the split does, where both the stratified and the grouped one are made; the pairs on which
#          two systems disagree; how much of a zero-shot accuracy is the prompt's. And the price of leakage.
# Inputs   {dataset}/{split}/{system}/seed{seed}/ (predictions, metrics, passports, prompts, training.csv), {dataset}/timing/,
#          curated/pairs.parquet, the paper's file
# Outputs  tables and figures: plan/declared.py declares them


# Of the datasets whose task is compared by accuracy; those of several labels per pair stand in findings.smk.
for suffix, _ in shapes("compare_systems"):

    rule:
        name:
            f"compare_systems{suffix}"
        input:
            **paper_file(compared=True),
            predictions=plan.files.of_cells("predictions.parquet", having=COMPARISON),
            metrics=plan.files.of_cells("metrics.json", having=COMPARISON),
            passports=plan.files.of_cells("passport.json", having=COMPARISON),
            histories=plan.files.of_cells("training.csv", trained=True, having=COMPARISON),
            timings=plan.files.timings(having=COMPARISON),
        output:
            **outputs_of("compare_systems"),
        log:
            "<logs>/tables/comparison.log",
        benchmark:
            "<benchmarks>/tables/comparison.tsv"
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("compare_systems.py", plan.modules.tasks_having(COMPARISON)),
            cells=plan.cells_having(COMPARISON),
            timed=plan.files.timed(having=COMPARISON),
            datasets=plan.shown_datasets(plan.having(COMPARISON)),
            registry=plan.shown_having(COMPARISON),
            in_paper=plan.published.titles("compare_systems"),
            paper_cells=plan.published.compared_places,
            paper_title=plan.published.title,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_systems.py"


# Of each dataset, because its test pairs are. Datasets with other splits have other outputs, and a rule of their own.
for suffix, names in shapes("compare_predictions"):

    rule:
        name:
            f"compare_predictions{suffix}"
        input:
            predictions=plan.files.in_dataset("predictions.parquet"),
            prompts=plan.questions.prompted_files,
            pairs="<results>/{dataset}/curated/pairs.parquet",
        output:
            **outputs_of("compare_predictions", names[0]),
        log:
            "<logs>/tables/comparisons_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/comparisons_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=code_of("compare_predictions.py"),
            cells=plan.cells_of_dataset,
            prompted=plan.questions.prompted_cells_of,
            own=plan.questions.own_templates,
            own_prompts=plan.questions.classes_with_prompts,
            splits=plan.splits,
            registry=plan.shown_of_dataset,
            tells=plan.facts.tells,
            training_seed=config["seeds"][0],
            compared=plan.questions.compared,
            classes=plan.class_names,
            listed=config["mistakes"]["listed"],
            drawn=plan.drawn,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_predictions.py"


# The price of leakage: one test set, trained with and without its siblings. Apart from the above, so that whoever asks for
# it trains these systems and no others.
rule price_leakage:
    input:
        with_siblings=plan.pricing.predictions(WITH_SIBLINGS),
        without_siblings=plan.pricing.predictions(WITHOUT_SIBLINGS),
        split=f"<results>/{{dataset}}/{WITH_SIBLINGS}/split.parquet",
        other_split=f"<results>/{{dataset}}/{WITHOUT_SIBLINGS}/split.parquet",
        pairs="<results>/{dataset}/curated/pairs.parquet",
    output:
        **outputs_of("price_leakage"),
    log:
        "<logs>/tables/leakage_price_{dataset}.log",
    benchmark:
        "<benchmarks>/tables/leakage_price_{dataset}.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("price_leakage.py"),
        cells=plan.pricing.cells_of_dataset,
        registry=plan.pricing.shown,
        tells=plan.facts.tells,
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../../scripts/price_leakage.py"


# Whoever asks by name for a table that the configuration has nothing for is told which key leaves it out.
rule say_why_it_is_left_out:
    input:
        reason_it_is_left_out,
    output:
        "<results>/tables/{table}.csv",
    wildcard_constraints:
        table=one_of([*outputs.reasons(world)]),
