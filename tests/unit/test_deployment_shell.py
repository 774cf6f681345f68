"""The command line among other programs: it tells nobody, and says what it cannot print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path

import pytest

from deployed_samples import write_deployed
from pairdx.deployment.command import main
from pairdx.deployment.folder import read_folder
from pairdx.deployment.journal import Listed
from pairdx.deployment.options import require_number
from pairdx.deployment.worker import serve
from pairdx.deployment.workers import Pool
from pairdx.errors import PairDxError
from pairdx.plan.code import SCRIPTS
from picture_files import encoded, upright

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed")
    write_deployed(folder / "system")
    (folder / "a.png").write_bytes(encoded(upright(), "PNG"))
    return folder


def shell(
    samples: Path, output: Path, behind: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pairdx.deployment", samples / "system", samples / "a.png"]
    line = " ".join(f"'{word}'" for word in [*words, "-o", output, "--threads", 1])
    return subprocess.run(
        ["/bin/sh", "-c", f"{line} {behind}"],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        encoding="utf-8",
    )


def test_nothing_is_left_in_the_users_folders(samples: Path, tmp_path: Path) -> None:
    """ONNX Runtime's telemetry would keep a cache at home and a session in the temporary folder."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    places = {"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home / "cache")}
    done = shell(samples, tmp_path / "out.csv", **places, ORT_DISABLE_TELEMETRY="0")
    assert done.returncode == 0, done.stderr
    assert "1 classified" in done.stdout
    assert [*home.rglob("*"), *temporary.rglob("*")] == []


def test_one_place_imports_onnx_runtime() -> None:
    """Whatever else did, before it or without it, would let telemetry begin."""
    imports = re.compile(r"^\s*(?:import|from) onnxruntime|import_module\(.onnxruntime", re.M)
    found = [
        path.name
        for folder in (SCRIPTS, REPOSITORY / "tests")
        for path in folder.rglob("*.py")
        if imports.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["onnx_runtime.py"]


@pytest.mark.slow
def test_without_any_stream_the_table_is_written_all_the_same(
    samples: Path, tmp_path: Path
) -> None:
    """A closed stream's number would be the journal's, or a worker's pipe."""
    output = tmp_path / "out.csv"
    done = shell(samples, output, "<&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    whole = shell(samples, tmp_path / "whole.csv")
    assert whole.returncode == 0
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.slow
def test_a_summary_that_cannot_be_printed_is_said(samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    full = shell(samples, output, ">/dev/full")
    assert full.returncode == 2
    assert "is written, and what is in it cannot be printed" in full.stderr
    assert "Traceback" not in full.stderr
    assert "Exception ignored" not in full.stderr
    assert output.is_file()
    assert shell(samples, output, ">/dev/full 2>/dev/full").returncode == 2
    unread = shell(samples, output, "| true")
    assert "Traceback" not in unread.stderr
    assert "Exception ignored" not in unread.stderr


@pytest.mark.parametrize("name", ["batch_size", "processes", "threads"])
def test_numbers_that_cannot_be_meant_are_refused(name: str) -> None:
    most = 4096 if name == "batch_size" else 256
    for sound in (None, 1, most):
        require_number(name, sound)
    option = f"--{name.replace('_', '-')}"
    with pytest.raises(PairDxError, match=f"{option} {most + 1}: it is at most {most}"):
        require_number(name, most + 1)
    with pytest.raises(PairDxError, match=f"{option} -1: it is a number from 1 on"):
        require_number(name, -1)


@pytest.mark.parametrize(
    "words", [["-o", "OUT", "--processes", "9999999"], ["--serve", "--threads", "100000"]]
)
def test_the_command_line_refuses_them_before_anything_begins(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    words = [str(tmp_path / "out.csv") if word == "OUT" else word for word in words]
    inputs = [] if "--serve" in words else [str(samples / "a.png")]
    assert main([str(samples / "system"), *inputs, *words]) == 2
    assert "it is at most 256" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def settings(samples: Path) -> dict[str, object]:
    folder = read_folder(samples / "system")
    return {
        "folder": str(folder.path),
        "identity": folder.identity,
        "threads": 1,
        "runtime": "onnxruntime",
    }


def test_why_a_process_cannot_begin_reaches_the_user(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('a library is torn')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    batch = [Listed(1, os.fsencode(samples / "a.png"), "", "")]
    with Pool(1, settings(samples), 60.0) as pool:
        pool.start()
        with pytest.raises(PairDxError, match=r"cannot be loaded \(ImportError: a library is torn"):
            list(pool.run(iter([batch]), lambda: False))


def test_a_defect_while_a_system_is_opened_is_answered(samples: Path) -> None:
    ours, theirs = Pipe()
    with ours, theirs:
        ours.send({**settings(samples), "threads": "many"})
        serve(theirs)
        kind, (what, where, _) = ours.recv()
    assert kind == "failed"
    assert re.match(r"the system cannot be opened \(TypeError: ", what)
    assert where == str(samples / "system")
