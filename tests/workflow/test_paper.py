"""The paper's items: which jobs each one needs, and which files it leaves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import DEMO, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]


def inputs_of(rule: str, plan: str) -> list[str]:
    """The inputs of a rule's only job that are no library files."""
    (inputs,) = re.findall(rf"rule {rule}:\n    input: (.*)\n", plan)
    return [name for name in inputs.split(", ") if not name.startswith("workflow/")]


def test_every_table_is_made_in_latex_too(fresh: Workflow) -> None:
    plan = fresh.snakemake("tables", "-n", *DEMO)
    (wanted,) = re.findall(r"rule tables:\n    input: (.*)\n", plan)
    paths = {Path(name) for name in wanted.split(", ")}
    stems = {path.stem for path in paths}
    assert {"comparison", "discrepancies", "dataset", "example_captions"} <= stems
    assert paths == {
        Path("results/demo/tables", f"{stem}.{suffix}")
        for stem in stems
        for suffix in ("csv", "md", "tex")
    }


def test_discrepancies_read_the_papers_systems_on_its_split_only(fresh: Workflow) -> None:
    inputs = inputs_of("list_discrepancies", fresh.snakemake("discrepancies", "-n"))
    runs = [name for name in inputs if "/seed" in name]
    # Two zero-shot systems; PairDxCLIP in both readings of its objective, and PairDxFusion.
    assert len(runs) == 2 * (1 + 1 + 3 + 3 + 3)
    assert sum("/pairdx_clip_prompts/" in name for name in runs) == 2 * 3
    assert all("/stratified/" in name for name in runs)
    assert not any("tfidf" in name or "probe" in name for name in runs)
    assert "config/paper.yaml" in inputs


@pytest.mark.parametrize(
    "content",
    [
        {"splits": ["grouped"]},
        {"models": {"pairdx_clip": {"enabled": False}}},
    ],
)
def test_discrepancies_are_listed_whatever_is_switched_off(
    fresh: Workflow, tmp_path: Path, content: dict
) -> None:
    (tmp_path / "overlay.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    plan = fresh.snakemake("discrepancies", "-n", "--configfile", str(tmp_path / "overlay.yaml"))
    runs = [name for name in inputs_of("list_discrepancies", plan) if "/seed" in name]
    assert not any("/grouped/" in name or "/pairdx_clip/" in name for name in runs)
