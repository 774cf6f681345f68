# Where things lie, checked before the DAG is built: no rules.
#
# Purpose  a place that cannot work, and a file of the configuration that is not what it looks like, are named at the start.
# Inputs   the paths of the workflow, of its Python, and of the configuration's files
# Outputs  sentences, for configuration.smk


def problems_of_place():
    """What in the path of the workflow, or of its Python, keeps jobs from starting."""
    if {"{", "}"} & set(str(ROOT)):
        yield f"the workflow lies in {ROOT}: Snakemake takes braces in a path for wildcards: give the folder another name"
    # Snakemake starts the Python of a script's job by a shell, and does not quote it.
    if odd := re.search(r"[\s|&;<>()$`\\\"'*?\[{]", sys.executable):
        yield (
            f"the path of the Python that runs Snakemake has {odd[0]!r} in it ({sys.executable}), and Snakemake cannot start "
            "jobs with it: move the workflow or its environment to a path without, and run `make setup` there"
        )


def problems_of_files():
    """What is wrong with the files that the configuration was read from; the defaults are known to be right."""
    defaults = {ROOT / "config/config.yaml", ROOT / "config/models.yaml"}
    for path in dict.fromkeys(map(Path, workflow.configfiles)):
        if path not in defaults:
            yield from problems_of_overlay(path)


def stated_paths():
    """The paths that the configuration states, by key; of things that no enabled system needs, too."""
    found = {key: config[key]["path"] for key in ("multicare", "release")}
    found |= {
        f"downloads.weights.{name}": source["path"]
        for name, source in config["downloads"]["weights"].items()
    }
    found["downloads.glove"] = config["downloads"]["glove"]["path"]
    found = {f"{key}.path": path for key, path in found.items()}
    found["curation.review.decisions"] = config["curation"]["review"]["decisions"]
    found |= {f"pathvars.{name}": path for name, path in config.get("pathvars", {}).items()}
    return {key: path for key, path in found.items() if path}


def conflicts_of_paths():
    """Paths that Snakemake would read as something else."""
    for key, path in stated_paths().items():
        if {"{", "}"} & set(path):
            yield f"config key {key}: {path} has braces, which Snakemake takes for wildcards: rename it, or link to it"
        if path != path.strip() or not path.isprintable():
            yield f"config key {key}: {path!r} begins or ends with a space, or has a character that cannot be seen"


def warn_of_doubts():
    """Name the key of a file that is not there. No error: a job that needs it is refused anyway, and another may make it.

    Likewise where inputs are to be changed and no split is made on which they are, and of systems of one title.
    """
    if probed_models() and not probe_cells():
        logger.warning(
            f"config key input_probes.splits: none of {config['input_probes']['splits']} is among splits, so that no input is "
            "changed"
        )
    titles = [config["models"][name]["title"] for name in models()]
    for title in {title for title in titles if titles.count(title) > 1}:
        logger.warning(
            f"config key models: several systems have the title {title}, and tables do not tell them apart"
        )
    needed = files_from_outside() | {"curation.review.decisions": [*review_decisions().values()]}
    for key in stated_paths():
        if missing := [path for path in needed.get(key, []) if not Path(path).exists()]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            logger.warning(
                f"config key {key}: {_shown(missing[0])}{more} is not there (paths start in {_shown(Path.cwd())}){_of_locale(missing[0])}"
            )


def _shown(path):
    """A path as the locale's screen can show it."""
    encoding = sys.getfilesystemencoding()
    return str(path).encode(encoding, "backslashreplace").decode(encoding)


def _of_locale(path):
    """Why a file whose name is not plain ASCII may not be found."""
    encoding = sys.getfilesystemencoding()
    if path.isascii() or encoding == "utf-8":
        return ""
    return f"; names of files are {encoding} in this locale: if the disk's are UTF-8, `export PYTHONUTF8=1`"
