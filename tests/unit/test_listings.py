"""What a record or repository holds is read from its listing, and fetched by its checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pairdx.errors import PairDxError
from pairdx.fetching import (
    Patience,
    RemoteFile,
    download_all,
    hub_listing,
    select_files,
    zenodo_listing,
)
from web_server import Server, serving

KEY = "downloads.example.path"
HASTY = Patience(attempts=3, pause=0.0, connect=2.0, read=2.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def zenodo_file(server: Server, record: int, name: str, content: bytes) -> dict[str, Any]:
    path = f"/api/records/{record}/files/{name}/content"
    server.holds(path, content)
    checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {
        "id": "0d6b9a5e",
        "key": name,
        "size": len(content),
        "checksum": f"md5:{checksum}",
        "links": {"self": server.url(path)},
    }


def zenodo(server: Server, files: list[dict[str, Any]], record: int = 7) -> dict[str, RemoteFile]:
    server.holds_json(f"/api/records/{record}", {"id": record, "metadata": {}, "files": files})
    return zenodo_listing(record, base_url=server.base_url, config_key=KEY, patience=HASTY)


def test_a_records_files_are_listed_and_downloaded_by_their_checksums(
    server: Server, tmp_path: Path
) -> None:
    contents = {"cases.parquet": b"cases", "PMC1.zip": b"images"}
    listing = zenodo(server, [zenodo_file(server, 7, *item) for item in contents.items()])
    assert listing["PMC1.zip"].size == 6
    assert str(listing["PMC1.zip"].checksum).startswith("md5:")
    paths = download_all(listing, tmp_path, pinned={}, config_key=KEY, patience=HASTY)
    assert {name: path.read_bytes() for name, path in paths.items()} == contents


def test_a_changed_file_is_refused_by_the_listed_checksum(server: Server, tmp_path: Path) -> None:
    listing = zenodo(server, [zenodo_file(server, 7, "a.csv", b"1,2")])
    server.holds("/api/records/7/files/a.csv/content", b"1,3")
    with pytest.raises(PairDxError, match="wrong checksum"):
        download_all(listing, tmp_path, pinned={}, config_key=KEY, patience=HASTY)
    assert left_in(tmp_path) == []


def test_a_file_the_record_lacks_is_named_with_those_it_has(server: Server) -> None:
    listing = zenodo(server, [zenodo_file(server, 7, "multicare.zip", b"all")])
    with pytest.raises(PairDxError, match=r"no PMC1\.zip; it has: multicare\.zip") as raised:
        select_files(listing, ["PMC1.zip"], where="record 7", config_key=KEY)
    assert f"unpack it and set `{KEY}`" in str(raised.value)


def test_files_are_selected_in_the_order_wanted(server: Server) -> None:
    entries = [zenodo_file(server, 7, name, b"x") for name in "abc"]
    chosen = select_files(zenodo(server, entries), ["c", "a"], where="", config_key=KEY)
    assert list(chosen) == ["c", "a"]


def test_the_number_of_all_versions_is_refused(server: Server) -> None:
    """It leads to the latest version, so that the data would change one day."""
    server.holds_json("/api/records/6", {"id": 7, "files": []})
    with pytest.raises(PairDxError, match="the latest is 7"):
        zenodo_listing(6, base_url=server.base_url, config_key=KEY, patience=HASTY)


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "a//x", ".", "", "a\\..\\x", "a\nb", None, 3]
)
def test_a_name_that_leads_out_of_its_folder_is_refused(server: Server, name: Any) -> None:
    entry = zenodo_file(server, 7, "x", b"x") | {"key": name}
    with pytest.raises(PairDxError, match="leads out of its folder"):
        zenodo(server, [entry])


@pytest.mark.parametrize("content", [[], {"files": [{"key": "a"}]}, {"files": ["a"]}])
def test_an_unknown_format_is_explained(server: Server, content: Any) -> None:
    server.holds_json("/api/records/7", content)
    with pytest.raises(PairDxError, match="not in the format"):
        zenodo_listing(7, base_url=server.base_url, config_key=KEY, patience=HASTY)


def test_a_page_in_place_of_the_listing_is_explained(server: Server) -> None:
    server.holds("/api/records/7", b"<html>Please log in</html>")
    with pytest.raises(PairDxError, match="not in the format"):
        zenodo_listing(7, base_url=server.base_url, config_key=KEY, patience=HASTY)


def test_a_record_without_files_is_refused(server: Server) -> None:
    with pytest.raises(PairDxError, match="shows no files"):
        zenodo(server, [])


def test_a_missing_record_is_refused(server: Server) -> None:
    with pytest.raises(PairDxError, match="answered 404"):
        zenodo_listing(8, base_url=server.base_url, config_key=KEY, patience=HASTY)


def test_pages_of_a_tree_are_joined_and_every_file_is_verified(
    server: Server, tmp_path: Path
) -> None:
    small, large = b"hello\n", b"large" * 1000
    entries = [
        {"type": "directory", "path": "sub", "oid": "0" * 40, "size": 0},
        {
            "type": "file",
            "path": "model.safetensors",
            "oid": "1" * 40,
            "size": len(large),
            "lfs": {"oid": sha256(large), "size": len(large), "pointerSize": 134},
        },
        {
            "type": "file",
            "path": "sub/config.json",
            "oid": "ce013625030ba8dba906f756967f9e9ca394464a",
            "size": len(small),
        },
    ]
    tree = "/api/models/owner/name/tree/c0ffee"
    following = f'<{server.url(tree)}?cursor=2>; rel="next"'
    server.holds_json(tree, entries[:2], headers={"Link": following})
    server.holds_json(f"{tree}?cursor=2", entries[2:])
    server.holds("/owner/name/resolve/c0ffee/model.safetensors", large)
    server.holds("/owner/name/resolve/c0ffee/sub/config.json", small)
    listing = hub_listing(
        "owner/name", "c0ffee", base_url=server.base_url, config_key=KEY, patience=HASTY
    )
    assert str(listing["model.safetensors"].checksum) == f"sha256:{sha256(large)}"
    assert server.requests[0][0] == f"{tree}?recursive=true"
    paths = download_all(listing, tmp_path, pinned={}, config_key=KEY, patience=HASTY)
    assert paths["model.safetensors"].read_bytes() == large
    assert (tmp_path / "sub" / "config.json").read_bytes() == small


@pytest.mark.parametrize("page", [{}, ["a"], [{"type": "file", "path": "a"}]])
def test_an_unknown_format_of_a_repository_is_explained(server: Server, page: Any) -> None:
    server.holds_json("/api/models/o/n/tree/main", page)
    with pytest.raises(PairDxError, match="not in the format"):
        hub_listing("o/n", "main", base_url=server.base_url, config_key=KEY, patience=HASTY)
