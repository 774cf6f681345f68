"""Chest X-rays in the layouts in which they are given out, and what can be wrong with a copy."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import chest_files as files
from pairdx.corpus.chest_tables import ages_of, stated_findings
from pairdx.corpus.findings import settle
from pairdx.corpus.multicare.reading import read as read_multicare
from pairdx.corpus.padchest.reading import labels_of
from pairdx.curation.archives import inspect_archive
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from pairdx.image_formats.foreign import TOO_DEEP
from pairdx.images import decode
from pairdx.plan import curation
from pairdx.plan.checks.datasets import problems_of_paths, problems_of_tasks
from pairdx.plan.datasets import Dataset
from pairdx.plan.descriptions import readers
from pairdx.splits import published
from pairdx.stores import LINEAR, open_store
from plans import DEFAULTS

READERS = ("chestxray14", "mimic_cxr", "chexpert", "vindr_cxr", "padchest", "open_i")
FEW = [["Edema"], [], ["Pleural Effusion", "Edema"], ["Atelectasis"], [], ["Cardiomegaly"]]


def read(name: str, path: Path, **source: Any) -> pd.DataFrame:
    """Read a copy by a reader, under the dataset's own keys or others."""
    described = readers()[name]
    stated = {**DEFAULTS["datasets"][name]["source"], "path": str(path), "parts": 2, **source}
    tables = {key: Path(file) for key, file in described.tables(stated, DEFAULTS).items()}
    found: pd.DataFrame = import_module(f"pairdx.corpus.{name}.reading").read(
        tables, described.settings(stated)
    )
    return found


def screened(name: str, candidates: pd.DataFrame, **source: Any) -> Any:
    """Run the screens that need no image, as the dataset states them."""
    entry = DEFAULTS["datasets"][name]
    settings = curation.settings(entry["curation"])
    settings |= {"classes": [*entry["classes"], "(none)"], "out_of_distribution": []}
    vocabulary = candidates.attrs["vocabulary"]
    return screen_tables(
        settle(candidates, settings["classes"], vocabulary).candidates,
        settings,
        subset=None,
        seed=1,
        lacks=readers()[name].lacks({**entry["source"], **source}),
        needs_subset=entry["splits"] == ["published"],
    )


