"""The published PairDx is read from any of the forms it may come in; what does not fit is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from curation_samples import SETTINGS as CURATION
from pairdx.corpus.release.reading import locate, read
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from pairdx.files import write_json
from pairdx.stores import open_store

METADATA = "image_metadata.csv"
SETTINGS: dict[str, Any] = {
    "metadata": METADATA,
    "images": "images",
    "columns": {
        "pair_id": "image_id",
        "label": "modality",
        "file": "filename",
        "caption": "caption",
        "subset": "split",
    },
    "labels": {},
    "subsets": {"train": "train", "val": "validation", "test": "test"},
    "article_pattern": r"^(PMC\d+)",
    "licence": "CC BY",
}
ROWS = pd.DataFrame(
    {
        "image_id": ["i1", "i2", "i3"],
        "modality": ["Medical Photograph", "chart", "Ophthalmic-Imaging"],
        "filename": ["PMC10018421_fig1.webp", "PMC10018421_fig2.webp", "i3.webp"],
        "caption": ["Lésion, left arm.", "NA", ""],
        "split": ["Train", "VAL", "test "],
    }
)


def release(folder: Path, table: pd.DataFrame = ROWS) -> Path:
    """Write a release: its images hold their own names."""
    (folder / "images").mkdir(parents=True)
    table.to_csv(folder / METADATA, index=False)
    for name in ROWS["filename"]:
        (folder / "images" / name).write_text(name, encoding="utf-8")
    return folder


def read_release(source: Path, settings: dict[str, Any]) -> pd.DataFrame:
    return read({"release": source}, settings)


def zipped(folder: Path, path: Path, top: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, f"{top}{file.relative_to(folder)}")
    return path


def manifest(folder: Path, *names: str) -> Path:
    write_json(folder / "manifest.json", dict.fromkeys(names, "0" * 64))
    return folder / "manifest.json"


def in_form(form: str, tmp_path: Path) -> Path:
    folder = release(tmp_path / "made")
    down = tmp_path / "down"
    if form == "folder":
        return folder
    if form == "folder below a folder":
        return Path(shutil.copytree(folder, down / "PairDx")).parent
    if form == "zip":
        return zipped(folder, down / "PairDx.zip")
    if form == "zip with a top folder":
        return zipped(folder, down / "PairDx.zip", top="PairDx-1.0/")
    if form == "manifest of a zip":
        zipped(folder, down / "PairDx.zip", top="PairDx-1.0/")
        with ZipFile(down / "code.zip", "w") as archive:
            archive.writestr("README", "")
        return manifest(down, "PairDx.zip", "code.zip", "LICENSE.txt")
    if form == "manifest of a table and a zip of images":
        zipped(folder / "images", down / "images.zip", top="images/")
        shutil.copy(folder / METADATA, down)
        return manifest(down, METADATA, "images.zip")
    shutil.copytree(folder, down)
    return manifest(down, METADATA, *(f"images/{name}" for name in ROWS["filename"]))


@pytest.mark.parametrize(
    "form",
    [
        "folder",
        "folder below a folder",
        "zip",
        "zip with a top folder",
        "manifest of a zip",
        "manifest of a table and a zip of images",
        "manifest of files",
    ],
)
def test_every_form_of_the_release_gives_the_same_rows_and_images(
    tmp_path: Path, form: str
) -> None:
    source = in_form(form, tmp_path)
    table = read_release(source, SETTINGS)
    plain = read_release(tmp_path / "made", SETTINGS)
    pd.testing.assert_frame_equal(table.drop(columns="member"), plain.drop(columns="member"))
    with open_store(source) as store:
        names = [store.read(member).decode() for member in table["member"]]
    assert names == ROWS["filename"].tolist()


def test_rows_are_told_in_the_words_of_the_workflow(tmp_path: Path) -> None:
    table = read_release(release(tmp_path / "release"), SETTINGS)
    assert table["row"].tolist() == [0, 1, 2]
    assert table["pair_id"].tolist() == ["i1", "i2", "i3"]
    assert table["label"].tolist() == ["medical_photograph", "chart", "ophthalmic_imaging"]
    assert table["published_subset"].tolist() == ["train", "validation", "test"]
    assert table["caption"].tolist() == ["Lésion, left arm.", "NA", ""]
    assert set(table["archive"]) == {"release"}
    assert set(table["licence"]) == {"CC BY"}
    assert table["age"].isna().all()
    assert table["age"].dtype == "Int64"
    assert (table[["subtype", "sex", "year", "text_labels", "malformed"]] == "").all(axis=None)
    assert not table.drop(columns="age").isna().any(axis=None)


def test_articles_come_from_file_names_and_other_images_stand_alone(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    table = read_release(folder, SETTINGS)
    assert table["article_id"].tolist() == ["PMC10018421", "PMC10018421", "i3.webp"]
    assert table["case_id"].tolist() == table["article_id"].tolist()
    without_group = read_release(folder, SETTINGS | {"article_pattern": r"^PMC\d+"})
    assert without_group["article_id"].tolist() == table["article_id"].tolist()


def test_released_names_of_classes_may_be_listed(tmp_path: Path) -> None:
    labels = {"Medical Photograph": "medical_photograph", "chart": "electrography"}
    table = read_release(release(tmp_path / "release"), SETTINGS | {"labels": labels})
    assert table["label"].tolist() == ["medical_photograph", "electrography", "ophthalmic_imaging"]


def test_a_release_without_subsets_has_none(tmp_path: Path) -> None:
    folder = release(tmp_path / "release", ROWS.drop(columns="split"))
    columns = SETTINGS["columns"] | {"subset": None}
    table = read_release(folder, SETTINGS | {"columns": columns})
    assert table["published_subset"].tolist() == ["", "", ""]
    with pytest.raises(PairDxError, match=r"`source\.columns\.subset`"):
        read_release(folder, SETTINGS)


def test_repeated_and_unsafe_rows_are_left_to_curation(tmp_path: Path) -> None:
    unsafe = ROWS.iloc[[0]].assign(filename="../../secret")
    folder = release(tmp_path / "release", pd.concat([ROWS, ROWS.iloc[[1]], unsafe]))
    table = read_release(folder, SETTINGS)
    assert table["pair_id"].tolist() == ["i1", "i2", "i3", "i2", "i1"]
    assert table["file"].iloc[-1] == "../../secret"


def test_images_may_lie_in_folders_and_those_of_one_name_stay_apart(tmp_path: Path) -> None:
    names = ["ecg/0001.png", "echo\\0001.png", "./PMC7/0001.png"]
    folder = release(tmp_path / "release", ROWS.assign(filename=names))
    for name in ("ecg", "echo", "PMC7"):
        (folder / "images" / name).mkdir()
        (folder / "images" / name / "0001.png").write_text(name, encoding="utf-8")
    table = read_release(folder, SETTINGS | {"article_pattern": "(?:^|/)(PMC[0-9]+)"})
    assert table["file"].tolist() == ["0001.png"] * 3
    assert table["figure_id"].tolist() == ["ecg/0001.png", "echo/0001.png", "PMC7/0001.png"]
    assert table["article_id"].tolist() == ["ecg/0001.png", "echo/0001.png", "PMC7"]
    with open_store(folder) as store:
        found = [store.read(member).decode() for member in table["member"]]
    assert found == ["ecg", "echo", "PMC7"]


@pytest.mark.parametrize(
    "name", ["../secret.png", "ecg/../../secret.png", "/etc/secret.png", "C:\\secret.png", "ecg/"]
)
def test_a_path_that_leaves_its_folder_or_names_no_file_is_rejected_and_counted(
    tmp_path: Path, name: str
) -> None:
    rows = ROWS.assign(filename=[name, *ROWS["filename"][1:]])
    table = read_release(release(tmp_path / "release", rows), SETTINGS)
    assert table["file"].iloc[0] == name
    settings = CURATION | {"classes": ["medical_photograph", "chart"], "modalities": None}
    screening = screen_tables(table, settings, subset=None, seed=1)
    rejected = screening.rejected.set_index("pair_id")["reason"]
    assert rejected["i1"] == "unsafe_file_name"
    assert rejected["i3"] == "unknown_class"


def test_identifiers_that_could_not_name_a_file_are_refused_at_once(tmp_path: Path) -> None:
    folder = release(tmp_path / "release", ROWS.assign(image_id=["a/1", "a/2", "3"]))
    with pytest.raises(PairDxError, match=r"2 identifiers[\s\S]*`source\.columns\.pair_id`"):
        read_release(folder, SETTINGS)


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    ROWS.to_csv(folder / METADATA, index=False, encoding="utf-8-sig")
    assert read_release(folder, SETTINGS)["pair_id"].tolist() == ["i1", "i2", "i3"]


def test_missing_columns_are_named_with_their_keys_and_those_that_are_there(
    tmp_path: Path,
) -> None:
    folder = release(tmp_path / "release", ROWS.rename(columns={"filename": "image_path"}))
    message = r"filename[\s\S]*image_id, modality, image_path[\s\S]*`source\.columns\.file`"
    with pytest.raises(PairDxError, match=message):
        read_release(folder, SETTINGS)


def test_unknown_subsets_are_listed(tmp_path: Path) -> None:
    folder = release(tmp_path / "release", ROWS.assign(split=["train", "holdout", "extra"]))
    with pytest.raises(PairDxError, match=r"extra, holdout[\s\S]*`source\.subsets`"):
        read_release(folder, SETTINGS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"image_id,modality,filename,caption,split\n",
        b"image_id,modality,filename,caption,split\n1,2,3,4,5,6\n",
        b'image_id,modality,filename,caption,split\n"open',
        "image_id,modality,filename,caption,split\n1,chart,a,Lésion,test\n".encode("latin-1"),
    ],
    ids=["empty", "no rows", "surplus cells", "open quote", "latin-1"],
)
def test_what_is_no_table_in_utf8_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    folder = release(tmp_path / "release")
    (folder / METADATA).write_bytes(content)
    with pytest.raises(PairDxError, match=METADATA):
        read_release(folder, SETTINGS)


def test_images_in_another_folder_are_an_error_that_names_the_key(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    (folder / "images").rename(folder / "pictures")
    with pytest.raises(PairDxError, match=r"pictures/[\s\S]*`source\.images`"):
        read_release(folder, SETTINGS)
    assert len(read_release(folder, SETTINGS | {"images": "pictures"})) == 3


def test_single_missing_images_are_left_to_curation(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    (folder / "images" / "PMC10018421_fig1.webp").unlink()
    assert len(read_release(folder, SETTINGS)) == 3


def test_a_source_without_the_table_says_what_is_there(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    (folder / METADATA).rename(folder / "metadata.csv")
    path = zipped(folder, tmp_path / "down" / "PairDx.zip")
    source = manifest(path.parent, path.name, "LICENSE.txt")
    message = r"is none; found: LICENSE\.txt, images/, metadata\.csv[\s\S]*`source\.metadata`"
    with pytest.raises(PairDxError, match=message):
        read_release(source, SETTINGS)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda name: f"PairDx\\{name}".replace("/", "\\"),
        lambda name: f"./{name}",
        str.upper,
        lambda name: f"PairDx/{name}".title(),
    ],
)
def test_a_release_whose_zip_file_spells_paths_otherwise_is_read(
    tmp_path: Path, spelled: Callable[[str], str]
) -> None:
    folder = release(tmp_path / "made")
    with ZipFile(tmp_path / "PairDx.zip", "w") as archive:
        for file in filter(Path.is_file, folder.rglob("*")):
            name = spelled(file.relative_to(folder).as_posix())
            archive.writestr(name, file.read_bytes())
    table = read_release(tmp_path / "PairDx.zip", SETTINGS)
    with open_store(tmp_path / "PairDx.zip") as store:
        for file, member in zip(table["file"], table["member"], strict=True):
            assert store.read(member).decode() == file


def test_two_tables_are_not_chosen_from(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    for top in ("a", "b"):
        zipped(folder, tmp_path / "down" / f"{top}.zip", top=f"{top}/")
    source = manifest(tmp_path / "down", "a.zip", "b.zip")
    with pytest.raises(PairDxError, match=r"are 2; found: a/image_metadata\.csv, b/"):
        read_release(source, SETTINGS)


def test_a_table_deep_inside_or_of_a_similar_name_is_not_taken(tmp_path: Path) -> None:
    folder = release(tmp_path / "down" / "one" / "two")
    (tmp_path / "down" / f"._{METADATA}").write_text("", encoding="utf-8")
    with open_store(tmp_path / "down") as store, pytest.raises(PairDxError, match="is none"):
        locate(store, METADATA, "here")
    with open_store(folder.parent) as store:
        assert locate(store, METADATA, "here") == f"two/{METADATA}"


def test_a_table_that_is_a_link_out_of_the_release_is_not_read(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    (folder / METADATA).rename(tmp_path / "secret.csv")
    (folder / METADATA).symlink_to(tmp_path / "secret.csv")
    with pytest.raises(PairDxError, match="cannot be read"):
        read_release(folder, SETTINGS)


def test_a_wrong_pattern_of_articles_names_its_key(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    with pytest.raises(PairDxError, match=r"source\.article_pattern"):
        read_release(folder, SETTINGS | {"article_pattern": "("})
