"""Sentences and sections of radiology reports: the snippets, and what holds for every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairdx.errors import PairDxError
from pairdx.report_texts.sections import report_text, sections
from pairdx.report_texts.sentences import sentences
from report_snippets import HALVES, snippets

# What the rules look at, in any order.
PARTS = st.sampled_from(
    [
        *("1.", "2.", "(3)", "Dr.", "a.m.", "No", "effusion.", "effusion.The", ".", "...", "___."),
        *("\n", "\n\n", "IMPRESSION:", "-", "cm.", "?", "!)", "(", "A.", "x", "12.5", "e.g.", ":"),
        *("X", "XXXX.", "no.", "_" * 12, "\u201d", "\t", "NO CHANGE."),
    ]
)


@pytest.mark.parametrize("half", HALVES)
def test_sentences_of_the_snippets_are_those_read_by_hand(half: str) -> None:
    cases = snippets(half, "sentences")
    found = {case["about"]: sentences(case["text"]) for case in cases}
    assert found == {case["about"]: case["sentences"] for case in cases}
    assert len(cases) >= 30


@pytest.mark.parametrize("half", HALVES)
def test_sections_of_the_snippets_are_those_read_by_hand(half: str) -> None:
    for case in snippets(half, "sections"):
        found = {name: " ".join(text.split()) for name, text in sections(case["text"]).items()}
        assert {name: found.get(name) for name in case["sections"]} == case["sections"], case
        assert not set(found) & set(case.get("absent", ())), case["about"]


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=20).map(" ".join)))
def test_no_character_of_a_text_is_lost_or_moved(text: str) -> None:
    """But for white space, and lines that are only drawn."""
    found = sentences(text)
    kept = [
        line
        for line in text.splitlines()
        if not re.fullmatch(r"[\W_]{10,}", " ".join(line.split()))
    ]
    assert "".join("".join(found).split()) == "".join("".join(kept).split())
    assert all(sentence == " ".join(sentence.split()) and sentence for sentence in found)


@pytest.mark.parametrize("gap", [" ", "\n", "  \n  "])
def test_sentences_do_not_depend_on_where_lines_were_wrapped(gap: str) -> None:
    """At white space between words of one sentence, where the line was full."""
    first = "The right jugular line ends above the junction of both caval veins"
    rest = "and the atrium."
    wrapped = f"{first}{gap}{rest} No pneumothorax."
    assert sentences(wrapped) == [f"{first} {rest}", "No pneumothorax."]


def test_an_item_of_a_list_begins_a_sentence_where_the_one_before_has_no_period() -> None:
    text = "1. Low volumes. Both bases are hazy 2. Old scars 3. Device in segment 7 of the liver."
    assert sentences(text) == [
        "1. Low volumes.",
        "Both bases are hazy",
        "2. Old scars",
        "3. Device in segment 7 of the liver.",
    ]


def test_a_second_period_is_no_sentence() -> None:
    assert sentences("No acute findings. .") == ["No acute findings. ."]
    assert sentences("No edema. . No mass.") == ["No edema. .", "No mass."]
    assert sentences("Clear lungs.. Normal heart..") == ["Clear lungs..", "Normal heart.."]


def test_headings_in_capitals_part_sections_that_run_on_without_periods() -> None:
    report = "History: Cough FINDINGS: Clear lungs, no findings: normal IMPRESSION: Normal chest"
    assert sections(report) == {
        "history": "Cough",
        "findings": "Clear lungs, no findings: normal",
        "impression": "Normal chest",
    }


def test_a_title_on_top_of_a_report_is_no_finding() -> None:
    report = "AP CHEST, 8:25 P.M., ___\n\nThe effusion has grown."
    assert sections(report) == {
        "examination": "AP CHEST, 8:25 P.M., ___",
        "unheaded": "The effusion has grown.",
    }


def test_the_text_of_a_section_keeps_its_lines_without_their_indentation() -> None:
    report = " IMPRESSION:\n\n  1.  No pneumonia.\n  2.  Low volumes\n\n\n  Seen by Dr. ___."
    assert (
        sections(report)["impression"] == "1.  No pneumonia.\n2.  Low volumes\n\nSeen by Dr. ___."
    )
    assert len(sentences(sections(report)["impression"])) == 3


def test_a_report_gives_the_wanted_sections_in_the_order_asked_for() -> None:
    report = "FINDINGS: Clear lungs.\nIMPRESSION: Normal.\nHISTORY: Cough."
    assert report_text(report, ["impression", "findings"]) == "Normal.\n\nClear lungs."
    assert report_text(report, ["impression", "addendum"]) == "Normal."


def test_what_is_findings_and_impression_is_given_once() -> None:
    report = "FINDINGS AND IMPRESSION: Clear lungs."
    assert report_text(report, ["findings", "impression"]) == "Clear lungs."
    assert report_text(report, ["impression"]) == "Clear lungs."


@pytest.mark.parametrize(
    ("or_else", "headed", "plain"),
    [("nothing", "", ""), ("unheaded", "", "Clear."), ("whole", "HISTORY: Cough.", "Clear.")],
)
def test_a_report_without_the_wanted_sections_gives_what_was_asked_for_instead(
    or_else: str, headed: str, plain: str
) -> None:
    wanted = ["findings", "impression"]
    assert report_text("HISTORY: Cough.", wanted, or_else) == headed
    assert report_text("HISTORY: Cough.\n\nClear.", wanted, or_else) == plain
    assert report_text(" \n", wanted, or_else) == ""


def test_what_is_given_instead_is_one_of_three() -> None:
    with pytest.raises(PairDxError, match="nothing, unheaded, whole"):
        report_text("", [], "all")
