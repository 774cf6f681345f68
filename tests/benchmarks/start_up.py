"""How much CPU time a job takes before its own work begins: Python, Snakemake's preamble, imports.

    python tests/benchmarks/start_up.py --table start_up.md
    python tests/benchmarks/start_up.py --checkout before=OTHER --checkout after=. --table both.md

The demo is run in a copy of each checkout. Every script job notes its CPU time where it enters
:func:`pairdx.logs.job_log`, which is the first line of its own work, after its last line, and once
Python has ended (start_up_hook/sitecustomize.py; the workflow's code knows nothing of it). What is
left of the CPU time of the whole run is Snakemake's. Then sets of imports are timed alone, with
compiled files and without. Nothing is compiled, written or left behind outside of the copies. It is
no test: what is fast enough depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path

import pandas as pd

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow" / "scripts")]

from benchmarks.planning import snakemake  # noqa: E402
from benchmarks.start_up_hook.sitecustomize import FOLDER  # noqa: E402
from pairdx.machine import cpu_model  # noqa: E402
from pairdx.plan.descriptions import families  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from workflow.conftest import DEMO, REPOSITORY, copy_of_workflow  # noqa: E402

HOOK = Path(__file__).parent / "start_up_hook"
LIBRARY = Path("workflow", "scripts")
PARTS = ("demo", "imports")
MOMENTS = ("to_first_line", "imports", "to_last_line", "whole_job")
PYTHON, PREAMBLE = "Python alone", "Snakemake's preamble of a script job"
PACKAGES = ("pandas", "sklearn.linear_model", "seaborn", "torch", "torchvision", "open_clip")
# What a checkout does not have under this name is left out of the table.
MODULES = (
    "pairdx.evaluation.metrics",
    "pairdx.reporting.systems.figures",
    *(f"pairdx.models.{name}.system" for name in families()),
)
NEVER_IMPORTED = {"site-packages", "test", "idlelib"}  # those of Python's library that no job needs
ALMOST_ALL = 0.9  # some files of packages are templates, which nobody can compile


@dataclass(frozen=True)
class Checkout:
    """A folder with the workflow, and what the tables call it (nothing, if it is the only one)."""

    label: str
    folder: Path

    @property
    def prefix(self) -> str:
        """What stands before this checkout's columns and rows."""
        return f"{self.label}: " if self.label else ""


@dataclass(frozen=True)
class DemoRun:
    """One run of the demo.

    Attributes:
        jobs: A row per script job: rule, and CPU seconds from its start to_first_line (NaN if it
            never came there) and to_last_line (of its script), of its imports wherever they come,
            and of the whole_job.
        cpu: CPU seconds of the whole run.
        wall: Its wall seconds.
    """

    jobs: pd.DataFrame
    cpu: float
    wall: float


def measured(*paths: Path, caches: Path | None = None, **more: str) -> dict[str, str]:
    """Return the environment variables of a process that is measured: it compiles no file.

    Args:
        paths: They come first among those that Python looks for modules in.
        caches: Where alone it may find compiled files; None for wherever they are.
        more: Further variables.
    """
    given = os.environ.get("PYTHONPATH")
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more}
    variables["PYTHONPATH"] = os.pathsep.join([*map(str, paths), *([given] if given else [])])
    if caches:
        variables["PYTHONPYCACHEPREFIX"] = str(caches)
    return variables


def write_standard_library(caches: Path) -> None:
    """Lay out a folder for PYTHONPYCACHEPREFIX with the compiled files of Python's own library.

    A fresh environment's packages are uncompiled, but Python's own library is mostly not.
    """
    library = Path(os.__file__).parent
    for source in library.rglob("*.py"):
        compiled = Path(cache_from_source(source))
        if not NEVER_IMPORTED & set(source.parts) and compiled.is_file():
            link = caches / source.parent.relative_to(source.anchor) / compiled.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(compiled)


