"""How long Snakemake plans and schedules as the grid of splits, systems and seeds grows.

    python tests/benchmarks/planning.py --seeds 3 5 10 --table planning.md

Nothing is downloaded, trained or submitted. A dry run (`-n`, profiles/slurm) of the paper's
configuration with as many systems and seeds as asked for is set beside a dry run of an empty
Snakefile, in turns. Then every output is written as a file of one byte and `--touch --forceall`
schedules all jobs once: selection, checks of files, Snakemake's records, all but work. Snakemake
sleeps 0.1 s per job there, so that only its CPU time says anything. It is no test: what is fast
enough depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import pandas as pd
import yaml

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow" / "scripts")]

from pairdx.machine import cpu_model  # noqa: E402
from pairdx.plan.configuration import complete, defaults  # noqa: E402
from pairdx.plan.descriptions import families  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from rule_files import all_rules  # noqa: E402
from workflow.conftest import REPOSITORY, copy_of_workflow  # noqa: E402

SPLITS = ("stratified", "grouped")
KIBIBYTES_PER_MEBIBYTE = 1024


@dataclass(frozen=True)
class Cost:
    """Wall seconds, CPU seconds and largest resident memory (MiB) of one Snakemake process."""

    wall: float
    cpu: float
    memory: float


def overlay(systems: int, seeds: int) -> dict[str, object]:
    """Describe the grid: so many systems that are trained, each with every seed, on two splits.

    Raises:
        ValueError: The registry has fewer systems that are trained.
    """
    registry = complete(defaults(REPOSITORY), {})["systems"]
    # Networks first, because each of their jobs needs a GPU.
    trained = [name for name, entry in registry.items() if entry["trained"]]
    trained.sort(key=lambda name: not families()[registry[name]["family"]].NETWORK)
    if systems > len(trained):
        raise ValueError(f"the registry has {len(trained)} trained systems, not {systems}")
    chosen = set(trained[:systems])
    entries: dict[str, dict[str, bool]] = {name: {"enabled": name in chosen} for name in registry}
    for name in chosen:  # those without randomness would run for one seed
        entries[name]["random"] = True
    return {
        "datasets": {"multicare": {"splits": list(SPLITS)}},
        "seeds": list(range(1, seeds + 1)),
        "systems": entries,
    }


def snakemake(
    folder: Path, *arguments: str, environment: Mapping[str, str] = os.environ
) -> tuple[Cost, str]:
    """Run Snakemake in a folder; return what it cost, its jobs included, and what it printed.

    Raises:
        SystemExit: It failed.
    """
    command = [sys.executable, "-m", "snakemake", *arguments]
    # Snakemake's cache of sources is the folder's own, as on a fresh machine.
    environment = {**environment, "XDG_CACHE_HOME": str(folder / ".cache")}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    if process.returncode:
        sys.exit(f"snakemake {' '.join(arguments)} failed:\n{printed[-3000:]}")
    memory = usage.ru_maxrss / KIBIBYTES_PER_MEBIBYTE
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory), printed


def local_rules() -> set[str]:
    """Return the rules that never become SLURM jobs: targets and those that say so."""
    return {"all", *(rule.name for rule in all_rules() if "localrule: True" in rule.body)}


def slurm_jobs(printed: str) -> int:
    """Count the SLURM jobs of a dry run: those of rules that are not local."""
    local = local_rules()
    return sum(name not in local for name in re.findall(r"^rule (\w+):", printed, re.M))


def number_of_jobs(printed: str) -> int:
    """Return the total that a dry run prints.

    Raises:
        ValueError: It printed none.
    """
    total = re.search(r"^total\s+(\d+)$", printed, re.M)
    if total is None:
        raise ValueError("the dry run planned nothing")
    return int(total[1])


def write_outputs(folder: Path, printed: str) -> None:
    """Write every output that a dry run names, one byte each, so that `--touch` finds it."""
    for line in re.findall(r"^ +output: (.*)$", printed, re.M):
        for name in line.split(", "):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("0", encoding="utf-8")


def measure(systems: int, seeds: int, repeats: int, folder: Path) -> dict[str, float]:
    """Plan and schedule one grid; return one line of the table."""
    work, empty = folder / f"seeds{seeds}", folder / "empty"
    work.mkdir()
    empty.mkdir(exist_ok=True)
    (empty / "Snakefile").write_text("rule all:\n", encoding="utf-8")
    copy_of_workflow(work)
    (work / "grid.yaml").write_text(yaml.safe_dump(overlay(systems, seeds)), encoding="utf-8")
    options = ["--configfile", "grid.yaml"]
    nothing, plans = [], []
    for _ in range(repeats):
        nothing.append(snakemake(empty, "-n")[0])
        cost, printed = snakemake(work, "all", "-n", "--profile", "profiles/slurm", *options)
        plans.append(cost)
    write_outputs(work, printed)
    touched, _ = snakemake(work, "all", "--touch", "--forceall", "--cores", "1", *options)
    jobs = number_of_jobs(printed)
    wall, wall_empty = (statistics.median(run.wall for run in runs) for runs in (plans, nothing))
    cpu, cpu_empty = (statistics.median(run.cpu for run in runs) for runs in (plans, nothing))
    return {
        "seeds": seeds,
        "jobs": jobs,
        "slurm_jobs": slurm_jobs(printed),
        "dry_run_seconds": wall,
        "empty_seconds": wall_empty,
        "ratio": wall / wall_empty,
        "dry_run_cpu_seconds": cpu,
        "empty_cpu_seconds": cpu_empty,
        "plan_cpu_ms_per_job": 1000 * (cpu - cpu_empty) / jobs,
        "schedule_cpu_ms_per_job": 1000 * (touched.cpu - cpu_empty) / jobs,
        "peak_memory_MiB": max(run.memory for run in (*plans, touched)),
    }


def notes(systems: int, repeats: int) -> list[str]:
    """Say under which conditions the numbers were measured."""
    return [
        f"{len(SPLITS)} splits x {systems} systems x seeds; {os.cpu_count()} cores of "
        f"{cpu_model()}, load {os.getloadavg()[0]:.1f} at the end; Python "
        f"{sys.version.split()[0]}, snakemake {version('snakemake')}",
        f"dry runs with profiles/slurm in turns with those of an empty Snakefile, medians of "
        f"{repeats}; wall seconds grow with what else the machine does, CPU seconds hardly",
        "plan: CPU of the dry run less that of the empty one, over all jobs; schedule: the same of "
        "--touch --forceall on files of one byte, planning included",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every number of seeds and print the table, or write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--systems", type=int, default=12)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--table", type=Path, help="write the table to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        lines = [
            measure(options.systems, seeds, options.repeats, Path(folder))
            for seeds in options.seeds
        ]
    conditions = notes(options.systems, options.repeats)
    text = as_markdown(pd.DataFrame(lines), title="Planning and scheduling", notes=conditions)
    if options.table:
        options.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
