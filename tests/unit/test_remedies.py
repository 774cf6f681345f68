"""Whoever reads an error about files from outside is told what to do, and it is what helps."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "workflow/scripts/pairdx"
ABOUT_FILES_FROM_OUTSIDE = sorted(
    [
        *(
            file
            for folder in ("corpus", "curation", "fetching", "pairing")
            for file in (LIBRARY / folder).rglob("*.py")
        ),
        *(
            LIBRARY / f"{name}.py"
            for name in ("hdf5_images", "joins", "sheets", "splits", "stores")
        ),
        *(
            LIBRARY / f"{name}.py"
            for name in ("dataset_archive", "files", "usable_splits", "word_vectors")
        ),
        *(LIBRARY / f"models/{name}.py" for name in ("clip/loading", "clip/tokenisers")),
    ]
)


def errors(path: Path) -> list[ast.Call]:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    return [one for one in calls if isinstance(one.func, ast.Name) and one.func.id == "PairDxError"]


def test_the_files_have_errors_to_look_at() -> None:
    assert sum(len(errors(path)) for path in ABOUT_FILES_FROM_OUTSIDE) > 40


@pytest.mark.parametrize("path", ABOUT_FILES_FROM_OUTSIDE, ids=lambda path: path.stem)
def test_every_error_says_what_to_do(path: Path) -> None:
    without = [
        f"line {one.lineno}"
        for one in errors(path)
        if "remedy" not in {word.arg for word in one.keywords}
    ]
    assert without == []
