"""Tables of curation add up, choose alike every time, and never show an identifier."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pairdx.files import write_table
from pairdx.reporting.dataset.curation_tables import (
    funnel_by_class,
    funnel_table,
    identifiers_table,
    leakage_table,
    masked_captions,
    rejections_table,
)
from pairdx.reporting.format.webpage import as_html, write_for_reading
from reporting_samples import (
    FULL_SCALE,
    OUT_OF_DISTRIBUTION,
    STAGES,
    full_scale_funnel,
    funnel_of_two_stages,
    leakage_reports,
)

IDENTIFIER = "MRN 4711-0815"
HANDLING = {"date": "reject", "name": "reject", "record_number": "reject", "url": "keep"}
REJECTED = pd.DataFrame(
    [
        ["age", "under_age", "9"],
        ["identifiers", "name", "Dr. Gachet"],
        ["identifiers", "record_number", IDENTIFIER],
        ["identifiers", "record_number", IDENTIFIER],
        ["class", "unknown_class", ""],
        ["class", "a_rarer_reason", ""],
        ["class", "unknown_class", ""],
        ["caption", "name", "not of the stage that looks for identifiers"],
    ],
    columns=["stage", "reason", "detail"],
).assign(row=range(8), file="PMC1.webp", label="chart")


def masked_pairs(count: int = 50) -> pd.DataFrame:
    """Pairs of which every second has a masked caption, with one or two kinds."""
    masked = ["", "date", "", "date;name"]
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{row:02d}" for row in range(count)],
            "label": "chart",
            "masked": [masked[row % 4] for row in range(count)],
            "caption": [
                f"<b>ECG</b> of $5 on [date], row {row} " + "x" * 400 for row in range(count)
            ],
        }
    )


def test_funnel_is_summed_over_classes_in_the_order_of_stages() -> None:
    """Every stage's candidates are what it rejected and kept, and what is out of distribution."""
    table = funnel_table(funnel_of_two_stages())
    assert list(table["stage"]) == ["age", "balance"]
    assert list(table["kept"]) == [30, 17]
    assert list(table["kept_share"]) == pytest.approx([0.75, 17 / 30])
    parts = table["rejected"] + table["out_of_distribution"] + table["kept"]
    assert (table["candidates"] == parts).all()


def test_funnel_by_class_starts_with_all_candidates_and_ends_with_the_pairs() -> None:
    """Its rows lose exactly what stages rejected, and its last is the balanced dataset."""
    funnel = full_scale_funnel()
    table = funnel_by_class(funnel, list(FULL_SCALE), list(OUT_OF_DISTRIBUTION)).set_index("stage")
    assert list(table.index) == ["candidates", *STAGES]
    assert list(table.columns) == [*FULL_SCALE, "all_classes", *OUT_OF_DISTRIBUTION, "other_labels"]
    assert table.loc["candidates", list(FULL_SCALE)].to_dict() == FULL_SCALE
    assert (table["all_classes"] == table[list(FULL_SCALE)].sum(axis=1)).all()
    totals = table[["all_classes", *OUT_OF_DISTRIBUTION, "other_labels"]].sum(axis=1)
    lost = -totals.diff().iloc[1:]
    assert (lost == funnel_table(funnel).set_index("stage")["rejected"]).all()
    kept = funnel[funnel["stage"] == "balance"].set_index("label")["kept"]
    assert table.loc["balance", list(FULL_SCALE)].to_dict() == kept[list(FULL_SCALE)].to_dict()
    assert table.loc["balance", "other_labels"] == 0


def test_a_class_without_candidates_stands_in_the_table_as_zero() -> None:
    """A class that the corpus lacks is neither an error nor left out."""
    table = funnel_by_class(funnel_of_two_stages(), ["radiology", "endoscopy"], ["pathology"])
    assert (table[["endoscopy", "pathology"]] == 0).all().all()
    assert list(table["other_labels"]) == [10, 8, 8]


