"""The digest by which a job is out of date: of every library file that its script depends on."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairdx.plan import code

LIBRARY = code.SCRIPTS / "pairdx"


def imports_in_the_syntax_tree(path: Path) -> set[str]:
    """The library's modules that a file imports anywhere, as Python's own parser sees them."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return {name for name in modules if name.split(".")[0] == "pairdx"}


def test_no_import_of_any_file_is_overlooked() -> None:
    """Reading imports by their look finds what parsing finds, in every script and library file."""
    for path in code.SCRIPTS.rglob("*.py"):
        named = imports_in_the_syntax_tree(path)
        files = set().union(*map(code._files_of, named))
        assert code.imported(path) == files, path


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small library: job.py imports pairdx.a, and that pairdx.b within a function."""
    (tmp_path / "pairdx").mkdir()
    (tmp_path / "job.py").write_text("from pairdx import (\n    a as first,\n)\n", encoding="utf-8")
    contents = {"__init__": "", "a": "def f():\n    import pairdx.b\n", "b": "B = 1\n", "c": ""}
    for name, content in contents.items():
        (tmp_path / f"pairdx/{name}.py").write_text(content, encoding="utf-8")
    monkeypatch.setattr(code, "SCRIPTS", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (code.digest, code.imported, code._content, code._files_of):
        cached.cache_clear()


def test_a_digest_follows_what_is_imported_through_others_and_nothing_else(library: Path) -> None:
    def after(name: str, content: str) -> str:
        (library / name).write_text(content, encoding="utf-8")
        forget()
        return code.digest("job.py")

    first = code.digest("job.py")
    assert after("pairdx/b.py", "B = 2\n") != first
    assert after("pairdx/b.py", "B = 1\n") == first
    assert after("pairdx/c.py", "C = 1\n") == first
    assert code.digest("job.py", ("pairdx.c",)) != first


def test_the_plan_needs_nothing_but_what_snakemake_itself_brings() -> None:
    """It is imported before any environment of a rule exists, on a login node too."""
    known = {*sys.stdlib_module_names, "yaml", "jsonschema"}
    for path in (LIBRARY / "plan").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                root = node.module.split(".")[0]
                assert root in known or node.module.startswith("pairdx.plan"), path
