"""Review by people: what the sheet holds, and what decisions do."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from curation_samples import candidates, curated, facts_of
from pairdx.curation.review import read_decisions, review_sample, review_sheet
from pairdx.errors import PairDxError
from pairdx.files import write_table

pytestmark = pytest.mark.slow

KEPT_COPIES = {"exact": "keep", "near": "keep", "max_distance_bits": 10}


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
    decisions = read_decisions(str(decided(tmp_path, sheet)))  # as Snakemake names its inputs
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


def changed_since(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(caption="Another caption of number " + table["row"].astype(str))


@pytest.mark.parametrize("what", ["caption", "image"])
def test_a_rejection_holds_whatever_became_of_image_and_caption(
    tmp_path: Path, table: pd.DataFrame, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    sheet = sheet_of(table)
    decisions = read_decisions(decided(tmp_path, sheet, **{f"{what}_decision": "reject"}))
    result = curated(changed_since(table), facts_of(table, seed=9), decisions=decisions)
    assert result.rejected["reason"].tolist() == [f"{what}_rejected"]
    assert sheet["pair_id"].iloc[0] not in set(result.pairs["pair_id"])
    assert f"another {what} than the sheet shows" in caplog.text


@pytest.mark.parametrize("what", ["caption", "image"])
def test_a_pair_whose_edit_no_longer_fits_is_rejected_not_let_through(
    tmp_path: Path, table: pd.DataFrame, what: str
) -> None:
    text = {"caption": "A chart.", "image": "mask 0 0 9 9"}[what]
    changes = {f"{what}_decision": "edit", f"{what}_edit": text}
    decisions = read_decisions(decided(tmp_path, sheet_of(table), **changes))
    result = curated(changed_since(table), facts_of(table, seed=9), decisions=decisions)
    assert result.rejected["reason"].tolist() == ["edit_out_of_date"]


def test_what_was_kept_counts_as_not_reviewed_once_it_changed(
    tmp_path: Path, table: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    path = decided(tmp_path, sheet_of(table), caption_decision="keep", image_decision="keep")
    result = curated(changed_since(table), facts_of(table, seed=9), decisions=read_decisions(path))
    assert result.rejected.empty
    assert not result.pairs[["caption_reviewed", "image_reviewed"]].any(axis=None)
    assert "count as not reviewed" in caplog.text


@pytest.mark.parametrize("decision", ["reject", "edit"])
def test_a_decision_on_a_pair_that_the_corpus_does_not_have_stops_the_run(
    tmp_path: Path, table: pd.DataFrame, decision: str
) -> None:
    """As where a spreadsheet took a name for a number."""
    changes = {"pair_id": "1.0E+04", "file": "x.webp", "image_decision": decision}
    changes |= {"image_edit": "mask 0 0 9 9"} if decision == "edit" else {}
    decisions = read_decisions(decided(tmp_path, sheet_of(table), **changes))
    with pytest.raises(PairDxError, match=r"1\.0E\+04") as caught:
        curated(table, decisions=decisions)
    assert "leading zeros" in str(caught.value)


@pytest.mark.parametrize("what", ["caption", "image"])
@pytest.mark.parametrize("decision", ["reject", "edit"])
def test_a_decision_that_would_fall_on_another_pair_stops_the_run(
    tmp_path: Path, table: pd.DataFrame, decision: str, what: str
) -> None:
    """A spreadsheet makes the pair 0012 into 12, which exists; also where both are one image."""
    table.loc[[0, 1], "pair_id"] = ["0012", "12"]
    table.loc[[0, 1], "file"] = ["0012.webp", "12.webp"]
    facts = facts_of(table)
    edit = {"caption": "A chart.", "image": "mask 0 0 9 9"}[what] if decision == "edit" else ""
    changes = {"pair_id": "12", f"{what}_decision": decision, f"{what}_edit": edit}
    sheet = sheet_of(table)
    sheet = sheet[sheet["pair_id"] != "12"]
    assert sheet["file"].iloc[0] == "0012.webp"
    decisions = read_decisions(decided(tmp_path, sheet, **changes))
    copies = facts.copy()
    copies.loc[1, ["sha256", "perceptual_hash"]] = facts.loc[0, ["sha256", "perceptual_hash"]]
    for of_images in (facts, copies):
        with pytest.raises(PairDxError, match=r"'12' has the file '12\.webp' here, and '0012"):
            curated(table, of_images, decisions=decisions, duplicates=KEPT_COPIES)


def test_a_decision_holds_for_the_same_bytes_in_a_renamed_file(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    decisions = read_decisions(decided(tmp_path, sheet_of(table), caption_decision="reject"))
    renamed = table.assign(file=table["file"].str.replace(".webp", ".png"))
    assert curated(renamed, decisions=decisions).rejected["reason"].tolist() == ["caption_rejected"]
    with pytest.raises(PairDxError, match="the file of another"):
        curated(renamed, facts_of(table, seed=9), decisions=decisions)


def test_images_that_are_not_called_after_their_pairs_are_not_taken_for_those_of_others(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    """Numbered anew in every folder; the sheet calls them by pairs (0004.webp is another's)."""
    table = table.assign(pair_id=[f"{n:04}" for n in range(3, 3 + len(table))])
    decisions = read_decisions(decided(tmp_path, sheet_of(table), image_decision="reject"))
    decisions["file"] = decisions["pair_id"] + ".webp"
    shifted = table.assign(file=[f"{n:04}.webp" for n in range(len(table))])
    result = curated(shifted, decisions=decisions).rejected
    assert result["reason"].tolist() == ["image_rejected"]
    assert (
        result["pair_id"].tolist()
        == decisions["pair_id"][decisions["image_decision"] == "reject"].tolist()
    )


def test_a_rejected_pair_that_another_stage_rejects_does_not_stop_the_run(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    decisions = read_decisions(decided(tmp_path, sheet_of(table), image_decision="reject"))
    older = table.assign(age=[7, *[40] * 11])
    assert curated(older, decisions=decisions).rejected["reason"].tolist() == ["under_age"]


def test_what_was_decided_on_an_image_holds_for_its_copy_under_another_name(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    """Of copies the first by name stays; a new article may bring an earlier name."""
    facts = facts_of(table)
    for decision, edit in (("reject", ""), ("edit", "mask 0 0 9 9")):
        path = decided(tmp_path, sheet_of(table), image_decision=decision, image_edit=edit)
        renamed = table.copy()
        renamed.loc[0, ["file", "pair_id"]] = ["PMC0.webp", "PMC0"]
        copy = table.loc[[0]].assign(row=99)
        both = pd.concat([renamed, copy], ignore_index=True)
        both_facts = pd.concat([facts, facts.loc[[0]].assign(row=99)], ignore_index=True)
        result = curated(both, both_facts, decisions=read_decisions(path))
        kept = result.pairs.set_index("pair_id")
        if decision == "reject":
            assert set(result.rejected["reason"]) == {"exact_duplicate", "image_rejected"}
            assert "PMC0" not in kept.index
        else:
            assert kept.loc["PMC0", ["image_edit", "image_reviewed"]].tolist() == [edit, True]


def test_of_two_decisions_on_the_same_bytes_the_stricter_one_holds(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    facts = facts_of(table)
    facts.loc[1, ["sha256", "perceptual_hash"]] = facts.loc[0, ["sha256", "perceptual_hash"]]
    sheet = sheet_of(table)
    sheet["sha256"] = facts["sha256"].to_numpy()
    sheet.iloc[1, sheet.columns.get_loc("image_decision")] = "keep"
    decisions = read_decisions(decided(tmp_path, sheet, image_decision="reject"))
    result = curated(table, facts, decisions=decisions, duplicates=KEPT_COPIES)
    assert result.rejected["reason"].tolist() == ["image_rejected"] * 2


def through_a_spreadsheet(path: Path, encoding: str, separator: str) -> None:
    """Open and save a sheet as spreadsheets do: a BOM decides how it is read, cells change."""
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "cp1252", "replace")
    sheet = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert not sheet.map(lambda cell: cell[:1] in ("=", "+", "-", "@")).any(axis=None)
    sheet["width"] += ".0"
    sheet["height"] += ",00"
    sheet["caption"] = sheet["caption"].str.replace("\n", "\r\n")
    sheet["image_decision"] = sheet["image_decision"].str.capitalize() + " "
    empty = pd.DataFrame([dict.fromkeys(sheet.columns, "")] * 3)
    sheet = pd.concat([sheet, empty]).rename(columns={"pair_id": " Pair_ID"})
    saved = sheet.to_csv(index=False, sep=separator, lineterminator="\r\n")
    path.write_bytes(saved.encode(encoding))


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ","), ("utf-8", ";"), ("utf-16", "\t")]
)
def test_every_decision_survives_a_spreadsheet(
    tmp_path: Path, table: pd.DataFrame, encoding: str, separator: str
) -> None:
    awkward = ["=1+1 \u2192 50\u00a0\u00b5m", "- scale\nbar; 2 mm", '@home, "\u00e9" \u2265 3']
    table.loc[[0, 1, 2], "caption"] = awkward
    sheet = sheet_of(table)
    sheet.iloc[0, sheet.columns.get_loc("caption_decision")] = "reject"
    sheet.iloc[1, sheet.columns.get_loc("image_decision")] = "edit"
    sheet.iloc[1, sheet.columns.get_loc("image_edit")] = "crop 10 10 200 200"
    sheet.iloc[2, sheet.columns.get_loc("caption_decision")] = "keep"
    path = tmp_path / "sheet.csv"
    write_table(path, sheet)
    through_a_spreadsheet(path, encoding, separator)
    decisions = read_decisions(path)
    assert [one.split() for one in decisions["caption"]] == [one.split() for one in awkward]
    result = curated(table, decisions=decisions)
    pairs = result.pairs.set_index("pair_id")
    first, second, third = sheet["pair_id"].iloc[:3]
    assert first not in pairs.index
    assert pairs.loc[second, "image_edit"] == "crop 10 10 200 200"
    assert pairs.loc[third, "caption_reviewed"]
    again = tmp_path / "again.csv"  # decisions stand in the next sheet, and are read from it again
    write_table(again, review_sheet(result.pairs, decisions))
    pd.testing.assert_frame_equal(read_decisions(again), decisions)


