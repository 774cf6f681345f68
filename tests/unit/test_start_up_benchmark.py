"""The benchmark of start-up counts all CPU time of a job, and knows where its own work begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import start_up
from benchmarks.planning import Cost, snakemake
from benchmarks.start_up import (
    FOLDER,
    HOOK,
    REPOSITORY,
    Checkout,
    DemoRun,
    measured,
    read_notes,
    shares,
    side_by_side,
    write_standard_library,
)

TOLERANCE = 0.15  # CPU seconds; a busy machine makes cores slower, but steals no CPU time
TICK = 0.02  # programs' times come in hundredths of a second
BURN = """
import importlib, subprocess, sys, time

def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

"""
SCRIPT = (
    BURN
    + """
sys.path += [{scripts!r}, {folder!r}]
from pairdx.logs import job_log

class AtTheEnd:
    def __del__(self):
        burn(0.4)

at_the_end = AtTheEnd()
burn(0.4)
own = time.process_time()
with job_log(snakemake.log[0]) as log:
    log.info("%f", own)
    burn(0.3)
    subprocess.run([sys.executable, "burn.py"], check=True)
    with job_log("second.log"):
        importlib.import_module("outer")
if {usual_end}:  # as jobs ended before they left at once
    importlib.import_module("pairdx.logs")._done = False
"""
)
RULE = """
rule burn:
    output: touch("done")
    log: "burn.log"
    script: "script.py"
"""


def burnt(folder: Path, *, usual_end: bool) -> tuple[pd.DataFrame, Cost]:
    """Run one script job that burns CPU time through Snakemake: its notes and cost."""
    notes = folder / "notes"
    notes.mkdir()
    (folder / "Snakefile").write_text(RULE, encoding="utf-8")
    (folder / "burn.py").write_text(BURN + "burn(0.4)\n", encoding="utf-8")
    (folder / "outer.py").write_text(BURN + "burn(0.1)\nimport inner\n", encoding="utf-8")
    (folder / "inner.py").write_text(BURN + "burn(0.2)\n", encoding="utf-8")
    scripts = str(REPOSITORY / "workflow" / "scripts")
    (folder / "script.py").write_text(
        SCRIPT.format(scripts=scripts, folder=str(folder), usual_end=usual_end), encoding="utf-8"
    )
    environment = measured(HOOK, **{FOLDER: str(notes)})
    cost, _ = snakemake(folder, "--cores", "1", environment=environment)
    return read_notes(notes), cost


@pytest.mark.slow
@pytest.mark.parametrize("usual_end", [True, False])
def test_a_jobs_cpu_time_is_divided_where_its_own_work_begins_and_ends(
    tmp_path: Path, usual_end: bool
) -> None:
    """Before the log is opened, in it with a program and imports, and while Python ends."""
    jobs, cost = burnt(tmp_path, usual_end=usual_end)
    (job,) = jobs.to_dict("records")
    assert job["rule"] == "burn"
    own = float((tmp_path / "burn.log").read_text(encoding="utf-8").split()[-1])
    assert own <= job["to_first_line"] < own + TOLERANCE
    work = job["to_last_line"] - job["to_first_line"]
    assert 1.0 - TICK <= work < 1.0 + TOLERANCE  # 0.3 s of its own, a program's 0.4, imports' 0.3
    before = job["to_first_line"] - 0.4  # mostly imports, too
    assert 0.3 <= job["imports"] < 0.3 + before + TICK
    end = 0.4 if usual_end else 0
    assert end - TICK <= job["whole_job"] - job["to_last_line"] < end + TOLERANCE
    assert job["whole_job"] < cost.cpu  # Snakemake itself takes the rest


def in_script(folder: Path, *paths: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where Snakemake's scripts lie, with the hook; notes go to ``folder``."""
    path = folder / ".snakemake" / "scripts" / "tmp1.script.py"
    path.parent.mkdir(parents=True)
    path.write_text(code, encoding="utf-8")
    command = [sys.executable, str(path.relative_to(folder))]
    environment = measured(HOOK, *paths, **{FOLDER: str(folder)})
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_a_script_that_fails_fails_as_it_does_alone(tmp_path: Path) -> None:
    """Snakemake sees the exit status of the job, and has the job's errors."""
    done = in_script(tmp_path, code="import sys\nsys.exit('a message')")
    assert (done.returncode, done.stderr) == (1, "a message\n")
    (job,) = read_notes(tmp_path).to_dict("records")
    assert job["rule"] == "tmp1.script.py"
    assert pd.isna(job["to_first_line"])
    assert 0 < job["to_last_line"] < job["whole_job"]