def edited(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Return what changes the lines of a file."""

    def edit(path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([*change(lines), ""]), encoding="utf-8")

    return edit


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small copy of each."""
    folder = tmp_path_factory.mktemp("chest")
    return {
        "chestxray14": files.write_chestxray14(folder / "nih", FEW, in_archives=True),
        "mimic_cxr": files.write_mimic_cxr(folder / "mimic", FEW, laterals=2, without_report=[4]),
        "chexpert": files.write_chexpert(folder / "chex", {"train": 4, "valid": 2, "test": 2}),
        "vindr_cxr": files.write_vindr_cxr(folder / "vin", 4, 2),
        "padchest": files.write_padchest(folder / "pad", 10),
        "open_i": files.write_open_i(folder / "open", 4, without_sections=[2]),
    }


# ---------------------------------------------------------------- all of them
@pytest.mark.parametrize("name", READERS)
def test_every_image_is_a_candidate_whose_file_is_there(name: str, copies: dict[str, Path]) -> None:
    found = read(name, copies[name])
    assert found["pair_id"].is_unique
    assert found["row"].tolist() == list(range(len(found)))
    assert {"part1", "part2"} == set(found["archive"])
    with open_store(copies[name]) as store:
        assert all(store.size(member) for member in found["member"])
    bare = found["member"].str.removesuffix(LINEAR)
    assert (found["file"] == bare.str.rsplit("/").str[-1]).all()
    assert not (found[["case_id", "figure_id", "licence"]] == "").to_numpy().any()
    kept = screened(name, found).candidates
    assert len(kept)
    assert set(kept["label"]) <= {*DEFAULTS["datasets"][name]["classes"], "(none)"}


@pytest.mark.slow
def test_candidates_have_the_columns_of_every_reader_and_what_is_known_of_findings(
    copies: dict[str, Path],
) -> None:
    documented = read_multicare.__doc__ or ""
    for name in READERS:
        columns = [*read(name, copies[name]).columns]
        assert columns[-2:] == ["findings", "left_out"]
        assert all(column in documented for column in columns[:-2]), name


@pytest.mark.parametrize("name", READERS)
def test_each_says_where_to_ask_and_what_is_wrong_with_its_task(name: str) -> None:
    entry = {**DEFAULTS["datasets"][name], "enabled": True}
    config = {**DEFAULTS, "datasets": {name: entry}}
    (problem,) = problems_of_paths(config, readers())
    assert problem.startswith(f"config key datasets.{name}.source.path: no path is stated: ")
    assert list(problems_of_tasks(config, readers())) == []
    wrong = {**config, "datasets": {name: {**entry, "task": "single_label"}}}
    (problem,) = problems_of_tasks(wrong, readers())
    assert problem.endswith("has any number of labels per image: write multi_label")


def test_what_belongs_together_is_called_patient_and_study() -> None:
    name = "chexpert"
    entry = DEFAULTS["datasets"][name]
    dataset = Dataset(name, entry, readers()[name], DEFAULTS)
    assert dataset.grouped_by == {"article_id": "patient", "figure_id": "study"}
    name = "vindr_cxr"
    of_images = Dataset(name, DEFAULTS["datasets"][name], readers()[name], DEFAULTS)
    assert of_images.grouped_by == {}
    assert list(of_images.strata)[-1] == "(none)"


TABLES = {
    "chestxray14": "Data_Entry_2017_v2020.csv",
    "mimic_cxr": "mimic-cxr-2.0.0-chexpert.csv.gz",
    "chexpert": "valid.csv",
    "vindr_cxr": "annotations/image_labels_test.csv",
    "padchest": "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_missing_cut_or_another_is_named(
    name: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies[name], tmp_path / "copy")
    path = copy / TABLES[name]
    whole = path.read_bytes()
    if path.suffix == ".gz":
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(PairDxError, match="is damaged"):
            read(name, copy)
        path.unlink()
        path = path.with_suffix("")
    path.write_text("some,other\n1,2\n", encoding="utf-8")
    with pytest.raises(PairDxError, match=r"lacks the column\(s\)"):
        read(name, copy)
    path.unlink()
    with pytest.raises(PairDxError, match=r"\Athe table of .* is missing"):
        read(name, copy)


@pytest.mark.parametrize(
    ("name", "gone", "said"),
    [
        ("chexpert", "valid.csv", "the table of valid images is missing"),
        ("chestxray14", "test_list.txt", "the list of test images is missing"),
        ("mimic_cxr", "mimic-cxr-reports", "there are no reports"),
    ],
)
def test_what_is_not_there_is_named_with_what_to_do(
    name: str, gone: str, said: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    ignored = shutil.ignore_patterns(f"{gone}*")
    copy = shutil.copytree(copies[name], tmp_path / "copy", ignore=ignored)
    with pytest.raises(PairDxError, match=rf"\A{said}\n"):
        read(name, copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("chestxray14", "images*/images/*"),
        ("mimic_cxr", "files/*/*/*/*"),
        ("chexpert", "*/patient*/*/*"),
        ("padchest", "[01]/*"),
        ("open_i", "NLMCXR_png/*"),
    ],
)
def test_a_copy_without_images_is_told_from_one_that_lacks_some(
    name: str, images: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies[name], tmp_path / "copy")
    first, *others = sorted(copy.glob(images))
    first.unlink()
    assert len(read(name, copy)) == len(read(name, copies[name]))
    for path in others:
        path.unlink()
    with pytest.raises(PairDxError, match=r"none of the .* images is"):
        read(name, copy)


@pytest.mark.slow
def test_views_and_studies_that_are_not_wanted_are_counted(copies: dict[str, Path]) -> None:
    found = read("mimic_cxr", copies["mimic_cxr"])
    assert found["left_out"].value_counts().to_dict() == {"": 6, "other_view": 2}
    first = read("mimic_cxr", copies["mimic_cxr"], views=None, images_per_study="first")
    assert first["left_out"].value_counts().to_dict() == {"": 6, "further_image": 2}
    whole = read("mimic_cxr", copies["mimic_cxr"], views=None)
    assert (whole["left_out"] == "").all()
    rejected = screened("mimic_cxr", found).rejected
    assert rejected["reason"].value_counts().to_dict() == {"other_view": 2, "empty_caption": 1}
    with pytest.raises(
        PairDxError, match=r"not one of 8 images is of the views oblique; there are"
    ):
        read("mimic_cxr", copies["mimic_cxr"], views=["oblique"])


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("chestxray14", "Data_Entry_2017_v2020.csv", "Patient ID"),
        ("mimic_cxr", "mimic-cxr-2.0.0-metadata.csv.gz", "subject_id"),
        ("padchest", TABLES["padchest"], "PatientID"),
    ],
)
def test_patients_without_an_identifier_are_no_patient_and_not_one(
    name: str, table: str, column: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies[name], tmp_path / "copy")
    rows = pd.read_csv(copy / table, dtype=str, keep_default_na=False)
    rows.loc[:1, column], rows.loc[2, column] = "", "000"
    rows.to_csv(copy / table, index=False)
    found = read(name, copy)
    assert found["case_id"].tolist()[:2] == ["", ""]
    assert set(found["case_id"][2:].str.split().str[0]) == {"patient"}
    assert (screened(name, found).rejected["reason"] == "no_case").sum() == 2


