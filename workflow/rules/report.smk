# Tables and figures.
#
# Purpose  what a reader sees: the paper's items with ours beside them.
# Inputs   metrics, predictions, training curves, passports, timings, curated pairs, splits, config/paper.yaml
# Outputs  tables/{name}.csv, .md, .html and .tex, figures/{name}.svg and .png


rule describe_dataset:
    input:
        pairs="<results>/curated/pairs.parquet",
        images="<results>/packed/images.npy",
        splits=expand("<results>/{split}/split.parquet", split=config["splits"]),
    output:
        multiext("<results>/tables/dataset", csv=".csv", md=".md", tex=".tex"),
        multiext(
            "<results>/tables/example_captions",
            captions_csv=".csv",
            captions_md=".md",
            captions_tex=".tex",
        ),
        dataset_html=report(
            "<results>/tables/dataset.html",
            caption="../report/dataset.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "2. Pairs per class (Table 3)"},
        ),
        captions_html=report(
            "<results>/tables/example_captions.html",
            caption="../report/example_captions.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "5. Example captions (Table 4)"},
        ),
        examples=report(
            "<results>/figures/examples.svg",
            caption="../report/examples.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "4. Example images (Figure 2)"},
        ),
        examples_png="<results>/figures/examples.png",
        class_counts=report(
            "<results>/figures/class_counts.svg",
            caption="../report/dataset.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "3. Pairs per class and subset (figure)"},
        ),
        class_counts_png="<results>/figures/class_counts.png",
        caption_lengths=report(
            "<results>/figures/caption_lengths.svg",
            caption="../report/caption_lengths.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "6. Caption lengths (figure)"},
        ),
        caption_lengths_png="<results>/figures/caption_lengths.png",
        ages=report(
            "<results>/figures/ages.svg",
            caption="../report/ages.rst",
            category=DATA,
            subcategory="1. Pairs",
            labels={"item": "8. Ages of the patients (figure)"},
        ),
        ages_png="<results>/figures/ages.png",
    log:
        "<logs>/tables/dataset.log",
    benchmark:
        "<benchmarks>/tables/dataset.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("describe_dataset.py"),
        classes=config["curation"]["classes"],
        splits=config["splits"],
        seed=config["curation"]["seed"],
        min_age=config["curation"]["min_age"],
        drawn=config["corpus"] == "demo",
        tokens=config["models"]["pairdx_fusion"]["settings"]["tokens"],
    script:
        "../scripts/describe_dataset.py"


rule describe_curation:
    input:
        pairs="<results>/curated/pairs.parquet",
        rejected="<results>/curated/rejected.parquet",
        funnel="<results>/curated/funnel.csv",
        leakage=expand("<results>/{split}/leakage.json", split=config["splits"]),
    output:
        multiext("<results>/tables/funnel", funnel_csv=".csv", funnel_md=".md", funnel_tex=".tex"),
        multiext(
            "<results>/tables/funnel_by_class",
            by_class_csv=".csv",
            by_class_md=".md",
            by_class_tex=".tex",
        ),
        multiext(
            "<results>/tables/rejections",
            rejections_csv=".csv",
            rejections_md=".md",
            rejections_tex=".tex",
        ),
        multiext(
            "<results>/tables/identifiers",
            identifiers_csv=".csv",
            identifiers_md=".md",
            identifiers_tex=".tex",
        ),
        multiext(
            "<results>/tables/masked_captions",
            masked_csv=".csv",
            masked_md=".md",
            masked_tex=".tex",
        ),
        multiext(
            "<results>/tables/leakage", leakage_csv=".csv", leakage_md=".md", leakage_tex=".tex"
        ),
        funnel_html=report(
            "<results>/tables/funnel.html",
            caption="../report/funnel.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "2. Funnel (table)"},
        ),
        by_class_html=report(
            "<results>/tables/funnel_by_class.html",
            caption="../report/funnel_by_class.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "4. Funnel by class (table)"},
        ),
        rejections_html=report(
            "<results>/tables/rejections.html",
            caption="../report/rejections.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "5. Reasons of rejection (table)"},
        ),
        identifiers_html=report(
            "<results>/tables/identifiers.html",
            caption="../report/identifiers.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "6. Identifiers found in captions (table)"},
        ),
        masked_html=report(
            "<results>/tables/masked_captions.html",
            caption="../report/masked_captions.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "7. Masked captions to review (table)"},
        ),
        leakage_html=report(
            "<results>/tables/leakage.html",
            caption="../report/leakage.rst",
            category=DATA,
            subcategory="3. Splits",
            labels={"item": "2. What subsets share (table)"},
        ),
        funnel=report(
            "<results>/figures/funnel.svg",
            caption="../report/funnel.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "1. Funnel (figure)"},
        ),
        funnel_png="<results>/figures/funnel.png",
        by_class=report(
            "<results>/figures/funnel_by_class.svg",
            caption="../report/funnel_by_class.rst",
            category=DATA,
            subcategory="2. Curation",
            labels={"item": "3. Funnel by class (figure)"},
        ),
        by_class_png="<results>/figures/funnel_by_class.png",
        leakage=report(
            "<results>/figures/leakage.svg",
            caption="../report/leakage.rst",
            category=DATA,
            subcategory="3. Splits",
            labels={"item": "1. What subsets share (figure)"},
        ),
        leakage_png="<results>/figures/leakage.png",
    log:
        "<logs>/tables/curation.log",
    benchmark:
        "<benchmarks>/tables/curation.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("describe_curation.py"),
        classes=config["curation"]["classes"],
        set_aside=config["curation"]["out_of_distribution"],
        identifiers=config["curation"]["identifiers"],
        seed=config["curation"]["seed"],
        drawn=config["corpus"] == "demo",
    script:
        "../scripts/describe_curation.py"


