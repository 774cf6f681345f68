# Images decoded once, words numbered once.
#
# Purpose  training reads arrays: no archive is opened and no image decoded in an epoch.
# Inputs   curated/pairs.parquet and out_of_distribution.parquet, the corpus's archives, the GloVe file (unless word_vectors.source is `random`)
# Outputs  packed/images.npy, packed/out_of_distribution.npy and .parquet (pairs of unknown classes, a sample),
#          packed/word_vectors.safetensors, packed/vocabulary.json


rule pack_images:
    input:
        pairs="<results>/curated/pairs.parquet",
        archives=corpus_stores(),
    output:
        images=ensure("<results>/packed/images.npy", non_empty=True),
    log:
        "<logs>/packed/pack_images.log",
    benchmark:
        "<benchmarks>/packed/pack_images.tsv"
    conda:
        "../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        code=code_of("pack_images.py"),
        archives=corpus_archives(),
        size=config["packing"]["image_size"],
        squaring=config["packing"]["squaring"],
    script:
        "../scripts/pack_images.py"


rule build_word_vectors:
    input:
        unpack(glove_file),
        pairs="<results>/curated/pairs.parquet",
    output:
        vectors=ensure("<results>/packed/word_vectors.safetensors", non_empty=True),
        vocabulary="<results>/packed/vocabulary.json",
    log:
        "<logs>/packed/build_word_vectors.log",
    benchmark:
        "<benchmarks>/packed/build_word_vectors.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("build_word_vectors.py"),
        settings=config["word_vectors"],
    script:
        "../scripts/build_word_vectors.py"


rule pack_out_of_distribution:
    input:
        pairs="<results>/curated/out_of_distribution.parquet",
        archives=corpus_stores(),
    output:
        pairs="<results>/packed/out_of_distribution.parquet",
        images=ensure("<results>/packed/out_of_distribution.npy", non_empty=True),
    log:
        "<logs>/packed/pack_out_of_distribution.log",
    benchmark:
        "<benchmarks>/packed/pack_out_of_distribution.tsv"
    conda:
        "../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("pack_out_of_distribution.py"),
        archives=corpus_archives(),
        size=config["packing"]["image_size"],
        squaring=config["packing"]["squaring"],
        most=config["evaluation"]["out_of_distribution_pairs"],
        seed=config["curation"]["seed"],
    script:
        "../scripts/pack_out_of_distribution.py"