def test_studies_without_an_identifier_are_not_one_study(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["padchest"], tmp_path / "copy")
    rows = pd.read_csv(copy / TABLES["padchest"], dtype=str, keep_default_na=False)
    rows.assign(StudyID="").to_csv(copy / TABLES["padchest"], index=False)
    found = read("padchest", copy, images_per_study="first", views=None)
    assert (found["left_out"] == "").all()
    assert (found["figure_id"] == "").all()


@pytest.mark.parametrize(
    ("name", "table", "change", "said"),
    [
        ("mimic_cxr", "mimic-cxr-2.0.0-metadata.csv.gz", lambda rows: rows[:0], "has no rows"),
        ("mimic_cxr", "mimic-cxr-2.0.0-split.csv.gz", lambda rows: rows[:0], "has no rows"),
        (
            *("mimic_cxr", "mimic-cxr-2.0.0-split.csv.gz"),
            lambda rows: rows.assign(split=rows["split"].str.upper()),
            r"of the subsets train, validate, test .*; there are: TEST, TRAIN, VALIDATE",
        ),
        (
            *("mimic_cxr", "mimic-cxr-2.0.0-split.csv.gz"),
            lambda rows: rows.assign(dicom_id="x").drop_duplicates("dicom_id"),
            "not one of 8 images has a subset",
        ),
        (
            *("mimic_cxr", "mimic-cxr-2.0.0-chexpert.csv.gz"),
            lambda rows: rows.assign(study_id=rows["study_id"] + ".0"),
            r"not one of 8 images is of a study with labels; .* is 10000000 50000000\.0",
        ),
        (
            *("padchest", TABLES["padchest"]),
            lambda rows: rows.assign(MethodLabel="Nobody"),
            r"not one of 10 rows has labels by Physician; there are: Nobody",
        ),
    ],
)
def test_tables_of_which_nothing_would_be_read_or_known_are_refused(
    *, name: str, table: str, change: Any, said: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies[name], tmp_path / "copy")
    rows = pd.read_csv(copy / table, dtype=str, keep_default_na=False)
    change(rows).to_csv(copy / table, index=False)
    with pytest.raises(PairDxError, match=said):
        read(name, copy)


# ---------------------------------------------------------------- cells
@pytest.mark.parametrize(
    ("uncertain", "blank", "wanted"),
    [
        ("ignore", "zeros", "A|B?"),
        ("ones", "zeros", "A|B"),
        ("zeros", "zeros", "A"),
        ("ignore", "ignore", "A|B?|D?"),
    ],
)
def test_one_nought_minus_one_and_blank(uncertain: str, blank: str, wanted: str) -> None:
    table = pd.DataFrame({"A": ["1.0", "x"], "B": ["-1", "1"], "C": ["0", ""], "D": ["", "1"]})
    found = stated_findings(table, list("ABCD"), uncertain=uncertain, blank=blank)
    assert found["findings"][0] == wanted
    assert found["malformed"].tolist() == ["", "A"]


