"""The Croissant description is valid, and its own library reads the dataset through it, offline."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import mlcroissant as mlc
import numpy as np
import pandas as pd
import pytest
from etils import epath

from dataset_samples import CLASSES, FACTS, pairs_table, split_table, write_archives
from pairdx.corpus.drawn.description import TEXTS
from pairdx.corpus.table.description import TEXTS as OWN_TEXTS
from pairdx.dataset_archive import LAYOUT, archive_dataset
from pairdx.errors import PairDxError
from pairdx.files import sha256_of, write_json
from pairdx.images import decode
from pairdx.reporting.dataset.croissant import croissant

pytestmark = pytest.mark.slow


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairdx.zip and croissant.json, as the workflow leaves it."""
    folder = tmp_path_factory.mktemp("dataset")
    pairs = pairs_table()
    archives = write_archives(pairs, tmp_path_factory.mktemp("archives"))
    archive_dataset(pairs, split_table(pairs), archives, folder / "pairdx.zip", LAYOUT)
    described = croissant(pairs, folder / "pairdx.zip", LAYOUT, FACTS)
    write_json(folder / "croissant.json", described)
    return folder


@pytest.fixture(name="described")
def fixture_described(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "croissant.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def fixture_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    # The library unpacks into a cache that it names by the zip file's name.
    module = "mlcroissant._src.operation_graph.operations.extract"
    monkeypatch.setattr(f"{module}.EXTRACT_PATH", epath.Path(tmp_path / "cache"))


def records_of(folder: Path, record_set: str) -> list[dict[str, Any]]:
    dataset = mlc.Dataset(jsonld=str(folder / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    return [
        {
            key.split("/")[1]: value.decode() if isinstance(value, bytes) else value
            for key, value in record.items()
        }
        for record in dataset.records(record_set)
    ]


def test_records_read_through_the_description_are_the_pairs(folder: Path) -> None:
    records = pd.DataFrame(records_of(folder, "pairs")).set_index("pair_id")
    pairs = pairs_table().set_index("pair_id").loc[records.index]
    assert len(records) == len(pairs) == 8
    # "None" is a caption here, and one of the words that pandas takes for a missing value.
    words = pairs["caption"] != "None"
    assert records.loc[words, "caption"].tolist() == pairs.loc[words, "caption"].tolist()
    for column in ("label", "article_id", "case_id"):
        assert records[column].tolist() == pairs[column].tolist(), column
    split = split_table(pairs_table()).set_index("pair_id")["subset"]
    assert records["subset"].tolist() == split[records.index].tolist()
    for column in ("licence", "sex", "subtype"):
        assert records[column].fillna("").tolist() == pairs[column].tolist(), column
    assert records["age"].astype("Int64").equals(pairs["age"])
    years = pd.to_numeric(pairs["year"], errors="coerce").astype("Int64")
    assert records["year"].astype("Int64").equals(years.rename("year"))


def test_every_record_has_the_image_of_its_pair(folder: Path) -> None:
    with ZipFile(folder / "pairdx.zip") as archive:
        for record in records_of(folder, "pairs"):
            assert record["file"].startswith(record["pair_id"])
            stored = decode(archive.read(f"images/{record['file']}"))
            np.testing.assert_array_equal(np.asarray(record["image"].convert("RGB")), stored)


def test_classes_and_subsets_are_closed_lists(folder: Path) -> None:
    assert [record["name"] for record in records_of(folder, "classes")] == CLASSES
    names = [record["name"] for record in records_of(folder, "subsets")]
    assert names == ["train", "validation", "test"]


def test_the_description_states_what_is_known_and_invents_nothing(
    described: dict[str, Any], folder: Path
) -> None:
    assert described["license"] == ["CC BY", "CC BY-NC", "CC BY-NC-ND", "CC0", "unknown"]
    assert "datePublished" not in described
    assert described["conformsTo"][0] == "http://mlcommons.org/croissant/1.0"
    assert "Data 2025, 10(8), 123" in described["citeAs"]
    assert "8 pairs" in described["description"]
    sensitive = " ".join(described["rai:personalSensitiveInformation"])
    assert "reviewed 1 captions and 1 images of 8" in sensitive
    archive = described["distribution"][0]
    assert archive["sha256"] == sha256_of(folder / "pairdx.zip")


def test_a_damaged_zip_file_is_noticed(folder: Path, tmp_path: Path) -> None:
    """The checksum in the description is that of the very file."""
    content = bytearray((folder / "pairdx.zip").read_bytes())
    content[-200] ^= 1
    (tmp_path / "pairdx.zip").write_bytes(content)
    (tmp_path / "croissant.json").write_bytes((folder / "croissant.json").read_bytes())
    with pytest.raises(mlc.GenerationError, match="Download"):
        records_of(tmp_path, "pairs")


def test_a_demo_says_that_no_patient_is_shown_and_names_no_page(folder: Path) -> None:
    facts = FACTS | {"texts": TEXTS, "drawn": True, "url": None}
    described = croissant(pairs_table(), folder / "pairdx.zip", LAYOUT, facts)
    assert "no patient is shown" in described["description"]
    assert "url" not in described
    assert "rai:personalSensitiveInformation" not in described


def test_own_documents_are_no_case_reports(folder: Path) -> None:
    lacks = dict.fromkeys(("captions", "ages", "licences"), "no column")
    facts = FACTS | {"texts": OWN_TEXTS, "articles": False, "lacks": lacks}
    for groups in ({}, {"article_id": "patient"}):
        without = {} if groups else {"groups": "no column"}
        known = {"grouped_by": groups, "lacks": lacks | without}
        described = croissant(pairs_table(), folder / "pairdx.zip", LAYOUT, facts | known)
        written = json.dumps(
            [described["description"], described["recordSet"]]
            + [value for key, value in described.items() if key.startswith("rai:")]
        )
        assert not re.search(r"[Aa]rticles?\b|[Cc]ase report|figure|diseases|masked", written)
        assert ("Group by patient: a checksum" in written) == bool(groups)
        assert "A person reviewed 1 images of 8" in written


def test_errors_that_the_library_finds_are_the_users_to_read(folder: Path) -> None:
    with pytest.raises(PairDxError, match=r"mlcroissant finds errors[\s\S]*non empty list"):
        croissant(pairs_table(), folder / "pairdx.zip", LAYOUT, FACTS | {"classes": []})
