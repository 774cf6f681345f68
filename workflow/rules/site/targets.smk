# Named targets: what a user asks for, in place of file names.
#
# Purpose  `snakemake curated`, `snakemake tables`, `snakemake splits` ... make one thing and what it needs. The first line of
#          each is what `snakemake --list-target-rules` shows. The paper's items by name: papers/paper.smk; check_documents,
#          which prints what it finds: data/check.smk.
#          `all`, which plain `snakemake` makes, stands in the Snakefile: an included file cannot set the default target.


rule curated:
    """the pairs of every dataset, the rejected candidates, the funnel"""
    input:
        expand("<results>/{dataset}/curated/pairs.parquet", dataset=plan.datasets),


rule review_sheet:
    """a sample of pairs for a person to look at, with their images"""
    input:
        expand("<results>/{dataset}/review/sheet.csv", dataset=plan.datasets),


rule splits:
    """training, validation and test subsets of every split"""
    input:
        plan.files.all_splits("split.parquet"),


rule dataset:
    """the datasets to hand on: archive, Croissant file and datasheet"""
    input:
        expand(
            [
                f"<results>/{{dataset}}/archive/{file}"
                for file in ("{dataset}.zip", "croissant.json", "datasheet.md")
            ],
            dataset=plan.datasets,
        ),


rule trained:
    """every trained system's weights"""
    input:
        plan.files.of_cells("model.safetensors", trained=True),


rule learning_rate_search:
    """a rate for a system whose own is not known (config key learning_rate_search)"""
    input:
        "<results>/tables/learning_rate_search.csv",
        "<results>/figures/learning_rate_search.svg",


rule leakage_price:
    """what siblings of test pairs in training add to accuracy"""
    input:
        expand("<results>/tables/leakage_price_{dataset}.csv", dataset=plan.pricing.datasets),


rule tested_on:
    """what systems reach on the test pairs of another dataset (datasets' key tested_on)"""
    input:
        "<results>/tables/tested_on.csv",


rule findings:
    """what systems find where an image has several labels, at home and on other datasets"""
    input:
        "<results>/tables/findings_comparison.csv",
        "<results>/figures/findings_comparison.svg"
        if plan.cells_having(FINDINGS_COMPARISON)
        else [],


rule evaluated:
    """metrics of every system, split and seed"""
    input:
        plan.files.of_cells("metrics.json"),


rule timing:
    """CPU seconds per image of every system"""
    input:
        plan.files.timings(),


rule deployed:
    """a folder per system to classify new documents with, outside the workflow (config key deployment)"""
    input:
        plan.deployment.folders(),
        "<results>/deployed.csv",


rule tables:
    """every table"""
    input:
        outputs.files(world, "table"),


rule figures:
    """every figure"""
    input:
        outputs.files(world, "figure"),


rule classify_documents:
    """new documents, classified by deployed systems (config key documents_to_classify)"""
    input:
        classified_documents,


rule pairdx_release:
    """the published PairDx, downloaded"""
    input:
        f"<resources>/pairdx_release/{config['downloads']['release']['record']}/manifest.json",
