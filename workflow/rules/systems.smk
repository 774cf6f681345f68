# The registry's systems, and the cells in which they run: no rules.
#
# Purpose  which systems are enabled, trained where, built from which files; split x system x seed as paths.
# Inputs   the configuration: models, feature_extractors, splits, seeds, device
# Outputs  lists of names and paths, for the rules


def models():
    """The registry's enabled systems, in its order."""
    return [name for name, entry in config["models"].items() if entry["enabled"]]


def trained_models():
    return [name for name in models() if config["models"][name]["trained"]]


def registered(*, trained):
    """Systems of the registry, enabled or not, that are trained, or that are not."""
    return [name for name, entry in config["models"].items() if entry["trained"] == trained]


def trained_on(device):
    """Systems to train by device, those of the learning-rate search too: networks where the key `device` says, else CPU."""
    on_device = {
        name: config["device"] if config["models"][name]["network"] else "cpu"
        for name in (*trained_models(), *candidate_rates())
    }
    return [name for name, where in on_device.items() if where == device]


def probes():
    """Enabled systems that are trained on the features of a frozen encoder."""
    return [name for name in models() if config["models"][name]["family"] == "probe"]


def feature_extractors(device=None):
    """The frozen encoders that enabled probes use, all or none of which compute on the given device."""
    named = {config["models"][name]["settings"]["features"] for name in probes()}
    return sorted(named) if device in (None, config["device"]) else []


def encoder_weights(wildcards):
    """The pretrained weights of a frozen encoder, unless they are random."""
    weights = config["feature_extractors"][wildcards.encoder]["weights"]
    return {"pretrained": weights_files(weights)} if weights else {}


def of_system(key):
    """A key of the registry's entry that the wildcards name. (`lookup` would walk the whole configuration for each job.)"""
    return lambda wildcards: config["models"][wildcards.model][key]


def squared(settings):
    """A CLIP model's settings, and how the images that it will see become square: it may have been trained on others."""
    return {**settings, "squaring": config["packing"]["squaring"]}


def encoder_settings(wildcards):
    """What a frozen encoder is built from."""
    return squared(config["feature_extractors"][wildcards.encoder])


def settings_of(wildcards):
    """What a system's family reads: its settings, and for a probe the description of its encoder."""
    entry = config["models"][wildcards.model]
    if entry["family"] == "clip":
        return squared(entry["settings"])
    if entry["family"] != "probe":
        return entry["settings"]
    encoder = config["feature_extractors"][entry["settings"]["features"]]
    return {**entry["settings"], "encoder": squared(encoder)}


def gpus_of(wildcards):
    """How many GPUs train a system together."""
    return config["models"][wildcards.model]["settings"].get("gpus", 1)


def networks():
    """Trainable systems with epochs, and so with training curves."""
    return [name for name in trained_models() if config["models"][name]["network"]]


def reported_models(*, random, curves):
    """Systems with or without further seeds, and with or without a training curve: each kind leaves other files."""
    return [
        name
        for name in models()
        if config["models"][name]["random"] == random and (name in networks()) == curves
    ]


def one_of(names):
    """A regular expression for a wildcard that takes these values only."""
    return "|".join(names) or NOTHING


def seeds_of(model):
    """A system without randomness runs for one seed."""
    return config["seeds"] if config["models"][model]["random"] else config["seeds"][:1]


def registry(names=None):
    """What tables and figures need to know of systems: not their settings, so that editing these redraws nothing."""
    keys = ("title", "trained", "random", "stand_in", "paper")
    return {
        name: {key: config["models"][name][key] for key in keys}
        for name in (models() if names is None else names)
    }


def registry_entry(wildcards):
    """The same of the one system that the wildcards name."""
    return registry([wildcards.model])


# ---------------------------------------------------------------- cells: split x system x seed
COMPARED_SPLITS = ["stratified", "grouped"]  # the one that leaks, and the one that does not


def splits_are_compared():
    """Whether both of the splits are there between which accuracies are compared."""
    return set(COMPARED_SPLITS) <= set(config["splits"])


# The split that is made for the price of leakage alone, and the one that it is compared with: the same test pairs,
# trained with and without their siblings.
WITH_SIBLINGS, WITHOUT_SIBLINGS = "with_siblings", "grouped"


