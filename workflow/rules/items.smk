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


def labels_of_mistakes(wildcards):
    """How the report tells one system's mistakes from another's."""
    return {"system": title_of_system(wildcards), "split": wildcards.split}


def title_of_search(_):
    """Where the report shows the learning-rate search: with the system that it is about."""
    return config["models"][search_settings()["model"]]["title"]


def reported_files(seeds, *, curves):
    """What is made of the predictions of one system on one split: an output of report_system by name.

    seeds   whose metrics are computed
    curves  whether the system has training curves
    """
    of_cell = "{split}_{model}"
    files = {
        "metrics": [f"<results>/{{split}}/{{model}}/seed{seed}/metrics.json" for seed in seeds],
        "html": in_report(
            f"tables/per_class_{of_cell}.html",
            "per_class.rst",
            SYSTEMS,
            "1. Scores per class (table)",
        ),
    }
    files |= {
        suffix: f"<results>/tables/per_class_{of_cell}.{suffix}" for suffix in ("csv", "md", "tex")
    }
    figures = {
        "bars": ("per_class", "per_class.rst", "2. Scores per class (figure)"),
        "confusion": ("confusion", "confusion.rst", "3. Confusion matrix (figure)"),
    }
    if curves:
        figures["training"] = ("training", "training.rst", "4. Training curves (figure)")
    for name, (kind, caption, item) in figures.items():
        files[name] = in_report(f"figures/{kind}_{of_cell}.svg", caption, SYSTEMS, item)
        files[f"{name}_png"] = f"<results>/figures/{kind}_{of_cell}.png"
    files["mistakes"] = report(
        f"<results>/figures/mistakes_{of_cell}.svg",
        caption="../report/mistakes.rst",
        category=ERRORS,
        subcategory="1. Most confident mistakes",
        labels=labels_of_mistakes,
    )
    files["mistakes_png"] = f"<results>/figures/mistakes_{of_cell}.png"
    return files


def in_report(path, caption, category, item):
    """A file about one system on one split, in its place in the report."""
    return report(
        f"<results>/{path}",
        caption=f"../report/{caption}",
        category=category,
        subcategory=title_of_system,
        labels={"item": item, "split": "{split}"},
    )


def explanation_figure(name):
    """What decisions of one system rest on, in its place in the report."""
    return report(
        f"<results>/figures/explanations_{name}.svg",
        caption="../report/explanations.rst",
        category=SYSTEMS,
        subcategory=config["models"][name]["title"],
        labels={"item": "5. What decisions rest on (figure)", "split": config["splits"][0]},
    )


def confidence_figure(kind, caption, item, split):
    """A figure about how sure systems are on one split, in its place in the report."""
    return report(
        f"<results>/figures/{kind}_{split}.svg",
        caption=f"../report/{caption}",
        category=COMPARISON,
        subcategory="3. Confidence",
        labels={"item": item, "split": split},
    )


def disagreement_page(split):
    """The pairs on which two systems disagree on one split, in its place in the report."""
    return report(
        f"<results>/tables/disagreements_{split}.html",
        caption="../report/disagreements.rst",
        category=ERRORS,
        subcategory="2. Disagreements of two systems",
        labels={"item": "Pairs on which they disagree (table)", "split": split},
    )


# ---------------------------------------------------------------- what only some configurations have
def tables_left_out():
    """Tables that this configuration has nothing for, and the reason, which names the key."""
    found = {}
    if not splits_are_compared():
        found["split_effect"] = (
            f"this compares the splits {' and '.join(COMPARED_SPLITS)}; config key splits lacks one"
        )
    if not prompted_models():
        found["prompt_sensitivity"] = (
            "no prompts are varied: config key prompt_sensitivity.templates is empty, or no zero-shot system of the "
            "family clip is enabled"
        )
    if len(models()) < 2:
        reason = "two systems are compared here; config key models enables one only"
        found |= {f"disagreements_{split}": reason for split in config["splits"]}
    return found


def reason_it_is_left_out(wildcards):
    """No file, but the error that says which key leaves the table out."""
    raise WorkflowError(tables_left_out()[wildcards.table])


