# Predictions on the CPU, and what each system's are worth.
#
# Purpose  predictions are kept, and every number is computed from the whole prediction file. A system is loaded once for
#          all that is asked about its own classes, about others and, by other prompts, once more; what is made of a system's
#          predictions within seconds is one job.
# Inputs   {split}/{system}/seed{seed}/ (systems/train.smk), packed/, {split}/split.parquet, curated/pairs.parquet
# Outputs  {split}/{system}/seed{seed}/predictions.parquet (validation and test pairs), out_of_distribution.parquet (how sure
#          it is of test pairs and of pairs out of distribution), prompts.parquet (test pairs by prompt after prompt; the last
#          two without rows where nobody is asked), of untrained systems also settings.json and passport.json;
#          {split}/{system}/seed{seed}/metrics.json of every seed (test pairs), tables/per_class_{dataset}_{split}_{system},
#          figures/per_class_, confusion_, mistakes_ and (of trained networks) training_{dataset}_{split}_{system}
# Steps    predict | predict_untrained (one script); report_system | report_system_once | report_baseline_seeds |
#          report_baseline (one script: with training curves or without, of every seed or of the first)

METRICS = "<results>/{dataset}/{split}/{system}/seed{seed}/metrics.json"


rule predict:
    input:
        unpack(plan.files.saved),
        unpack(plan.files.built_from),
        unpack(plan.files.training_data),
        unpack(plan.questions.out_of_distribution),
    output:
        predictions="<results>/{dataset}/{split}/{system}/seed{seed}/predictions.parquet",
        out_of_distribution="<results>/{dataset}/{split}/{system}/seed{seed}/out_of_distribution.parquet",
        prompts="<results>/{dataset}/{split}/{system}/seed{seed}/prompts.parquet",
    log:
        "<logs>/{dataset}/{split}/{system}/seed{seed}/predict.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/{system}/seed{seed}/predict.tsv"
    wildcard_constraints:
        system=one_of(plan.registered(trained=True)),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("predict.py", plan.modules.predicting),
        task=plan.of("task"),
        family=plan.family_name,
        untrained={},
        classes=plan.labels,
        prompts=plan.questions.prompts,
        batch_size=config["evaluation"]["batch_size"],
        state=plan.files.state_folder,
    script:
        "../../scripts/predict.py"


use rule predict as predict_untrained with:
    input:
        unpack(plan.files.built_from),
        unpack(plan.files.training_data),
        unpack(plan.questions.out_of_distribution),
    output:
        predictions="<results>/{dataset}/{split}/{system}/seed{seed}/predictions.parquet",
        out_of_distribution="<results>/{dataset}/{split}/{system}/seed{seed}/out_of_distribution.parquet",
        prompts="<results>/{dataset}/{split}/{system}/seed{seed}/prompts.parquet",
        settings="<results>/{dataset}/{split}/{system}/seed{seed}/settings.json",
        passport="<results>/{dataset}/{split}/{system}/seed{seed}/passport.json",
    wildcard_constraints:
        system=one_of(plan.registered(trained=False)),
    params:
        code=code_of("predict.py", plan.modules.predicting),
        task=plan.of("task"),
        family=plan.family_name,
        untrained=plan.untrained,
        stand_in=plan.stand_in,
        classes=plan.labels,
        prompts=plan.questions.prompts,
        batch_size=config["evaluation"]["batch_size"],
        state=plan.files.state_folder,


rule report_system:
    input:
        predictions=plan.files.in_seeds("predictions.parquet"),
        histories=plan.files.in_seeds("training.csv"),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        images=plan.files.images,
    output:
        **outputs_of("report_system"),
        metrics=expand(METRICS, seed=config["seeds"], allow_missing=True),
    log:
        "<logs>/tables/per_class_{dataset}_{split}_{system}.log",
    benchmark:
        "<benchmarks>/tables/per_class_{dataset}_{split}_{system}.tsv"
    wildcard_constraints:
        dataset=one_of(plan.having("per_class")),
        system=one_of(plan.reported(random=True, curves=True)),
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("report_system.py", plan.modules.task),
        task=plan.of("task"),
        registry=plan.shown_of_system,
        stated=plan.published.stated,
        classes=plan.class_names,
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
        mistakes=config["mistakes"]["shown"],
        drawn=plan.drawn,
        articles=plan.names_articles,
    script:
        "../../scripts/report_system.py"


# The same of systems with a training curve and the same result for every seed ...
use rule report_system as report_system_once with:
    output:
        **outputs_of("report_system"),
        metrics=expand(METRICS, seed=config["seeds"][:1], allow_missing=True),
    wildcard_constraints:
        dataset=one_of(plan.having("per_class")),
        system=one_of(plan.reported(random=False, curves=True)),


# ... without a curve, with every seed ...
use rule report_system as report_baseline_seeds with:
    input:
        predictions=plan.files.in_seeds("predictions.parquet"),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        images=plan.files.images,
    output:
        **outputs_of("report_system", leave_out=["training"]),
        metrics=expand(METRICS, seed=config["seeds"], allow_missing=True),
    wildcard_constraints:
        dataset=one_of(plan.having("per_class")),
        system=one_of(plan.reported(random=True, curves=False)),


# ... and with neither.
use rule report_baseline_seeds as report_baseline with:
    output:
        **outputs_of("report_system", leave_out=["training"]),
        metrics=expand(METRICS, seed=config["seeds"][:1], allow_missing=True),
    wildcard_constraints:
        dataset=one_of(plan.having("per_class")),
        system=one_of(plan.reported(random=False, curves=False)),