def compiled_share(packages: Path) -> float:
    """Return the share of a folder's Python files that have a compiled one."""
    there = [Path(cache_from_source(source)).is_file() for source in packages.rglob("*.py")]
    return statistics.mean(there) if there else 0.0


def compile_library(copy: Path) -> None:
    """Compile the library in a copy of a checkout, as in an environment where all is compiled."""
    command = [sys.executable, "-m", "compileall", "-q", str(copy / LIBRARY)]
    subprocess.run(command, check=True)


def read_notes(folder: Path) -> pd.DataFrame:
    """Read what the jobs of a run noted: see :class:`DemoRun`."""
    lines = [
        path.read_text(encoding="utf-8").rstrip("\n").split("\t")
        for path in sorted(folder.glob("*.tsv"))
    ]
    jobs = pd.DataFrame(lines, columns=["rule", *MOMENTS]).replace("", None)
    return jobs.astype(dict.fromkeys(MOMENTS, float))


def run_demo(
    checkout: Checkout, targets: Sequence[str], overlays: Sequence[Path], caches: Path | None
) -> DemoRun:
    """Run the demo in a copy of the checkout, and throw the copy away.

    Raises:
        SystemExit: Snakemake failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy, notes = Path(folder, "copy"), Path(folder, "notes")
        copy.mkdir()
        notes.mkdir()
        copy_of_workflow(copy, checkout.folder)
        if caches is None:
            compile_library(copy)
        environment = measured(HOOK, caches=caches, **{FOLDER: str(notes)})
        arguments = [*targets, *DEMO, *(str(path.resolve()) for path in overlays)]
        cost, _ = snakemake(copy, *arguments, environment=environment)
        return DemoRun(read_notes(notes), cost.cpu, cost.wall)


def per_rule(runs: Sequence[DemoRun]) -> pd.DataFrame:
    """Sum up the jobs of equal runs: one row per rule, those that take most CPU time first.

    Returns:
        rule; jobs (of one run); to_first_line_seconds, imports_seconds and whole_job_seconds,
        medians over the jobs of all runs; all_jobs_seconds, of one run.
    """
    rules = pd.concat([run.jobs for run in runs]).groupby("rule", sort=False)
    table = pd.DataFrame(
        {
            "jobs": rules.size() / len(runs),
            "to_first_line_seconds": rules["to_first_line"].median(),
            "imports_seconds": rules["imports"].median(),
            "whole_job_seconds": rules["whole_job"].median(),
            "all_jobs_seconds": rules["whole_job"].sum() / len(runs),
        }
    )
    return table.sort_values("all_jobs_seconds", ascending=False).reset_index()


def side_by_side(found: Mapping[Checkout, Sequence[DemoRun]]) -> pd.DataFrame:
    """Make the table of the demo: rules, then Snakemake itself and the total.

    Checkouts have their columns side by side; rules that one of them lacks have empty cells there.
    """
    rules, last = [], []
    for checkout, runs in found.items():
        table = per_rule(runs).set_index("rule")
        rules.append(table.add_prefix(checkout.prefix))
        cpu, jobs = statistics.mean(run.cpu for run in runs), table["all_jobs_seconds"].sum()
        rows = {
            "Snakemake itself": {"all_jobs_seconds": cpu - jobs},
            "total": {"jobs": table["jobs"].sum(), "all_jobs_seconds": cpu},
        }
        last.append(pd.DataFrame.from_dict(rows, orient="index").add_prefix(checkout.prefix))
    whole = pd.concat([pd.concat(part, axis=1) for part in (rules, last)])
    return whole.rename_axis("rule").reset_index()


def shares(checkout: Checkout, runs: Sequence[DemoRun]) -> str:
    """Say what part of the jobs' CPU time goes into starting and ending, and how long a run took.

    A job that never came to a first line counts as one that had nothing before it.
    """
    jobs = pd.concat([run.jobs for run in runs])
    first, imported, last, whole = (jobs[moment].sum() / len(runs) for moment in MOMENTS)
    wall = statistics.mean(run.wall for run in runs)
    return (
        f"{checkout.prefix}of {whole:,.1f} s of CPU of all jobs, {first:,.1f} ({first / whole:.0%})"
        f" were before their first lines, {imported:,.1f} ({imported / whole:.0%}) imports, before "
        f"or after, and {whole - last:,.1f} ({(whole - last) / whole:.0%}) after their last lines, "
        f"while Python ended; wall time of a run {wall:,.0f} s"
    )


def import_seconds(module: str, environment: Mapping[str, str]) -> tuple[float, float] | None:
    """Import a module ("": none) in a process of its own.

    Returns:
        CPU seconds from the process's start until the module is there, and from then on until it
        has ended. None where there is no such module.

    Raises:
        SystemExit: It is there, but importing it fails.
    """
    code = f"import {module or 'sys'}\nimport time\nprint(time.process_time())"
    # Not the folder that the caller happens to be in, but an empty one.
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
    ):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=dict(environment),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    missing = re.search(r"^ModuleNotFoundError: No module named '([\w.]+)'", printed, re.M)
    if missing and f"{module}.".startswith(f"{missing[1]}."):  # it, or a package that it was in
        return None
    if process.returncode:
        sys.exit(f"importing {module} failed:\n{printed[-3000:]}")
    seconds = float(printed.split()[-1])
    return seconds, usage.ru_utime + usage.ru_stime - seconds


def preamble_seconds(environment: Mapping[str, str]) -> float:
    """Return the CPU seconds of a script job from its start to the first line of its script.

    Raises:
        SystemExit: Snakemake failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rule = 'rule all:\n    output: "seconds"\n    script: "script.py"\n'
        script = 'import time\nprint(time.process_time(), file=open(snakemake.output[0], "w"))\n'
        (folder / "Snakefile").write_text(rule, encoding="utf-8")
        (folder / "script.py").write_text(script, encoding="utf-8")
        snakemake(folder, "--cores", "1", environment=environment)
        return float((folder / "seconds").read_text(encoding="utf-8"))


