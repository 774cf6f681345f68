"""Captions of the report ask for what the configuration and the rules' parameters hold."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined

from pairdx.plan.configuration import complete, defaults
from pairdx.plan.declared import ITEMS

REPOSITORY = Path(__file__).parents[2]
REPORT = REPOSITORY / "workflow/report"
# As Snakemake has it, but strict.
ENVIRONMENT = Environment(
    trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=True
)
CAPTIONS = sorted({item.caption_file for item in ITEMS})
SEARCH = {"system": "pairdx_clip", "split": "stratified", "learning_rates": [1e-5, 1e-4]}


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """Everything enabled, all systems stand-ins, and a search."""
    found = complete(defaults(REPOSITORY), {"learning_rate_search": SEARCH})
    for section in ("datasets", "systems"):
        found[section] = {name: entry | {"enabled": True} for name, entry in found[section].items()}
    found["systems"] = {name: one | {"stand_in": True} for name, one in found["systems"].items()}
    return found


def written(name: str, config: dict[str, Any], dataset: str, system: str, **params: Any) -> str:
    text = (REPORT / name).read_text(encoding="utf-8")
    wildcards = {"dataset": dataset, "split": "grouped", "system": system}
    facts = {"split": "stratified", "drawn": True}
    params = {"facts": facts, "drawn": True, "stated": {}, "paper_cell": None, **params}
    params = {"registry": config["systems"], "image_size": 64, **params}
    snakemake = SimpleNamespace(config=config, wildcards=wildcards, params=params)
    jobs = [
        SimpleNamespace(wildcards={"dataset": name}, params={"drawn": name == "drawn"})
        for name in config["datasets"]
    ]
    files = [{"target": "comparison.html", "job": job} for job in jobs]
    return ENVIRONMENT.from_string(text).render(snakemake=snakemake, files=files)


@pytest.mark.parametrize("name", [*CAPTIONS, "workflow.rst"])
def test_a_caption_can_be_written_for_every_dataset(name: str, config: dict[str, Any]) -> None:
    system = "pairdx_fusion" if name == "training.rst" else "tfidf_logistic"
    assert system in config["systems"]
    identifiers = config["datasets"]["multicare"]["curation"]["identifiers"]
    for dataset in config["datasets"]:
        text = written(name, config, dataset, system, identifiers=identifiers, tokens=32)
        assert len(text.strip()) > 50
        assert "None" not in text
        assert not re.search(r"[a-z%)][.;][A-Z]", text)  # a sentence right behind another


def test_the_front_page_describes_every_dataset_by_its_own_keys(config: dict[str, Any]) -> None:
    page = written("workflow.rst", config, "", "")
    for entry in config["datasets"].values():
        assert f"**Data: {entry['title']}.**" in page
    assert "at most 720 pairs" in page
    assert "at most 22665 pairs" in page
    release = page.split("PairDx (as published).**")[1].split("**Systems.**")[0]
    assert "makers decided" in release.split("**Data:")[0]
    drawn = page.split("are drawn by the workflow; no patient is shown:*")[1].split("\n")[0]
    assert drawn.strip() == f"{config['datasets']['drawn']['title']}."


@pytest.mark.parametrize(
    "name", sorted({item.caption_file for item in ITEMS} - {"discrepancies.rst"})
)
def test_captions_speak_of_a_paper_only_where_one_is_beside_the_item(
    name: str, config: dict[str, Any]
) -> None:
    """And of no paper's own numbers, tables and sections: these are in its file."""
    how = {"identifiers": {"dates": "mask"}, "tokens": 32}
    system = "pairdx_fusion" if name == "training.rst" else "tfidf_logistic"
    assert "paper" not in written(name, config, "multicare", system, **how)
    beside = {"paper_cell": ("multicare", "stratified"), "stated": {"accuracy": {"value": 0.9}}}
    text = written(name, config, "multicare", system, **how, **beside)
    assert not re.search(r"\(its|Table \d|Section \d|22,665", text)
    assert not re.search(r"[a-z%)][.;][A-Z]", text)
    if name in {"comparison.rst", "cost.rst", "per_class.rst", "accuracy.rst"}:
        assert "paper's" in text


def test_an_image_is_shown_at_the_size_that_its_system_reads(config: dict[str, Any]) -> None:
    sizes = {name: entry | {"image_size": 320} for name, entry in config["systems"].items()}
    text = written("mistakes.rst", config | {"systems": sizes}, "multicare", "tfidf_logistic")
    assert "320 pixels a side" in text
    assert "224 pixels a side" in written("mistakes.rst", config, "multicare", "tfidf_logistic")
