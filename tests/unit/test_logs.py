"""How a job ends: its log is whole, its status right, and what was registered is still done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pairdx.plan.code import SCRIPTS

JOB = """
import sys
sys.path.insert(0, {scripts!r})
{snakemake}
from pairdx.logs import job_log
import atexit
class Torn:
    def __del__(self): print("taken down")
torn = Torn()
atexit.register(lambda: print("registered"))
with job_log({log!r}) as log:
    log.info("work")
    {work}
{after}
"""


def run(
    folder: Path, *, snakemake: str = "snakemake = object()", work: str = "", after: str = ""
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a script that does its work in job_log; return the process and its log."""
    log = folder / "job.log"
    work, after = work.format(log=str(log)), after.format(log=str(log))
    script = JOB.format(
        scripts=str(SCRIPTS), snakemake=snakemake, log=str(log), work=work, after=after
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return done, log.read_text(encoding="utf-8")


def test_a_job_that_is_done_ends_at_once_and_after_what_others_registered(tmp_path: Path) -> None:
    """Modules are not taken down, which takes seconds; output and log are complete."""
    done, log = run(tmp_path)
    assert done.returncode == 0
    assert done.stdout == "registered\n"
    assert "work" in log
    assert "work" in done.stderr


@pytest.mark.parametrize(
    ("work", "after"),
    [
        ("from pairdx.errors import PairDxError; raise PairDxError('no')", ""),
        ("raise ValueError('no')", ""),
        ("", "raise ValueError('no')"),
        ("with job_log({log!r}): pass\n    raise ValueError('after a log within a log')", ""),
        ("", "with job_log({log!r}): raise ValueError('the second log of a job')"),
    ],
)
def test_a_job_that_fails_says_so_by_its_status(tmp_path: Path, work: str, after: str) -> None:
    """Within its work and after it."""
    assert run(tmp_path, work=work, after=after)[0].returncode == 1


def test_other_processes_end_as_ever(tmp_path: Path) -> None:
    """A test run, say, in which a hundred logs were written."""
    done, _ = run(tmp_path, snakemake="")
    assert done.stdout == "registered\ntaken down\n"


def test_no_script_does_anything_after_its_work() -> None:
    """What came after it could end the process with a status that nobody hears."""
    for script in SCRIPTS.glob("*.py"):
        text = script.read_text(encoding="utf-8")
        assert text.endswith("\n\n\nmain()\n"), script
