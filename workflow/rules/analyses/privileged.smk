# What privileged texts are and tell, what they are worth, and what they cost.
#
# Purpose  which texts images are paired with, how similar they are, what they alone tell of the class, and what of it images
#          do not tell; the cost of classifying one image with what was learned of texts, without it, and by the whole model
#          that the texts were chosen by, in one process and in turn: a ratio of two times is of one machine in one state.
# Inputs   {split}/pairings/{pairing}/ (matches, predictions of text classifiers), text_banks/{bank}/ (systems/pairing.smk);
#          systems that read images alone, their predictions, files of the first split and seed; curated/pairs.parquet,
#          {split}/split.parquet, packed/; weights of the encoders of pairings; the paper's file
# Outputs  tables pairings, complementarity, text_matches and inference_cost, figures pairing_cosines and text_matches:
#          plan/declared.py; {dataset}/inference_cost.json (the seconds of every round)

for suffix, names in shapes("describe_pairings"):

    rule:
        name:
            f"describe_pairings{suffix}"
        input:
            unpack(plan.privileged.described_files),
            pairs="<results>/{dataset}/curated/pairs.parquet",
            images=plan.files.images,
        output:
            **outputs_of("describe_pairings", names[0]),
        log:
            "<logs>/tables/pairings_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/pairings_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=8000,
            runtime=60,
        params:
            code=code_of("describe_pairings.py"),
            described=plan.privileged.described,
            pairings=plan.privileged.shown_pairings,
            seen=plan.privileged.seen,
            registry=plan.privileged.shown_image_only,
            splits=plan.splits,
            classes=plan.class_names,
            drawn=plan.drawn,
            seeds=config["seeds"],
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/describe_pairings.py"


for suffix, names in shapes("price_inference"):

    rule:
        name:
            f"price_inference{suffix}"
        input:
            unpack(plan.inference_cost.files),
            **paper_file(),
        output:
            **outputs_of("price_inference", names[0]),
            rounds="<results>/{dataset}/inference_cost.json",
        log:
            "<logs>/tables/inference_cost_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/inference_cost_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/learning.yaml"
        threads: config["timing"]["threads"]
        resources:
            mem_mb=16000,
            runtime=60,
        params:
            code=code_of("price_inference.py", plan.inference_cost.modules),
            systems=plan.inference_cost.systems,
            encoders=plan.inference_cost.whole_models,
            classes=plan.labels,
            registry=plan.shown_of_dataset,
            timing=config["timing"],
            # Random weights of an encoder are those of an untrained system with the same architecture.
            seed=config["seeds"][0],
        script:
            "../../scripts/price_inference.py"
