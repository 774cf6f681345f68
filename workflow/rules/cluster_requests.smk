# What the cluster check looks at: no rules.
#
# Purpose  what every rule asks of a cluster through the profile in use, and which files from outside are needed where.
# Inputs   the configuration; the workflow's rules and resources, as Snakemake holds them
# Outputs  values for the rules in cluster.smk
from snakemake.iocontainers import Wildcards

# What of a rule's resources decides where its jobs can run.
REQUESTED = [
    *("runtime", "mem_mb", "gpu", "gpu_model", "gres"),
    *("slurm_partition", "slurm_account", "qos", "constraint"),
]


def requests_of_rules():
    """What each attempt of those asks for that become jobs of a cluster (they state a runtime), unless they never run.

    Attempts are the first one and the retries, of the profile or of the rule itself. Rules of a Snakefile that uses this one
    as a module are its own affair.
    """
    asking = {
        one.name: one
        for one in workflow.rules
        if ROOT in Path(str(one.snakefile)).parents
        and "runtime" in one.resources
        and NOTHING not in one.wildcard_constraints.values()
    }
    return {
        name: [_request(one, 1 + retry) for retry in range(one.restart_times + 1)]
        for name, one in asking.items()
    }


def _request(asking, attempt):
    """What one attempt asks for; of systems that are trained on GPUs, the one that takes most of them."""
    named = [Wildcards(fromdict={"model": name}) for name in trained_on("cuda") or models()]
    wildcards = max(named, key=gpus_of)
    resources = asking.expand_resources(wildcards, [], attempt)
    asked = {key: resources.get(key) for key in REQUESTED}
    return asked | {"threads": resources["_cores"]}


def gpu_rules():
    """The rules that run on GPUs under this configuration, without the check's own, as a module's user may have named them."""
    names = {
        "train_on_gpu": trained_on("cuda"),
        "extract_features_on_gpu": feature_extractors("cuda"),
    }
    return [getattr(rules, name).rule.name for name, needed in names.items() if needed]


def check_asks_for_gpu():
    return config["device"] == "cuda"


def jobs_of_check():
    """The machines that jobs are sent to; the login node is looked at before."""
    return ["cpu", "gpu"] if check_asks_for_gpu() else ["cpu"]


def files_from_outside():
    """The files that this configuration reads, by the config key that says where they are, or whence they come."""
    entries = [config["models"][name]["settings"].get("weights") for name in models()]
    entries += [config["feature_extractors"][name]["weights"] for name in feature_extractors()]
    found = {}
    for name in dict.fromkeys(filter(None, entries)):
        stated = config["downloads"]["weights"][name]["path"]
        found[_key(f"downloads.weights.{name}", stated)] = weights_files(name)
    if config["word_vectors"]["source"] == "glove" and text_branches():
        found[_key("downloads.glove", config["downloads"]["glove"]["path"])] = [
            *glove_file(None).values()
        ]
    if config["corpus"] == "multicare":
        files = [*corpus_tables(None).values(), *corpus_stores()]
        found[_key("multicare", config["multicare"]["path"])] = files
    if config["corpus"] == "release":
        found[_key("release", config["release"]["path"])] = [release_source()]
    return {
        key: [path.replace("<resources>", "resources") for path in paths]
        for key, paths in found.items()
    }


def text_branches():
    """Enabled systems that read word vectors."""
    return [
        name
        for name in models()
        if config["models"][name]["family"] == "fusion"
        and "caption" in config["models"][name]["settings"]["branches"]
    ]


def _key(section, stated):
    return f"{section}.path" if stated else section


def download_addresses():
    """Where files from outside are downloaded from."""
    downloads = config["downloads"]
    urls = [source["url"] for source in downloads["weights"].values() if "url" in source]
    return [downloads["zenodo"], downloads["hub"], downloads["glove"]["url"], *urls]