rule compare_systems:
    input:
        predictions=cells("<results>/{split}/{model}/seed{seed}/predictions.parquet"),
        metrics=cells("<results>/{split}/{model}/seed{seed}/metrics.json"),
        passports=cells("<results>/{split}/{model}/seed{seed}/passport.json"),
        histories=cells("<results>/{split}/{model}/seed{seed}/training.csv", model=trained_models()),
        timings=expand("<results>/timing/{model}.json", model=models()),
        paper=own_file(PAPER),
    output:
        multiext("<results>/tables/comparison", csv=".csv", md=".md", tex=".tex"),
        multiext("<results>/tables/seeds", seeds_csv=".csv", seeds_md=".md", seeds_tex=".tex"),
        html=report(
            "<results>/tables/comparison.html",
            caption="../report/comparison.rst",
            category=OVERVIEW,
            labels={"item": "1. Comparison of all systems (Table 8)"},
        ),
        seeds_html=report(
            "<results>/tables/seeds.html",
            caption="../report/seeds.rst",
            category=COMPARISON,
            subcategory="1. Seeds and tests",
            labels={"item": "1. Every metric: seeds and test set (table)"},
        ),
        svg=report(
            "<results>/figures/comparison.svg",
            caption="../report/accuracy.rst",
            category=OVERVIEW,
            labels={"item": "2. Accuracy of all systems (figure)"},
        ),
        png="<results>/figures/comparison.png",
    log:
        "<logs>/tables/comparison.log",
    benchmark:
        "<benchmarks>/tables/comparison.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_of("compare_systems.py"),
        cells=cell_names(),
        registry=registry(),
        resamples=config["evaluation"]["bootstrap_resamples"],
        seed=config["evaluation"]["bootstrap_seed"],
    script:
        "../scripts/compare_systems.py"


rule draw_rule_graph:
    input:
        rules=[own_file(path) for path in RULE_FILES],
        snakefile=own_file("Snakefile"),
    output:
        svg=report(
            "<results>/figures/rule_graph.svg",
            caption="../report/rule_graph.rst",
            category=OVERVIEW,
            labels={"item": "5. Rules of the workflow (Figure 1)"},
        ),
        png="<results>/figures/rule_graph.png",
    log:
        "<logs>/figures/rule_graph.log",
    benchmark:
        "<benchmarks>/figures/rule_graph.tsv"
    localrule: True
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("draw_rule_graph.py"),
        decided_by=decides_the_rule_graph(),
    script:
        "../scripts/draw_rule_graph.py"
