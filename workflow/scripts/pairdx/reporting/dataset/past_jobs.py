"""What jobs like those of a run took before: benchmark files of any run in the working directory.

These files are no inputs: what cannot be read is skipped and counted, and a run may be deleted
meanwhile.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pairdx.files import read_json
from pairdx.plan.documents_check import made_as

Group = Mapping[str, Any]  # jobs that are alike, see pairdx.plan.documents_check.jobs_of


@dataclass(frozen=True)
class PastJob:
    """A job that was measured.

    Attributes:
        run: Its run.
        wall: Seconds.
        cpu: CPU seconds.
        pairs: How many pairs its dataset has there; None where nobody knows.
    """

    run: str
    wall: float
    cpu: float
    pairs: int | None


@dataclass
class Past:
    """What was found.

    Attributes:
        like: For each group of jobs, those that were measured.
        done: For each group, how many of its own jobs have run in this very run.
        skipped: Files that could not be used.
        machines: Where systems were trained, as their passports say.
    """

    like: list[list[PastJob]]
    done: list[int]
    skipped: int = 0
    machines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Run:
    """An earlier run's results, each file of them read when it is asked for."""

    name: str
    folder: Path
    known: dict[Any, Any] = field(default_factory=dict)

    def pairs(self, dataset: str) -> int | None:
        """Count a dataset's pairs without reading them."""
        from pyarrow.lib import ArrowException
        from pyarrow.parquet import read_metadata

        if dataset not in self.known:
            try:
                rows = read_metadata(self.folder / dataset / "curated/pairs.parquet").num_rows
            except (OSError, ArrowException):
                rows = None
            self.known[dataset] = rows
        found: int | None = self.known[dataset]
        return found

    def made_as(self, names: Mapping[str, str]) -> str | None:
        """Return what decided how long a job takes, or None where nobody knows."""
        if "config" not in self.known:
            try:
                text = (self.folder / "config.yaml").read_text(encoding="utf-8")
                self.known["config"] = yaml.load(text, _LOADER)  # noqa: S506 - a safe loader
            except (OSError, ValueError, yaml.YAMLError):
                self.known["config"] = {}
        try:
            return made_as(self.known["config"], names)
        except (KeyError, TypeError, AttributeError):
            return None

    def machine(self, names: Mapping[str, str]) -> str | None:
        """Say where a system was trained."""
        path = "{dataset}/{split}/{system}/seed{seed}/passport.json".format(**names)
        try:
            found = read_json(self.folder / path)
            return f"{found['device']['name']}, {found['host']['cores']} CPU cores"
        except Exception:  # whatever is wrong with it, there is a page without it
            return None


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def past_jobs(
    groups: Sequence[Group], patterns: Mapping[str, str], results: Path, run: str
) -> Past:
    """Look for jobs like those that are planned in the benchmark files of all runs.

    Args:
        groups: The planned jobs.
        patterns: The benchmark file of each rule, such as
            ``benchmarks/demo/{dataset}/packed/pack_images_{size}.tsv``, with the run's name.
        results: Folder of the results of all runs.
        run: This run's name.
    """
    past = Past([[] for _ in groups], [0 for _ in groups])
    tails = {rule: pattern.split(f"/{run}/", 1) for rule, pattern in patterns.items()}
    sought = {tail: _as_expression(tail) for _, tail in tails.values()}
    by_tail: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        by_tail.setdefault(tails[group["rule"]][1], []).append(at)
    for benchmarks in sorted({head for head, _ in tails.values()}):
        for folder in _folders(Path(benchmarks)):
            one = _Run(folder.name, results / folder.name)
            for file, tail, names in _found(folder, sought):
                _take(past, groups, by_tail.get(tail, []), one, file, names, own=one.name == run)
    past.machines = list(dict.fromkeys(past.machines))
    return past


def _as_expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    written = [f"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts)]
    return re.compile("".join(written))


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except OSError:
        return []


def _found(
    folder: Path, sought: Mapping[str, re.Pattern[str]]
) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Yield the benchmark files of a run, the pattern that each is of, and its wildcards."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            written = path.relative_to(folder).as_posix()
            for tail, expression in sought.items():
                if found := expression.fullmatch(written):
                    yield path, tail, found.groupdict()
                    break


def _take(
    past: Past,
    groups: Sequence[Group],
    candidates: Sequence[int],
    run: _Run,
    file: Path,
    names: Mapping[str, str],
    *,
    own: bool,
) -> None:
    """Add one measured job to the groups that it is like."""
    about = names.get("system") or names.get("encoder") or ""
    alike = [at for at in candidates if groups[at]["about"] in ("", about)]
    like = run.made_as(names) if any(groups[at]["about"] for at in alike) else ""
    seconds = _seconds(file)
    if alike and seconds is None:
        past.skipped += 1
    for at in alike:
        if own and any(_same(names, one) for one in groups[at]["wildcards"]):
            past.done[at] += 1
        if seconds is None or groups[at]["made_as"] != like:
            continue
        past.like[at].append(PastJob(run.name, *seconds, run.pairs(names["dataset"])))
        if groups[at]["rule"].startswith("train_") and not past.machines:
            past.machines += [found for found in [run.machine(names)] if found]


def _same(names: Mapping[str, str], wildcards: Mapping[str, Any]) -> bool:
    return dict(names) == {name: str(value) for name, value in wildcards.items()}


def _seconds(file: Path) -> tuple[float, float] | None:
    """Read wall and CPU seconds; of a job too short to be measured, the former twice."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            (row,) = csv.DictReader(lines, delimiter="\t")
        wall = float(row["s"])
        cpu = float(row["cpu_time"]) if row["cpu_time"] not in ("-", "NA", "") else wall
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None
    usable = 0 <= wall < float("inf") and 0 <= cpu < float("inf")
    return (wall, cpu) if usable else None
