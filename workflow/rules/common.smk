# What all other files here use: the plan, and the few lines between it and Snakemake. No rules.
#
# Purpose  the configuration is completed and checked, and the plan is made of it, before any rule is read.
# Inputs   config, and the files of config/; the library's plan/
# Outputs  ROOT, plan, and functions that put what the plan says into Snakemake's words
import os
import re
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Wildcards
from snakemake.logging import logger
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
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
from pairdx.errors import PairDxError
from pairdx.plan import configuration, outputs, requests
from pairdx.plan.cells import WITH_SIBLINGS, WITHOUT_SIBLINGS
from pairdx.plan.code import digest
from pairdx.plan.documents_check import facts_of_check
from pairdx.plan.graph import decides_the_graph
from pairdx.plan.items import COMPARISON, FINDINGS_COMPARISON, NO_PAPER
from pairdx.plan.measured import measured_jobs, measured_wildcards
from pairdx.plan.plan import NOTHING, one_of
from pairdx.plan.start import plan_of
from pairdx.plan.world import PlansWorld
from pairdx.storage_errors import check_temporary_folder


def given():
    """What the user changes: config; for a module without `config:`, what the command line says.

    (Snakemake hands that to the statement `configfile:` alone, which is not used here.)
    """
    is_given = config or workflow.modifier.skip_configfile
    return config if is_given else workflow.config_settings.overwrite_config


IN_A_JOB = workflow.subprocess_exec or workflow.remote_exec
try:  # on the login node and, as each job reads this file, on every node
    check_temporary_folder()
    plan, doubts = plan_of(
        given(), ROOT, workflow.configfiles, as_module=workflow.modifier.skip_configfile
    )
except PairDxError as error:
    raise WorkflowError(str(error)) from None
world = PlansWorld(plan)
config.clear()
config.update(plan.config)
for doubt in doubts() if not IN_A_JOB else ():  # once, and not in every job
    logger.warning(doubt)


def own_file(path):
    """A file of the workflow as an input: from the working directory, so that a copy of both is up to date.

    Local: neither a storage plugin nor the prefix of a module concerns it.
    """
    return local(os.path.relpath(ROOT / path))


def by_contents(paths):
    """Inputs from outside of which folders do not count by their own time stamps: a parameter says what they hold.

    paths  function of the wildcards: a path, paths, or paths by name
    """

    def inputs(wildcards):
        found = paths(wildcards)
        if isinstance(found, dict):
            return {name: _by_contents(path) for name, path in found.items()}
        return _by_contents(found) if isinstance(found, str) else [*map(_by_contents, found)]

    return inputs


def _by_contents(path):
    return ancient(path) if os.path.isdir(path) else path


def paper_file(compared=False):
    """The paper's file as an input called paper; none where nothing of ours stands beside it.

    compared  none either where nothing beside it is in the comparison of all systems
    """
    files = plan.published.files if plan.published.compared or not compared else []
    return {"paper": own_file(path) for path in files}


def compared_file():
    """The comparison of all systems as an input; none where no dataset has one."""
    return (
        {"comparison": "<results>/tables/comparison.csv"} if plan.cells_having(COMPARISON) else {}
    )


def code_of(script, modules=lambda wildcards: ()):
    """What a script and the library files that it depends on, directly or through others, do: a parameter of its rule.

    A job is out of date when the code of one of these files changes; a new time stamp, comment or docstring changes nothing.
    (Snakemake's own trigger `code` looks at a script's time stamp; the profiles leave it out. As inputs, the files were over
    a third of every plan.) A function, so that a job's own process reads the files of its rule only.

    script   file name in workflow/scripts
    modules  function of the wildcards: further modules, imported only when asked for, such as pairdx.models.clip.system
    """
    return lambda wildcards: digest(script, tuple(modules(wildcards)))


# ---------------------------------------------------------------- tables and figures: declared in plan/declared.py
def outputs_of(rule, dataset=None, leave_out=()):
    """The tables and figures that a rule makes, as outputs by name, in their places in the report.

    dataset    the one whose splits and systems decide which there are, where they do
    leave_out  names of items
    """
    found = outputs.outputs(world, rule, dataset, without=leave_out)
    return {
        key: [_placed(one) for one in files] if isinstance(files, list) else _placed(files)
        for key, files in found.items()
    }


def _placed(file):
    if file.place is None:
        return file.path
    return report(
        file.path,
        caption=f"../../report/{file.place.caption}",
        category=file.place.category,
        subcategory=file.place.subcategory,
        labels=file.place.labels,
    )


def shapes(rule):
    """Suffix and datasets of every variant of a rule: datasets that give other files need one of their own."""
    return outputs.shapes(world, rule)


def paper_item(item):
    """The file of an item of the paper; an error says which key leaves it out."""

    def path(_):
        try:
            return plan.paper.file_of(item, world)
        except ValueError as reason:
            raise WorkflowError(str(reason)) from None

    return path


def reason_it_is_left_out(wildcards):
    """No file, but the error that says which key leaves the table, or the paper's item, out."""
    raise WorkflowError(outputs.reasons(world).get(wildcards.table, NO_PAPER))


def classified_documents(_):
    """The tables of all new documents; where the configuration names none, an error that says so."""
    if not plan.classifying.entries:
        raise WorkflowError(
            "config key documents_to_classify: it names no documents; give a table and the system that classifies it (see "
            "config/README.md, section 8)"
        )
    return plan.classifying.outputs()


# ---------------------------------------------------------------- what only the rules themselves know
def benchmark_files(_):
    """The benchmark file of every measured job, from the patterns of the rules themselves.

    Local: the prefix of a module is in the pattern already.
    """
    return [
        local(str(getattr(rules, job["rule"]).benchmark).format(**job["wildcards"]))
        for job in measured_jobs(plan)
    ]


def benchmark_patterns():
    """The benchmark file of each measured rule, as the rules themselves name it."""
    return {name: str(getattr(rules, name).benchmark) for name in measured_wildcards(plan)}


def own_rules():
    """The rules of this workflow that may run. Those of a Snakefile that uses it as a module are its own affair."""
    return [one for one in workflow.rules if ROOT in Path(str(one.snakefile)).parents]


def gpu_rules():
    """The rules that run on GPUs under this configuration, without the check's own, as a module's user may have named them."""
    return [getattr(rules, name).rule.name for name in requests.gpu_rules(plan)]
