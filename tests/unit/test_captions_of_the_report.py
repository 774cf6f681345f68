"""Captions of the report ask for what the configuration and the rules' parameters hold."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from pairdx.plan.configuration import complete, defaults
from pairdx.plan.declared import ITEMS
from pairdx.reporting.format.labels import RECONSTRUCTION_NOTE

REPOSITORY = Path(__file__).parents[2]
REPORT = REPOSITORY / "workflow/report"
# As Snakemake has it, but strict.
ENVIRONMENT = Environment(  # noqa: S701
    trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
CAPTIONS = sorted({item.caption_file for item in ITEMS})
HOSTILE = (
    "grade_",
    "|x|",
    "`tick",
    "**z",
    "*own*",
    "_a",
    "x::",
    "- dash",
    "1. one",
    "a\\",
    "[1]_",
    "<b>",
)
TELLS = {
    "articles": True,
    "grouped_by": {"article_id": "article", "case_id": "case", "figure_id": "figure"},
    "lacks": {},
}
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
    facts = {"split": "stratified", "drawn": True, "findings": ["edema"], "title": "Films"}
    ran = [SimpleNamespace(wildcards={"system": one}, params={}) for one in params.pop("ran", ())]
    params = {"facts": facts, "drawn": True, "stated": {}, "paper_cells": [], **params}
    params = {"tells": TELLS, "registry": config["systems"], "image_size": 64, **params}
    paired = {name: one | {"random_weights": True} for name, one in config["pairings"].items()}
    params = {"pairings": paired, "encoders": [{"random_weights": True}], **params}
    snakemake = SimpleNamespace(config=config, wildcards=wildcards, params=params)
    jobs = [
        SimpleNamespace(
            wildcards={"dataset": name},
            params={"drawn": name == "drawn", "tells": params["tells"]},
        )
        for name in config["datasets"]
    ]
    files = [{"target": "comparison.html", "job": job} for job in (*jobs, *ran)]
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
    beside = {"paper_cells": [("multicare", "stratified")], "stated": {"accuracy": {"value": 0.9}}}
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


def as_html(text: str) -> tuple[str, str]:
    """Return what docutils makes of a caption, as Snakemake asks it, and what it complains of."""
    said = io.StringIO()
    settings = {"warning_stream": said}
    # Snakemake writes the targets of links behind it.
    targets = {f".. _{name}_: javascript:x" for name in re.findall(r"<(\S+)_>`_", text)}
    links = "\n\n" + "\n".join(one.replace("_:", ":") for one in sorted(targets)) + "\n"
    parts = publish_parts(text + links, writer="html", settings_overrides=settings)
    return parts["body"], said.getvalue()


@pytest.mark.parametrize("name", [*CAPTIONS, "workflow.rst"])
def test_names_are_text_whatever_they_look_like(name: str, config: dict[str, Any]) -> None:
    """A class, title or label of the user's is shown as it is, and never read as markup."""
    system = "pairdx_fusion" if name == "training.rst" else "tfidf_logistic"
    identifiers = config["datasets"]["multicare"]["curation"]["identifiers"]
    beside = {"paper_cells": [("multicare", "stratified")], "stated": {"accuracy": {"value": 0.9}}}
    own = {"articles": False, "grouped_by": {"article_id": "*bed_"}, "lacks": {}}
    whole = "; ".join(HOSTILE)
    for title in (*HOSTILE, whole) if name in ("confusion.rst", "workflow.rst") else (whole,):
        hostile = config | {
            "datasets": {
                one: entry
                | {"title": title, "out_of_distribution": [*HOSTILE]}
                | {"classes": dict(zip(HOSTILE, HOSTILE, strict=True))}
                for one, entry in config["datasets"].items()
            },
            "systems": {one: entry | {"title": title} for one, entry in config["systems"].items()},
        }
        text = written(
            *(name, hostile, "multicare", system),
            **{"identifiers": identifiers, "tokens": 32, "tells": own, **beside},
        )
        body, said = as_html(text)
        assert said == ""
        assert "system-message" not in body
        if name in ("confusion.rst", "workflow.rst"):
            assert html.escape(title) in " ".join(body.split())