def test_ages_are_years_however_they_are_written() -> None:
    cells = pd.Series(["058Y", "18M", "60", "60.0", "", "old", "411"])
    assert ages_of(cells).tolist() == [58, 1, 60, 60, pd.NA, pd.NA, pd.NA]


# ---------------------------------------------------------------- ChestX-ray14
def test_chestxray14_has_the_makers_test_and_validation_by_patients(tmp_path: Path) -> None:
    found = read("chestxray14", files.write_chestxray14(tmp_path / "nih"))
    assert found.groupby("case_id")["published_subset"].nunique().max() == 1
    assert found["published_subset"].value_counts().to_dict() == {"train": 48, "test": 12}
    row = found.iloc[1]
    assert row[["member", "age", "sex", "figure_id"]].tolist() == [
        *("images/00000001_001.png", 31, "Female", "patient 1 visit 1"),
    ]
    settled = settle(found, ["Edema", "Effusion", "(none)"], found.attrs["vocabulary"]).candidates
    pairs = settled.assign(duplicate_cluster=settled["pair_id"], caption_cluster="")
    split = published(pairs, {"train": 0.6, "validation": 0.2, "test": 0.2}, 1)
    placed = pairs.merge(split, on="pair_id")
    assert placed.groupby("case_id")["subset"].nunique().max() == 1
    assert set(placed["subset"]) == {"train", "validation", "test"}


def test_a_label_that_chestxray14_does_not_know_and_an_empty_cell_are_rejections(
    tmp_path: Path,
) -> None:
    copy = files.write_chestxray14(tmp_path / "nih", [*FEW, ["Mystery"], []])
    table = copy / "Data_Entry_2017_v2020.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[-1] = lines[-1].replace("No Finding", "")
    table.write_text("\n".join([*lines, lines[1], ""]), encoding="utf-8")
    (copy / "train_val_list.txt").write_text("00000001_000.png\n", encoding="utf-8")
    found = read("chestxray14", copy)
    counts = screened("chestxray14", found).rejected["reason"].value_counts().to_dict()
    assert counts.pop("no_subset") > 0
    assert counts == {"repeated_row": 1, "unknown_label": 1, "malformed_list": 1}


def test_names_that_would_be_signs_of_our_own_are_none_of_chestxray14(tmp_path: Path) -> None:
    odd = [["Mass?"], ["?"], ["Mass", ""], ["", ""]]
    found = read("chestxray14", files.write_chestxray14(tmp_path / "nih", [*odd, ["Mass"], []]))
    assert found["malformed"].tolist() == [*["Finding Labels"] * 4, "", ""]


def test_the_first_table_of_chestxray14_has_a_comma_behind_its_lines(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["chestxray14"], tmp_path / "copy")
    path = copy / "Data_Entry_2017_v2020.csv"
    edited(lambda lines: [f"{line}," for line in lines])(path)
    path.rename(copy / "Data_Entry_2017.csv")
    pd.testing.assert_frame_equal(
        read("chestxray14", copy), read("chestxray14", copies["chestxray14"])
    )


def test_an_image_on_both_lists_of_chestxray14_is_refused(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["chestxray14"], tmp_path / "copy")
    shutil.copyfile(copy / "train_val_list.txt", copy / "test_list.txt")
    with pytest.raises(PairDxError, match="are in both lists"):
        read("chestxray14", copy)


def test_lists_of_chestxray14_may_have_a_mark_and_are_text(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["chestxray14"], tmp_path / "copy")
    for name in ("train_val_list.txt", "test_list.txt"):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(text, encoding="utf-8-sig")
    whole = read("chestxray14", copies["chestxray14"])
    assert read("chestxray14", copy)["published_subset"].equals(whole["published_subset"])
    (copy / "test_list.txt").write_text(text, encoding="utf-16")
    with pytest.raises(PairDxError, match="the list of test images is not text in UTF-8"):
        read("chestxray14", copy)
    for name in ("train_val_list.txt", "test_list.txt"):
        (copy / name).write_text("", encoding="utf-8")
    with pytest.raises(PairDxError, match="not one of 6 images has a subset there"):
        read("chestxray14", copy)


