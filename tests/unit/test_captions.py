"""Captions: what is unusable, what identifies a person, what is the same."""

from __future__ import annotations

import pandas as pd
import pytest

from labelled_captions import read_labelled, score
from pairdx.curation.captions import caption_cluster, caption_problem
from pairdx.curation.identifiers import KINDS, find_identifiers, mask

HALVES = ("frozen", "development")


@pytest.mark.parametrize("half", HALVES)
def test_labelled_captions_are_half_tempting_negatives(half: str) -> None:
    captions = read_labelled(half)
    assert len(captions) >= 100
    assert len({caption.text for caption in captions}) == len(captions)
    assert sum(not caption.identifiers for caption in captions) * 2 == len(captions)
    assert {kind for caption in captions for *_, kind in caption.identifiers} == set(KINDS)


@pytest.mark.parametrize("half", HALVES)
def test_identifiers_are_found_with_a_precision_and_recall_of_at_least_95_percent(
    half: str,
) -> None:
    found = score(read_labelled(half))
    assert found.precision >= 0.95, found.wrong
    assert found.recall >= 0.95, found.missed


def test_masking_leaves_nothing_to_find_and_everything_else_as_it_was() -> None:
    for caption in read_labelled("development"):
        found = find_identifiers(caption.text)
        masked = mask(caption.text, found)
        assert find_identifiers(masked) == [], masked
        kept, position = "", 0
        for one in found:
            kept, position = kept + caption.text[position : one.start], one.end
            assert caption.text[one.start : one.end] == one.text
        kept += caption.text[position:]
        for kind in KINDS:
            masked = masked.replace(f"[{kind.replace('_', ' ')}]", "")
        assert masked == kept


def test_only_the_kinds_that_are_asked_for_are_looked_for() -> None:
    text = "Dr. Keller, 12 March 2019"
    assert [one.kind for one in find_identifiers(text)] == ["name", "date"]
    assert [one.kind for one in find_identifiers(text, ["date"])] == ["date"]
    assert find_identifiers(text, []) == []


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("", "empty_caption"),
        (" \n\t", "empty_caption"),
        ("Figure 2 (a).", "boilerplate_caption"),
        ("Click here for additional data file.", "boilerplate_caption"),
        ("(B)", "boilerplate_caption"),
        ("See text.", "boilerplate_caption"),
        ("...", "boilerplate_caption"),
        ("<b>CT</b> of the chest", "caption_markup"),
        ("<script>alert(1)</script>", "caption_markup"),
        ("<img src=x onerror=alert(1)>", "caption_markup"),
    ],
)
def test_unusable_captions_are_found(caption: str, reason: str) -> None:
    found = caption_problem(caption)
    assert found is not None
    assert found[0] == reason


@pytest.mark.parametrize(
    "caption",
    [
        "CT.",
        "Endoscopy image.",
        "Figure 2 (a): ECG.",
        "P<0.05 and n>30; ratio a <b and c> d",
        "\N{STETHOSCOPE} Lead II",
        "\u5fc3\u96fb\u56f3",
    ],
)
def test_short_captions_that_say_something_pass(caption: str) -> None:
    assert caption_problem(caption) is None


def test_problems_that_are_not_asked_for_are_not_looked_for() -> None:
    assert caption_problem("", ["markup"]) is None
    assert caption_problem("<b>CT</b>", ["empty"]) is None


def test_captions_differing_in_case_and_space_share_a_cluster() -> None:
    names = caption_cluster(pd.Series(["Axial  CT.", "axial ct. ", "Axial CT"]))
    assert names[0] == names[1] != names[2]
