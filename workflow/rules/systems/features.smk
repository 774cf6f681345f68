# Features of frozen encoders, for probes.
#
# Purpose  every image and caption is encoded once per encoder, for all splits, seeds and probes.
# Inputs   curated/pairs.parquet, packed/images_{size}.npy, pretrained weights (fetch.smk)
# Outputs  features/{encoder}.safetensors: image and caption, float32, row i for row i of the pairs
# Steps    extract_features_on_gpu | extract_features_on_cpu (one script; the key `device` chooses)


rule extract_features_on_gpu:
    input:
        unpack(plan.files.encoder_weights),
        pairs="<results>/{dataset}/curated/pairs.parquet",
        images=plan.files.images,
    output:
        features=ensure("<results>/{dataset}/features/{encoder}.safetensors", non_empty=True),
    log:
        "<logs>/{dataset}/features/{encoder}.log",
    benchmark:
        "<benchmarks>/{dataset}/features/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(plan.encoders("cuda")),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("extract_features.py"),
        settings=plan.encoder_settings,
        # Random weights are those of an untrained system with the same architecture.
        seed=config["seeds"][0],
        batch_size=config["evaluation"]["batch_size"],
        device="cuda",
    script:
        "../../scripts/extract_features.py"


use rule extract_features_on_gpu as extract_features_on_cpu with:
    wildcard_constraints:
        encoder=one_of(plan.encoders("cpu")),
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("extract_features.py"),
        settings=plan.encoder_settings,
        seed=config["seeds"][0],
        batch_size=config["evaluation"]["batch_size"],
        device="cpu",