def test_a_sheet_in_an_old_encoding_is_refused_with_what_to_do(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    table.loc[0, "caption"] = "Scale bar, 50 \u00b5m."
    path = decided(tmp_path, sheet_of(table), image_decision="reject")
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    with pytest.raises(PairDxError, match="CSV UTF-8"):
        read_decisions(path)


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
        (
            {"image_decision": "edit", "image_edit": "crop 0 0 9 9", "width": "wide"},
            "whole pixels",
        ),
        ({"image_decision": "reject", "pair_id": ""}, "decides on nothing"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_its_line(
    tmp_path: Path, table: pd.DataFrame, changes: dict[str, str], message: str
) -> None:
    path = decided(tmp_path, sheet_of(table), **changes)
    with pytest.raises(PairDxError, match=message) as caught:
        read_decisions(path)
    assert "row 2" in str(caught.value)  # as spreadsheets count


def test_a_sheet_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    with pytest.raises(PairDxError, match="missing"):
        read_decisions(path)
    path.write_text("pair_id,label\n1,chart\n", encoding="utf-8")
    with pytest.raises(PairDxError, match=r"lacks the column.*its columns are: pair_id, label"):
        read_decisions(path)


def test_a_row_with_a_cell_too_many_shifts_no_decision(tmp_path: Path, table: pd.DataFrame) -> None:
    path = decided(tmp_path, sheet_of(table), image_decision="reject")
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    for shifted in ([f"{row}," for row in rows], [rows[0], f"{rows[1]},x", *rows[2:]]):
        path.write_text("\n".join([head, *shifted]), encoding="utf-8")
        with pytest.raises(PairDxError, match=r"more cells|has \d+ cells"):
            read_decisions(path)
