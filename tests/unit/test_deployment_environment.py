"""Deployed systems in an environment of their own: what is there, what is not, and that it works.

`make deployment` creates it; `make test` does so first.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployed_samples import write_deployed

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv-deployment/bin/python"
ABSENT = ("torch", "snakemake", "pandas", "scipy", "h5py", "yaml", "matplotlib", "onnx")
EVERY_MODULE = """
import importlib, json, pkgutil, sys
import pairdx.deployment
wrong = {}
def is_left_out(name):
    return name.startswith("pairdx.deployment.export") or name.endswith("__main__")
for found in pkgutil.walk_packages(pairdx.deployment.__path__, "pairdx.deployment."):
    if not is_left_out(found.name):
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            wrong[found.name] = str(error)
print(json.dumps(wrong))
"""
there = pytest.mark.skipif(
    not PYTHON.exists(), reason="no environment of deployed systems: `make deployment` creates it"
)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run that environment's Python, which hears of no other environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [PYTHON, *arguments],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def versions(lock: str) -> dict[str, set[str]]:
    """Return the versions of every package of a lock file."""
    found: dict[str, set[str]] = {}
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


# ---------------------------------------------------------------- what is declared
def test_the_lock_file_of_deployed_systems_has_the_workflows_versions_and_hashes() -> None:
    ours, all_of_them = versions("envs/deployment.lock"), versions("requirements.lock")
    assert len(ours) < 25
    assert {name: of_it for name, of_it in ours.items() if of_it != all_of_them[name]} == {}
    assert not set(ABSENT) & set(ours)
    text = (REPOSITORY / "envs/deployment.lock").read_text(encoding="utf-8")
    assert "http" not in text
    pins = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) >= len(ours)
    assert all("--hash=sha256:" in pin for pin in pins)


def test_lock_files_have_all_that_the_project_declares() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[=<>;\[ ]", one)[0].lower().replace("_", "-") for one in requirements}

    small = names(project["dependencies"]) | names(project["optional-dependencies"]["page"])
    assert small <= set(versions("envs/deployment.lock"))
    for extra in project["optional-dependencies"].values():
        assert names(extra) <= set(versions("requirements.lock"))


# ---------------------------------------------------------------- what is there
@there
@pytest.mark.slow
def test_what_trains_is_not_there_and_every_module_that_classifies_is() -> None:
    ask = f"import importlib.util as u; print([n for n in {ABSENT!r} if u.find_spec(n)])"
    done = run("-c", ask)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    done = run("-c", EVERY_MODULE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


@there
@pytest.mark.slow
def test_a_deployed_folder_classifies_files_there(tmp_path: Path) -> None:
    folder = write_deployed(tmp_path / "deployed", threshold=0.0)
    scans = tmp_path / "scans"
    scans.mkdir()
    for seed in range(3):
        colour = np.random.default_rng(seed).integers(0, 256, 3, dtype=np.uint8)
        Image.fromarray(np.tile(colour, (20, 30, 1))).save(scans / f"{seed}.png")
    (scans / "zipped.png").write_bytes(b"PK\3\4" + bytes(40))
    output = tmp_path / "predictions.csv"
    done = run("-m", "pairdx.deployment", folder, scans, "-o", output)
    assert done.returncode == 0, done.stderr
    with output.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    problems = {Path(row["file"]).name: row["problem"] for row in rows}
    assert list(problems.values()).count("") == 3
    assert "a zip file" in problems["zipped.png"]
    for row in rows:
        if not row["problem"]:
            shares = [float(value) for name, value in row.items() if name.startswith("p_")]
            assert sum(shares) == pytest.approx(1)
            assert max(shares) == float(row["probability"])


@there
@pytest.mark.slow
def test_the_page_answers_there(tmp_path: Path) -> None:
    """Through the command line: asked for a port that cannot be, it gets as far as that."""
    folder = write_deployed(tmp_path / "deployed")
    done = run("-m", "pairdx.deployment", folder, "--serve", "--port", "70000")
    assert done.returncode == 2
    assert "70000 is no port" in done.stderr
    ask = (
        "import sys\n"
        "from pairdx.deployment.page.application import application\n"
        "from pairdx.deployment.session import load\n"
        "client = application(load(sys.argv[1]), '127.0.0.1').test_client()\n"
        "print([client.get(path).status_code for path in ('/', '/card', '/static/page.css')])\n"
    )
    done = run("-c", ask, folder)
    assert (done.returncode, done.stdout) == (0, "[200, 200, 200]\n"), done.stderr


# ---------------------------------------------------------------- the library as a package
@pytest.mark.slow
def test_the_wheel_holds_the_library_with_its_templates_and_schemas(tmp_path: Path) -> None:
    """`pip install '.[page]'` in an environment of one's own takes what the checkout has."""
    source = tmp_path / "source"
    library = REPOSITORY / "workflow/scripts/pairdx"
    shutil.copytree(
        library, source / "workflow/scripts/pairdx", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy2(REPOSITORY / name, source / name)
    build = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    done = subprocess.run(
        [sys.executable, *build, "--wheel-dir", tmp_path, source],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("pairdx-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("pairdx/")}
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        text = io.TextIOWrapper(archive.open(metadata), encoding="utf-8").read()
    expected = {
        path.relative_to(library.parent).as_posix()
        for path in library.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == expected
    assert re.findall(r"Requires-Dist: (\w+)[^;\n]*\n", text) == sorted(
        ["numpy", "onnxruntime", "pillow", "pyarrow", "tqdm"]
    )