def test_a_killed_job_is_counted_and_seen_as_killed(tmp_path: Path) -> None:
    """No note can be had from it, but its CPU time was spent."""
    done = in_script(tmp_path, code="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == 128 + 9
    assert read_notes(tmp_path)["whole_job"].gt(0).tolist() == [True]


def test_the_environments_own_start_file_is_still_run(tmp_path: Path) -> None:
    """A distribution's or a site's sitecustomize may set what its packages need."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        "import sys\nsys.own_was_run = __file__\n", encoding="utf-8"
    )
    done = in_script(tmp_path, own, code="import sys\nprint(sys.own_was_run)")
    assert done.stdout.strip() == str(own / "sitecustomize.py")


@pytest.mark.slow
def test_without_compiled_files_only_pythons_own_library_has_some(tmp_path: Path) -> None:
    """As in a fresh environment; and nothing is compiled by the way."""
    write_standard_library(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code = "import json.decoder, yaml, os\n" + "".join(
        f"print(os.path.exists({module}.__cached__))\n" for module in ("json.decoder", "yaml")
    )
    command = [sys.executable, "-c", code]
    environment = measured(caches=tmp_path)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    there = Path(start_up.cache_from_source(os.__file__)).is_file()  # mostly, but not everywhere
    assert done.stdout.split() == [str(there), "False"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_module_that_a_checkout_lacks_is_left_out_and_a_broken_one_is_not(
    tmp_path: Path,
) -> None:
    """A renamed module, or its package, is no error; a module that needs a missing one is."""
    (tmp_path / "broken.py").write_text("import brok\n", encoding="utf-8")
    for module in ("pairdx.nothing", "nothing.at_all"):
        library = REPOSITORY / "workflow" / "scripts"
        assert start_up.import_seconds(module, measured(library)) is None
    with pytest.raises(SystemExit, match="No module named 'brok'"):
        start_up.import_seconds("broken", measured(tmp_path))


def demo_run(cpu: float, *jobs: tuple[str, float, float, float, float]) -> DemoRun:
    return DemoRun(pd.DataFrame(jobs, columns=["rule", *start_up.MOMENTS]), cpu, wall=9.0)


def test_rules_are_medians_of_jobs_and_what_is_left_is_snakemakes() -> None:
    """Two equal runs are one run of twice as many jobs, halved."""
    train, predict = ("train", 3.0, 4.0, 9.0, 10.0), ("predict", 2.0, 1.0, 2.5, 3.0)
    runs = [demo_run(20.0, train, predict, predict), demo_run(22.0, predict, predict, train)]
    table = side_by_side({Checkout("", REPOSITORY): runs})
    assert table.fillna(-1).to_numpy().tolist() == [
        ["train", 1, 3, 4, 10, 10],
        ["predict", 2, 2, 1, 3, 6],
        ["Snakemake itself", -1, -1, -1, -1, 5],
        ["total", 3, -1, -1, -1, 21],
    ]
    assert shares(Checkout("", REPOSITORY), runs).startswith(
        "of 16.0 s of CPU of all jobs, 7.0 (44%) were before their first lines, 6.0 (38%) imports, "
        "before or after, and 2.0 (12%) after"
    )


def test_a_rule_that_one_checkout_lacks_has_empty_cells_there() -> None:
    """Renamed rules stand in rows of their own, before Snakemake itself and the total."""
    before = demo_run(9.0, ("old", 1, 1, 2, 3), ("both", 1, 1, 1, 1))
    after = demo_run(8.0, ("new", 1, 1, 2, 3), ("both", 1, 1, 1, 2))
    checkouts = Checkout("before", REPOSITORY), Checkout("after", REPOSITORY)
    table = side_by_side({checkouts[0]: [before], checkouts[1]: [after]}).set_index("rule")
    assert table.index.tolist() == ["old", "both", "new", "Snakemake itself", "total"]
    assert table["before: all_jobs_seconds"].fillna(-1).tolist() == [3, 1, -1, 5, 9]
    assert table["after: all_jobs_seconds"].fillna(-1).tolist() == [-1, 2, 3, 3, 8]


def test_a_checkout_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the demo would run in an empty folder, or two checkouts in the same columns."""
    for words in (f"before={tmp_path}", str(REPOSITORY)):
        with pytest.raises(SystemExit):
            start_up.arguments_of(["--checkout", words])
        assert "LABEL=FOLDER" in capsys.readouterr().err
