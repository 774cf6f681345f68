"""Where things lie: what keeps jobs from starting, and files that the configuration misses."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pairdx.plan.checks import paths
from pairdx.plan.checks.datasets import PUBLISHED
from pairdx.plan.classes import folded
from pairdx.plan.matching import nearly_matched
from pairdx.plan.overlays import problems_of_overlay
from pairdx.plan.plan import Plan
from pairdx.plan.wording import similar


def problems_of_place(root: Path) -> Iterator[str]:
    """Say what in the path of the workflow, or of its Python, keeps jobs from starting.

    Args:
        root: The folder of the Snakefile.
    """
    if {"{", "}"} & set(str(root)):
        yield (
            f"the workflow lies in {root}: Snakemake takes braces in a path for wildcards: give "
            "the folder another name"
        )
    # Snakemake starts the Python of a script's job by a shell, and does not quote it.
    if odd := re.search(r"[\s|&;<>()$`\\\"'*?\[{]", sys.executable):
        yield (
            f"the path of the Python that runs Snakemake has {odd[0]!r} in it ({sys.executable}), "
            "and Snakemake cannot start jobs with it: move the workflow or its environment to a "
            "path without, and run `make setup` there"
        )


def problems_of_files(files: Iterable[str | Path], defaults: Iterable[Path]) -> Iterator[str]:
    """Say what is wrong with the files that the configuration was read from.

    Args:
        files: Those that Snakemake read.
        defaults: Those that are known to be right.
    """
    for path in dict.fromkeys(map(Path, files)):
        if path not in set(defaults):
            yield from problems_of_overlay(path)


def doubts(plan: Plan) -> Iterator[str]:
    """Name the key of a file that is not there, and what leaves nothing or cannot be told apart.

    No errors: a job that needs such a file is refused anyway, and another may make it.
    """
    yield from _of_questions(plan)
    yield from _of_what_data_lack(plan)
    yield from _of_classes_elsewhere(plan)
    yield from _of_spellings(plan)
    yield from _of_competition(plan)
    for section, several in (("systems", plan.enabled), ("datasets", plan.datasets.values())):
        titles = [one.entry["title"] for one in several]
        for title in dict.fromkeys(title for title in titles if titles.count(title) > 1):
            yield (
                f"config key {section}: several {section} have the title {title}, and tables do "
                "not tell them apart"
            )
    needed = plan.outside.files()
    for name, dataset in plan.datasets.items():
        if sheet := dataset.key("curation.review.decisions"):
            needed[f"datasets.{name}.curation.review.decisions"] = [sheet]
    for key in paths.stated(plan.config):
        if missing := [path for path in needed.get(key, []) if not Path(path).exists()]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield (
                f"config key {key}: {_shown(missing[0])}{more} is not there (paths start in "
                f"{_shown(Path.cwd())}){_of_locale(missing[0])}"
            )


def _of_questions(plan: Plan) -> Iterator[str]:
    for name, dataset in plan.datasets.items():
        probed = plan.questions.input_probed(name)
        if probed and not plan.questions.input_probed_cells(name):
            yield (
                f"config key input_probes.splits: none of {plan.config['input_probes']['splits']} "
                f"is among datasets.{name}.splits ({', '.join(dataset.splits)}), so that no input "
                "is changed"
            )


def _of_what_data_lack(plan: Plan) -> Iterator[str]:
    """Say which systems a dataset leaves out for what it lacks, and what of it is not used."""
    for name, dataset in plan.datasets.items():
        reasons: dict[str, list[str]] = {}
        for system, reason in plan.left_out(name).items():
            if not reason.startswith(f"config key systems.{system}.datasets "):  # meant by the user
                reasons.setdefault(reason, []).append(system)
        for reason, systems in reasons.items():
            each = f"each {reason[3:]}" if len(systems) > 1 and reason[:3] == "it " else reason
            yield f"dataset {name}: {', '.join(systems)} left out: {each}"
        has_subsets = dataset.reader.PUBLISHED_SPLIT and "subsets" not in dataset.lacks
        if has_subsets and PUBLISHED not in dataset.splits:
            yield (
                f"config key datasets.{name}.splits: the data come with their own split, which is "
                f"not used: `splits: [{PUBLISHED}]` takes it"
            )


def _of_classes_elsewhere(plan: Plan) -> Iterator[str]:
    """Say which classes of two datasets do not match, though they are written nearly alike."""
    for name, other in plan.tested_on.by_classes:
        here, there = (plan.datasets[one].labels for one in (name, other))
        pairs = [*nearly_matched(here, there, plan.tested_on.matched(name, other))]
        if pairs:
            # As YAML, whatever is in the labels.
            both = json.dumps(dict(pairs), ensure_ascii=False)
            yield (
                f"config key datasets.{name}.tested_on.{other}: classes of the two datasets are "
                "written nearly alike, but are not the same text, and count as different ones; "
                f"where they are the same, say so: classes: {both}"
            )


def _of_competition(plan: Plan) -> Iterator[str]:
    """Say why there is no table of a competition that is stated."""
    reason = plan.findings.no_competition
    if plan.config["competition"] is not None and reason:
        yield f"{reason}: there is no table of the competition"


def _of_spellings(plan: Plan) -> Iterator[str]:
    """Name what own documents' spellings are said to mean and is no class of the dataset."""
    for name, dataset in plan.datasets.items():
        known = [*dataset.labels, *dataset.key("out_of_distribution")]
        known_folded = set(map(folded, known))
        for spelling, label in (dataset.source.get("labels") or {}).items():
            if folded(label) not in known_folded:
                yield (
                    f"config key datasets.{name}.source.labels: {label}, for which {spelling} is "
                    f"said to stand, is no class of this dataset{similar(label, known)}: such rows "
                    "are rejected"
                )


def _shown(path: str | Path) -> str:
    """Return a path as the locale's screen can show it."""
    encoding = sys.getfilesystemencoding()
    return str(path).encode(encoding, "backslashreplace").decode(encoding)


def _of_locale(path: str) -> str:
    """Say why a file whose name is not plain ASCII may not be found."""
    encoding = sys.getfilesystemencoding()
    if path.isascii() or encoding == "utf-8":
        return ""
    return (
        f"; names of files are {encoding} in this locale: if the disk's are UTF-8, `export "
        "PYTHONUTF8=1`"
    )
