"""What readers say of themselves: where their files lie, whence they come, how they are read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pairdx.corpus.bach import description as bach
from pairdx.corpus.chestxray14 import description as chestxray14
from pairdx.corpus.chexpert import description as chexpert
from pairdx.corpus.crc import description as crc
from pairdx.corpus.drawn import description as drawn
from pairdx.corpus.mimic_cxr import description as mimic_cxr
from pairdx.corpus.multicare import description as multicare
from pairdx.corpus.multicare_chest import description as multicare_chest
from pairdx.corpus.open_i import description as open_i
from pairdx.corpus.padchest import description as padchest
from pairdx.corpus.pcam import description as pcam
from pairdx.corpus.release import description as release
from pairdx.corpus.table import description as table
from pairdx.corpus.vindr_cxr import description as vindr_cxr
from pairdx.plan import curation
from pairdx.plan.code import SCRIPTS
from pairdx.plan.configuration import complete, defaults, read_yaml
from pairdx.plan.descriptions import Reader, readers, schema_file

ROOT = Path(__file__).parents[2]
CONFIG = complete(defaults(ROOT), {})
# `mypy tests/unit/test_readers.py` says whether each is what the protocol asks for.
DESCRIBED: dict[str, Reader] = {
    "bach": bach,
    "chestxray14": chestxray14,
    "chexpert": chexpert,
    "crc": crc,
    "drawn": drawn,
    "mimic_cxr": mimic_cxr,
    "multicare": multicare,
    "multicare_chest": multicare_chest,
    "open_i": open_i,
    "padchest": padchest,
    "pcam": pcam,
    "release": release,
    "table": table,
    "vindr_cxr": vindr_cxr,
}
SOURCES: dict[str, Any] = {
    entry["reader"]: entry["source"] for entry in CONFIG["datasets"].values()
}


def test_every_folder_with_a_description_is_a_reader_with_a_reading_and_a_schema() -> None:
    assert readers() == DESCRIBED
    for name in readers():
        assert (SCRIPTS / f"pairdx/corpus/{name}/reading.py").is_file()
        Draft202012Validator.check_schema(read_yaml(schema_file("corpus", name)))


def test_readers_say_the_same_things_of_their_data() -> None:
    (texts,) = {tuple(sorted({*reader.TEXTS} - {"frequencies"})) for reader in readers().values()}
    assert texts == (
        *("caption_labels", "citation", "classes", "labels", "licences", "patients", "persons"),
        "source",
    )
    assert all(text for reader in readers().values() for text in reader.TEXTS.values())
    assert [name for name, reader in readers().items() if reader.DRAWN] == ["drawn"]
    assert [name for name, reader in readers().items() if not reader.SCREENED] == ["release"]
    published = [name for name, reader in readers().items() if reader.PUBLISHED_SPLIT]
    assert published == [
        *("bach", "chestxray14", "chexpert", "crc", "mimic_cxr", "pcam", "release", "table"),
        "vindr_cxr",
    ]
    of_findings = ["chestxray14", "chexpert", "mimic_cxr", "open_i", "padchest", "vindr_cxr"]
    several = [name for name, reader in readers().items() if reader.SEVERAL]
    assert several == sorted([*of_findings, "multicare_chest"])
    asked = [name for name, reader in readers().items() if reader.TO_ASK_FOR]
    assert asked == ["bach", *of_findings]


def test_descriptions_bring_nothing_but_the_standard_library() -> None:
    """They are read in every dry run and by every job."""
    code = (
        "import sys; from pairdx.plan.descriptions import readers; readers(); import json; "
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    brought = set(json.loads(done.stdout)) - set(sys.stdlib_module_names) - {"__main__"}
    assert brought == {"pairdx"}


@pytest.mark.parametrize(
    ("path", "folder", "number", "key"),
    [
        (None, "<resources>/multicare/14994046", "14994046", "datasets.mine.source"),
        ("/data/m/", "/data/m", None, "datasets.mine.source.path"),
    ],
)
def test_multicare_lies_in_a_folder_or_comes_from_its_record(
    path: str | None, folder: str, number: str | None, key: str
) -> None:
    source = SOURCES["multicare"] | {"path": path, "archives": ["PMC1", "PMC2"]}
    files = ["captions_and_labels.csv", "cases.parquet", "metadata.parquet"]
    tables = [f"{folder}/{file}" for file in files]
    found = multicare.tables(source, CONFIG)
    assert found == dict(zip(("captions", "cases", "metadata"), tables, strict=True))
    stores = [multicare.store(source, CONFIG, name) for name in multicare.archives(source)]
    assert stores == [f"{folder}/PMC1.zip", f"{folder}/PMC2.zip"]
    assert multicare.record(source, CONFIG) == number
    assert multicare.from_outside("mine", source, CONFIG) == {key: [*tables, *stores]}
    assert multicare.settings(source) == {}


def test_what_is_downloaded_of_multicare_is_what_is_read() -> None:
    assert CONFIG["downloads"]["multicare"]["tables"] == [*multicare.TABLES.values()]


@pytest.mark.parametrize(
    ("path", "place", "number", "key"),
    [
        (
            None,
            "<resources>/pairdx_release/17452236/manifest.json",
            "17452236",
            "downloads.release",
        ),
        ("their.zip", "their.zip", None, "datasets.mine.source.path"),
    ],
)
def test_the_release_is_one_thing_on_disk_or_a_manifest(
    path: str | None, place: str, number: str | None, key: str
) -> None:
    source = SOURCES["release"] | {"path": path}
    assert release.archives(source) == ["release"]
    assert release.store(source, CONFIG, "release") == place
    assert release.tables(source, CONFIG) == {"release": place}
    assert release.record(source, CONFIG) == number
    assert release.from_outside("mine", source, CONFIG) == {key: [place]}


def test_where_the_release_lies_does_not_decide_how_it_is_read() -> None:
    source = SOURCES["release"]
    assert release.settings(source) == release.settings(source | {"path": "elsewhere"})
    assert {"path", *release.settings(source)} == set(source)


def test_a_drawn_corpus_lies_by_its_seed_and_size_and_is_from_nowhere() -> None:
    source = {"seed": 2, "cases": 60, "archives": ["PMC1"]}
    folder = "<resources>/drawn/seed2_cases60"
    assert drawn.tables(source, CONFIG)["cases"] == f"{folder}/cases.parquet"
    assert drawn.store(source, CONFIG, "PMC1") == f"{folder}/PMC1.zip"
    assert drawn.record(source, CONFIG) is None
    assert drawn.from_outside("mine", source, CONFIG) == {}


# What config/release.yaml put over the curation of MultiCaRe, when there was one dataset per run.
AS_RELEASED = {
    "unknown_age": "keep",
    "caption_problems": ["empty"],
    "identifiers": dict.fromkeys(
        ("name", "date", "record_number", "phone", "email", "url", "initials"), "keep"
    ),
    "images": {"min_side_pixels": 2, "max_aspect_ratio": 1000, "min_grey_level_spread": 0},
    "duplicates": {"exact": "cluster", "near": "cluster", "max_distance_bits": 12},
    "balance": {"total": None, "per_class_cap": None},
}


def test_the_released_dataset_is_curated_as_it_was_before() -> None:
    """But for the least age: no age is stated in it, and those not known were kept anyway.

    The modalities named all classes whole.
    """
    full = CONFIG["datasets"]["multicare"]["curation"]
    official = curation.settings(CONFIG["datasets"]["release"]["curation"])
    assert official == full | AS_RELEASED | {
        "mode": "official",
        "min_age": 0,
        "modalities": None,
    }
    assert list(official) == list(full)
    assert list(official["identifiers"]) == list(full["identifiers"])


def test_full_curation_is_what_is_stated() -> None:
    stated = CONFIG["datasets"]["drawn"]["curation"]
    assert stated["mode"] == "full"
    assert curation.settings(stated) == stated
    official = curation.settings({**stated, "mode": "official"})
    assert curation.settings(official) == official


def test_nothing_but_its_folder_and_its_datasets_names_a_reader() -> None:
    """So a new one is a folder of pairdx/corpus and a file of config/datasets."""
    names = "multicare release drawn documents pcam crc bach chestxray14 chexpert mimic_cxr open_i"
    known = "|".join([*names.split(), "padchest", "vindr_cxr"])
    compared = re.compile(rf"""(==|!=|\bin) *[\[("']*["']({known})["']""")
    for path in SCRIPTS.rglob("*.py"):
        assert not compared.search(path.read_text(encoding="utf-8")), path