def priced_models():
    """Systems that are trained once more, with siblings of their test pairs: those chosen that are enabled and trained."""
    chosen = config["leakage_price"]["systems"]
    names = trained_models() if WITHOUT_SIBLINGS in config["splits"] else []
    return [name for name in names if chosen == "trained" or name in chosen]


def priced_cells():
    """[system, seed] of every such training."""
    return [[name, seed] for name in priced_models() for seed in seeds_of(name)]


def priced_predictions(split):
    """Their predictions on one of the two splits; an error says why there are none."""

    def files(_):
        if WITHOUT_SIBLINGS not in config["splits"]:
            raise WorkflowError(
                f"the price of leakage needs the split {WITHOUT_SIBLINGS}; add it to config key splits"
            )
        if not priced_cells():
            raise WorkflowError(
                "nothing is priced: config key leakage_price.systems names no enabled system that is trained"
            )
        return [
            f"<results>/{split}/{name}/seed{seed}/predictions.parquet"
            for name, seed in priced_cells()
        ]

    return files


def choice_without_siblings(wildcards):
    """For a training with siblings: what the one without chose on validation pairs, so that the two differ in nothing else."""
    settings = config["models"][wildcards.model]["settings"]
    chooses = isinstance(settings.get("inverse_regularisation"), list)
    if wildcards.split != WITH_SIBLINGS or not chooses:
        return {}
    folder = f"<results>/{WITHOUT_SIBLINGS}/{wildcards.model}/seed{wildcards.seed}"
    return {"choice": f"{folder}/settings.json"}


def cell_names(model=None):
    """[split, system, seed] of every cell that is run, systems in registry order."""
    return [
        [split, name, seed]
        for split in config["splits"]
        for name in (models() if model is None else model)
        for seed in seeds_of(name)
    ]


def cells(pattern, model=None):
    """Fill {split}, {model} and {seed} of a path with every cell that is run (of the given systems)."""
    return [
        pattern.format(split=split, model=name, seed=seed)
        for split, name, seed in cell_names(model)
    ]


def seeds_of_cell(file):
    """A file of every seed of the split and system that the wildcards name."""

    def files(wildcards):
        folder = "<results>/{split}/{model}".format(**wildcards)
        return [f"{folder}/seed{seed}/{file}" for seed in seeds_of(wildcards.model)]

    return files


def training_data(wildcards):
    """The pairs, their subsets and their packed images."""
    return {
        "pairs": "<results>/curated/pairs.parquet",
        "split": f"<results>/{wildcards.split}/split.parquet",
        "images": "<results>/packed/images.npy",
    }


def state_folder(wildcards):
    """Where a training job keeps its state: outside its outputs, which Snakemake deletes when a job fails."""
    return "state/{run}/{split}/{model}/seed{seed}".format(run=config["run"], **wildcards)


def model_files(wildcards, split=None, seed=None):
    """What a trained system was saved as: settings and weights."""
    if not config["models"][wildcards.model]["trained"]:
        return {}
    folder = f"<results>/{split or wildcards.split}/{wildcards.model}/seed{seed or wildcards.seed}"
    return {"settings": f"{folder}/settings.json", "weights": f"{folder}/model.safetensors"}


def untrained(wildcards):
    """What a job builds an untrained system from, which needs no files of ours; nothing of a trained one."""
    entry = config["models"][wildcards.model]
    if entry["trained"]:
        return {}
    seed = int(wildcards.get("seed", config["seeds"][0]))
    return {"family": entry["family"], "settings": settings_of(wildcards), "seed": seed}


def first_model_files(wildcards):
    """Those of the first split and seed: timing depends on the architecture alone."""
    return model_files(wildcards, split=config["splits"][0], seed=config["seeds"][0])


def model_resources(wildcards):
    """The files from outside that a system is built from: pretrained weights, word vectors."""
    entry = config["models"][wildcards.model]
    files = {}
    if entry["settings"].get("weights"):
        files["pretrained"] = weights_files(entry["settings"]["weights"])
    if entry["family"] == "fusion" and "caption" in entry["settings"]["branches"]:
        files["word_vectors"] = "<results>/packed/word_vectors.safetensors"
        files["vocabulary"] = "<results>/packed/vocabulary.json"
    if entry["family"] == "probe":
        encoder = entry["settings"]["features"]
        if weights := config["feature_extractors"][encoder]["weights"]:
            files["pretrained"] = weights_files(weights)
        files["features"] = f"<results>/features/{encoder}.safetensors"
    return files
