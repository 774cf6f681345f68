# The tables and figures that `all` makes, and where the HTML report shows them: no rules.
#
# Purpose  one list of tables and one of figures, which follow the registry and the splits; the report's categories.
# Inputs   the configuration, through systems.smk and questions.smk
# Outputs  table_files(), figure_files(), the paper's items, and the places in the report

# The categories of the report in reading order. Snakemake sorts categories, subcategories and items by their text, hence
# the numbers. Of an item's labels the first tells it from its neighbours; where a later one (the split) has two values that
# every item has, the report shows a switch between them.
OVERVIEW, DATA, SYSTEMS = "1. Overview", "2. Data", "3. Systems"
COMPARISON, ERRORS, COST = "4. Comparison", "5. Errors", "6. Cost"


def title_of_system(wildcards):
    """Where the report shows what concerns one system alone."""
    return config["models"][wildcards.model]["title"]


def title_of_search(_):
    """Where the report shows the learning-rate search: with the system that it is about."""
    return config["models"][search_settings()["model"]]["title"]


SNAKEFILE = os.path.relpath(workflow.main_snakefile)
RULE_FILES = sorted(
    os.path.relpath(path) for path in Path(workflow.basedir, "workflow", "rules").glob("*.smk")
)


def table_files():
    names = [
        "comparison",
        "seeds",
        "system_tests",
        *(["split_effect"] if splits_are_compared() else []),
        "discrepancies",
        "dataset",
        "example_captions",
        "funnel",
        "funnel_by_class",
        "rejections",
        "identifiers",
        "masked_captions",
        "leakage",
        "timing",
        "cost",
        "benchmarks",
    ]
    names += ["prompt_sensitivity"] if prompted_models() else []
    names += ["texts"] if text_models() else []
    names += ["calibration"]
    names += ["unknown_class"] if asks_about_unknown() else []
    names += ["input_probes"] if probe_cells() else []
    if len(models()) > 1:
        names += [f"disagreements_{split}" for split in config["splits"]]
    names += [f"per_class_{split}_{model}" for split in config["splits"] for model in models()]
    return [
        f"<results>/tables/{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex")
    ]


def figure_files():
    names = [
        "comparison",
        "system_tests",
        *(["split_effect"] if splits_are_compared() else []),
        "rule_graph",
        "examples",
        "funnel",
        "funnel_by_class",
        "leakage",
        "class_counts",
        "caption_lengths",
        "ages",
        "accuracy_against_cost",
    ]
    for split in config["splits"]:
        names += [
            f"{kind}_{split}_{model}"
            for model in models()
            for kind in ("per_class", "confusion", "mistakes")
        ]
        names += [f"training_{split}_{model}" for model in networks()]
        names += [f"reliability_{split}", f"risk_coverage_{split}"]
    names += ["text_gives_away", "robustness"] if probe_cells() else []
    names += [f"explanations_{model}" for model in explained_models()]
    return [f"<results>/figures/{name}.{suffix}" for name in names for suffix in ("svg", "png")]


def paper_item(pattern, model):
    """An item of the paper, which is about the stratified split and one system; an error says what is switched off."""

    def path(_):
        if "stratified" not in config["splits"]:
            raise WorkflowError(
                "the paper's items are about the stratified split; add it to config key splits"
            )
        if model not in models():
            raise WorkflowError(
                f"this item of the paper is about {model}; config key models.{model} is not enabled"
            )
        return pattern.format(model=model)

    return path
