# Explanations: single decisions of the systems that can be looked into.
#
# Purpose  why a system decided: where in the image, and which words of the caption, for the same pairs in every system.
#          One job per dataset for all systems, because starting one takes longer than explaining a few pairs.
# Inputs   the systems' files of the first split and seed (train.smk, evaluate.smk), packed/, {split}/split.parquet
# Outputs  figures/explanations_{dataset}_{system}.svg and .png

for suffix, names in shapes("explain_systems"):

    rule:
        name:
            f"explain_systems{suffix}"
        input:
            unpack(plan.questions.explained_files),
            pairs="<results>/{dataset}/curated/pairs.parquet",
            split=plan.files.first_split("split.parquet"),
        output:
            **outputs_of("explain_systems", names[0]),
        log:
            "<logs>/figures/explanations_{dataset}.log",
        benchmark:
            "<benchmarks>/figures/explanations_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/learning.yaml"
        resources:
            mem_mb=8000,
            runtime=60,
        params:
            code=code_of("explain_systems.py", plan.modules.explaining),
            families=plan.questions.explained_families,
            untrained=plan.questions.explained_untrained,
            classes=plan.class_names,
            split=plan.first_split_name,
            explanations=config["explanations"],
            registry=plan.questions.shown_explained,
            drawn=plan.drawn,
        script:
            "../../scripts/explain_systems.py"
