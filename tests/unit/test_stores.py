"""Zip files and folders are read alike, and no name leads out of them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from pairdx.errors import PairDxError
from pairdx.files import write_json
from pairdx.stores import DamagedMemberError, LeadsOutError, climbs_out, open_store

MEMBERS = {"table.csv": b"a,b\n", "images/one.png": b"first", "images/two.png": b""}
OUTSIDE = ["../secret", "images/../../secret", "..\\secret", "/etc/passwd", "C:\\secret", ""]


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.mkdir("images")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(params=["folder", "zip", "download"])
def store_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same files in a folder, a zip file and a download, with a secret beside them."""
    (tmp_path / "secret").write_text("not for you", encoding="utf-8")
    if request.param == "zip":
        return write_zip(tmp_path / "corpus.zip", MEMBERS)
    folder = tmp_path / "corpus"
    (folder / "images").mkdir(parents=True)
    if request.param == "folder":
        for name, content in MEMBERS.items():
            (folder / name).write_bytes(content)
        return folder
    (folder / "table.csv").write_bytes(MEMBERS["table.csv"])
    write_zip(folder / "1.zip", {"images/one.png": MEMBERS["images/one.png"]})
    write_zip(folder / "2.ZIP", {"images/two.png": MEMBERS["images/two.png"]})
    write_zip(folder / "not listed.zip", {"absent": b"an older download"})
    (folder / "absent").write_bytes(b"not listed either")
    write_json(folder / "manifest.json", dict.fromkeys(["table.csv", "1.zip", "2.ZIP"], "0"))
    return folder / "manifest.json"


def test_a_folder_a_zip_file_and_a_download_give_the_same_files(store_path: Path) -> None:
    with open_store(store_path) as store:
        assert sorted(store.members()) == sorted(MEMBERS)
        assert {name: store.read(name) for name in MEMBERS} == MEMBERS
        assert {name: store.size(name) for name in MEMBERS} == {
            name: len(content) for name, content in MEMBERS.items()
        }


@pytest.mark.parametrize("member", [*OUTSIDE, "absent", "images", "images/", "x\0y"])
def test_missing_and_outside_members_are_key_errors(store_path: Path, member: str) -> None:
    with open_store(store_path) as store:
        for ask in (store.read, store.size):
            with pytest.raises(KeyError):
                ask(member)


SPELLED_OTHERWISE = {
    "backslashes": "PMC1\\PMC10\\Übersicht.webp",
    "a dot": "./PMC1/PMC10/Übersicht.webp",
    "two strokes": "PMC1//PMC10/Übersicht.webp",
    "a top folder": "corpus/PMC1/PMC10/Übersicht.webp",
    "a top folder with backslashes": ".\\Corpus\\PMC1\\PMC10\\Übersicht.webp",
    "other capitals": "pmc1/PMC10/ÜBERSICHT.WebP",
    "decomposed letters": unicodedata.normalize("NFD", "PMC1/PMC10/Übersicht.webp"),
}


@pytest.mark.parametrize("form", ["folder", "zip", "download"])
@pytest.mark.parametrize("spelled", SPELLED_OTHERWISE)
def test_other_spellings_of_a_name_are_found(tmp_path: Path, form: str, spelled: str) -> None:
    wanted, name = "PMC1/PMC10/Übersicht.webp", SPELLED_OTHERWISE[spelled]
    others = {"__MACOSX/PMC1/PMC10/Übersicht.webp": b"shadow", "PMC1/PMC10/other": b"other"}
    if form == "folder":
        for file, content in {name: b"first", **others}.items():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes(content)
        path = tmp_path
    else:
        path = write_zip(tmp_path / "corpus.zip", {name: b"first", **others})
        if form == "download":
            write_json(tmp_path / "manifest.json", {"corpus.zip": "0"})
            path = tmp_path / "manifest.json"
    with open_store(path) as store:
        assert store.read(wanted) == b"first"
        assert store.size(wanted) == 5
        # A disk has no path with `./` or `//`; in a zip file they are parts of a name.
        assert (tmp_path / store.find(wanted) == tmp_path / name) or store.find(wanted) == name
        with pytest.raises(KeyError):
            store.read("PMC10/absent.webp")


def test_the_very_name_wins_and_what_could_be_several_is_none_of_them(tmp_path: Path) -> None:
    members = {"a/X.png": b"capital", "a/x.png": b"small", "b/a/y.png": b"1", "c/a/y.png": b"2"}
    with open_store(write_zip(tmp_path / "corpus.zip", members)) as store:
        assert store.read("a/X.png") == b"capital"
        assert store.read("a/x.png") == b"small"
        with pytest.raises(DamagedMemberError, match=r"several .* a/X\.png, a/x\.png"):
            store.read("A/x.png")
        with pytest.raises(DamagedMemberError, match=r"several .* b/a/y\.png, c/a/y\.png"):
            store.read("a/y.png")


