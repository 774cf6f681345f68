"""The digest by which a job is out of date: of every library file that its script depends on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairdx.plan import code


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


def edited(library: Path, name: str, content: str) -> None:
    (library / name).write_text(content, encoding="utf-8")
    forget()


def test_a_digest_follows_what_is_imported_through_others_and_nothing_else(library: Path) -> None:
    first, with_c = code.digest("job.py"), code.digest("job.py", ("pairdx.c",))
    assert with_c != first
    edited(library, "pairdx/c.py", "C = 1\n")
    assert code.digest("job.py") == first
    assert code.digest("job.py", ("pairdx.c",)) != with_c
    edited(library, "pairdx/b.py", "B = 2\n")
    assert code.digest("job.py") != first
    edited(library, "pairdx/b.py", "B = 1\n")
    assert code.digest("job.py") == first


def test_a_digest_is_blind_to_words_and_the_same_under_every_python(library: Path) -> None:
    assert code.digest("job.py") == "cf3c562bd155cb3f1c00"
    edited(library, "pairdx/b.py", '"""Words.\n\nimport pairdx.c\n"""\n\nB = 1  # one\n')
    assert code.digest("job.py") == "cf3c562bd155cb3f1c00"
