"""Measure the suite, or some of its parts, and write JSON and page (`make benchmark`).

    export PYTHONPATH=tests:workflow/scripts
    python -m benchmarks.suite --json FILE --page FILE [--only a,e]

Every part runs in a process of its own, one after the other: no part inherits another's threads or
memory, and one that crashes or hangs ends alone. The exit code is 1 if anything was not measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.suite.conditions import conditions
from benchmarks.suite.measure import as_json
from benchmarks.suite.page import page
from benchmarks.suite.part import (
    DECLARED,
    Outcome,
    as_dictionary,
    part_from,
    settings_here,
)
from pairdx.errors import PairDxError

FORMAT = 1
PATIENCE = 1.5  # a part is ended after so many times its minutes


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and return the exit code."""
    options = parser().parse_args(arguments)
    if options.measure:
        return measure_here(options.measure, options.json, small=options.small)
    unknown = set(options.only) - set(DECLARED)
    if unknown:
        print(f"there is no part {', '.join(sorted(unknown))}: {', '.join(DECLARED)}")
        return 2
    load = os.getloadavg()[0]
    letters = [letter for letter in DECLARED if letter in (options.only or DECLARED)]
    outcomes = [measured_apart(letter, small=options.small) for letter in letters]
    settings = settings_here(small=options.small)
    given = conditions(settings.threads, load) | {"small": options.small}
    found = {
        "format": FORMAT,
        "conditions": given,
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 1),
        "parts": [as_dictionary(outcome) for outcome in outcomes],
    }
    options.json.write_text(as_json(found), encoding="utf-8")
    options.page.write_text(page(outcomes, given), encoding="utf-8")
    print(f"{found['seconds']:.0f} s; {options.page}")
    return int(any(outcome.failed for outcome in outcomes))


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(
        prog="benchmarks.suite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    found.add_argument("--page", type=Path, default=Path("benchmarks.md"))
    found.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="a,e")
    found.add_argument("--small", action="store_true", help="a trial: its figures say nothing")
    found.add_argument("--measure", help=argparse.SUPPRESS)  # what a part's own process is told
    return found


def measured_apart(letter: str, *, small: bool = False) -> Outcome:
    """Measure one part in a process of its own."""
    print(f"part {letter}: {DECLARED[letter].title}", flush=True)
    started = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "part.json")
        command = [sys.executable, "-m", "benchmarks.suite", "--measure", letter]
        command += ["--json", str(file), *(["--small"] if small else [])]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            code = process.wait(timeout=PATIENCE * 60 * DECLARED[letter].minutes)
        except subprocess.TimeoutExpired:
            failure = f"It had not ended after {perf_counter() - started:.0f} s and was stopped."
            return Outcome(letter, perf_counter() - started, failure=failure)
        finally:  # also of what it started, and where this run is interrupted
            end_group(process)
        seconds = perf_counter() - started
        if not file.is_file():
            return Outcome(letter, seconds, failure=f"Its process ended with code {code}.")
        found = json.loads(file.read_text(encoding="utf-8"))
    if found["failure"]:
        return Outcome(letter, seconds, failure=found["failure"])
    return Outcome(letter, seconds, part_from(found))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a part's process and whatever it has started and left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # nothing is left
        return
    process.wait()


def measure_here(letter: str, file: Path, *, small: bool) -> int:
    """Measure one part in this process, and write what it found or why it failed."""
    try:
        module = importlib.import_module(f"benchmarks.suite.part_{letter}")
        part = module.measure(settings_here(small=small))
    except (Exception, SystemExit) as error:  # whatever it is, the page says it
        traceback.print_exc()
        in_words = isinstance(error, PairDxError | SystemExit)
        said = str(error) if in_words else repr(error)
        file.write_text(as_json({"failure": said}), encoding="utf-8")
        return 1
    file.write_text(as_json(as_dictionary(Outcome(letter, 0, part))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
