# Shared by all other files here, no rules: the checked configuration, and functions that turn it into paths.
import ast
import os
import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir, "workflow", "scripts")
PAPER = "config/paper.yaml"
NOTHING = "(?!)"  # a regular expression that matches no text


# ---------------------------------------------------------------- configuration
def check_config():
    """Refuse a wrong configuration before the DAG is built, naming every wrong key."""
    schema = Path(workflow.basedir, "workflow", "schemas", "config.schema.yaml")
    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    problems = [_problem(error) for error in validator.iter_errors(config)] or [*_conflicts()]
    if problems:
        raise WorkflowError(
            "the configuration is not valid:\n" + "\n".join(f"  {line}" for line in problems)
        )


def _problem(error):
    """One violation of the schema in one line that names the key."""
    error = max(error.context, key=lambda part: len(part.absolute_path), default=error)
    key = ".".join(map(str, error.absolute_path)) or "(top level)"
    if error.validator == "type" and isinstance(error.instance, str):
        if re.fullmatch(r"[+-]?\d+e[+-]?\d+", error.instance, re.IGNORECASE):
            return f"config key {key}: {error.message} (YAML reads 1e-5 as text: write 1.0e-5)"
        return f"config key {key}: {error.message} (--config makes text of nested values: use --configfile)"
    if error.validator != "additionalProperties":
        return f"config key {key}: {error.message}"
    known = list(error.schema["properties"])
    unknown = [name for name in error.instance if name not in known]
    guesses = [guess for name in unknown for guess in get_close_matches(name, known, n=1)]
    hint = f"; did you mean {', '.join(guesses)}?" if guesses else f"; known: {', '.join(known)}"
    return f"config key {key}: unknown {', '.join(unknown)}{hint}"


def _conflicts():
    """What no single key can get wrong."""
    total = sum(config["split"]["fractions"].values())
    if abs(total - 1) > 1e-6:
        yield f"config key split.fractions: the shares add up to {total:g}; they must add up to 1"
    both = set(config["curation"]["classes"]) & set(config["curation"]["out_of_distribution"])
    if both:
        yield f"config key curation.out_of_distribution: {sorted(both)} are among the classes too"
    if "published" in config["splits"] and config["corpus"] != "release":
        yield "config key splits: published is the released PairDx's own split; it needs corpus: release"
    if not models():
        yield "config key models: no system is enabled"
    yield from _conflicts_of_systems(models())
    yield from _conflicts_of_probes()
    yield from _conflicts_of_branches()
    yield from _conflicts_of_named_systems()
    yield from conflicts_of_search()


def _conflicts_of_systems(names):
    """What single systems can get wrong."""
    sources = config["downloads"]["weights"]
    stated = yaml.safe_load(Path(workflow.basedir, PAPER).read_text())["systems"]
    for name in names:
        paper, named = (config["models"][name][key] for key in ("paper", "settings"))
        if paper is not None and paper not in stated:
            yield f"config key models.{name}.paper: {paper} is not among the systems of {PAPER} ({', '.join(stated)})"
        if "class_names" in named and set(named["class_names"]) != set(
            config["curation"]["classes"]
        ):
            yield f"config key models.{name}.settings.class_names: must name each of curation.classes, and no other"
        weights = config["models"][name]["settings"].get("weights")
        if weights and weights not in sources:
            known = ", ".join(sources)
            yield f"config key models.{name}.settings.weights: {weights} is not among downloads.weights ({known})"


def _conflicts_of_probes():
    """What probes and the encoders that they name can get wrong."""
    encoders, sources = config["feature_extractors"], config["downloads"]["weights"]
    for name in probes():
        entry = config["models"][name]
        named, inputs = (entry["settings"][key] for key in ("features", "inputs"))
        if named not in encoders:
            yield f"config key models.{name}.settings.features: {named} is not among feature_extractors ({', '.join(encoders)})"
        if set(inputs) != set(entry["reads"]):
            yield f"config key models.{name}.settings.inputs: {inputs} differ from what it `reads`, {entry['reads']}"
    for name in set(feature_extractors()) & set(encoders):
        weights = encoders[name]["weights"]
        if weights and weights not in sources:
            yield f"config key feature_extractors.{name}.weights: {weights} is not among downloads.weights ({', '.join(sources)})"


