"""Review by people: what the sheet holds, and what decisions do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation_samples import candidates, curated, facts_of
from pairdx.curation.review import read_decisions, review_sample, review_sheet
from pairdx.errors import PairDxError


@pytest.fixture
def table() -> pd.DataFrame:
    return candidates(["chart"] * 6 + ["radiology"] * 6, [40] * 12)


def sheet_of(table: pd.DataFrame) -> pd.DataFrame:
    pairs = curated(table).pairs
    sample = review_sample(pairs, masked_captions=5, per_class=99, seed=1)
    return review_sheet(sample, read_decisions(None)).set_index("pair_id", drop=False)


def decided(folder: Path, sheet: pd.DataFrame, **changes: str) -> Path:
    """Write a sheet with decisions for its first pair."""
    path = folder / "sheet.csv"
    filled = sheet.copy()
    for column, value in changes.items():
        filled.iloc[0, filled.columns.get_loc(column)] = value
    filled.to_csv(path, index=False)
    return path


def test_the_sample_holds_masked_captions_and_some_of_every_class(table: pd.DataFrame) -> None:
    table.loc[[0, 7], "caption"] = "See www.clinic.example.org for more."
    pairs = curated(table, identifiers={"url": "mask"}).pairs
    sample = review_sample(pairs, masked_captions=2, per_class=2, seed=1)
    assert (sample["masked"] != "").sum() == 2
    others = sample[sample["masked"] == ""]
    assert others["label"].value_counts().to_dict() == {"chart": 2, "radiology": 2}
    shuffled = review_sample(pairs.sample(frac=1), masked_captions=2, per_class=2, seed=1)
    assert set(shuffled["pair_id"]) == set(sample["pair_id"])


def test_an_untouched_sheet_decides_nothing(tmp_path: Path, table: pd.DataFrame) -> None:
    sheet = sheet_of(table)
    decisions = read_decisions(decided(tmp_path, sheet))
    result = curated(table, decisions=decisions)
    assert decisions.empty
    assert not result.pairs[["caption_reviewed", "image_reviewed"]].any(axis=None)


@pytest.mark.parametrize("what", ["caption", "image"])
def test_a_rejected_pair_leaves_with_the_reviewers_note(
    tmp_path: Path, table: pd.DataFrame, what: str
) -> None:
    sheet = sheet_of(table)
    path = decided(tmp_path, sheet, **{f"{what}_decision": "reject", "note": "a face"})
    result = curated(table, decisions=read_decisions(path))
    row = result.rejected.iloc[0]
    assert (row["stage"], row["reason"], row["detail"]) == ("review", f"{what}_rejected", "a face")
    assert sheet["pair_id"].iloc[0] not in set(result.pairs["pair_id"])


def test_edits_reach_the_pairs_and_mark_them_as_reviewed(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    sheet = sheet_of(table)
    path = decided(
        tmp_path,
        sheet,
        caption_decision="edit",
        caption_edit="A chart.",
        image_decision="edit",
        image_edit="crop 10 10 200 200",
    )
    pairs = curated(table, decisions=read_decisions(path)).pairs.set_index("pair_id")
    pair = pairs.loc[sheet["pair_id"].iloc[0]]
    assert (pair["caption"], pair["image_edit"]) == ("A chart.", "crop 10 10 200 200")
    assert pair["caption_reviewed"]
    assert pair["image_reviewed"]
    assert pairs["image_reviewed"].sum() == pairs["caption_reviewed"].sum() == 1


def test_decisions_on_another_image_or_caption_have_no_effect(
    tmp_path: Path, table: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    sheet = sheet_of(table)
    decisions = read_decisions(
        decided(tmp_path, sheet, caption_decision="reject", image_decision="reject")
    )
    changed = table.copy()
    changed["caption"] = "Another caption of number " + changed["row"].astype(str)
    result = curated(changed, facts_of(table, seed=9), decisions=decisions)
    assert result.rejected.empty
    assert not result.pairs[["caption_reviewed", "image_reviewed"]].any(axis=None)
    assert "count as not reviewed" in caplog.text


def test_earlier_decisions_stay_in_the_next_sheet(tmp_path: Path, table: pd.DataFrame) -> None:
    sheet = sheet_of(table)
    decisions = read_decisions(decided(tmp_path, sheet, image_decision="reject", note="a face"))
    pairs = curated(table, decisions=decisions).pairs
    sample = review_sample(pairs, masked_captions=5, per_class=99, seed=1)
    following = review_sheet(sample, decisions)
    assert set(following["pair_id"]) == set(sheet["pair_id"])
    assert following.set_index("pair_id").loc[sheet["pair_id"].iloc[0], "note"] == "a face"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"caption_decision": "maybe"}, "'maybe' is none of keep, reject, edit"),
        ({"caption_decision": "edit"}, "go together"),
        ({"image_edit": "crop 1 1 9 9"}, "go together"),
        ({"image_decision": "edit", "image_edit": "crop 1 1 9999 9"}, "not inside"),
        ({"image_decision": "edit", "image_edit": "blur 1 2 3 4"}, "image_edit"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_its_line(
    tmp_path: Path, table: pd.DataFrame, changes: dict[str, str], message: str
) -> None:
    path = decided(tmp_path, sheet_of(table), **changes)
    with pytest.raises(PairDxError, match=message) as caught:
        read_decisions(path)
    assert "line 2" in str(caught.value)


def test_a_sheet_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    with pytest.raises(PairDxError, match="missing"):
        read_decisions(path)
    path.write_text("pair_id,label\n1,chart\n", encoding="utf-8")
    with pytest.raises(PairDxError, match="lacks the column"):
        read_decisions(path)