def comparisons_where_there_are():
    """What compare_predictions writes besides, as outputs by name: disagreements, the split's effect, and prompts."""
    files = {}
    if "split_effect" not in tables_left_out():
        files |= outputs_of_table("split_effect", "effect")
        shown = {
            "svg": ("figures", "2. Stratified against grouped split (figure)"),
            "html": ("tables", "3. Stratified against grouped split (table)"),
        }
        for suffix, (folder, item) in shown.items():
            files[f"effect_{suffix}"] = report(
                f"<results>/{folder}/split_effect.{suffix}",
                caption="../report/split_effect.rst",
                category=COMPARISON,
                subcategory="2. Price of leakage",
                labels={"item": item},
            )
        files["effect_png"] = "<results>/figures/split_effect.png"
    if "prompt_sensitivity" not in tables_left_out():
        files |= outputs_of_table("prompt_sensitivity", "prompts")
        files["prompts_html"] = report(
            "<results>/tables/prompt_sensitivity.html",
            caption="../report/prompt_sensitivity.rst",
            category=COMPARISON,
            subcategory="5. Prompts",
            labels={"item": "Accuracy by prompt template (table)"},
        )
    if len(models()) > 1:
        files["disagreements_html"] = [disagreement_page(split) for split in config["splits"]]
        files |= {
            f"disagreements_{suffix}": [
                f"<results>/tables/disagreements_{split}.{suffix}" for split in config["splits"]
            ]
            for suffix in ("csv", "md", "tex")
        }
    return files


def outputs_of_table(table, name):
    """A table's files but for the page of the report, as outputs called NAME_csv and so on."""
    return {
        f"{name}_{suffix}": f"<results>/tables/{table}.{suffix}" for suffix in ("csv", "md", "tex")
    }


def decides_the_rule_graph():
    """What of the configuration decides which rules pass files to which: other numbers and texts redraw nothing.

    Values are brought down to whether there is anything, but for those that name a way of doing something.
    """
    kept = {key: config[key] for key in ("corpus", "device", "splits")}
    kept["word_vectors"] = config["word_vectors"]["source"]
    kept["systems"] = sorted({repr(_place_in_graph(config["models"][name])) for name in models()})
    kept["several"] = len(models()) > 1
    kept["asked"] = [
        *map(bool, (probe_cells(), explained_models(), prompted_models(), text_models()))
    ]
    elsewhere = {*kept, "models", "feature_extractors", "learning_rate_search", "subset", "run"}
    return {key: _something(config[key]) for key in config if key not in elsewhere} | kept


def _something(value):
    """Whether there is anything, at every depth of a mapping."""
    if isinstance(value, dict):
        return {key: _something(inner) for key, inner in value.items()}
    return bool(value)


def _place_in_graph(entry):
    """What decides which rules a system has to do with."""
    settings, encoder = entry["settings"], {}
    if entry["family"] == "probe":
        encoder = config["feature_extractors"][settings["features"]]
    weights = settings.get("weights") or encoder.get("weights")
    source = config["downloads"]["weights"][weights] if weights else {}
    kinds = [entry[key] for key in ("family", "trained", "network", "random")]
    words = "caption" in settings.get("branches", [])
    return [*kinds, words, sorted(source), bool(source.get("path"))]


RULE_FILES = sorted(f"workflow/rules/{path.name}" for path in ROOT.glob("workflow/rules/*.smk"))


def table_files():
    names = [
        "comparison",
        "seeds",
        "system_tests",
        *(["leakage_price"] if priced_models() else []),
        "split_effect",
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
    names += ["prompt_sensitivity", "calibration"]
    names += ["input_probes"] if probe_cells() else []
    names += ["texts"] if text_models() else []
    names += ["unknown_class"] if asks_about_unknown() else []
    names += [f"disagreements_{split}" for split in config["splits"]]
    names += [f"per_class_{split}_{model}" for split in config["splits"] for model in models()]
    return [
        f"<results>/tables/{name}.{suffix}"
        for name in names
        if name not in tables_left_out()
        for suffix in ("csv", "md", "tex")
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