@pytest.mark.slow
def test_subsets_that_are_not_asked_for_need_no_images(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["chexpert"], tmp_path / "copy")
    shutil.rmtree(copy / "train")
    (copy / "train.csv").unlink()
    found = read("chexpert", copy, subsets=["valid", "test"])
    assert found["published_subset"].value_counts().to_dict() == {"validation": 2, "test": 2}
    only = read("chestxray14", copies["chestxray14"], subsets=["test"])
    assert set(only["published_subset"]) == {"test"}
    only = read("mimic_cxr", copies["mimic_cxr"], subsets=["validate"])
    assert set(only["published_subset"]) == {"validation"}


# ---------------------------------------------------------------- MIMIC-CXR
@pytest.mark.slow
def test_captions_are_the_wanted_sections_of_the_study(copies: dict[str, Path]) -> None:
    found = read("mimic_cxr", copies["mimic_cxr"], sections=["impression"])
    found = found[found["left_out"] == ""].set_index("figure_id")["caption"]
    assert found["study 50000002"] == "pleural effusion; edema."
    assert found["study 50000004"] == ""
    without = read("mimic_cxr", copies["mimic_cxr"], sections=None, reports="nowhere")
    assert (without["caption"] == "").all()
    assert "captions" in readers()["mimic_cxr"].lacks({"sections": None})
    assert screened("mimic_cxr", without, sections=None).rejected["reason"].eq("other_view").all()


@pytest.mark.slow
def test_reports_are_read_from_a_folder_too(copies: dict[str, Path], tmp_path: Path) -> None:
    zipped = read("mimic_cxr", copies["mimic_cxr"])
    shutil.unpack_archive(copies["mimic_cxr"] / "mimic-cxr-reports.zip", tmp_path / "reports")
    folder = read("mimic_cxr", copies["mimic_cxr"], reports=str(tmp_path / "reports"))
    pd.testing.assert_frame_equal(zipped, folder)
    beside = shutil.copytree(copies["mimic_cxr"], tmp_path / "beside")
    shutil.move(tmp_path / "reports", beside / "mimic-cxr-reports")
    (beside / "mimic-cxr-reports.zip").unlink()
    pd.testing.assert_frame_equal(zipped, read("mimic_cxr", beside))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PairDxError, match="not one of 6 reports is there"):
        read("mimic_cxr", copies["mimic_cxr"], reports=str(tmp_path / "empty"))


@pytest.mark.slow
def test_a_study_with_two_rows_of_labels_counts_once_or_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = files.write_mimic_cxr(tmp_path / "mimic", FEW, gzipped=False)
    path = copy / "mimic-cxr-2.0.0-chexpert.csv"
    edited(lambda lines: [*lines, lines[1]])(path)
    assert len(read("mimic_cxr", copy)) == 11
    assert "1 rows are repeated" in caplog.text
    edited(lambda lines: [*lines[:-1], lines[1].replace("1.0", "-1.0")])(path)
    with pytest.raises(PairDxError, match=r"say something else, .* study_id 50000000"):
        read("mimic_cxr", copy)
    edited(lambda lines: lines[:-2])(path)  # the last study has no labels at all
    found = read("mimic_cxr", copy)
    assert (found["findings"] == "?").sum() == 1
    assert "of 1 images nothing is known" in caplog.text


def test_reports_that_are_no_text_count_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = files.write_mimic_cxr(tmp_path / "mimic", FEW[:3], laterals=0, zipped=False)
    first, second, third = sorted(copy.glob("mimic-cxr-reports/files/*/*/*.txt"))
    first.write_text(first.read_text(encoding="utf-8"), encoding="utf-16-le")
    second.write_bytes(b"FINDINGS: \xff\xfe\x80.")
    assert (read("mimic_cxr", copy)["caption"] != "").tolist() == [False, False, True]
    assert "2 reports are no text in UTF-8" in caplog.text
    third.write_bytes(b"\xff")
    with pytest.raises(PairDxError, match="not one of 3 reports is text in UTF-8"):
        read("mimic_cxr", copy)


