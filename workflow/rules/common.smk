# Shared by all other files here, no rules: the library's files, and the configuration's as paths. The systems: systems.smk.
import os
import re
import sys
import time
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalSourceFile


def root():
    """The folder of the Snakefile that this file belongs to, which need not be the one that Snakemake was started with."""
    folder = workflow.current_basedir
    if not isinstance(folder, LocalSourceFile):
        raise WorkflowError(
            f"PairDx is read from {folder.get_path_or_uri(secret_free=True)}, where its library cannot be imported: clone "
            "the repository, and name the clone's Snakefile"
        )
    return Path(folder.path).parents[1]


ROOT = root()


def read_yaml(path):
    """The content of a YAML file of the workflow, by the parser in C where there is one: ten times as fast."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((ROOT / path).read_text(encoding="utf-8"), Loader=loader)


def own_file(path):
    """A file of the workflow as an input: from the working directory, so that a copy of both is up to date.

    Local: neither a storage plugin nor the prefix of a module concerns it.
    """
    return local(os.path.relpath(ROOT / path))


SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
from pairdx.errors import PairDxError
from pairdx.plan.code import digest
from pairdx.storage_errors import check_temporary_folder

try:  # on the login node and, as each job reads this file, on every node
    check_temporary_folder()
except PairDxError as error:
    raise WorkflowError(str(error)) from None

PAPER = "config/paper.yaml"
NOTHING = "(?!)"  # a regular expression that matches no text


# ---------------------------------------------------------------- the library
def code_of(script, *modules):
    """What a script and the library files that it depends on, directly or through others, say: a parameter of its rule.

    A job is out of date when one of these files changes; a new time stamp alone changes nothing. (Snakemake's own trigger
    `code` looks at a script's time stamp; the profiles leave it out. As inputs, the files were over a third of every plan.)

    script   file name in workflow/scripts
    modules  further modules that the script imports only when asked for, such as pairdx.models.clip
    """
    return digest(script, modules)


def code_of_family(script, *further):
    """As code_of(), with the file of the system's family, and of no other family.

    further  endings of further files of the family, such as _explanation
    """

    def code(wildcards):
        family = f"pairdx.models.{config['models'][wildcards.model]['family']}"
        return code_of(script, family, *(f"{family}{ending}" for ending in further))

    return code


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
