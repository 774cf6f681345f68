# Input probes: test pairs with blanked, swapped, masked or damaged input, on the CPU.
#
# Purpose  what the text gives away, and how clean images and captions must be. One job per system and split computes all
#          probes, because loading a system takes longer than most of them.
# Inputs   {dataset}/{split}/{system}/seed{seed}/ (systems/train.smk), packed/, {split}/split.parquet, curated/pairs.parquet
# Outputs  {dataset}/{split}/{system}/seed{seed}/input_probes.parquet (test pairs, first seed: a column names the probe and one
#          its level), table input_probes, figures text_gives_away and robustness


rule probe_inputs:
    input:
        unpack(plan.files.saved),
        unpack(plan.files.built_from),
        unpack(plan.files.training_data),
    output:
        probes="<results>/{dataset}/{split}/{system}/seed{seed}/input_probes.parquet",
    log:
        "<logs>/{dataset}/{split}/{system}/seed{seed}/probe_inputs.log",
    benchmark:
        "<benchmarks>/{dataset}/{split}/{system}/seed{seed}/probe_inputs.tsv"
    wildcard_constraints:
        system=one_of(plan.questions.input_probed_names()),
    conda:
        "../../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        # A ViT-B/16 takes some 0.1 s per image on four threads, and a thousand pairs are classified about 40 times.
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("probe_inputs.py", plan.modules.family),
        untrained=plan.untrained,
        classes=plan.labels,
        reads=plan.reads,
        settings=plan.questions.input_probe_settings,
        batch_size=config["evaluation"]["batch_size"],
    script:
        "../../scripts/probe_inputs.py"


for suffix, names in shapes("compare_input_probes"):

    rule:
        name:
            f"compare_input_probes{suffix}"
        input:
            probes=plan.questions.input_probe_files,
        output:
            **outputs_of("compare_input_probes", names[0]),
        log:
            "<logs>/tables/input_probes_{dataset}.log",
        benchmark:
            "<benchmarks>/tables/input_probes_{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(names),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("compare_input_probes.py"),
            cells=plan.questions.input_probed_cells_of,
            registry=plan.questions.shown_input_probed,
            image_size=plan.questions.input_probed_size,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_input_probes.py"
