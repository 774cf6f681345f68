# The configuration, checked before the DAG is built: no rules.
#
# Purpose  every wrong key is named at once: what the schema refuses, and what no single key can get wrong.
# Inputs   the configuration, workflow/schemas/config.schema.yaml, config/paper.yaml
# Outputs  nothing, or an error
from pairdx.plan.overlays import problems_of_overlay
from pairdx.plan.validation import in_order_of, problems, similar
from snakemake.logging import logger
from snakemake.utils import update_config


def defaults():
    """The configuration that nobody has changed."""
    return read_yaml("config/config.yaml") | read_yaml("config/models.yaml")


def complete_config():
    """Put the defaults under what a Snakefile hands to this one as a module, and all keys in the defaults' order.

    As a module, this Snakefile's own `configfile:` is left out. Snakemake itself puts an overlay's keys first and compares
    parameters as they are written: the lines of an overlay in another order would retrain what they are about.
    """
    own = defaults()
    complete = in_order_of(own, config)
    if workflow.modifier.skip_configfile:
        update_config(own, complete)
        complete = own
    config.clear()
    config.update(complete)


# Systems that had another name once.
RENAMED = {"late_fusion_probe": "early_fusion_probe"}


def check_config():
    """Refuse a wrong configuration before the DAG is built, naming every wrong key."""
    schema = read_yaml("workflow/schemas/config.schema.yaml")
    found = [*problems_of_place(), *problems_of_files()]
    found = found or [*_old_names()] or problems(config, schema, defaults) or [*_conflicts()]
    if found and workflow.modifier.skip_configfile:
        found.append('(a module is given what concerns it alone, as by config: config["pairdx"])')
    if found:
        raise WorkflowError(
            "the configuration is not valid:\n" + "\n".join(f"  {line}" for line in found)
        )
    if not (workflow.subprocess_exec or workflow.remote_exec):  # once, and not in every job
        warn_of_doubts()


def _old_names():
    """Systems that are called by a former name, wherever systems are named. An entry of that name would lack keys."""
    places = {key: "systems" for key in ("input_probes", "leakage_price")}
    places |= {"errors": "compare", "learning_rate_search": "model"}
    sections = {key: config[key] for key in places if isinstance(config.get(key), dict)}
    named = {f"{key}.{places[key]}": one.get(places[key]) for key, one in sections.items()}
    named["models"] = list(config.get("models") or [])
    for key, names in named.items():
        for name in names if isinstance(names, list) else [names]:
            if name in RENAMED:
                yield f"config key {key}: {name} is called {RENAMED[name]} now"


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
    yield from conflicts_of_paths()
    yield from conflicts_of_curation()
    yield from conflicts_of_sizes()
    yield from conflicts_of_networks()
    yield from conflicts_of_entries()
    yield from conflicts_of_names()
    yield from _conflicts_of_systems(models())
    yield from _conflicts_of_probes()
    yield from _conflicts_of_branches()
    yield from _conflicts_of_reads()
    yield from _conflicts_of_named_systems()
    yield from conflicts_of_search()


def _conflicts_of_systems(names):
    """What single systems can get wrong."""
    sources = config["downloads"]["weights"]
    stated = systems_of_paper()
    for name in names:
        paper, named = (config["models"][name][key] for key in ("paper", "settings"))
        if paper is not None and paper not in stated:
            yield f"config key models.{name}.paper: {paper} is not among the systems of {PAPER} ({', '.join(stated)})"
        phrases, classes = set(named.get("class_names", [])), set(config["curation"]["classes"])
        # An overlay cannot take a key away: phrases of the default classes may be too many.
        too_many = phrases - classes
        if too_many:
            too_many -= set(defaults()["curation"]["classes"])
        if "class_names" in named and (classes - phrases or too_many):
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


# What a system of these families reads at test time: the whole family, or by the features that it takes.
READS = {
    "clip": {None: ["image"]},
    "linear": {"words": ["caption"], "mean_colour": ["image"], "none": []},
}


def _conflicts_of_reads():
    """`reads` decides what is timed and probed: it must say what the family does read."""
    for name in models():
        entry = config["models"][name]
        known = READS.get(entry["family"])
        if known and known[(of := entry["settings"].get("features"))] != entry["reads"]:
            yield f"config key models.{name}.reads: {entry['reads']} is not what it reads, {known[of]}"


def _conflicts_of_named_systems():
    """Systems that input_probes, errors and leakage_price name must be in the registry, enabled or not."""
    systems, compared = config["input_probes"]["systems"], config["errors"]["compare"]
    priced = config["leakage_price"]["systems"]
    listed = {
        "input_probes.systems": systems if isinstance(systems, list) else [],
        "errors.compare": compared or [],
        "leakage_price.systems": priced if isinstance(priced, list) else [],
    }
    for key, names in listed.items():
        if unknown := sorted(set(names) - set(config["models"])):
            yield f"config key {key}: {unknown[0]} is not among the systems ({', '.join(config['models'])})"
