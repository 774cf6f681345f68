# What the paper states, and which of our results stand beside it: no rules, only functions (see common.smk).
#
# Purpose  the paper's systems on its split, for paper.smk; what it states about one system, for the tables and figures of
#          report.smk.


def papers_cells():
    """[system, seed] of the systems that the paper is about, on its split, the stratified one."""
    names = [name for name in models() if config["models"][name]["paper"]]
    return [
        [name, seed]
        for split, name, seed in cell_names()
        if split == "stratified" and name in names
    ]


def papers_files(file):
    """A file of each of these."""
    return [f"<results>/stratified/{name}/seed{seed}/{file}" for name, seed in papers_cells()]


@cache
def systems_of_paper():
    """What the paper states about its systems, by name. Read once: some thirty jobs ask."""
    return read_yaml(PAPER)["systems"]


def stated_by_paper(wildcards):
    """What the paper states about the system that the wildcards name; nothing off its split."""
    key = config["models"][wildcards.model]["paper"]
    if wildcards.split != "stratified" or key is None:
        return {}
    return systems_of_paper()[key]


def configured_like_paper():
    """What the paper states as a number and the configuration decides."""
    modalities = config["curation"]["modalities"].values()
    return {
        "minimum_age": config["curation"]["min_age"],
        "modalities": sum(chosen is not None for chosen in modalities),
        "word_vectors": config["word_vectors"]["dimension"],
    }
