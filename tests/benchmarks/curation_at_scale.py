"""How long curation, splitting and packing take as the corpus grows, and how much memory.

    python tests/benchmarks/curation_at_scale.py --rows 10000 40000 130791 --table scale.md

It draws synthetic corpora in MultiCaRe's layout, runs the workflow on each through Snakemake up to
the packed images, and makes one table of Snakemake's benchmark files. It is no test: what is fast
enough depends on the machine. Balancing to the paper's 22,665 pairs is scaled along, so that
130,791 rows are the paper's configuration but for the size of the images.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from benchmarks.full_size_corpus import MANIFEST_FILE, write_full_size_corpus  # noqa: E402
from benchmarks.full_size_tables import FULL_SIZE  # noqa: E402
from pairdx.machine import cpu_model  # noqa: E402
from pairdx.plan.configuration import complete, defaults  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402

DATASET = "multicare"  # whose layout the drawn corpora have
ANY_SIZE = "majority"  # a system that reads nothing
PAPERS_PAIRS = 22_665
KIBIBYTES_PER_MEGABYTE = 1024  # "megabyte" as in Snakemake's benchmark files: 2 ** 20 bytes
# A rule whose name contains the word handles images: those that reached it are counted below.
INSPECTION, PACKING = "inspect", "pack"


@dataclass(frozen=True)
class Settings:
    """What all runs share: folder (everything goes there), cores, image side in pixels, seed."""

    folder: Path
    cores: int
    image_size: int
    seed: int

    @property
    def work(self) -> Path:
        """Snakemake's working directory."""
        return self.folder / "work"


def measure(rows: int, settings: Settings) -> dict[str, float]:
    """Draw a corpus, run the workflow on it and return one line of the table."""
    corpus = _corpus(rows, settings)
    run = f"scale_{rows}"
    for kind in ("results", "benchmarks", "logs"):
        shutil.rmtree(settings.work / kind / run, ignore_errors=True)
    started = time.monotonic()
    peak = _run_workflow(run, _overlay(rows, run, corpus, settings), settings)
    whole = {"whole_run_seconds": time.monotonic() - started, "peak_process_MB": peak}
    jobs = read_benchmarks(settings.work / "benchmarks" / run)
    return {"rows": rows} | summary(jobs, settings.work / "results" / run / DATASET) | whole


def _corpus(rows: int, settings: Settings) -> Path:
    """Draw the corpus, unless this folder holds it already."""
    corpus = settings.folder / f"corpus_{rows}_seed{settings.seed}"
    wanted = {"rows": rows, "seed": settings.seed}
    manifest = corpus / MANIFEST_FILE
    if not manifest.is_file() or json.loads(manifest.read_text(encoding="utf-8")) != wanted:
        print(f"drawing {rows:,} images", flush=True)
        write_full_size_corpus(corpus, rows, settings.seed)
    return corpus


def _overlay(rows: int, run: str, corpus: Path, settings: Settings) -> Path:
    """Write the configuration of one run."""
    total = max(1, round(PAPERS_PAIRS * rows / FULL_SIZE))
    dataset = {
        "source": {"path": str(corpus)},
        "curation": {"balance": {"total": total}},
        "packing": {"image_size": settings.image_size},
    }
    # No system is run, and some read images of one size only.
    registry = complete(defaults(REPOSITORY), {})["systems"]
    systems = {name: {"enabled": name == ANY_SIZE} for name in registry}
    overlay = {"run": run, "datasets": {DATASET: dataset}, "systems": systems}
    path = settings.folder / f"{run}.yaml"
    path.write_text(yaml.safe_dump(overlay), encoding="utf-8")
    return path


def _run_workflow(run: str, overlay: Path, settings: Settings) -> float:
    """Run the workflow; return the largest resident memory of any one of its processes, in MB."""
    settings.work.mkdir(parents=True, exist_ok=True)
    config = settings.work / "config"
    if not config.is_symlink():
        # The Snakefile names its configuration relative to the working directory.
        config.symlink_to(REPOSITORY / "config")
    command = [sys.executable, "-m", "snakemake", "curated", "splits"]
    packed = f"results/{run}/{DATASET}/packed/images_{settings.image_size}.npy"
    command += [packed, "--benchmark-extended"]
    command += ["--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(settings.work)]
    command += ["--profile", str(REPOSITORY / "profiles/local"), "--cores", str(settings.cores)]
    command += ["--configfile", str(overlay)]
    log = settings.folder / f"{run}.log"
    print(f"running the workflow on it (log: {log})", flush=True)
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        # Snakemake samples memory every 30 s in longer jobs; the kernel misses no peak.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(
            f"the workflow failed; the end of {log}:\n{log.read_text(encoding='utf-8')[-4000:]}"
        )
    return usage.ru_maxrss / KIBIBYTES_PER_MEGABYTE


