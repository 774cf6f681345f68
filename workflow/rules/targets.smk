# Named targets: what a user asks for, in place of file names.
#
# Purpose  `snakemake curated`, `snakemake tables`, `snakemake paper_table_8` ... make one thing and what it needs.
#          `all`, which plain `snakemake` makes, stands in the Snakefile: an included file cannot set the default target.


rule curated:
    input:
        "<results>/curated/pairs.parquet",


rule review_sheet:
    input:
        "<results>/review/sheet.csv",


rule splits:
    input:
        expand("<results>/{split}/split.parquet", split=config["splits"]),


rule dataset:
    input:
        "<results>/dataset/pairdx.zip",
        "<results>/dataset/croissant.json",
        "<results>/dataset/datasheet.md",


rule trained:
    input:
        cells(
            "<results>/{split}/{model}/seed{seed}/model.safetensors",
            model=trained_models(),
        ),


rule learning_rate_search:
    input:
        "<results>/tables/learning_rate_search.csv",
        "<results>/figures/learning_rate_search.svg",


rule leakage_price:
    input:
        "<results>/tables/leakage_price.csv",


rule evaluated:
    input:
        cells("<results>/{split}/{model}/seed{seed}/metrics.json"),


rule timing:
    input:
        expand("<results>/timing/{model}.json", model=models()),


rule tables:
    input:
        table_files(),


rule discrepancies:
    input:
        "<results>/tables/discrepancies.csv",


rule figures:
    input:
        figure_files(),


# ---------------------------------------------------------------- one target per item of the paper
rule pairdx_release:
    input:
        f"<resources>/pairdx_release/{config['downloads']['release']['record']}/manifest.json",


rule paper_table_3:
    input:
        "<results>/tables/dataset.csv",


rule paper_table_4:
    input:
        "<results>/tables/example_captions.csv",


rule paper_table_5:
    input:
        paper_item("<results>/tables/per_class_stratified_{model}.csv", "clip_zero_shot"),


rule paper_table_6:
    input:
        paper_item("<results>/tables/per_class_stratified_{model}.csv", "pairdx_clip"),


rule paper_table_7:
    input:
        paper_item("<results>/tables/per_class_stratified_{model}.csv", "pairdx_fusion"),


rule paper_table_8:
    input:
        "<results>/tables/comparison.csv",


rule paper_figure_1:
    input:
        "<results>/figures/rule_graph.svg",


rule paper_figure_2:
    input:
        "<results>/figures/examples.svg",


rule paper_figure_5:
    input:
        paper_item(
            "<results>/figures/per_class_stratified_{model}.svg",
            "biomedclip_zero_shot",
        ),


rule paper_figure_6:
    input:
        paper_item("<results>/figures/training_stratified_{model}.svg", "pairdx_clip"),


rule paper_figure_7:
    input:
        paper_item("<results>/figures/training_stratified_{model}.svg", "pairdx_fusion"),


rule paper_figure_8:
    input:
        paper_item("<results>/figures/confusion_stratified_{model}.svg", "pairdx_clip"),


rule paper_figure_9:
    input:
        paper_item("<results>/figures/confusion_stratified_{model}.svg", "pairdx_fusion"),