def test_no_spelling_leads_out(tmp_path: Path) -> None:
    """Neither a wanted name nor one in the archive that only means the wanted one if it climbs."""
    (tmp_path / "secret").write_bytes(b"not for you")
    members = {"..\\SECRET": b"x", "C:\\Secret": b"x", "/secret": b"x", "a/../Secret": b"x"}
    archive = write_zip(tmp_path / "corpus.zip", members)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "Secret.png").symlink_to(tmp_path / "secret")
    for path in (archive, tmp_path / "corpus"):
        with open_store(path) as store:
            for name in ("secret", "secret.png", "../secret", "..\\secret", "a/../secret"):
                with pytest.raises(KeyError):
                    store.read(name)


def test_a_name_that_no_disk_can_hold_is_one_unreadable_member(store_path: Path) -> None:
    with open_store(store_path) as store, pytest.raises((KeyError, DamagedMemberError)):
        store.read("x" * 9000)


def test_an_unsafe_name_inside_a_zip_file_is_listed_but_not_read(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.writestr("../climber", b"x")
    with open_store(tmp_path / "corpus.zip") as store:
        assert store.members() == ["../climber"]
        with pytest.raises(KeyError):
            store.read("../climber")


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "images").mkdir(parents=True)
    (corpus / "images" / "one").write_bytes(b"first")
    (tmp_path / "secret").write_bytes(b"not for you")
    (corpus / "inside").symlink_to(corpus / "images" / "one")
    (corpus / "outside").symlink_to(tmp_path / "secret")
    (corpus / "up").symlink_to(tmp_path)
    (corpus / "circle").symlink_to(corpus / "circle")
    (tmp_path / "linked").symlink_to(corpus)  # the folder itself may be a link
    with open_store(tmp_path / "linked") as store:
        assert store.read("inside") == b"first"
        for member in ("outside", "up/secret", "circle"):
            with pytest.raises(KeyError):
                store.read(member)
        with pytest.raises(LeadsOutError) as caught:
            store.read("up/secret")
        assert caught.value.target == (tmp_path / "secret").resolve()


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    with open_store(tmp_path) as store, pytest.raises(KeyError):
        store.read("pipe")


def test_a_damaged_entry_leaves_the_others_readable(tmp_path: Path) -> None:
    path = tmp_path / "corpus.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("first", bytes(range(256)))
        archive.writestr("second", b"sound")
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with open_store(path) as store:
        with pytest.raises(DamagedMemberError, match="damaged archive entry"):
            store.read("first")
        assert store.read("second") == b"sound"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_whole_zip_file_is_an_error_with_a_remedy(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "corpus.zip"
    path.write_bytes(content)
    with (
        pytest.raises(PairDxError, match=r"not a whole zip file[\s\S]*corpus\.zip[\s\S]*again"),
        open_store(path),
    ):
        pytest.fail("opened")


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(PairDxError, match=r"archive of the corpus is missing[\s\S]*PMC1\.zip"),
        open_store(tmp_path / "PMC1.zip"),
    ):
        pytest.fail("opened")


@pytest.mark.parametrize("content", [["a.zip"], {"../a.zip": "0"}, {"/a.csv": "0"}, 3])
def test_a_manifest_names_files_beside_it_only(tmp_path: Path, content: object) -> None:
    write_json(tmp_path / "down.json", content)
    with (
        pytest.raises(PairDxError, match=r"no manifest[\s\S]*down\.json"),
        open_store(tmp_path / "down.json"),
    ):
        pytest.fail("opened")


def test_a_downloads_damaged_or_missing_zip_file_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "down.json", {"a.zip": "0"})
    for message in ("missing", "not a whole zip file"):
        with (
            pytest.raises(PairDxError, match=rf"{message}[\s\S]*a\.zip"),
            open_store(tmp_path / "down.json"),
        ):
            pytest.fail("opened")
        (tmp_path / "a.zip").write_bytes(b"half of it")


def test_an_error_of_the_reader_is_not_taken_for_a_damaged_store(store_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), open_store(store_path):
        raise OSError("mine")


@pytest.mark.parametrize("member", ["a/b", "a..b/c", "..a", "image.v1.png", "a/.hidden"])
def test_ordinary_names_do_not_climb(member: str) -> None:
    assert not climbs_out(member)
