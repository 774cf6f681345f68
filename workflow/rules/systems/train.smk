# Systems trained, on GPU or CPU. (Untrained ones are described by the job that asks them, see evaluate.smk.)
#
# Purpose  one folder per dataset, split, system and seed, from which predictions can be made anywhere.
# Inputs   curated/pairs.parquet, {split}/split.parquet, packed/, pretrained weights (data/fetch.smk); of systems that learn
#          from privileged texts also {split}/pairings/{pairing}/ and text_banks/{bank}/ (pairing.smk); with siblings of test
#          pairs also grouped/{system}/seed{seed}/settings.json, whose choices are taken over
# Outputs  {split}/{system}/seed{seed}/: model.safetensors, settings.json, training.csv and passport.json
# Steps    train_on_gpu | train_on_cpu (one script; the registry and the key `device` choose)


rule train_on_gpu:
    input:
        unpack(plan.files.built_from),
        unpack(plan.files.training_data),
        unpack(plan.privileged.taught_by),
        unpack(plan.pricing.choice),
    output:
        weights=ensure(
            "<results>/{dataset}/{split}/{system}/seed{seed}/model.safetensors", non_empty=True
        ),
        settings="<results>/{dataset}/{split}/{system}/seed{seed}/settings.json",
        history="<results>/{dataset}/{split}/{system}/seed{seed}/training.csv",
        passport="<results>/{dataset}/{split}/{system}/seed{seed}/passport.json",
    log:
        "<logs>/{dataset}/{split}/{system}/seed{seed}/train.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/{system}/seed{seed}/train.tsv"
    wildcard_constraints:
        system=one_of(plan.trained_on("cuda")),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        gpu=plan.gpus,
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 180 * attempt,
    params:
        code=code_of("train_model.py", plan.modules.family),
        family=plan.family_name,
        settings=plan.build_settings,
        stand_in=plan.stand_in,
        classes=plan.labels,
        device="cuda",
        state=plan.files.state_folder,
    script:
        "../../scripts/train_model.py"


use rule train_on_gpu as train_on_cpu with:
    wildcard_constraints:
        system=one_of(plan.trained_on("cpu")),
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("train_model.py", plan.modules.family),
        family=plan.family_name,
        settings=plan.build_settings,
        stand_in=plan.stand_in,
        classes=plan.labels,
        device="cpu",
        state=plan.files.state_folder,
