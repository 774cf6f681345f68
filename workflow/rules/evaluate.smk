# Predictions and metrics, on the CPU.
#
# Purpose  predictions are kept, and every number is computed from the whole prediction file. A system is loaded once for
#          all that it is asked about its own classes and others.
# Inputs   {split}/{model}/seed{seed}/ (train.smk), packed/, {split}/split.parquet
# Outputs  {split}/{model}/seed{seed}/predictions.parquet (validation and test pairs), out_of_distribution.parquet (how sure
#          it is of test pairs and of pairs of unknown classes; no rows where there are none of these) and metrics.json (test
#          pairs)


rule predict:
    input:
        unpack(model_files),
        unpack(model_resources),
        unpack(training_data),
        unpack(unknown_pairs),
        library=library_of_model("predict.py"),
    output:
        predictions="<results>/{split}/{model}/seed{seed}/predictions.parquet",
        out_of_distribution="<results>/{split}/{model}/seed{seed}/out_of_distribution.parquet",
    log:
        "<logs>/{split}/{model}/seed{seed}/predict.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/predict.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        family=of_system("family"),
        classes=config["curation"]["classes"],
        batch_size=config["evaluation"]["batch_size"],
        state=state_folder,
    script:
        "../scripts/predict.py"


rule evaluate_predictions:
    input:
        predictions="<results>/{split}/{model}/seed{seed}/predictions.parquet",
        library=library("evaluate_predictions.py"),
    output:
        metrics="<results>/{split}/{model}/seed{seed}/metrics.json",
    log:
        "<logs>/{split}/{model}/seed{seed}/evaluate_predictions.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/evaluate_predictions.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        classes=config["curation"]["classes"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/evaluate_predictions.py"
