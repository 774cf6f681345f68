# Images decoded once, words numbered once.
#
# Purpose  training reads arrays: no archive is opened and no image decoded in an epoch.
# Inputs   curated/pairs.parquet and out_of_distribution.parquet, the dataset's archives, the GloVe file (unless word_vectors.source is `random`)
# Outputs  packed/images_{size}.npy, packed/out_of_distribution_{size}.npy and .parquet (pairs of classes that no system was
#          trained on, a sample),
#          packed/word_vectors.safetensors, packed/vocabulary.json


rule pack_images:
    input:
        pairs="<results>/{dataset}/curated/pairs.parquet",
        archives=by_contents(plan.stores),
    output:
        images=ensure("<results>/{dataset}/packed/images_{size}.npy", non_empty=True),
    log:
        "<logs>/{dataset}/packed/pack_images_{size}.log",
    benchmark:
        "<benchmarks>/{dataset}/packed/pack_images_{size}.tsv"
    conda:
        "../../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        code=code_of("pack_images.py"),
        archives=plan.archives,
        size=lambda wildcards: int(wildcards.size),
        squaring=plan.of("packing.squaring"),
    script:
        "../../scripts/pack_images.py"


rule build_word_vectors:
    input:
        unpack(plan.outside.glove),
        pairs="<results>/{dataset}/curated/pairs.parquet",
    output:
        vectors=ensure("<results>/{dataset}/packed/word_vectors.safetensors", non_empty=True),
        vocabulary="<results>/{dataset}/packed/vocabulary.json",
    log:
        "<logs>/{dataset}/packed/build_word_vectors.log",
    benchmark:
        "<benchmarks>/{dataset}/packed/build_word_vectors.tsv"
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("build_word_vectors.py"),
        settings=config["word_vectors"],
    script:
        "../../scripts/build_word_vectors.py"


rule pack_out_of_distribution:
    input:
        pairs="<results>/{dataset}/curated/out_of_distribution.parquet",
        archives=by_contents(plan.stores),
    output:
        pairs="<results>/{dataset}/packed/out_of_distribution_{size}.parquet",
        images=ensure("<results>/{dataset}/packed/out_of_distribution_{size}.npy", non_empty=True),
    log:
        "<logs>/{dataset}/packed/pack_out_of_distribution_{size}.log",
    benchmark:
        "<benchmarks>/{dataset}/packed/pack_out_of_distribution_{size}.tsv"
    conda:
        "../../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("pack_out_of_distribution.py"),
        archives=plan.archives,
        size=lambda wildcards: int(wildcards.size),
        squaring=plan.of("packing.squaring"),
        most=config["evaluation"]["out_of_distribution_pairs"],
        seed=plan.of("curation.seed"),
    script:
        "../../scripts/pack_out_of_distribution.py"
