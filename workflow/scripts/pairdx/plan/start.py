"""From what Snakemake read to a plan: completed, checked, and refused in words before any rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pairdx.errors import PairDxError
from pairdx.plan import configuration
from pairdx.plan.checks import (
    classifying,
    competition,
    datasets,
    deployment,
    downloads,
    families,
    modes,
    moved,
    paths,
    place,
    privileged,
    search,
    several,
    systems,
    tested_on,
)
from pairdx.plan.checks.inherited import without_inherited
from pairdx.plan.classes import problems_of_spelling, settled
from pairdx.plan.descriptions import Family, Reader
from pairdx.plan.descriptions import families as all_families
from pairdx.plan.descriptions import readers as all_readers
from pairdx.plan.papers import problems_of_paper, read_paper
from pairdx.plan.plan import Plan
from pairdx.plan.schemas import whole_schema
from pairdx.plan.validation import problems

Config = Mapping[str, Any]


def plan_of(
    overlay: Config, root: Path, files: Iterable[str | Path], *, as_module: bool = False
) -> tuple[Plan, Callable[[], Iterator[str]]]:
    """Complete and check a configuration, and return what it means.

    Args:
        overlay: What Snakemake read: what the user changes, with or without the defaults.
        root: The folder of the Snakefile.
        files: The files that it was read from.
        as_module: Another Snakefile uses this one.

    Returns:
        The plan; and a function that yields what is not wrong but odd, as sentences.

    Raises:
        PairDxError: The configuration is wrong; every wrong key is named.
    """
    defaults = configuration.defaults(root)
    default_files = configuration.default_files(root)
    misspelt, overlay = [*problems_of_spelling(overlay)], settled(overlay)
    found = [*place.problems_of_place(root), *place.problems_of_files(files, default_files)]
    found = found or misspelt or [*moved.problems(overlay)]
    found = found or [*configuration.problems_of_names(defaults, overlay)]
    config = {} if found else configuration.complete(defaults, overlay)
    known = configuration.complete(defaults, {})
    readers, of_families = all_readers(), all_families()
    if not found:
        refused = problems(config, whole_schema(root), lambda: known)
        refused = refused or [*_conflicts(config, root, of_families, readers, known)]
        found = without_inherited(refused, configuration.merged(defaults, overlay))
    if found and as_module:
        found.append('(a module is given what concerns it alone, as by config: config["pairdx"])')
    _refuse(found)
    paper = read_paper(root, config["paper"]) if config["paper"] is not None else None
    plan = Plan(config, of_families, readers, paper)
    of_plan = (systems.problems_of_datasets, privileged.problems_of_plan)
    _refuse([one for find in of_plan for one in find(plan)])
    _refuse([*classifying.problems_of_plan(plan)])
    entries = {name: dataset.entry for name, dataset in plan.datasets.items()}
    return plan, lambda: chain(place.doubts(plan), modes.unread(overlay, entries))


def _refuse(found: Sequence[str]) -> None:
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise PairDxError(f"the configuration is not valid:\n{lines}")


def _conflicts(
    config: Config,
    root: Path,
    of_families: Mapping[str, Family],
    readers: Mapping[str, Reader],
    defaults: Config,
) -> Iterator[str]:
    """Say what no single key can get wrong."""
    yield from datasets.problems(config, readers, defaults)
    yield from several.problems(config, of_families)
    yield from tested_on.problems(config)
    yield from competition.problems(config)
    yield from systems.problems(config)
    yield from deployment.problems(config, of_families)
    yield from families.problems(config, of_families)
    yield from privileged.problems(config, of_families)
    yield from search.problems(config, of_families)
    yield from paths.problems(config)
    yield from downloads.problems(config)
    yield from problems_of_paper(root, config)