@pytest.mark.parametrize("name", ["mimic_cxr", "open_i"])
def test_sections_that_no_report_has_are_refused(name: str, copies: dict[str, Path]) -> None:
    with pytest.raises(PairDxError, match=r"not one of \d reports has a text in the sections "):
        read(name, copies[name], sections=["technique"], without_sections="nothing")


# ---------------------------------------------------------------- CheXpert
def test_chexpert_is_read_with_views_patients_and_states(copies: dict[str, Path]) -> None:
    found = read("chexpert", copies["chexpert"]).set_index("pair_id")
    first = found.loc["train_patient00001_study1_view1_frontal"]
    assert first[["case_id", "age", "sex"]].tolist() == ["train patient00001", 40, "Female"]
    assert found.loc["train_patient00001_study1_view2_lateral", "left_out"] == "other_view"
    train = found["published_subset"] == "train"
    assert found.loc[train, "findings"].str.contains("?", regex=False).any()
    assert not found.loc[~train, "findings"].str.contains("?", regex=False).any()
    zeros = read("chexpert", copies["chexpert"], uncertain="zeros")
    assert not zeros["findings"].str.contains("?", regex=False).any()


@pytest.mark.slow
def test_test_labels_of_chexpert_can_be_by_study(tmp_path: Path) -> None:
    subsets = {"train": 2, "valid": 2, "test": 6}
    by_image = read("chexpert", files.write_chexpert(tmp_path / "a", subsets))
    by_study = read("chexpert", files.write_chexpert(tmp_path / "b", subsets, by_study=True))
    columns = ["pair_id", "findings", "member", "left_out"]
    assert by_study[columns].equals(by_image[columns])


def test_paths_that_are_none_of_the_layout_are_refused(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["chexpert"], tmp_path / "copy")
    edited(lambda lines: [lines[0], lines[1].replace("patient", "person"), *lines[2:]])(
        copy / "valid.csv"
    )
    with pytest.raises(PairDxError, match="1 paths are none of the layout"):
        read("chexpert", copy)


def test_a_study_that_is_none_of_the_layout_is_named_as_the_table_has_it(tmp_path: Path) -> None:
    copy = files.write_chexpert(tmp_path / "chex", {"test": 2}, by_study=True)
    edited(lambda lines: [lines[0], f"foo,{lines[1].split(',', 1)[1]}", *lines[2:]])(
        copy / "groundtruth.csv"
    )
    with pytest.raises(PairDxError, match=r"1 studies are none .* such as 'foo'[^*]*column Study"):
        read("chexpert", copy, subsets=["test"])


# ---------------------------------------------------------------- VinDr-CXR
@pytest.mark.slow
def test_radiologists_of_vindr_are_settled_by_majority_or_any(tmp_path: Path) -> None:
    copy = files.write_vindr_cxr(tmp_path / "vin", 6, 3)
    path = copy / "annotations" / "image_labels_train.csv"
    found = read("vindr_cxr", copy)
    assert found["published_subset"].value_counts().to_dict() == {"train": 6, "test": 3}
    assert found.attrs["vocabulary"][-1] == "Other diseases"
    # Take one of the two voices of the first image away: one of three is no majority.
    edited(lambda lines: [lines[0], lines[1].replace("1.0", "0.0"), *lines[2:]])(path)
    fewer = read("vindr_cxr", copy)
    assert found["findings"][0]
    assert fewer["findings"][0] == ""
    assert read("vindr_cxr", copy, readers="any")["findings"].equals(found["findings"])
    edited(lambda lines: [lines[0], lines[1].replace("0.0", "maybe", 1), *lines[2:]])(path)
    odd = read("vindr_cxr", copy)["malformed"]
    assert odd.tolist() == ["Aortic enlargement", *[""] * 8]
    # Nor is an empty cell a nought.
    edited(lambda lines: [lines[0], lines[1].replace("maybe", ""), *lines[2:]])(path)
    assert read("vindr_cxr", copy)["malformed"].equals(odd)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"Edema": "Oedema"}, r"train labels lacks the column\(s\) Edema"),
        ({"rad_id": "Scar"}, r"only one of the two tables has the column\(s\) Scar"),
    ],
)
def test_images_of_vindr_are_not_free_of_what_their_table_does_not_ask(
    columns: dict[str, str], said: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["vindr_cxr"], tmp_path / "copy")
    path = copy / "annotations" / "image_labels_train.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows.rename(columns=columns).to_csv(path, index=False)
    with pytest.raises(PairDxError, match=said):
        read("vindr_cxr", copy)


