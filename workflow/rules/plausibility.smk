# What the schema allows and a job would refuse: no rules.
#
# Purpose  what is bound to fail hours later, or to leave nothing, is named at the start.
# Inputs   the configuration; open_clip's list of architectures
# Outputs  sentences, for configuration.smk
from pairdx.plan.architectures import contradictions, known_architectures
from pairdx.plan.sizes import least_pairs

NETWORKS = {"clip": True, "fusion": True, "linear": False, "probe": False}
READ_BY_FEATURES = {"words": ["caption"], "mean_colour": ["image"], "none": []}


def conflicts_of_curation():
    """Classes of which nothing would be left, and names of classes that there are not."""
    curated, named = config["curation"], config["curation"]["modalities"]
    covered = {modality["label"] for modality in named.values() if modality}
    for label in (*curated["classes"], *curated["out_of_distribution"]):
        if label not in covered:
            yield f"config key curation.modalities: none of them has the label {label}, so all its pairs would be rejected"
    if None in named.values():
        known = defaults()["curation"]["modalities"]
        for name in [name for name, content in named.items() if content is None]:
            if name not in known:
                yield f"config key curation.modalities: unknown {name}{similar(name, known)}"
    probed = config["input_probes"]["class_words"]
    if not set(probed) <= {*curated["classes"], *curated["out_of_distribution"]}:
        known = {*curated["classes"], *defaults()["input_probes"]["class_words"]}
        for name in set(probed) - known:
            yield f"config key input_probes.class_words: {name} is no class{similar(name, known)}"


def conflicts_of_sizes():
    """Numbers of pairs too small for every class to have one in each subset."""
    curated = config["curation"]
    least, classes = least_pairs(config["split"]["fractions"].values()), len(curated["classes"])
    bounds = {
        "curation.balance.total": (curated["balance"]["total"], least * classes),
        "curation.balance.per_class_cap": (curated["balance"]["per_class_cap"], least),
        "subset": (config["subset"], least),
    }
    for key, (value, needed) in bounds.items():
        if value is not None and value < needed:
            yield (
                f"config key {key}: of {value} pairs, some class would have none in some subset: with {classes} classes and "
                f"these split.fractions at least {needed} are needed"
            )


def conflicts_of_networks():
    """What a network would refuse when its job starts."""
    size, sources = config["packing"]["image_size"], config["downloads"]["weights"]
    encoders = {
        f"models.{name}.settings": config["models"][name]["settings"]
        for name in models()
        if config["models"][name]["family"] == "clip"
    }
    encoders |= {
        f"feature_extractors.{name}": config["feature_extractors"][name]
        for name in feature_extractors()
        if name in config["feature_extractors"]
    }
    for key, settings in encoders.items():
        architecture, known = settings["architecture"], known_architectures()
        in_folder = "files" in sources.get(settings["weights"], {})
        if in_folder != (architecture is None):
            yield f"config key {key}.architecture: null goes with a folder of weights, which brings its own, and with nothing else"
        if isinstance(architecture, str) and known and architecture not in known:
            yield f"config key {key}.architecture: open_clip has no {architecture!r}{similar(architecture, known)}"
        for part, problem in contradictions(settings, size):
            named = "packing.image_size" if part == "image_size" else f"{key}.{part}"
            yield f"config key {named}: {problem} ({key}.architecture)"
    for name in models():
        yield from _conflicts_of_network(f"models.{name}.settings", config["models"][name])


def _conflicts_of_network(key, entry):
    settings, gpus = entry["settings"], entry["settings"].get("gpus", 1)
    if config["device"] == "cuda" and entry["trained"] and "batch_size" in settings:
        if settings["batch_size"] % gpus or settings["batch_size"] < 2 * gpus:
            yield f"config key {key}.batch_size: {settings['batch_size']} is no multiple of {gpus} GPUs with two pairs for each"
    if entry["family"] == "fusion" and "caption" in settings["branches"]:
        heads, widths = settings["attention"]["heads"], {
            "attention.dimension": settings["attention"]["dimension"]
        }
        if settings["fusion"] == "cross_attention":
            widths["fusion_dimension"] = settings["fusion_dimension"]
        for name, width in widths.items():
            if width % heads:
                yield f"config key {key}.{name}: {width} numbers cannot be divided among {heads} attention heads"


def conflicts_of_entries():
    """Entries of the registry that contradict their family."""
    for name in models():
        entry, key = config["models"][name], f"config key models.{name}"
        family, settings = entry["family"], entry["settings"]
        if entry["network"] != NETWORKS.get(family, entry["network"]):
            yield f"{key}.network: it is {str(NETWORKS[family]).lower()} for the family {family}"
        if family != "clip" and not entry["trained"]:
            yield f"{key}.trained: a system of the family {family} is trained; only one of the family clip need not be"
        reads = (
            ["image"]
            if family == "clip"
            else READ_BY_FEATURES.get(settings["features"]) if family == "linear" else None
        )
        if reads is not None and entry["reads"] != reads:
            yield f"{key}.reads: it is {reads}"
        if (
            family == "linear"
            and settings["features"] == "words"
            and settings["word_ngrams"][0] > settings["word_ngrams"][1]
        ):
            yield f"{key}.settings.word_ngrams: the shortest run of words comes first"


def conflicts_of_names():
    """Names of files that no source has, and a pattern that is none."""
    downloads = config["downloads"]
    for name, source in downloads["weights"].items():
        files = [*source.get("files", ()), *source.get("text_tower", {}).get("files", ())]
        for file in set(source.get("checksums", ())) - set(files):
            yield f"config key downloads.weights.{name}.checksums: {file} is not among its files ({', '.join(files)})"
    try:
        re.compile(config["release"]["article_pattern"])
    except re.error as error:
        yield f"config key release.article_pattern: this is no regular expression: {error}"
