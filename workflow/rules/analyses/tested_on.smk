# Systems trained on one dataset, asked about another's test pairs.
#
# Purpose  does a published model hold on our documents, does ours hold on theirs? Datasets say by the key tested_on whom
#          their systems are asked about. Jobs of their own: naming another dataset trains and predicts nothing anew at home.
# Inputs   {dataset}/{split}/{system}/seed{seed}/ (weights, predictions.parquet), the other's curated/pairs.parquet,
#          {split}/split.parquet and packed/ (images of the size that the system sees at home, words and their vectors)
# Outputs  {dataset}/{split}/{system}/seed{seed}/tested_on/{other}/predictions.parquet (every test pair of the other's; of
#          several labels per pair, which are asked about in the other's words, every validation pair, too);
#          tables tested_on, tested_on_confidence and tested_on_classes, figure tested_on: plan/declared.py declares them


rule predict_elsewhere:
    input:
        unpack(plan.files.saved),
        unpack(plan.files.built_from),
        unpack(plan.tested_on.data),
    output:
        predictions="<results>/{dataset}/{split}/{system}/seed{seed}/tested_on/{other}/predictions.parquet",
    log:
        "<logs>/{dataset}/{split}/{system}/seed{seed}/tested_on/{other}.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/{system}/seed{seed}/tested_on/{other}.tsv"
    wildcard_constraints:
        other=one_of(plan.tested_on.tested),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("predict_elsewhere.py", plan.modules.predicting_elsewhere),
        task=plan.of("task"),
        untrained=plan.untrained,
        classes=plan.labels,
        classes_there=plan.tested_on.labels_there,
        matched=plan.tested_on.matched_of,
        about=plan.tested_on.about,
        batch_size=config["evaluation"]["batch_size"],
    script:
        "../../scripts/predict_elsewhere.py"


# Only where a dataset names another.
for suffix, _ in shapes("compare_tested_on"):

    rule:
        name:
            f"compare_tested_on{suffix}"
        input:
            home=plan.tested_on.home_files(),
            there=plan.tested_on.there_files(),
            pairs=plan.tested_on.pairs_files(),
            splits=plan.tested_on.split_files(),
            vocabularies=plan.tested_on.vocabulary_files(),
        output:
            **outputs_of("compare_tested_on"),
        log:
            "<logs>/tables/tested_on.log",
        benchmark:
            "<benchmarks>/tables/tested_on.tsv"
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=code_of("compare_tested_on.py"),
            asked=plan.tested_on.compared,
            involved=plan.tested_on.involved,
            splits=plan.tested_on.splits,
            read_by_words=plan.tested_on.words_of,
            facts=plan.tested_on.facts(),
            registry=plan.tested_on.shown(),
            risk=config["evaluation"]["abstention"]["risk"],
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_tested_on.py"
