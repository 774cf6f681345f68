"""Which text goes to which image: against an oracle, and what must never happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.models.text_features import (
    TextFeatures,
    read_text_features,
    require_same_encoder,
    write_text_features,
)
from pairdx.ordering import seeded_rank
from pairdx.pairing.matches import chosen_texts, read_matches, summary_of, write_matches
from pairdx.pairing.matching import Candidates, candidates_of, choose_texts, drawn, nearest

LABELS = ["x", "y"]


def unit(rows: int, columns: int = 8, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def pairs_of(count: int, cases: int | None = None) -> pd.DataFrame:
    """The first half train, then validation and test in turn; cases in turn, or of one pair."""
    subsets = [
        "train" if row < count // 2 else ("validation", "test")[row % 2] for row in range(count)
    ]
    return pd.DataFrame(
        {
            "pair_id": [f"p{row}" for row in range(count)],
            "case_id": [f"c{row % (cases or count)}" for row in range(count)],
            "label": [LABELS[row % 2] for row in range(count)],
            "subset": subsets,
        }
    )


def bank(pairs: pd.DataFrame | None = None, count: int = 12, labels: Any = "") -> pd.DataFrame:
    """Captions of pairs, one each but the last two, which share one; else texts of nobody."""
    ids = [[] for _ in range(count)]
    if pairs is not None:
        names = pairs["pair_id"].tolist()
        ids = [*([name] for name in names[:-2]), names[-2:]]
    return pd.DataFrame(
        {"text_id": [f"t{row}" for row in range(len(ids))], "pair_ids": ids, "label": labels}
    )


def chosen(pairs: pd.DataFrame, texts: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    subsets = pairs.set_index("pair_id")["subset"]
    candidates = candidates_of(texts, unit(len(texts), seed=1), pairs, subsets)
    stated = {"choose": "nearest", "rank": 1, "keep": 3, "seed": 0, **settings}
    return choose_texts(stated, pairs, unit(len(pairs)), candidates)


def test_the_nearest_are_those_of_a_sort_over_all_cosines_in_blocks_or_whole() -> None:
    images, texts = unit(37), unit(23, seed=1)
    texts[5], texts[17] = texts[2], texts[2]  # equals stand in the bank's order
    cosines = np.round(images.astype(np.float64) @ texts.T.astype(np.float64), 6)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :4]
    whole = nearest(images, texts, 4)
    np.testing.assert_array_equal(whole, expected)
    for at_once in (1, 23 * 5, 23 * 37):
        np.testing.assert_array_equal(nearest(images, texts, 4, cosines_at_once=at_once), whole)


def test_matches_hold_every_pair_with_one_chosen_rank(tmp_path: Path) -> None:
    pairs = pairs_of(10)
    matches = chosen(pairs, bank(), rank=2)
    cosines = unit(10) @ unit(12, seed=1).T
    assert len(matches) == 30
    order = np.argsort(-cosines, axis=1)
    assert chosen_texts(matches, pairs["pair_id"]) == [f"t{row}" for row in order[:, 1]]
    told = matches.loc[matches["chosen"], "cosine"]
    np.testing.assert_allclose(told, np.sort(cosines)[:, -2], atol=1e-6)
    write_matches(tmp_path / "matches.parquet", matches)
    pd.testing.assert_frame_equal(read_matches(tmp_path / "matches.parquet"), matches)


def free_texts(pairs: pd.DataFrame, texts: pd.DataFrame) -> dict[str, list[str]]:
    """Of each pair, the captions of training pairs that no pair of its case has; by brute force."""
    whose = dict(zip(texts["text_id"], map(set, texts["pair_ids"]), strict=True))
    training = {*pairs.loc[pairs["subset"] == "train", "pair_id"]}
    by_case = {case: set(ids) for case, ids in pairs.groupby("case_id")["pair_id"]}
    return {
        pair: [text for text, ids in whose.items() if ids & training and not ids & by_case[case]]
        for pair, case in zip(pairs["pair_id"], pairs["case_id"], strict=True)
    }


CASES = {
    "of one pair": pairs_of(12),
    "of three": pairs_of(12, 4),
    "not known": pairs_of(12).assign(case_id=["one", "one", *[""] * 10]),
}


@pytest.mark.parametrize("cases", CASES)
def test_captions_are_chosen_among_those_of_training_pairs_of_other_cases(cases: str) -> None:
    pairs = CASES[cases]
    alone = "lone " + pairs["pair_id"]
    told = pairs.assign(case_id=pairs["case_id"].where(pairs["case_id"] != "", alone))
    for texts in (bank(pairs), bank(pairs)[::-1].reset_index(drop=True)):
        free = free_texts(told, texts)
        cosines = pd.DataFrame(unit(12) @ unit(11, seed=1).T, pairs["pair_id"], texts["text_id"])
        nearest_two = chosen(pairs, texts, keep=2)
        for pair, found in nearest_two.groupby("pair_id")["text_id"]:
            best = cosines.loc[pair, free[pair]].sort_values(ascending=False, kind="stable")
            assert found.tolist() == best.index[:2].tolist()
        for seed in range(5):
            random = chosen(pairs, texts, choose="random", seed=seed)
            numbers = seeded_rank(random["pair_id"], seed, "pairing")
            expected = [
                sorted(free[pair])[number % len(free[pair])]
                for pair, number in zip(random["pair_id"], numbers, strict=True)
            ]
            assert random["text_id"].tolist() == expected


def test_what_an_image_may_not_have_is_left_out_in_every_block() -> None:
    images, texts = unit(37), unit(23, seed=1)
    barred = [np.array([[], [3], [0, 4, 22]][row % 3], dtype=np.int64) for row in range(37)]
    cosines = np.round(images @ texts.T, 6)
    for row, others in enumerate(barred):
        cosines[row, others] = -2
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :20]
    for at_once in (1, 23 * 5, 23 * 37):
        found = nearest(images, texts, 20, barred, cosines_at_once=at_once)
        np.testing.assert_array_equal(found, expected)


def test_what_is_drawn_is_a_function_of_seed_and_name() -> None:
    pairs = pairs_of(40)
    texts = bank()
    first = chosen(pairs, texts, choose="random", seed=3).set_index("pair_id")["text_id"]
    shuffled, turned = pairs.sample(frac=1, random_state=1), texts[::-1].reset_index(drop=True)
    again = chosen(shuffled, turned, choose="random", seed=3).set_index("pair_id")["text_id"]
    assert first.to_dict() == again.to_dict()
    other = chosen(pairs, texts, choose="random", seed=4).set_index("pair_id")["text_id"]
    assert (first != other).mean() > 0.5


def test_texts_are_drawn_evenly_among_those_that_are_allowed() -> None:
    names = [f"n{row}" for row in range(3000)]
    own, allowed = np.full(3000, 2), np.array([True, True, True, False])
    case, barred = np.zeros(3000, dtype=np.int64), [np.array([2])]
    candidates = Candidates([*"abcd"], [""] * 4, unit(4), own, allowed, case, barred)
    counts = np.bincount(drawn(names, candidates, 0), minlength=4)
    assert counts[2] == counts[3] == 0
    assert abs(counts[0] - 1500) < 150


def test_own_and_class_choose_what_they_say() -> None:
    pairs = pairs_of(8)
    texts = bank(pairs)
    found = chosen_texts(chosen(pairs, texts, choose="own"), pairs["pair_id"])
    assert found == ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t6"]
    prompts = bank(count=4, labels=["x", "y", "x", "y"])
    matches = chosen(pairs, prompts, choose="class", rank=2)
    assert matches.groupby("pair_id").size().tolist() == [2] * 8  # as many as there are
    label = prompts.set_index("text_id")["label"]
    assert label[chosen_texts(matches, pairs["pair_id"])].tolist() == pairs["label"].tolist()


def test_what_cannot_be_chosen_is_refused() -> None:
    pairs = pairs_of(8)
    with pytest.raises(PairDxError, match=r"no prompt of the class\(es\) 'y'"):
        chosen(pairs, bank(count=2, labels="x"), choose="class")
    with pytest.raises(PairDxError, match=r"has 2 texts[\s\S]*`rank`"):
        chosen(pairs, bank(count=2), rank=3)
    with pytest.raises(PairDxError, match=r"has 1 prompts of the class 'y'[\s\S]*`rank`"):
        chosen(pairs, bank(count=3, labels=["x", "x", "y"]), choose="class", rank=2)
    captions = bank(pairs)
    captions.loc[0, "pair_ids"].clear()
    with pytest.raises(PairDxError, match="1 of 8 pairs have no caption"):
        chosen(pairs, captions, choose="own")


@pytest.mark.parametrize("choose", ["nearest", "random"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"subset": ["train", *["test"] * 7]},
            r"of its 7 .*training pair \(6\).*case \(1\)",
        ),
        ({"subset": "test"}, r"0 texts.*training pair \(7\) .*case \(0\)"),
        ({"case_id": "one"}, r"0 texts.*training pair \(3\).*case \(4\)"),
    ],
)
def test_where_no_caption_is_left_it_is_said_which_are_no_candidates(
    changes: dict[str, Any], message: str, choose: str
) -> None:
    pairs = pairs_of(8).assign(**changes)
    with pytest.raises(PairDxError, match=message) as caught:
        chosen(pairs, bank(pairs), choose=choose)
    assert "rank" not in (caught.value.remedy or "")


def test_of_two_captions_every_image_gets_the_other(caplog: pytest.LogCaptureFixture) -> None:
    pairs = pairs_of(4)
    found = chosen(pairs, bank(pairs), rank=1)
    assert chosen_texts(found, ["p0", "p1"]) == ["t1", "t0"]
    assert "some images have 1 texts to choose from: as many are kept, not 3" in caplog.text
    assert "the one text that there is" not in caplog.text


def test_a_bank_of_one_text_goes_to_all() -> None:
    pairs = pairs_of(8)
    for choose in ("nearest", "random"):
        found = chosen(pairs, bank(count=1), choose=choose)
        assert found["text_id"].tolist() == ["t0"] * 8


def test_damaged_matches_are_refused(tmp_path: Path) -> None:
    good = chosen(pairs_of(4), bank())
    path = tmp_path / "matches.parquet"
    for damage, message in (
        ({"chosen": False}, "one chosen text"),
        ({"rank": 1}, "ranks"),
        ({"cosine": np.nan}, "cosines"),
    ):
        with pytest.raises(PairDxError, match=message):
            write_matches(path, good.assign(**damage))
    with pytest.raises(PairDxError, match="find no partner"):
        chosen_texts(good, ["p0", "somebody"])


def test_the_summary_counts_by_subset() -> None:
    pairs = pairs_of(8)
    matches = chosen(pairs, bank(count=1))
    found = summary_of(matches, pairs, 4, {"choose": "nearest"})["subsets"]
    assert {name: one["pairs"] for name, one in found.items()} == {
        **{"train": 4, "validation": 2, "test": 2}
    }
    assert found["test"]["share_used"] == 0.25
    assert found["test"]["most_used"] == [{"text_id": "t0", "pairs": 2}]
    cosines = matches["cosine"][:4].astype(float)
    assert found["train"]["cosine"]["mean"] == pytest.approx(cosines.mean())


def test_features_of_texts_come_back_and_fit_one_encoder(tmp_path: Path) -> None:
    path = tmp_path / "texts.safetensors"
    write_text_features(path, TextFeatures(("a", "b"), unit(2), {"seed": 1}, 0.5, 2.0, "cpu"))
    found = read_text_features(path)
    np.testing.assert_array_equal(found.of(["b", "a"]), unit(2)[::-1])
    assert (found.cut, found.seconds) == (0.5, 2.0)
    require_same_encoder({"seed": 1}, found.encoder)
    with pytest.raises(PairDxError, match="differ in: seed"):
        require_same_encoder({"seed": 2}, found.encoder)
    with pytest.raises(PairDxError, match="1 texts have no features"):
        found.of(["c"])
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(PairDxError, match="damaged"):
        read_text_features(path)
