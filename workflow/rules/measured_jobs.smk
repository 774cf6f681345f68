# The jobs whose cost is counted; no rules.
#
# Purpose  one list of all jobs up to predictions and timings, for the table of what jobs took.
# Inputs   the configuration, and the rules that make these jobs
# Outputs  rule, wildcards and benchmark file of each, for describe_cost (cost.smk); a new rule is added to the list here


def measured_wildcards():
    """By rule, the wildcards of each of its jobs: of all rules of `all` that do more than make tables and figures."""
    priced = [[WITH_SIBLINGS, *cell] for cell in priced_cells()]
    runs = [dict(zip(("split", "model", "seed"), cell)) for cell in [*cell_names(), *priced]]
    sources = config["demo"] if config["corpus"] == "demo" else None
    words = "fusion" in [config["models"][name]["family"] for name in models()]

    def of(names):
        return [run for run in runs if run["model"] in names]

    return {
        "draw_demo_corpus": (
            [{"drawing": f"seed{sources['seed']}_cases{sources['cases']}"}] if sources else []
        ),
        "ingest_tables": [{}],
        "inspect_archive": [{"archive": name} for name in corpus_archives()],
        "curate_pairs": [{}],
        "make_split": [
            {"split": name} for name in [*config["splits"], *([WITH_SIBLINGS] if priced else [])]
        ],
        "pack_images": [{}],
        "pack_out_of_distribution": [{}] if asks_about_unknown() else [],
        "build_word_vectors": [{}] if words else [],
        "extract_features_on_gpu": [{"encoder": name} for name in feature_extractors("cuda")],
        "extract_features_on_cpu": [{"encoder": name} for name in feature_extractors("cpu")],
        "train_on_gpu": of(trained_on("cuda")),
        "train_on_cpu": of(trained_on("cpu")),
        "predict": of(registered(trained=True)),
        "predict_untrained": of(registered(trained=False)),
        "probe_inputs": [dict(zip(("split", "model", "seed"), cell)) for cell in probe_cells()],
        "time_model": [{"model": name} for name in models()],
    }


def measured_jobs(_):
    """Rule and wildcards of every measured job, in the order of `benchmark_files`."""
    return [
        {"rule": rule, "wildcards": wildcards}
        for rule, each in measured_wildcards().items()
        for wildcards in each
    ]


def benchmark_files(_):
    """The benchmark file of every measured job, from the patterns of the rules themselves.

    Local: the prefix of a module is in the pattern already.
    """
    return [
        local(str(getattr(rules, job["rule"]).benchmark).format(**job["wildcards"]))
        for job in measured_jobs(_)
    ]