def read_benchmarks(folder: Path) -> pd.DataFrame:
    """Read all of Snakemake's benchmark files below a folder, whatever the rules are called.

    Returns:
        One row per job, rules in the order in which their first job finished: rule, seconds,
        core_seconds (seconds times the threads that the rule was given) and max_rss (MB, NaN where
        a job was too short to be sampled).
    """
    jobs = []
    for path in sorted(folder.rglob("*.tsv"), key=lambda path: path.stat().st_mtime):
        one = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[0]
        jobs.append(
            {
                "rule": str(one["rule_name"]),
                "seconds": float(one["s"]),
                "core_seconds": float(one["s"]) * int(one["threads"]),
                "max_rss": float(one["max_rss"]),
            }
        )
    return pd.DataFrame(jobs)


def summary(jobs: pd.DataFrame, results: Path) -> dict[str, float]:
    """Sum up one run: seconds of all jobs per rule and in total, memory, images per core-second."""
    per_rule = jobs.groupby("rule", sort=False)["seconds"].sum()
    seconds = {f"{rule}_seconds": value for rule, value in per_rule.items()}
    funnel = pd.read_csv(results / "curated/funnel.csv")
    inspected = funnel.loc[funnel["stage"] == "archive", "candidates"].sum()
    (packed_file,) = (results / "packed").glob("images_*.npy")
    packed = len(np.load(packed_file, mmap_mode="r"))
    images = {"inspected": inspected, "packed": packed}
    words = {"inspected": INSPECTION, "packed": PACKING}
    rates = {}
    for name, number in images.items():
        busy = jobs.loc[jobs["rule"].str.contains(words[name]), "core_seconds"].sum()
        rates[f"{name}_per_core_and_second"] = number / busy if busy else float("nan")
    total = {"all_jobs_seconds": jobs["seconds"].sum(), "peak_job_MB": jobs["max_rss"].max()}
    return {**seconds, **total, **images, **rates}


def growth_exponent(rows: Sequence[float], values: Sequence[float]) -> float:
    """Return b of ``values`` ~ rows ** b: the slope of a straight line through their logarithms.

    Returns:
        NaN where there are fewer than two sizes, or a value is unknown or 0.
    """
    logarithms = np.log(np.asarray(values, dtype=float))
    if len(set(rows)) < 2 or not np.isfinite(logarithms).all():
        return float("nan")
    return float(np.polyfit(np.log(rows), logarithms, 1)[0])


def report(lines: Sequence[dict[str, float]], settings: Settings) -> str:
    """Write the table as Markdown, with the conditions under which it was measured."""
    table = pd.DataFrame(lines)
    grows = [name for name in map(str, table) if name.endswith(("_seconds", "_MB"))]
    rows = table["rows"].tolist()
    exponents = {name: growth_exponent(rows, table[name].tolist()) for name in grows}
    table["rows"] = [f"{number:,}" for number in rows]
    if len(table) > 1:
        table.loc[len(table)] = {"rows": "growth exponent", **exponents}
    total = exponents["all_jobs_seconds"]
    notes = [
        f"{settings.cores} cores of {cpu_model()}; Python {sys.version.split()[0]}, "
        f"Snakemake {version('snakemake')}, Pillow {version('pillow')}",
        "synthetic corpus: images of 64 to 160 pixels a side, decoded faster than MultiCaRe's "
        f"(typically 340 to 630 pixels wide); packed at {settings.image_size} pixels",
        "seconds of a rule: wall time summed over its jobs; every job starts Python and imports "
        "libraries, which outweighs the work in small corpora; rates are images by this time and "
        "the threads that a rule was given",
        "whole run: Snakemake from start to end; all jobs: the sum of the rules",
        "peak job: largest sum over the processes of one job, sampled by Snakemake (every 30 s in "
        "longer jobs); peak process: largest single process, from the kernel",
        "growth exponent: seconds (or MB) grow as the number of rows to this power"
        + ("" if np.isnan(total) else f"; {total:.2f} for all jobs"),
    ]
    return as_markdown(table, title="Curation at scale", notes=notes)


def main() -> None:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 40_000, FULL_SIZE])
    parser.add_argument("--folder", type=Path, help="keep everything here (else nothing is kept)")
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=64, help="side in pixels")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    kept = nullcontext(arguments.folder) if arguments.folder else tempfile.TemporaryDirectory()
    with kept as folder:
        settings = Settings(
            Path(folder).resolve(), arguments.cores, arguments.image_size, arguments.seed
        )
        lines = [measure(rows, settings) for rows in sorted(set(arguments.rows))]
    table = report(lines, settings)
    if arguments.table:
        arguments.table.write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
