# Systems trained, on GPU or CPU. (Untrained ones are described by the job that asks them, see evaluate.smk.)
#
# Purpose  one folder per split, system and seed, from which predictions can be made anywhere.
# Inputs   curated/pairs.parquet, {split}/split.parquet, packed/, pretrained weights (fetch.smk); with siblings of test pairs
#          also grouped/{model}/seed{seed}/settings.json, whose choices are taken over
# Outputs  {split}/{model}/seed{seed}/: model.safetensors, settings.json, training.csv and passport.json
# Steps    train_on_gpu | train_on_cpu (one script; the registry and the key `device` choose)


rule train_on_gpu:
    input:
        unpack(model_resources),
        unpack(training_data),
        unpack(choice_without_siblings),
    output:
        weights=ensure("<results>/{split}/{model}/seed{seed}/model.safetensors", non_empty=True),
        settings="<results>/{split}/{model}/seed{seed}/settings.json",
        history="<results>/{split}/{model}/seed{seed}/training.csv",
        passport="<results>/{split}/{model}/seed{seed}/passport.json",
    log:
        "<logs>/{split}/{model}/seed{seed}/train.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/train.tsv"
    wildcard_constraints:
        model=one_of(trained_on("cuda")),
    conda:
        "../../envs/learning.yaml"
    threads: 4
    resources:
        gpu=gpus_of,
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 180 * attempt,
    params:
        code=code_of_family("train_model.py"),
        family=of_system("family"),
        settings=settings_of,
        stand_in=of_system("stand_in"),
        classes=config["curation"]["classes"],
        device="cuda",
        state=state_folder,
    script:
        "../scripts/train_model.py"


use rule train_on_gpu as train_on_cpu with:
    wildcard_constraints:
        model=one_of(trained_on("cpu")),
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of_family("train_model.py"),
        family=of_system("family"),
        settings=settings_of,
        stand_in=of_system("stand_in"),
        classes=config["curation"]["classes"],
        device="cpu",
        state=state_folder,