def test_rejections_are_counted_by_stage_and_reason_in_the_order_of_stages() -> None:
    """Every rejected candidate is counted once; frequent reasons come first."""
    table = rejections_table(REJECTED, STAGES)
    assert table.to_numpy().tolist() == [
        ["class", "unknown_class", 2],
        ["class", "a_rarer_reason", 1],
        ["age", "under_age", 1],
        ["caption", "name", 1],
        ["identifiers", "record_number", 2],
        ["identifiers", "name", 1],
    ]
    assert rejections_table(REJECTED.iloc[:0], STAGES).empty


def test_identifiers_are_counted_by_kind_and_in_all() -> None:
    """A caption with two masked kinds counts under both, but once under `any`."""
    table = identifiers_table(REJECTED, masked_pairs(8), HANDLING)
    assert table.to_numpy().tolist() == [
        ["date", "reject", 0, 4],
        ["name", "reject", 1, 2],
        ["record_number", "reject", 2, 0],
        ["url", "keep", 0, 0],
        ["any", "", 3, 4],
    ]
    none = identifiers_table(REJECTED.iloc[:0], masked_pairs(1), HANDLING)
    assert (none[["rejected", "masked"]] == 0).all().all()


def test_no_table_shows_the_identifier_that_a_caption_was_rejected_for(tmp_path: Path) -> None:
    """The column `detail` holds it, and stays where it is."""
    tables = {
        "rejections": rejections_table(REJECTED, STAGES),
        "identifiers": identifiers_table(REJECTED, masked_pairs(), HANDLING),
    }
    for name, table in tables.items():
        write_table(tmp_path / f"{name}.csv", table)
        pages = tmp_path / f"{name}.md", tmp_path / f"{name}.html"
        write_for_reading(table, *pages, title=name)
    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "record" in written
    assert [detail for detail in REJECTED["detail"] if len(detail) > 1 and detail in written] == []


def test_masked_captions_are_a_seeded_sample_of_whole_captions() -> None:
    """The sample does not depend on the order of the pairs, and shows all that was written."""
    pairs = masked_pairs(100)
    sample = masked_captions(pairs, most=30, seed=1)
    assert list(sample.columns) == ["pair_id", "class", "kinds", "caption"]
    assert len(sample) == sample["pair_id"].nunique() == 30
    of_sample = pairs.set_index("pair_id").loc[sample["pair_id"]]
    assert (of_sample["masked"] != "").all()
    assert of_sample["caption"].tolist() == sample["caption"].tolist()
    assert set(sample["kinds"]) == {"date", "date, name"}
    shuffled = masked_captions(pairs.sample(frac=1, random_state=0), most=30, seed=1)
    pd.testing.assert_frame_equal(sample, shuffled)
    other = masked_captions(pairs, most=30, seed=2)
    assert set(other["pair_id"]) != set(sample["pair_id"])
    assert len(masked_captions(masked_pairs(8), most=30, seed=1)) == 4
    assert masked_captions(masked_pairs(1), most=30, seed=1).empty


def test_markup_in_masked_captions_shows_as_it_is() -> None:
    """Captions come from outside; none may become part of the report's page."""
    page = as_html(masked_captions(masked_pairs(), most=3, seed=1), title="Masked")
    assert "<b>" not in page
    assert "&lt;b&gt;ECG&lt;/b&gt; of $5" in page


def test_leakage_has_one_row_per_split_kind_and_two_subsets() -> None:
    """What the job measured stands in the table unchanged."""
    reports = leakage_reports()
    reports[1]["class_shares"] = {"test": {"chart": 0.1}}
    table = leakage_table(reports)
    assert len(table) == 2 * 5 * 3
    assert table.to_dict("records")[1] == {
        "split": "stratified",
        "shared": "article",
        "between": "train-test",
        **reports[0]["kinds"]["article"]["train-test"],
        "unknown": 0,
    }


def test_a_measurement_that_does_not_apply_is_empty_and_never_zero() -> None:
    """Where no pair's figure is known, nobody can tell whether subsets share one."""
    report = leakage_reports()[1]
    report["unknown"] = {"figure": sum(report["pairs"].values()), "case": 3}
    table = leakage_table([report]).set_index(["shared", "between"])
    assert table.loc["figure", ["groups", "pairs", "share"]].isna().all().all()
    assert (table.loc["case", ["groups", "pairs", "share"]] == 0).all().all()
    assert table.loc["case", "unknown"].tolist() == [3] * 3
