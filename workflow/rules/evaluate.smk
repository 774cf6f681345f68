# Predictions on the CPU, and what each system's are worth.
#
# Purpose  predictions are kept, and every number is computed from the whole prediction file. A system is loaded once for
#          all that is asked about its own classes, about others and, by other prompts, once more; what is made of a system's
#          predictions within seconds is one job.
# Inputs   {split}/{model}/seed{seed}/ (train.smk), packed/, {split}/split.parquet, curated/pairs.parquet
# Outputs  {split}/{model}/seed{seed}/predictions.parquet (validation and test pairs), out_of_distribution.parquet (how sure
#          it is of test pairs and of pairs of unknown classes), prompts.parquet (test pairs by prompt after prompt; the last
#          two without rows where nobody is asked), of untrained systems also settings.json and passport.json;
#          {split}/{model}/seed{seed}/metrics.json of every seed (test pairs), tables/per_class_{split}_{model},
#          figures/per_class_, confusion_, mistakes_ and (of trained networks) training_{split}_{model}
# Steps    predict | predict_untrained (one script); report_system | report_system_once | report_baseline_seeds |
#          report_baseline (one script: with training curves or without, of every seed or of the first)


rule predict:
    input:
        unpack(model_files),
        unpack(model_resources),
        unpack(training_data),
        unpack(unknown_pairs),
    output:
        predictions="<results>/{split}/{model}/seed{seed}/predictions.parquet",
        out_of_distribution="<results>/{split}/{model}/seed{seed}/out_of_distribution.parquet",
        prompts="<results>/{split}/{model}/seed{seed}/prompts.parquet",
    log:
        "<logs>/{split}/{model}/seed{seed}/predict.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/predict.tsv"
    wildcard_constraints:
        model=one_of(registered(trained=True)),
    conda:
        "../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        code=code_of_family("predict.py"),
        untrained={},
        classes=config["curation"]["classes"],
        templates=varied_templates,
        batch_size=config["evaluation"]["batch_size"],
        state=state_folder,
    script:
        "../scripts/predict.py"


use rule predict as predict_untrained with:
    input:
        unpack(model_resources),
        unpack(training_data),
        unpack(unknown_pairs),
    output:
        predictions="<results>/{split}/{model}/seed{seed}/predictions.parquet",
        out_of_distribution="<results>/{split}/{model}/seed{seed}/out_of_distribution.parquet",
        prompts="<results>/{split}/{model}/seed{seed}/prompts.parquet",
        settings="<results>/{split}/{model}/seed{seed}/settings.json",
        passport="<results>/{split}/{model}/seed{seed}/passport.json",
    wildcard_constraints:
        model=one_of(registered(trained=False)),
    params:
        code=code_of_family("predict.py"),
        untrained=untrained,
        stand_in=of_system("stand_in"),
        classes=config["curation"]["classes"],
        templates=varied_templates,
        batch_size=config["evaluation"]["batch_size"],
        state=state_folder,


rule report_system:
    input:
        predictions=seeds_of_cell("predictions.parquet"),
        histories=seeds_of_cell("training.csv"),
        pairs="<results>/curated/pairs.parquet",
        images="<results>/packed/images.npy",
    output:
        **reported_files(config["seeds"], curves=True),
    log:
        "<logs>/tables/per_class_{split}_{model}.log",
    benchmark:
        "<benchmarks>/tables/per_class_{split}_{model}.tsv"
    wildcard_constraints:
        model=one_of(reported_models(random=True, curves=True)),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("report_system.py"),
        registry=registry_entry,
        stated=stated_by_paper,
        classes=config["curation"]["classes"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
        mistakes=config["errors"]["mistakes"],
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/report_system.py"


# The same of systems with a training curve and the same result for every seed ...
use rule report_system as report_system_once with:
    output:
        **reported_files(config["seeds"][:1], curves=True),
    wildcard_constraints:
        model=one_of(reported_models(random=False, curves=True)),


# ... without a curve, with every seed ...
use rule report_system as report_baseline_seeds with:
    input:
        predictions=seeds_of_cell("predictions.parquet"),
        pairs="<results>/curated/pairs.parquet",
        images="<results>/packed/images.npy",
    output:
        **reported_files(config["seeds"], curves=False),
    wildcard_constraints:
        model=one_of(reported_models(random=True, curves=False)),


# ... and with neither.
use rule report_baseline_seeds as report_baseline with:
    output:
        **reported_files(config["seeds"][:1], curves=False),
    wildcard_constraints:
        model=one_of(reported_models(random=False, curves=False)),
