# Explanations: single decisions of the systems that can be looked into.
#
# Purpose  why a model decided: where in the image, and which words of the caption, for the same pairs in every system.
#          One job for all systems, because starting one takes longer than explaining a few pairs.
# Inputs   the systems' files of the first split and seed (train.smk, evaluate.smk), packed/, {split}/split.parquet
# Outputs  figures/explanations_{model}.svg and .png


rule explain_systems:
    input:
        unpack(explained_files),
        pairs="<results>/curated/pairs.parquet",
        split=f"<results>/{config['splits'][0]}/split.parquet",
        images="<results>/packed/images.npy",
    output:
        svgs=[explanation_figure(name) for name in explained_models()],
        pngs=expand("<results>/figures/explanations_{model}.png", model=explained_models()),
    log:
        "<logs>/figures/explanations.log",
    benchmark:
        "<benchmarks>/figures/explanations.tsv"
    conda:
        "../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code_of("explain_systems.py", *explaining_modules()),
        families={name: config["models"][name]["family"] for name in explained_models()},
        untrained=untrained_and_explained(),
        classes=config["curation"]["classes"],
        split=config["splits"][0],
        explanations=config["explanations"],
        registry=registry(explained_models()),
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/explain_systems.py"