def test_dicom_alone_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="there are 6 DICOM images, which are not read"):
        read("vindr_cxr", files.write_vindr_cxr(tmp_path / "vin", 4, 2, ending="dicom"))


# ---------------------------------------------------------------- PadChest
@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("['cardiomegaly', ' pleural  effusion']", "cardiomegaly|pleural effusion"),
        ("['normal']", ""),
        ("[]", ""),
        ("['', 'nodule', 'nodule']", "nodule"),
        ("", "?"),
        ("nan", "?"),
        ("['cardiomegaly'", None),
        ("cardiomegaly", None),
        ("[1]", None),
        # Names that would be read as signs of our own, or cannot be written.
        ("['nodule?']", None),
        ("['?']", None),
        ("['nodule|pneumonia']", None),
        (r"['\ud800']", None),
        ("{'a': 1}", None),
    ],
)
def test_lists_of_padchest_are_read_and_nothing_is_executed(cell: str, found: str | None) -> None:
    assert labels_of(cell) == found


def test_padchest_has_ages_views_and_those_who_labelled(copies: dict[str, Path]) -> None:
    found = read("padchest", copies["padchest"])
    assert len(found) == 9
    assert found["age"].tolist()[0] == 70
    assert len(read("padchest", copies["padchest"], labels_by=None)) == 10
    assert (read("padchest", copies["padchest"], labels_by=None)["left_out"] != "").sum() == 1


@pytest.mark.parametrize("birth", ["19.5", "inf", "1e9", "old"])
def test_years_of_birth_that_are_none_give_no_age(
    birth: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["padchest"], tmp_path / "copy")
    rows = pd.read_csv(copy / TABLES["padchest"], dtype=str, keep_default_na=False)
    rows.loc[0, "PatientBirth"] = birth
    rows.to_csv(copy / TABLES["padchest"], index=False)
    assert read("padchest", copy)["age"].tolist()[:2] == [pd.NA, 70]


