"""Files are UTF-8, whatever the locale of the machine says."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pairdx.plan.code import SCRIPTS

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("workflow", "envs", "tests")
# Methods called `open` whose answer is no text unless asked for.
NOT_OF_FILES = ("client", "page", "Image", "gzip", "os", "tarfile", "zipfile", "opened", "archive")

JOB = """
import sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
import pandas as pd
from pairdx.files import read_json, write_json, write_table
from pairdx.logs import job_log
from pairdx.reporting.format.webpage import write_for_reading

folder = Path(sys.argv[1])
captions = [{captions}]
with job_log(folder / "job.log") as log:
    for caption in captions:
        log.info("%s", caption)
    log.info("%s", "a name of a file: \\udce9")
    write_json(folder / "captions.json", captions + ["\\udce9"])
    assert read_json(folder / "captions.json") == captions + ["\\udce9"]
    table = pd.DataFrame({{"caption": captions}})
    write_table(folder / "captions.csv", table)
    write_for_reading(
        table, *(folder / f"captions.{{kind}}" for kind in ("md", "html", "tex")), title=captions[0]
    )
"""
CAPTIONS = ["Müller's ulcer, 5 µm ≥ 2", "心電図 🫀", "naïve “labelled” œdème"]


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (REPOSITORY / folder).rglob("*.py")


def mode_of(call: ast.Call, position: int) -> str | None:
    """The mode that a call of open() names; None if it names none, or not as a text."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    for value in [*named, *call.args[position : position + 1]]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def leaves_encoding_open(call: ast.Call) -> bool:
    """Whether a call reads, writes or exchanges text and does not say how it is encoded."""
    keywords = {keyword.arg for keyword in call.keywords}
    if "encoding" in keywords:
        return False
    asked = {one.arg for one in call.keywords if getattr(one.value, "value", None) is True}
    if {"text", "universal_newlines"} & asked:
        return True
    called = call.func
    if isinstance(called, ast.Name):
        return called.id == "open" and "b" not in (mode_of(call, 1) or "r")
    if not isinstance(called, ast.Attribute):
        return False
    if called.attr in ("read_text", "write_text"):
        return True
    if called.attr == "open" and ast.unparse(called.value) not in NOT_OF_FILES:
        return re.fullmatch("[rwaxt+]+", mode_of(call, 0) or "r") is not None
    temporary = called.attr in ("NamedTemporaryFile", "TemporaryFile")
    return temporary and "b" not in (mode_of(call, 0) or "b")


@pytest.mark.parametrize(
    ("line", "left_open"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text)", True),
        ("path.open()", True),
        ("path.open('a')", True),
        ("path.open('rb')", False),
        ("open(path, mode='w')", True),
        ("open(path, 'wb')", False),
        ("tempfile.NamedTemporaryFile('w', suffix='.txt')", True),
        ("tempfile.NamedTemporaryFile()", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, text=True, encoding='utf-8')", False),
        ("Image.open(path)", False),
        ("self.call('Input.insertText', text=text)", False),
    ],
)
def test_a_call_that_leaves_the_encoding_to_the_locale_is_found(
    line: str, *, left_open: bool
) -> None:
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert leaves_encoding_open(call) is left_open


def test_every_text_that_is_read_or_written_states_its_encoding() -> None:
    checked, found = 0, []
    for path in sources():
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                checked += 1
                if leaves_encoding_open(call):
                    found.append(f"{path}:{call.lineno}: {ast.unparse(call)[:80]}")
    assert found == []
    assert checked > 5000
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]:
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"(?:read_text|write_text|\bopen)\((?!.*encoding=)", text), path


def ascii_only(_: Path) -> dict[str, str]:
    """The C locale as it was before Python took it for UTF-8: any other letter is an error."""
    return {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def latin_1(folder: Path) -> dict[str, str]:
    """A German locale with ISO-8859-1, compiled into a folder."""
    localedef = shutil.which("localedef")
    name = "de_DE.ISO-8859-1"
    command = [localedef or "", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / name)]
    if not localedef or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no locale can be compiled here")
    return {"LC_ALL": name, "LOCPATH": str(folder), "PYTHONUTF8": "0"}


@pytest.mark.slow
@pytest.mark.parametrize("locale", [ascii_only, latin_1])
def test_a_job_writes_the_same_files_in_every_locale(
    tmp_path: Path, locale: Callable[[Path], dict[str, str]]
) -> None:
    environment = os.environ | locale(tmp_path)
    captions = ", ".join(map(ascii, CAPTIONS))
    script = tmp_path / "job.py"
    script.write_text(JOB.format(scripts=str(SCRIPTS), captions=captions), encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    for name in ("job.log", "captions.json", "captions.csv", "captions.md", "captions.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")  # strict: nothing else than UTF-8
        assert "心電図 🫀" in text, name
    assert "a name of a file: \\udce9" in (tmp_path / "job.log").read_text(encoding="utf-8")
    written = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert written == [*CAPTIONS, "\udce9"]
