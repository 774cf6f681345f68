# Texts that go with images whose own they are not: privileged, because only training sees them.
#
# Purpose  banks of texts are read and encoded once per dataset; every pair of a split gets a text of a bank (the nearest by a
#          frozen encoder, or a control); a small classifier says what these texts alone tell of the class.
# Inputs   a bank's file or files (config key text_banks) or curated/pairs.parquet; features/{encoder}.safetensors
#          (features.smk), {split}/split.parquet, pretrained weights (data/fetch.smk)
# Outputs  text_banks/{bank}/: texts.parquet, rejected.parquet, bank.json, {encoder}.safetensors (float32, row i for text i);
#          {split}/pairings/{pairing}/: matches.parquet (all pairs of the split), summary.json, and
#          seed{seed}/ text_classifier.safetensors, training.csv, predictions.parquet
# Steps    read_text_bank -> encode_text_bank_on_gpu | encode_text_bank_on_cpu -> pair_texts -> train_text_classifier


rule read_text_bank:
    input:
        unpack(plan.privileged.bank_files),
    output:
        texts=ensure("<results>/{dataset}/text_banks/{bank}/texts.parquet", non_empty=True),
        rejected="<results>/{dataset}/text_banks/{bank}/rejected.parquet",
        summary="<results>/{dataset}/text_banks/{bank}/bank.json",
    log:
        "<logs>/{dataset}/text_banks/{bank}.log",
    benchmark:
        "<benchmarks>/{dataset}/text_banks/{bank}.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        code=code_of("read_text_bank.py"),
        settings=plan.privileged.bank_settings,
    script:
        "../../scripts/read_text_bank.py"


rule encode_text_bank_on_gpu:
    input:
        unpack(plan.files.encoder_weights),
        texts="<results>/{dataset}/text_banks/{bank}/texts.parquet",
    output:
        features=ensure(
            "<results>/{dataset}/text_banks/{bank}/{encoder}.safetensors", non_empty=True
        ),
    log:
        "<logs>/{dataset}/text_banks/{bank}/{encoder}.log",
    benchmark:
        "<benchmarks>/{dataset}/text_banks/{bank}/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(plan.privileged.encoders("cuda")),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("encode_text_bank.py"),
        settings=plan.encoder_settings,
        # The same as of the features of images: random weights are those of one encoder.
        seed=config["seeds"][0],
        batch_size=config["evaluation"]["batch_size"],
        device="cuda",
    script:
        "../../scripts/encode_text_bank.py"


use rule encode_text_bank_on_gpu as encode_text_bank_on_cpu with:
    wildcard_constraints:
        encoder=one_of(plan.privileged.encoders("cpu")),
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("encode_text_bank.py"),
        settings=plan.encoder_settings,
        seed=config["seeds"][0],
        batch_size=config["evaluation"]["batch_size"],
        device="cpu",


rule pair_texts:
    input:
        unpack(plan.privileged.bank_texts),
        unpack(plan.privileged.image_features),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        split="<results>/{dataset}/{split}/split.parquet",
    output:
        matches=ensure(
            "<results>/{dataset}/{split}/pairings/{pairing}/matches.parquet", non_empty=True
        ),
        summary="<results>/{dataset}/{split}/pairings/{pairing}/summary.json",
    log:
        "<logs>/{dataset}/{split}/pairings/{pairing}.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/pairings/{pairing}.tsv"
    conda:
        "../../../envs/data.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("pair_texts.py"),
        settings=plan.privileged.pairing_settings,
    script:
        "../../scripts/pair_texts.py"


rule train_text_classifier:
    input:
        unpack(plan.privileged.bank_texts),
        matches="<results>/{dataset}/{split}/pairings/{pairing}/matches.parquet",
        pairs="<results>/{dataset}/curated/pairs.parquet",
        split="<results>/{dataset}/{split}/split.parquet",
    output:
        weights=ensure(
            "<results>/{dataset}/{split}/pairings/{pairing}/seed{seed}/text_classifier.safetensors",
            non_empty=True,
        ),
        training="<results>/{dataset}/{split}/pairings/{pairing}/seed{seed}/training.csv",
        predictions="<results>/{dataset}/{split}/pairings/{pairing}/seed{seed}/predictions.parquet",
    log:
        "<logs>/{dataset}/{split}/pairings/{pairing}/seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/pairings/{pairing}/seed{seed}.tsv"
    conda:
        "../../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        code=code_of("train_text_classifier.py", plan.modules.rows),
        task=plan.of("task"),
        settings=plan.privileged.classifier_settings,
        classes=plan.labels,
    script:
        "../../scripts/train_text_classifier.py"