def test_tables_of_padchest_are_told_from_their_remains_and_lists_from_text(
    copies: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(copies["padchest"], tmp_path / "copy")
    path = copy / TABLES["padchest"]
    for ending in (".bak", ".zz.csv.part"):
        shutil.copy(path, f"{path}{ending}")
    tables = readers()["padchest"].tables({"path": str(copy)}, DEFAULTS)
    assert tables["table"] == str(path)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[0, "Labels"] = "nodule; mass"
    table.to_csv(path, index=False)
    assert read("padchest", copy, labels_by=None)["malformed"].tolist()[:2] == ["Labels", ""]
    assert "1 cells of Labels are no lists of names, such as 'nodule; mass'" in caplog.text
    table.assign(Labels="nodule").to_csv(path, index=False)
    with pytest.raises(PairDxError, match=r"not one of 10 cells .* list .* 'nodule'"):
        read("padchest", copy, labels_by=None)


@pytest.mark.slow
def test_images_of_16_bits_are_read_as_those_of_8_that_they_were_made_of(tmp_path: Path) -> None:
    """And of files that no reader knows the meaning of, they are still refused."""
    deep = files.write_padchest(tmp_path / "deep", 4, deep=True)
    flat = files.write_padchest(tmp_path / "flat", 4)
    members = read("padchest", deep)["member"]
    facts = []
    for folder in (deep, flat):
        wanted = pd.DataFrame({"row": range(len(members)), "member": members})
        facts.append(inspect_archive(wanted, folder, curation.OFFICIAL["images"]))
    assert (facts[0]["reason"] == "").all()
    assert facts[0]["perceptual_hash"].equals(facts[1]["perceptual_hash"])
    with open_store(deep) as store:
        member = members[0].removesuffix(LINEAR)
        assert decode(store.read(member)) == TOO_DEEP
        image = decode(store.read(members[0]))
        assert store.size(members[0]) == len(store.read(member))
    with open_store(flat) as store:
        assert np.array_equal(np.asarray(image), np.asarray(decode(store.read(member))))


# ---------------------------------------------------------------- Open-I
def test_terms_and_sections_of_open_i(copies: dict[str, Path]) -> None:
    found = read("open_i", copies["open_i"])
    assert len(found) == 8
    assert found["case_id"].nunique() == 4
    drawn = files.drawn_findings(4)
    named = {"Atelectasis": "Pulmonary Atelectasis", "Edema": "Pulmonary Edema"}
    wanted = ["|".join(named.get(one, one) for one in one_report) for one_report in drawn]
    assert found["findings"].tolist()[::2] == wanted
    assert found["caption"].tolist()[2] == ""
    assert "No acute disease" in found["caption"][0]
    assert set(screened("open_i", found).rejected["reason"]) == {"empty_caption"}
    both = read("open_i", copies["open_i"], terms="all")
    assert both["findings"].str.contains("lungs").all()


def test_reports_of_open_i_that_cannot_be_read_are_told(
    copies: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(copies["open_i"], tmp_path / "copy")
    (copy / "ecgen-radiology" / "1.xml").write_text("<eCitation>", encoding="utf-8")
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    (copy / "ecgen-radiology" / "2.xml").write_text(bomb, encoding="utf-16")
    bare = "<eCitation/>"
    (copy / "ecgen-radiology" / "3.xml").write_text(bare, encoding="utf-8")
    for at, encoding in enumerate(("shift_jis", "foo-9", "hex", "idna"), 5):
        text = f'<?xml version="1.0" encoding="{encoding}"?>{bare}'
        (copy / "ecgen-radiology" / f"{at}.xml").write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert len(read("open_i", copy)) == 2
    assert "6 reports are no XML, such as ecgen-radiology/1.xml" in caplog.text
    assert "1 reports name no image, such as ecgen-radiology/3.xml" in caplog.text
    shutil.rmtree(copy / "ecgen-radiology")
    with pytest.raises(PairDxError, match="there are no reports"):
        read("open_i", copy)


@pytest.mark.parametrize("term", ["Edema?", "Edema|Mass", "/mild", "", "?"])
def test_a_term_of_open_i_that_is_no_name_is_a_rejection(
    term: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["open_i"], tmp_path / "copy")
    path = copy / "ecgen-radiology" / "1.xml"
    text = path.read_text(encoding="utf-8")
    text = re.sub("<major>.*</major>", f"<major>{term}</major>", text)
    path.write_text(text, encoding="utf-8")
    assert read("open_i", copy)["malformed"].tolist() == [*["MeSH"] * 2, *[""] * 6]


def test_a_report_of_open_i_without_an_identifier_is_called_after_its_file(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["open_i"], tmp_path / "copy")
    for path in (copy / "ecgen-radiology").glob("*.xml"):
        path.write_text(re.sub("<uId.*?/>", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert read("open_i", copy)["case_id"].tolist()[::2] == [f"report {at}" for at in range(1, 5)]


# ---------------------------------------------------------------- real files
def test_real_images_in_the_layout_of_chestxray14(tmp_path: Path) -> None:
    """Where PAIRDX_REAL_DATA names a folder that has real_cxr: a test of code on real files."""
    real = Path(os.environ.get("PAIRDX_REAL_DATA", "")) / "real_cxr"
    if "PAIRDX_REAL_DATA" not in os.environ or not (real / "facts.csv").is_file():
        pytest.skip("PAIRDX_REAL_DATA names no folder with real_cxr")
    found = read("chestxray14", files.write_real_chestxray14(real, tmp_path / "nih"))
    assert len(found) == 260
    kept = screened("chestxray14", found)
    assert len(kept.rejected) == 0
    counts = files.positives(real)
    truth = kept.candidates["findings"].str.split("|").explode().value_counts()
    assert {name: int(truth[name]) for name in counts if name != "No Finding"} == {
        name: number for name, number in counts.items() if name != "No Finding"
    }
    assert np.isin(kept.candidates["published_subset"], ["train", "test"]).all()