def imports(checkouts: Sequence[Checkout], caches: Path, repeats: int) -> pd.DataFrame:
    """Time every set of imports in processes of their own, compiled and not, in turns.

    Returns:
        imports; compiled_seconds and uncompiled_seconds until they are done, python_ends_seconds
        from then on: medians of the repeats (of both, for the last).
    """
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        copies = {checkout: Path(name, str(n)) for n, checkout in enumerate(checkouts)}
        for checkout, copy in copies.items():
            copy.mkdir()
            copy_of_workflow(copy, checkout.folder)
            compile_library(copy)
        for _ in range(repeats):
            for column, folder in {"compiled": None, "uncompiled": caches}.items():
                bare = measured(caches=folder)
                found: dict[str, tuple[float, float | None] | None] = {
                    PYTHON: import_seconds("", bare),
                    PREAMBLE: (preamble_seconds(bare), None),
                }
                found |= {module: import_seconds(module, bare) for module in PACKAGES}
                for checkout, copy in copies.items():
                    of_copy = measured(copy / LIBRARY, caches=folder)
                    for module in MODULES:
                        found[checkout.prefix + module] = import_seconds(module, of_copy)
                for row, seconds in found.items():
                    if seconds is not None:
                        until, ending = seconds
                        rows.append({"imports": row, column: until, "python_ends": ending})
    medians = pd.DataFrame(rows).groupby("imports", sort=False).median(numeric_only=True)
    columns = medians[["compiled", "uncompiled", "python_ends"]]
    return columns.add_suffix("_seconds").reset_index()