def _conflicts_of_branches():
    """What the family fusion, which may have one branch or both, can get wrong."""
    for name in models():
        entry = config["models"][name]
        if entry["family"] != "fusion":
            continue
        branches, fusion, weights = (
            entry["settings"][key] for key in ("branches", "fusion", "weights")
        )
        if set(branches) != set(entry["reads"]):
            yield f"config key models.{name}.settings.branches: {branches} differ from what it `reads`, {entry['reads']}"
        if (len(branches) == 1) != (fusion is None):
            yield f"config key models.{name}.settings.fusion: {fusion} does not go with the branches {branches}; it is null with one branch only"
        if weights and "image" not in branches:
            yield f"config key models.{name}.settings.weights: must be null, because there is no image branch"


def _conflicts_of_named_systems():
    """Systems that input_probes and errors name must be in the registry, enabled or not."""
    systems, compared = config["input_probes"]["systems"], config["errors"]["compare"]
    listed = {
        "input_probes.systems": systems if isinstance(systems, list) else [],
        "errors.compare": compared or [],
    }
    for key, names in listed.items():
        if unknown := sorted(set(names) - set(config["models"])):
            yield f"config key {key}: {unknown[0]} is not among the systems ({', '.join(config['models'])})"


# ---------------------------------------------------------------- the library
@cache
def _imports(path):
    """The library files that a Python file imports by name, at its head or within a function."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {
                node.module,
                *(f"{node.module}.{alias.name}" for alias in node.names),
            }
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return set().union(*map(_files_of, modules))


def _files_of(module):
    """The files that importing a module of the library executes: itself and its packages' __init__.py."""
    parts = module.split(".")
    if parts[0] != "pairdx":
        return set()
    steps = [SCRIPTS.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    candidates = [
        path for step in steps for path in (step.with_suffix(".py"), step / "__init__.py")
    ]
    return {path for path in candidates if path.is_file()}


def library(script, *modules):
    """A script and the library files that it depends on, directly or through others, as inputs of its rule.

    A rule with these inputs is out of date when their content changes; a new time stamp alone changes nothing.
    (Snakemake's own trigger `code` looks at a script's time stamp; the profiles leave it out.)

    script   file name in workflow/scripts
    modules  further modules that the script imports only when asked for, such as pairdx.models.clip
    """
    waiting = set().union(_imports(SCRIPTS / script), *map(_files_of, modules))
    found = {SCRIPTS / script}
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= _imports(path) - found
    return sorted(os.path.relpath(path) for path in found)


def library_of_model(script, *further):
    """As library(), with the file of the system's family, and of no other family.

    further  endings of further files of the family, such as _explanation
    """

    def files(wildcards):
        family = f"pairdx.models.{config['models'][wildcards.model]['family']}"
        return library(script, family, *(f"{family}{ending}" for ending in further))

    return files


# ---------------------------------------------------------------- the corpus
def corpus_archives():
    """Names of what holds the corpus's images: each is inspected by a job of its own."""
    return ["release"] if config["corpus"] == "release" else config[config["corpus"]]["archives"]


def corpus_file(name):
    """Where a file of the corpus in use lies, or will lie once it is fetched."""
    section = config[config["corpus"]]
    if config["corpus"] == "demo":
        return f"<resources>/demo/seed{section['seed']}_cases{section['cases']}/{name}"
    if section["path"]:
        return f"{section['path'].rstrip('/')}/{name}"
    return f"<resources>/multicare/{section['record']}/{name}"


def release_source():
    """The published PairDx: a folder or zip file on disk, or the manifest of what is downloaded."""
    record = config["downloads"]["release"]["record"]
    return config["release"]["path"] or f"<resources>/pairdx_release/{record}/manifest.json"


def release_settings():
    """How the published PairDx is read; of no concern to the other corpora."""
    return config["release"] if config["corpus"] == "release" else {}


def corpus_tables(_):
    """The tables that ingest reads."""
    if config["corpus"] == "release":
        return {"release": release_source()}
    return {
        "captions": corpus_file("captions_and_labels.csv"),
        "cases": corpus_file("cases.parquet"),
        "metadata": corpus_file("metadata.parquet"),
    }


def corpus_store(archive):
    """Where one of the archives lies."""
    return release_source() if config["corpus"] == "release" else corpus_file(f"{archive}.zip")


def corpus_stores():
    return [corpus_store(archive) for archive in corpus_archives()]


def review_decisions():
    """The filled-in review sheet, if there is one."""
    sheet = config["curation"]["review"]["decisions"]
    return {"decisions": sheet} if sheet else {}


def multicare_files():
    """The files of a MultiCaRe record that the workflow reads."""
    archives = [f"{archive}.zip" for archive in config["multicare"]["archives"]]
    return [re.escape(name) for name in (*config["downloads"]["multicare"]["tables"], *archives)]


# ---------------------------------------------------------------- pretrained weights and word vectors
def weights_by(kind):
    """Pretrained weights that are described by an address (`url`), a hub `file` or hub `files`."""
    return [name for name, source in config["downloads"]["weights"].items() if kind in source]


def weights_files(name):
    """Where pretrained weights lie, or will lie once they are fetched: one file, or all files of a folder."""
    source = config["downloads"]["weights"][name]
    if "files" in source:
        folder = (source["path"] or f"<resources>/weights/{name}").rstrip("/")
        return [f"{folder}/{file}" for file in (*source["files"], *source["text_tower"]["files"])]
    file = source["file"] if "file" in source else source["url"].rsplit("/", 1)[-1]
    return [source["path"] or f"<resources>/weights/{name}/{file}"]


def hub_source(wildcards):
    """The repository and revision that hold one file of pretrained weights."""
    source = config["downloads"]["weights"][wildcards.name]
    own = [source["file"]] if "file" in source else source["files"]
    holder = source if wildcards.file in own else source["text_tower"]
    return {"repo": holder["repo"], "revision": holder["revision"]}


def glove_file(_):
    """The GloVe text file, unless word vectors are random."""
    if config["word_vectors"]["source"] == "random":
        return {}
    glove = config["downloads"]["glove"]
    return {"glove": glove["path"] or f"<resources>/glove/{glove['member']}"}


def curation(*keys):
    """The part of the curation section that a rule uses, so that editing another key leaves it alone."""
    return {key: config["curation"][key] for key in keys}


# ---------------------------------------------------------------- systems
def models():
    """The registry's enabled systems, in its order."""
    return [name for name, entry in config["models"].items() if entry["enabled"]]


def trained_models():
    return [name for name in models() if config["models"][name]["trained"]]


def untrained_models():
    return [name for name in models() if not config["models"][name]["trained"]]


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


def settings_of(wildcards):
    """What a system's family reads: its settings, and for a probe the description of its encoder."""
    entry = config["models"][wildcards.model]
    if entry["family"] != "probe":
        return entry["settings"]
    encoder = config["feature_extractors"][entry["settings"]["features"]]
    return {**entry["settings"], "encoder": encoder}


def gpus_of(wildcards):
    """How many GPUs train a system together."""
    return config["models"][wildcards.model]["settings"].get("gpus", 1)


def networks():
    """Trainable systems with epochs, and so with training curves."""
    return [name for name in trained_models() if config["models"][name]["network"]]


def explained_models():
    """Systems whose decisions can be explained: their family has a file that says how."""
    chosen = config["explanations"]["pairs"] or config["explanations"]["per_class"]
    files = {name: f"{config['models'][name]['family']}_explanation.py" for name in models()}
    return [
        name for name in files if chosen and (SCRIPTS / "pairdx/models" / files[name]).is_file()
    ]


def prompted_models():
    """Systems whose prompts are varied: zero-shot ones of the family clip, and trained ones if so chosen."""
    varied = config["prompt_sensitivity"]
    return [
        name
        for name in (models() if varied["templates"] else [])
        if config["models"][name]["family"] == "clip"
        and (varied["trained"] or not config["models"][name]["trained"])
    ]


def prompt_files(_):
    """The predictions by prompt of all of them; an error says where there are none."""
    if not prompted_models():
        raise WorkflowError(
            "no prompts are varied: config key prompt_sensitivity.templates is empty, or no zero-shot system of the "
            "family clip is enabled"
        )
    return cells("<results>/{split}/{model}/seed{seed}/prompts.parquet", model=prompted_models())


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


def first_predictions(names):
    """The first seed's predictions of these systems on the split that the wildcards name."""
    pattern = "<results>/{{split}}/{}/seed{}/predictions.parquet"
    return [pattern.format(name, config["seeds"][0]) for name in names]


def mistake_sheet(name):
    """The contact sheet of a system, in a place of its own in the report."""
    return report(
        f"<results>/figures/mistakes_{{split}}_{name}.svg",
        caption="../report/mistakes.rst",
        category="6. Errors",
        subcategory=name,
        labels={"split": "{split}", "item": "Most confident mistakes"},
    )


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


def one_of(names):
    """A regular expression for a wildcard that takes these values only."""
    return "|".join(names) or NOTHING


def seeds_of(model):
    """A system without randomness runs for one seed."""
    return config["seeds"] if config["models"][model]["random"] else config["seeds"][:1]


def registry(names=None):
    """What tables and figures need to know of systems: not their settings, so that editing these redraws nothing."""
    keys = ("title", "trained", "stand_in", "paper")
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
    """Whether both of the splits are there whose difference is the price of leakage."""
    return set(COMPARED_SPLITS) <= set(config["splits"])


def predictions_of_compared_splits(_):
    """Predictions of every seed on both splits; an error says which key leaves one out."""
    if not splits_are_compared():
        raise WorkflowError(
            f"this compares the splits {' and '.join(COMPARED_SPLITS)}; config key splits lacks one"
        )
    return [
        f"<results>/{split}/{name}/seed{seed}/predictions.parquet"
        for split, name, seed in cell_names(splits=COMPARED_SPLITS)
    ]


def cell_names(model=None, splits=None):
    """[split, system, seed] of every cell that is run, systems in registry order."""
    return [
        [split, name, seed]
        for split in (splits or config["splits"])
        for name in (models() if model is None else model)
        for seed in seeds_of(name)
    ]


def cells(pattern, model=None):
    """Fill {split}, {model} and {seed} of a path with every cell that is run (of the given systems)."""
    return [
        pattern.format(split=split, model=name, seed=seed)
        for split, name, seed in cell_names(model)
    ]


def cells_of_split(wildcards):
    """[split, system, seed] of every cell of the split that the wildcards name."""
    return [cell for cell in cell_names() if cell[0] == wildcards.split]


def predictions_of_split(wildcards):
    """Their predictions, in the same order."""
    return [
        f"<results>/{split}/{name}/seed{seed}/predictions.parquet"
        for split, name, seed in cells_of_split(wildcards)
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
    """What a system was saved as: settings, and weights if it was trained."""
    folder = f"<results>/{split or wildcards.split}/{wildcards.model}/seed{seed or wildcards.seed}"
    files = {"settings": f"{folder}/settings.json"}
    if config["models"][wildcards.model]["trained"]:
        files["weights"] = f"{folder}/model.safetensors"
    return files


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


# ---------------------------------------------------------------- tables and figures
SNAKEFILE = os.path.relpath(workflow.main_snakefile)
RULE_FILES = sorted(
    os.path.relpath(path) for path in Path(workflow.basedir, "workflow", "rules").glob("*.smk")
)


def asks_about_unknown():
    """Whether systems are asked about pairs of classes that none was trained on."""
    set_aside = config["curation"]["out_of_distribution"]
    return bool(set_aside) and config["evaluation"]["out_of_distribution_pairs"] != 0


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
