"""Planning: a dry run of a grid of trainings against one of an empty Snakefile."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import yaml

from benchmarks.planning import Cost, number_of_jobs, overlay, snakemake
from benchmarks.suite.measure import FEWEST_ROUNDS, interleaved, ratio_with_spread, spread
from benchmarks.suite.part import REPOSITORY, Aim, Part, Settings, Table
from workflow.conftest import copy_of_workflow

QUESTION = (
    "How long a dry run of the grid takes (two splits, 12 systems, 5 seeds) against one of an "
    "empty Snakefile, both as processes from start to end."
)
AIM = 1.5
SECONDS = 75  # no further round begins afterwards
EMPTY, WRITTEN_OUT, GRID = "an empty Snakefile", "the grid's jobs, written out", "the grid"
BLOCK = re.compile(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)+)", re.MULTILINE)


def measure(settings: Settings) -> Part:
    """Plan in turns: nothing, the grid, and the grid's jobs without anything to compute."""
    systems, seeds = (2, 1) if settings.small else (12, 5)
    runs: dict[str, list[Cost]] = {EMPTY: [], WRITTEN_OUT: [], GRID: []}
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(folder, str(place)) for place, name in enumerate(runs)}
        for path in folders.values():
            path.mkdir()
        copy_of_workflow(folders[GRID])
        content = yaml.safe_dump(overlay(systems, seeds))
        (folders[GRID] / "grid.yaml").write_text(content, encoding="utf-8")
        (folders[EMPTY] / "Snakefile").write_text("rule all:\n", encoding="utf-8")
        _, printed = snakemake(folders[GRID], *arguments(GRID))
        (folders[WRITTEN_OUT] / "Snakefile").write_text(written_out(printed), encoding="utf-8")

        def once(name: str) -> Callable[[], None]:
            return lambda: runs[name].append(snakemake(folders[name], *arguments(name))[0])

        rounds = FEWEST_ROUNDS if settings.small else 9
        seconds = interleaved({name: once(name) for name in runs}, rounds, at_most_seconds=SECONDS)
        own = own_seconds(folders[GRID])
    cpu = {name: np.array([run.cpu for run in of_way[1:]]) for name, of_way in runs.items()}
    return part(seconds, cpu, number_of_jobs(printed), own, max(run.memory for run in runs[GRID]))


def part(
    seconds: dict[str, np.ndarray],
    cpu: dict[str, np.ndarray],
    jobs: int,
    own: float,
    memory: float,
) -> Part:
    """Make of what was measured what is said."""
    floor = ratio_with_spread(seconds[WRITTEN_OUT], seconds[EMPTY])
    left = spread(cpu[GRID] - cpu[WRITTEN_OUT]).median
    why = (
        f"Snakemake itself needs {floor.median:.2f} times as long as for the empty Snakefile to "
        f"plan these {jobs} jobs where they are written out as literal rules, without "
        f"configuration, wildcards, parameters or functions. The grid takes {left:.2f} s of CPU "
        f"more than that; the workflow's own reading and checking of its configuration and of its "
        f"code takes {own:.2f} s, measured apart, and what else there is are Snakemake's matching "
        "of wildcards and its calls of rules' functions, job by job."
    )
    rows = [
        {
            "dry_run_of": name,
            "jobs": 1 if name == EMPTY else jobs,
            "wall_seconds": float(np.median(seconds[name])),
            "cpu_seconds": float(np.median(cpu[name])),
            "times_the_empty_one": str(ratio_with_spread(seconds[name], seconds[EMPTY])),
            "of_cpu": str(ratio_with_spread(cpu[name], cpu[EMPTY])),
        }
        for name in seconds
    ]
    found = ratio_with_spread(seconds[GRID], seconds[EMPTY])
    return Part(
        QUESTION,
        [Table("A dry run", rows)],
        [Aim("dry run of the grid, times that of an empty Snakefile", "at most", AIM, found, why)],
        {"jobs": jobs, "rounds": len(seconds[GRID]), "largest memory, MiB": round(memory)},
        [
            "The jobs written out: a rule for every job, with the files that jobs make and read as "
            "texts.",
            f"The workflow's own {own:.2f} s: CPU of completing and checking the configuration and "
            "of the digests of all scripts, in a process that has imported everything.",
        ],
    )


def arguments(name: str) -> list[str]:
    """Return what Snakemake is told."""
    return ["all", "-n", *(["--configfile", "grid.yaml"] if name == GRID else [])]


def written_out(printed: str) -> str:
    """Write a Snakefile that has every job of a dry run as a rule, its files as texts.

    Raises:
        ValueError: Jobs were printed in a form that this does not read.
    """
    jobs = BLOCK.findall(printed)
    if len(jobs) != number_of_jobs(printed):
        raise ValueError(f"{len(jobs)} of {number_of_jobs(printed)} jobs were found")
    made = {file for _, body in jobs for file in files(body, "output")}
    rules: list[str] = []
    for number, (name, body) in enumerate(jobs):
        inputs = [file for file in files(body, "input") if file in made]
        if name == "all":  # the first rule
            rules.insert(0, f"rule all:\n    input: {inputs}\n")
        else:
            outputs = files(body, "output")
            rules.append(f"rule {name}_{number}:\n    input: {inputs}\n    output: {outputs}\n")
            rules[-1] += "    shell: 'false'\n"
    return "\n".join(rules)


def files(body: str, key: str) -> list[str]:
    """Return the files that a printed job names under a key."""
    found = re.search(rf"^ +{key}: (.*)$", body, re.MULTILINE)
    return found[1].split(", ") if found else []


def own_seconds(folder: Path) -> float:
    """Return the CPU seconds of what the workflow itself does before Snakemake builds its graph."""
    from pairdx.plan import code
    from pairdx.plan.start import plan_of

    content: dict[str, Any] = yaml.safe_load((folder / "grid.yaml").read_text(encoding="utf-8"))
    started = process_time()
    plan_of(content, REPOSITORY, [])
    for script in code.SCRIPTS.glob("*.py"):
        code.digest(script.name)
    return process_time() - started