def machine(load: float) -> str:
    """Say on what the numbers were measured; ``load`` is that before the first of them."""
    return (
        f"{os.cpu_count()} cores of {cpu_model()}, load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} at the end; Python {sys.version.split()[0]}, snakemake "
        f"{version('snakemake')}, torch {version('torch')}"
    )


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ``checkouts`` is a list of :class:`Checkout`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkout", action="append", default=[], metavar="LABEL=FOLDER", dest="checkouts"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--targets", nargs="+", default=["all"], help="what the demo makes")
    parser.add_argument("--overlay", type=Path, nargs="+", default=[], help="after the demo's own")
    parser.add_argument("--uncompiled", action="store_true", help="the demo without compiled files")
    parser.add_argument("--runs", type=int, default=1, help="of the demo, checkouts in turns")
    parser.add_argument("--repeats", type=int, default=3, help="of each import")
    parser.add_argument("--table", type=Path, help="write the tables to this file, too")
    options = parser.parse_args(words)
    checkouts = []
    for text in options.checkouts:
        label, equals, folder = text.partition("=")
        if not (equals and label and Path(folder, "Snakefile").is_file()):
            parser.error(f"--checkout {text}: LABEL=FOLDER, a folder with this workflow")
        checkouts.append(Checkout(label, Path(folder).resolve()))
    options.checkouts = checkouts or [Checkout("", REPOSITORY)]
    if len({checkout.label for checkout in options.checkouts}) < len(options.checkouts):
        parser.error("--checkout: every one needs a label of its own")
    return options


def demo_table(options: argparse.Namespace, caches: Path, load: float) -> str:
    """Run the demo of every checkout, in turns; return the table, with its conditions."""
    found: dict[Checkout, list[DemoRun]] = {each: [] for each in options.checkouts}
    for _ in range(options.runs):
        for checkout, runs in found.items():
            where = caches if options.uncompiled else None
            runs.append(run_demo(checkout, options.targets, options.overlay, where))
    state = "nothing but Python's own library" if options.uncompiled else "all modules"
    overlay = "".join(f" {path.name}" for path in options.overlay)
    notes = [
        machine(load),
        f"{' '.join(options.targets)} with config/demo.yaml{overlay}, profiles/local; "
        f"runs: {options.runs}; compiled: {state}",
        "CPU seconds, user and system, of a job's process, its threads and children; first line: "
        "where the script enters job_log; imports: wherever they come, many after that line; "
        "medians of the rule's jobs",
        "Snakemake itself: the whole run less its jobs; planning, scheduling, shells, and its look "
        "at the memory of every job, twice a second for the first 15 s: the more, the longer jobs "
        "take",
        *(shares(checkout, runs) for checkout, runs in found.items()),
    ]
    return as_markdown(side_by_side(found), title="Start-up of the demo's jobs", notes=notes)


def import_table(options: argparse.Namespace, caches: Path, load: float) -> str:
    """Time the imports; return the table, with its conditions."""
    table = imports(options.checkouts, caches, options.repeats)
    notes = [
        machine(load),
        "CPU seconds from the start of a process until the import is done, each in a process of "
        "its own, Python's start included, and from then on until Python has ended; medians of "
        f"{options.repeats}",
        "uncompiled: installed packages and the library have no compiled files, Python's own "
        "library has them",
    ]
    return as_markdown(table, title="Start-up by imports", notes=notes)


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and print the tables, or write them."""
    options = arguments_of(words)
    load, packages = os.getloadavg()[0], Path(sysconfig.get_path("purelib"))
    share = compiled_share(packages)
    if share < ALMOST_ALL and not (options.uncompiled and tuple(options.parts) == ("demo",)):
        sys.exit(
            f"Error: of the modules in {packages} only {share:.0%} are compiled, so nothing can be "
            f"measured compiled: python -m compileall -q {packages}; or --parts demo --uncompiled"
        )
    with tempfile.TemporaryDirectory() as name:
        caches = Path(name)
        write_standard_library(caches)
        tables = {"demo": demo_table, "imports": import_table}
        text = "\n".join(tables[part](options, caches, load) for part in options.parts)
    if options.table:
        options.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