def test_the_front_page_says_of_own_documents_what_was_done_with_them(
    config: dict[str, Any],
) -> None:
    lacks = dict.fromkeys(("captions", "ages"), "no column is named")
    own = {"articles": False, "grouped_by": {"article_id": "bed_no"}, "lacks": lacks}
    entry = config["datasets"]["documents"] | {
        "splits": ["grouped", "published"],
        "classes": {"a": "a"},
        "out_of_distribution": ["not_sure"],
    }
    page = written("workflow.rst", config | {"datasets": {"mine": entry}}, "", "", tells=own)
    data = page.split("**Systems.**")[0]
    for absent in ("younger", "masked", "empty", "released", "article", "patient", "identical"):
        assert absent not in data.split("**Data:")[1]
    body, _ = as_html(page)
    for text in (
        "No ages are known, and none were screened.",
        "There are no captions.",
        "the one that comes with the data",
        "with no value of bed_no or near-duplicate image on two sides",
        "not_sure",
    ):
        assert text in body
    known = own | {"lacks": {}}
    page = written("workflow.rst", config | {"datasets": {"mine": entry}}, "", "", tells=known)
    assert "Nobody was excluded for their age." in page
    assert "younger than 0" not in page


def test_the_front_page_names_the_systems_that_ran(config: dict[str, Any]) -> None:
    """Systems that read captions are enabled, and left out where there are none."""
    page = written("workflow.rst", config, "", "", ran=["mean_colour"])
    compared, others = page.split("Compared were ")[1].split("Not part of this run: ")
    titles = {name: entry["title"] for name, entry in config["systems"].items()}
    assert compared.startswith(f"{titles['mean_colour']}. ")
    assert titles["tfidf_logistic"].split("(")[0] in others


def test_the_front_page_says_of_reconstructions_that_they_are(config: dict[str, Any]) -> None:
    """Of those that ran; and every caption of an item with systems says it beside them."""
    ran = ["pairdx_clip_sampled", "pairdx_clip_sampled_relaxed"]
    body, said = as_html(written("workflow.rst", config, "", "", ran=ran))
    page = " ".join(body.split())
    assert said == ""
    titles = [html.escape(config["systems"][name]["title"]) for name in ran]
    assert sorted(titles) == sorted(
        page.split("exact form is not public:</em> ")[1].split(".</p>")[0].split("; ")
    )
    plain = written("workflow.rst", config, "", "", ran=["pairdx_clip"])
    assert "Jang" not in plain
    for name in ("comparison.rst", "findings_comparison.rst", "roc.rst", "per_class.rst"):
        for shown in (True, False):
            registry = {ran[0]: config["systems"][ran[0]]}
            registry = {
                one: entry | ({"reconstructed": True} if shown else {})
                for one, entry in registry.items()
            }
            text = written(name, config, "multicare", ran[0], registry=registry)
            assert (RECONSTRUCTION_NOTE in text) == shown


def test_the_front_page_says_which_texts_systems_learned_from(config: dict[str, Any]) -> None:
    """Only where one did; a random encoder that pairs is named as a stand-in, too."""
    assert "Privileged" not in written("workflow.rst", config, "", "", ran=["mean_colour"])
    pairings = {
        **config["pairings"],
        "captions_retrieved": config["pairings"]["captions_retrieved"] | {"rank": 3},
    }
    found = config | {"pairings": pairings}
    ran = ["privileged_own", "privileged_retrieved"]
    body, said = as_html(written("workflow.rst", found, "", "", ran=ran))
    page = " ".join(body.split())
    assert said == ""
    titles = "; ".join(config["systems"][name]["title"] for name in ran)
    assert f"when it classifies learned {titles}." in page
    assert "captions_own (its own caption; texts: captions; encoder: biomedclip)" in page
    assert "captions_retrieved (the most similar text but 2; texts:" in page
    assert "are paired with texts" not in page
    encoder = config["feature_extractors"]["biomedclip"] | {"weights": None}
    found |= {"feature_extractors": {"biomedclip": encoder}}
    assert "are paired with texts: biomedclip." in written("workflow.rst", found, "", "", ran=ran)
    real = {name: one | {"stand_in": False} for name, one in config["systems"].items()}
    alone = written("workflow.rst", found | {"systems": real}, "", "", ran=ran)
    assert "by which images are paired with texts:* biomedclip." in alone
