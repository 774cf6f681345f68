# What is asked of which systems, beyond their accuracy: no rules.
#
# Purpose  whose prompts and inputs are changed, whose errors are compared and explained, who reads texts, and from which
#          files that is answered.
# Inputs   the configuration: prompt_sensitivity, input_probes, errors, explanations, evaluation, models
# Outputs  lists of names and paths, for evaluate.smk, texts.smk, probes.smk, comparisons.smk and explain.smk
from snakemake.iocontainers import Wildcards


def explained_models():
    """Systems whose decisions can be explained: their family has a file that says how."""
    chosen = config["explanations"]["pairs"] or config["explanations"]["per_class"]
    files = {name: f"{config['models'][name]['family']}_explanation.py" for name in models()}
    return [
        name for name in files if chosen and (SCRIPTS / "pairdx/models" / files[name]).is_file()
    ]


def explained_files(_):
    """What each of them is loaded from: its files of the first split and seed, as SYSTEM__settings and so on."""
    found = {}
    for name in explained_models():
        of_system = Wildcards(fromdict={"model": name})
        files = model_resources(of_system) | first_model_files(of_system)
        found |= {f"{name}__{kind}": paths for kind, paths in files.items()}
    return found


def untrained_and_explained():
    """What those of them that are not trained are built from."""
    return {name: untrained(Wildcards(fromdict={"model": name})) for name in explained_models()}


def explaining_modules():
    """The files of their families, and those that say how these are explained."""
    families = sorted({config["models"][name]["family"] for name in explained_models()})
    return [f"pairdx.models.{name}{ending}" for name in families for ending in ("", "_explanation")]


def prompted_models():
    """Systems whose prompts are varied: zero-shot ones of the family clip, and trained ones if so chosen."""
    varied = config["prompt_sensitivity"]
    return [
        name
        for name in (models() if varied["templates"] else [])
        if config["models"][name]["family"] == "clip"
        and (varied["trained"] or not config["models"][name]["trained"])
    ]


def varied_templates(wildcards):
    """The templates that the system which the wildcards name is asked by, beside its own."""
    return config["prompt_sensitivity"]["templates"] if wildcards.model in prompted_models() else []


def probed_models():
    """Systems whose input is changed: those chosen that are enabled and read anything."""
    chosen = config["input_probes"]["systems"]
    named = {"all": models(), "trained": trained_models()}.get(str(chosen), chosen)
    return [name for name in models() if name in named and config["models"][name]["reads"]]


def probe_cells():
    """[split, system, first seed] of every cell whose input is changed."""
    splits = config["input_probes"]["splits"] or config["splits"]
    return [
        [split, name, config["seeds"][0]]
        for split in config["splits"]
        if split in splits
        for name in probed_models()
    ]


def probe_files(_):
    """The predictions under changed input of all of them; an error says where there are none."""
    if not probe_cells():
        raise WorkflowError(
            "no input is changed: config key input_probes names no enabled system that reads anything, or no split that "
            "is made"
        )
    pattern = "<results>/{}/{}/seed{}/probes.parquet"
    return [pattern.format(*cell) for cell in probe_cells()]


def probe_settings(wildcards):
    """The part of input_probes that concerns what a system reads."""
    used = {"image": ["image_corruptions", "blank_image_grey"]}
    used["caption"] = ["caption_corruptions", "class_words"]
    reads = config["models"][wildcards.model]["reads"]
    keys = ["pairs", "seed", *(key for name in reads for key in used[name])]
    return {key: config["input_probes"][key] for key in keys}


def compared_models():
    """The two systems whose disagreements are listed, if they are named and enabled."""
    named = config["errors"]["compare"]
    return named if named and set(named) <= set(models()) else []


def text_reader(name):
    """What decides how a system reads texts; a probe reads them as its encoder does."""
    entry = config["models"][name]
    settings = entry["settings"]
    if entry["family"] == "probe":
        settings = config["feature_extractors"][settings["features"]]
    used = ("architecture", "context_length", "tokens", "objective")
    return {
        **{key: entry[key] for key in ("family", "trained", "reads")},
        "settings": {key: settings[key] for key in used if key in settings},
        "weights": settings.get("weights"),
    }


def text_models():
    """Systems that read texts: captions, or class prompts."""
    return [
        name
        for name in models()
        if "caption" in config["models"][name]["reads"]
        or "context_length" in config["models"][name]["settings"]
    ]


def tokeniser_files(_):
    """What tokenisers are made of: the small files of model folders, and the words that have vectors. No weights."""
    files = {}
    for reader in map(text_reader, text_models()):
        weights, settings = reader["weights"], reader["settings"]
        if "context_length" in settings and settings["architecture"] is None and weights:
            small = [path for path in weights_files(weights) if path.endswith((".json", ".txt"))]
            files[f"tokeniser_{weights}"] = small
        if reader["family"] == "fusion":
            files["vocabulary"] = "<results>/packed/vocabulary.json"
    return files


def asks_about_unknown():
    """Whether systems are asked about pairs of classes that none was trained on."""
    set_aside = config["curation"]["out_of_distribution"]
    return bool(set_aside) and config["evaluation"]["out_of_distribution_pairs"] != 0


def unknown_pairs(_):
    """Pairs of classes that no system was trained on, and their images, if systems are asked about any.

    They have a packing job of their own: a part of the job that packs packed/images.npy, another number of them would train
    every system anew.
    """
    if not asks_about_unknown():
        return {}
    return {
        "unknown": "<results>/packed/out_of_distribution.parquet",
        "unknown_images": "<results>/packed/out_of_distribution.npy",
    }
