"""Tables and figures of texts that images are paired with, whatever the texts are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from figure_checks import assert_whole
from pairdx.pairing.matches import matches_of, summary_of
from pairdx.reporting.dataset import match_tables as single
from pairdx.reporting.dataset import pairing_tables as tables
from pairdx.reporting.dataset.match_tables import LEAST, MOST
from pairdx.reporting.dataset.pairing_figures import cosine_histograms, match_sheet
from pairdx.reporting.dataset.pairing_tables import Paired, Source
from pairdx.reporting.format.webpage import write_for_reading

CLASSES = {"x": "lymph <b>node</b>", "y": "tumour $a_1$"}
TEXTS = [
    "<script>alert('a')</script> & <b>bold</b>",
    "סרטן שד, ללא גרורות. " * 40,
    "costs $5 and $6_{x}$ \\frac % # ~ ^ {",
    "word " * 4800,
    "=1+1",
    "\U0001f9e0 癌 | a\nb\n\nc",
]
PAIRS = 12
LABELS = [*"xy"] * 6
SUBSETS = ["train"] * 8 + ["validation", "validation", "test", "test"]
REGISTRY: dict[str, Any] = {"net": {"title": "Net", "trained": True, "stand_in": False}}


def entry(choose: str, rank: int = 1) -> dict[str, Any]:
    of_encoder = {"encoder": "clip", "random_weights": False}
    return {"choose": choose, "rank": rank, "bank": "reports", **of_encoder}


PAIRINGS = {"near": entry("nearest") | {"random_weights": True}}


def split() -> pd.DataFrame:
    names = [f"p{row:02}" for row in range(PAIRS)]
    return pd.DataFrame({"pair_id": names, "subset": SUBSETS, "label": LABELS})


def predictions(right: float, seed: int) -> pd.DataFrame:
    """Of validation and test pairs, this share of each is right."""
    table = split().assign(case_id=lambda found: found["pair_id"])
    order = np.random.default_rng(seed).permutation(PAIRS)
    hit = pd.Series(order < round(right * PAIRS))
    other = table["label"].map({"x": "y", "y": "x"})
    return table.assign(predicted=table["label"].where(hit, other))


def paired(seed: int = 0) -> Paired:
    random = np.random.default_rng(seed)
    found = random.integers(0, len(TEXTS), (PAIRS, 1))
    cosines = random.uniform(-0.2, 0.6, (PAIRS, 1)).astype(np.float32)
    names = split()["pair_id"].tolist()
    matches = matches_of(names, [f"t{row}" for row in range(len(TEXTS))], found, cosines, 1)
    summary = summary_of(matches, split(), len(TEXTS), {})
    return Paired(matches, summary, [predictions(0.5, one) for one in (1, 2)])


def source() -> Source:
    texts = pd.DataFrame({"text_id": [f"t{row}" for row in range(len(TEXTS))], "text": TEXTS})
    bank = {"read": 9, "dropped": 1, "kept": 6, "rejected": {"empty": 1, "repeated": 1}}
    return Source(texts, {**bank, "characters": {"median": 20.0, "longest": 24_000}}, 0.25)


def test_a_row_for_each_pairing_counts_what_its_files_say() -> None:
    pairings = {"near": entry("nearest", 2), "label": entry("class")}
    of_split = {("grouped", name): paired(at) for at, name in enumerate(pairings)}
    sources = dict.fromkeys(pairings, source())
    table = tables.pairing_table(of_split, sources, pairings, resamples=20, seed=0)
    row = table.iloc[0]
    assert (row["bank_rejected"], row["bank_texts"], row["cut_share"]) == (2, 6, 0.25)
    assert (row["train_pairs"], row["test_pairs"], row["seeds"]) == (8, 2, 2)
    chosen = of_split["grouped", "near"].matches
    assert row["train_cosine_mean"] == pytest.approx(chosen["cosine"][:8].astype(float).mean())
    said = of_split["grouped", "near"].said
    right = np.mean([(one["label"] == one["predicted"])[10:].mean() for one in said])
    assert row["test_accuracy"] == pytest.approx(right)
    shown = tables.pairings_for_reading(table)
    assert shown["Every image gets"].tolist() == ["the nearest but 1", "a prompt of its class"]
    notes = tables.pairing_notes(table, drawn=False, resamples=20, majority={"grouped": 0.5})
    assert any("says nothing" in note for note in notes)  # of a prompt of the class
    without = tables.pairing_notes(table[:1], drawn=False, resamples=20, majority={"grouped": 0.5})
    assert not any("says nothing" in note for note in without)


def test_complementarity_stands_beside_every_system_and_shares_add_up() -> None:
    of_split = {("grouped", "near"): paired(), ("stratified", "near"): paired(1)}
    seen = {("net", "grouped"): [predictions(0.7, 5)], ("net", "stratified"): [predictions(1, 6)]}
    table = tables.complementarity_table(of_split, seen, resamples=20, seed=0)
    assert table[["split", "system"]].to_numpy().tolist() == [
        ["grouped", "net"],
        ["stratified", "net"],
    ]
    total = table[["both", "text_only", "image_only", "neither"]].sum(axis=1)
    np.testing.assert_allclose(total, 1)
    assert table["text_only"].iloc[1] == 0  # where images tell all
    assert table["seeds"].tolist() == [1, 1]  # of two of the text classifier, as many
    shown = tables.complementarity_for_reading(table, REGISTRY)
    assert shown["System on images alone"].tolist() == ["Net", "Net"]


def test_extremes_are_of_distinct_texts_while_there_are_enough_and_no_match_is_both() -> None:
    chosen = pd.DataFrame(
        {"pair_id": [*"abcdef"], "text_id": [*"ttuuvw"], "cosine": [6, 5, 4, 3, 2, 1]}
    )
    found = single.extremes(chosen, 2)
    assert found["pair_id"].tolist() == ["a", "c", "e", "f"]
    assert found["match"].tolist() == [MOST, MOST, LEAST, LEAST]
    of_one_text = single.extremes(chosen.assign(text_id="t"), 2)
    assert of_one_text["pair_id"].tolist() == ["a", "b", "e", "f"]
    assert single.extremes(chosen[:3], 5)["pair_id"].tolist() == ["a", "c", "b"]
    assert len(single.extremes(chosen[:1], 5)) == 1


def test_texts_of_any_kind_are_shown_as_they_are(tmp_path: Path) -> None:
    of_split, sources = {"near": paired()}, {"near": source()}
    table = single.match_table(of_split, sources, split(), split(), 5)
    assert set(table["pair_id"]) <= {f"p{row:02}" for row in range(8)}  # training pairs
    shown = single.matches_for_reading(table, CLASSES, PAIRINGS)
    assert max(map(len, shown["Text"])) < 3100
    paths = [tmp_path / f"t.{suffix}" for suffix in ("md", "html", "tex")]
    notes = single.match_notes(PAIRINGS, drawn=False)
    write_for_reading(
        shown, *paths, title=single.MATCHES_TITLE.format(split="grouped"), notes=notes
    )
    page = paths[1].read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert 'dir="auto"' in page
    assert "<script>" not in paths[0].read_text(encoding="utf-8")


def drawn(number: int) -> tuple[dict[str, Any], dict[str, Paired], dict[str, pd.DataFrame]]:
    """Pairings, their matches, and their cosines."""
    pairings = {f"pairing_{at}": entry("nearest", at + 1) for at in range(number)}
    pairings["pairing_0"] |= {"bank": "a_very_long_name_of_a_bank_" * 3}
    of_split = {name: paired(at) for at, name in enumerate(pairings)}
    cosines = {
        name: one.matches.assign(subset=SUBSETS)[["cosine", "subset"]]
        for name, one in of_split.items()
    }
    return pairings, of_split, cosines


@pytest.mark.slow
def test_histograms_of_one_pairing_and_of_several_are_whole(tmp_path: Path) -> None:
    for number in (1, 4):
        pairings, _, cosines = drawn(number)
        assert_whole(cosine_histograms(cosines, pairings, title="Cosines"), tmp_path)
    equal = pd.DataFrame({"cosine": [0.5, 0.5], "subset": ["train", "test"]})
    figure = cosine_histograms({"near": equal}, {"near": entry("nearest")}, title="Cosines")
    assert len(figure.axes) == 1


@pytest.mark.slow
def test_the_sheet_shows_texts_of_any_kind_of_no_more_than_so_many_pairings(tmp_path: Path) -> None:
    for number in (1, 11):
        pairings, of_split, _ = drawn(number)
        sources = dict.fromkeys(pairings, source())
        few = single.match_table(of_split, sources, split(), split(), 2)
        figure = match_sheet(few, np.zeros((len(few), 4, 4, 3), np.uint8), title="Texts")
        assert len(figure.axes) == 4 * min(number, 8)
        if number == 1:
            assert_whole(figure, tmp_path)


def test_encoders_of_random_weights_and_texts_of_most_images_are_named() -> None:
    """No table passes random cosines, or one text for all, as a pairing by a trained encoder."""
    random = entry("nearest") | {"encoder": "biomedclip", "random_weights": True}
    near = paired()
    counts = {"texts_used": 2, "most_used": [{"text_id": "a", "pairs": 7}]}
    near.summary["subsets"]["train"].update(counts)
    near.summary["texts"] = 95  # type: ignore[index]
    of_split = {("grouped", "near"): near}
    table = tables.pairing_table(
        of_split, {"near": source()}, {"near": random}, resamples=20, seed=0
    )
    shown = tables.pairings_for_reading(table).iloc[0]
    assert shown["By the encoder"] == "biomedclip (random weights)"
    assert shown["Texts that training pairs use"] == "2 of 95"
    assert shown["Training pairs of the most frequent text, %"] == "87.5"
    notes = tables.pairing_notes(table, drawn=True, resamples=20, majority={"grouped": 0.5})
    assert any(note.startswith("Random weights: biomedclip") for note in notes)
    assert any("gives 7 of 8 training pairs one and the same text, of 95" in note for note in notes)
    few = tables.pairing_notes(
        table.assign(candidates=6, random_weights=False),
        **{"drawn": True, "resamples": 20, "majority": {"grouped": 0.5}},
    )
    assert not any("one and the same" in note or "Random" in note for note in few)
