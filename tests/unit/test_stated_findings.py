"""Findings as data state them: matched to the classes, counted once, counted by subset."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from pairdx.corpus.findings import rarest, settle
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from pairdx.finding_texts import decode
from pairdx.leakage import leakage, refuse_leakage
from pairdx.plan.checks.classes import problems_of_findings
from pairdx.plan.curation import OFFICIAL
from pairdx.reporting.dataset.check_findings import findings_section
from pairdx.reporting.dataset.finding_tables import findings_table
from pairdx.reporting.format.sections import Doubt
from pairdx.usable_splits import check_subsets

CLASSES = ["Edema", "Effusion", "Mass"]
STRATA = [*CLASSES, "(none)"]


def stated(*texts: str, left_out: tuple[str, ...] = ()) -> pd.DataFrame:
    """Candidates whose reader writes these findings."""
    number = len(texts)
    names = [f"i{at}" for at in range(number)]
    table = pd.DataFrame(
        {
            **{"row": range(number), "file": names, "pair_id": names, "member": names},
            **dict.fromkeys(("article_id", "case_id", "figure_id"), names),
            **dict.fromkeys(("label", "subtype", "caption", "licence", "malformed"), ""),
            "published_subset": "",
            "age": pd.array([pd.NA] * number, dtype="Int64"),
            "findings": texts,
            "left_out": [*left_out, *[""] * (number - len(left_out))],
        }
    )
    return table


def test_names_are_matched_as_labels_are_and_written_in_the_order_of_classes() -> None:
    settled = settle(stated(" mass |EDEMA", "Effusion?|Mass", "", "?"), STRATA, CLASSES)
    assert settled.candidates["findings"].tolist() == [
        *("Edema|Mass", "Effusion?|Mass", "", "Edema?|Effusion?|Mass?"),
    ]
    known = decode(settled.candidates["findings"], CLASSES)
    assert np.array_equal(
        known,
        [[1, 0, 1], [0, np.nan, 1], [0, 0, 0], [np.nan] * 3],
        equal_nan=True,
    )
    assert settled.counts.loc[settled.counts["label"] == "Edema", "stated"].tolist() == ["EDEMA"]


def test_what_the_data_know_and_no_class_is_called_is_left_out_and_counted() -> None:
    settled = settle(stated("Edema|Hernia", "Hernia?", "Mass"), STRATA, [*CLASSES, "Hernia"])
    assert settled.candidates["findings"].tolist() == ["Edema", "", "Mass"]
    assert settled.dropped == {"Hernia": 2}


def test_what_nobody_knows_is_a_counted_rejection() -> None:
    settled = settle(stated("Edema|Mystery", "Edema"), STRATA, CLASSES)
    assert settled.candidates["label"].tolist() == ["Mystery", "Edema"]
    settings = {**OFFICIAL, "classes": STRATA, "out_of_distribution": [], "modalities": None}
    screened = screen_tables(
        settled.candidates,
        {**settings, "licences": None},
        subset=None,
        seed=1,
        lacks={"captions": ""},
    )
    assert screened.rejected[["pair_id", "stage", "reason", "detail"]].to_numpy().tolist() == [
        ["i0", "class", "unknown_label", "Mystery"]
    ]


def test_of_an_open_list_every_name_is_a_finding() -> None:
    settled = settle(stated("Edema|Mystery", "Mass"), STRATA, None)
    assert settled.candidates["findings"].tolist() == ["Edema", "Mass"]


def test_a_pair_counts_as_its_rarest_true_finding() -> None:
    found = pd.Series(["Edema|Effusion", "Edema", "Effusion|Mass", "Mass?", "", "Edema|Mass"])
    # Edema 3, Effusion 2, Mass 2: of equally rare ones the first class.
    assert rarest(found, CLASSES, "(none)").tolist() == [
        *("Effusion", "Edema", "Effusion", "(none)", "(none)", "Mass"),
    ]


def test_those_that_the_reader_leaves_out_do_not_make_a_finding_frequent() -> None:
    table = stated(
        "Edema", "Edema", "Edema|Mass", "Mass|Edema", "Mass", left_out=("other_view",) * 2
    )
    assert settle(table, STRATA, CLASSES).candidates["label"].tolist()[2:] == [
        "Edema",
        "Edema",
        "Mass",
    ]


def test_a_finding_that_nobody_shows_is_a_warning_and_none_of_them_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settle(stated("Edema", "Mass"), STRATA, CLASSES)
    assert "no candidate is said to show: 'Effusion'" in caplog.text
    with pytest.raises(PairDxError, match=r"none of the 2 candidates .* findings of the data: 'A'"):
        settle(stated("A", "A"), STRATA, None)
    caplog.clear()
    with caplog.at_level(logging.WARNING):  # images without labels: nothing is known, or missing
        settle(stated("?", "?"), STRATA, None, labelled=False)
    assert not caplog.text
    settle(stated("?", "?"), STRATA, None)
    assert "of all 2 candidates nothing is known" in caplog.text


def test_data_of_one_label_are_refused() -> None:
    with pytest.raises(PairDxError, match="one label per image"):
        settle(stated("").drop(columns="findings"), STRATA, None)


def test_reasons_of_the_reader_are_rejections_of_the_first_stage() -> None:
    table = stated("Edema", "Mass", "Mass", left_out=("other_view", "further_image"))
    settled = settle(table, STRATA, CLASSES).candidates
    settings = {**OFFICIAL, "classes": STRATA, "out_of_distribution": [], "modalities": None}
    screened = screen_tables(
        settled, {**settings, "licences": None}, subset=None, seed=1, lacks={"captions": ""}
    )
    assert screened.rejected["reason"].tolist() == ["other_view", "further_image"]
    assert set(screened.rejected["stage"]) == {"ingest"}
    assert "left_out" not in screened.candidates


# ---------------------------------------------------------------- splits
def pairs_of(*findings: str) -> pd.DataFrame:
    """Pairs of which each is a patient, all with one report."""
    names = [f"i{at}" for at in range(len(findings))]
    return pd.DataFrame(
        {
            "pair_id": names,
            "findings": findings,
            "label": rarest(pd.Series(findings), CLASSES, "(none)"),
            **dict.fromkeys(("article_id", "case_id", "figure_id", "duplicate_cluster"), names),
            "caption_cluster": "c",
        }
    )


def placed(pairs: pd.DataFrame, *subsets: str) -> pd.DataFrame:
    return pd.DataFrame({"pair_id": pairs["pair_id"], "subset": subsets, "group": pairs["pair_id"]})


def test_a_rare_finding_does_not_make_a_split_of_several_labels_useless() -> None:
    pairs = pairs_of("Edema", "Edema", "Mass", "")
    split = placed(pairs, "train", "validation", "test", "test")
    check_subsets(pairs, split, STRATA, "grouped")
    with pytest.raises(PairDxError, match="fewer pairs than the 3 subsets"):
        check_subsets(pairs.drop(columns="findings"), split, STRATA, "grouped")


def test_only_who_is_trained_needs_training_pairs() -> None:
    pairs = pairs_of("Edema", "Edema", "Mass", "")
    split = placed(pairs, "validation", "validation", "test", "test")
    check_subsets(pairs, split, STRATA, "published", training=False)
    with pytest.raises(PairDxError, match="it has no pairs in train"):
        check_subsets(pairs, split, STRATA, "published", training=True)
    with pytest.raises(PairDxError, match="it has no pairs in validation"):
        check_subsets(pairs, placed(pairs, *["test"] * 4), STRATA, "published", training=False)


def test_reports_that_are_told_alike_may_stand_in_two_subsets() -> None:
    pairs = pairs_of("Edema", "Edema", "Mass", "")
    split = placed(pairs, "train", "validation", "test", "test")
    fractions = {"train": 0.25, "validation": 0.25, "test": 0.5}
    report = leakage(pairs, split, "grouped", fractions)
    with pytest.raises(PairDxError, match="caption"):
        refuse_leakage(report)
    refuse_leakage(report, kinds_apart=("caption",))


def test_findings_are_counted_in_every_subset_by_hand() -> None:
    pairs = pairs_of("Edema|Mass?", "Edema", "Mass", "")
    table = findings_table(
        pairs, {"grouped": placed(pairs, "train", "train", "test", "test")}, CLASSES
    )
    rows = table.set_index(["split", "subset", "finding"])
    assert rows.loc[("", "all", "Edema")].tolist() == [2, 2, 0, 0.5]
    assert rows.loc[("", "all", "Mass"), ["positive", "negative", "unknown"]].tolist() == [1, 2, 1]
    assert rows.loc[("grouped", "test", "Mass")].tolist() == [1, 1, 0, 0.5]
    assert np.isnan(rows.loc[("grouped", "validation", "Mass"), "prevalence"])
    known = table[["positive", "negative", "unknown"]].sum(axis=1)
    assert (known[table["subset"] == "all"] == len(pairs)).all()


def test_the_check_says_of_which_findings_nothing_can_be_said() -> None:
    pairs = pairs_of("Edema|Mass", "Edema", "Effusion", "Edema?")
    split = placed(pairs, "train", "validation", "test", "test")
    names = {"Edema": "edema", "Effusion": "effusion", "Mass": "mass"}
    broken = {"split": "grouped", "unusable": {"what": "it is empty", "remedy": "fill it"}}
    section = findings_section(pairs, {"grouped": split}, names, [broken])
    table = section.blocks[0]
    assert isinstance(table, pd.DataFrame)
    assert table.to_numpy().tolist() == [
        ["edema", 2, 1, "1 / 1 / 0"],
        ["effusion", 1, 0, "0 / 0 / 1"],
        ["mass", 1, 0, "1 / 0 / 0"],
    ]
    said = [block.text for block in section.blocks if isinstance(block, Doubt)]
    assert said[0].startswith("A run stops at the split grouped: it is empty.")
    assert said[1].endswith("nothing is said of edema, mass.")
    assert said[2].endswith("are of effusion.")
    assert said[3].endswith("nor F1 or MCC be given, of effusion.")


# ---------------------------------------------------------------- configuration
@pytest.mark.parametrize("label", ["a|b", "a?", "(none)"])
def test_names_that_a_text_of_findings_cannot_hold_are_refused(label: str) -> None:
    entry = {"task": "multi_label", "classes": {label: "a", "b": "b"}, "out_of_distribution": []}
    (problem,) = problems_of_findings("mine", entry)
    assert problem.startswith("config key datasets.mine.classes:")
    assert list(problems_of_findings("mine", {**entry, "task": "single_label"})) == []
    (problem,) = problems_of_findings(
        "mine", {**entry, "classes": {"b": "b"}, "out_of_distribution": ["c"]}
    )
    assert problem.startswith("config key datasets.mine.out_of_distribution:")
