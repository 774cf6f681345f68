# Explanations: single decisions of the systems that can be looked into.
#
# Purpose  why a model decided: where in the image, and which words of the caption, for the same pairs in every system.
# Inputs   the system's files of the first split and seed (train.smk), packed/, {split}/split.parquet
# Outputs  figures/explanations_{model}.svg and .png


rule explain_model:
    input:
        unpack(model_resources),
        unpack(first_model_files),
        pairs="<results>/curated/pairs.parquet",
        split=f"<results>/{config['splits'][0]}/split.parquet",
        images="<results>/packed/images.npy",
        library=library_of_model("explain_model.py", "_explanation"),
    output:
        svg=report(
            "<results>/figures/explanations_{model}.svg",
            caption="../report/explanations.rst",
            category=SYSTEMS,
            subcategory=title_of_system,
            labels={"item": "5. What decisions rest on (figure)", "split": config["splits"][0]},
        ),
        png="<results>/figures/explanations_{model}.png",
    log:
        "<logs>/figures/explanations_{model}.log",
    benchmark:
        "<benchmarks>/figures/explanations_{model}.tsv"
    wildcard_constraints:
        model=one_of(explained_models()),
    conda:
        "../../envs/learning.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        family=of_system("family"),
        classes=config["curation"]["classes"],
        split=config["splits"][0],
        explanations=config["explanations"],
        registry=registry_entry,
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/explain_model.py"
