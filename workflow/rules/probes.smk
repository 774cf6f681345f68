# Input probes: test pairs with blanked, swapped, masked or damaged input, on the CPU.
#
# Purpose  what the text gives away, and how clean images and captions must be. One job per system and split computes all
#          probes, because loading a model takes longer than most of them.
# Inputs   {split}/{model}/seed{seed}/ (train.smk), packed/, {split}/split.parquet, curated/pairs.parquet
# Outputs  {split}/{model}/seed{seed}/probes.parquet (test pairs, first seed: a column names the probe and one its level),
#          tables/input_probes.csv and .md, figures/text_gives_away.svg and robustness.svg


rule probe_inputs:
    input:
        unpack(model_files),
        unpack(model_resources),
        unpack(training_data),
    output:
        probes="<results>/{split}/{model}/seed{seed}/probes.parquet",
    log:
        "<logs>/{split}/{model}/seed{seed}/probe_inputs.log",
    benchmark:
        "<benchmarks>/{split}/{model}/seed{seed}/probe_inputs.tsv"
    wildcard_constraints:
        model=one_of(probed_models()),
    conda:
        "../../envs/learning.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        # A ViT-B/16 takes some 0.1 s per image on four threads, and a thousand pairs are classified about 40 times.
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of_family("probe_inputs.py"),
        untrained=untrained,
        classes=config["curation"]["classes"],
        reads=of_system("reads"),
        settings=probe_settings,
        batch_size=config["evaluation"]["batch_size"],
    script:
        "../scripts/probe_inputs.py"


rule compare_probes:
    input:
        probes=probe_files,
    output:
        multiext("<results>/tables/input_probes", csv=".csv", md=".md", tex=".tex"),
        html=report(
            "<results>/tables/input_probes.html",
            caption="../report/input_probes.rst",
            category=COMPARISON,
            subcategory="4. Changed input",
            labels={"item": "3. Accuracy under changed input (table)"},
        ),
        text=report(
            "<results>/figures/text_gives_away.svg",
            caption="../report/text_gives_away.rst",
            category=COMPARISON,
            subcategory="4. Changed input",
            labels={"item": "1. What the text gives away (figure)"},
        ),
        text_png="<results>/figures/text_gives_away.png",
        robustness=report(
            "<results>/figures/robustness.svg",
            caption="../report/robustness.rst",
            category=COMPARISON,
            subcategory="4. Changed input",
            labels={"item": "2. Accuracy on damaged input (figure)"},
        ),
        robustness_png="<results>/figures/robustness.png",
    log:
        "<logs>/tables/input_probes.log",
    benchmark:
        "<benchmarks>/tables/input_probes.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("compare_probes.py"),
        cells=probe_cells(),
        registry=registry(probed_models()),
        image_size=config["packing"]["image_size"],
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_probes.py"
