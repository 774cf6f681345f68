"""The demo corpus: MultiCaRe's layout, troubles as the manifest states them, a task to learn."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import UnidentifiedImageError

from drawn_corpus import ARCHIVES, SIX, Corpus, opened
from pairdx.corpus.drawn.drawing import draw_corpus
from pairdx.corpus.drawn.plan_of_cases import Plan
from pairdx.corpus.drawn.troubles import plant
from pairdx.errors import PairDxError

COLUMNS = [
    "file_id",
    "file",
    "main_image",
    "image_component",
    "patient_id",
    "license",
    "file_size",
    "caption",
    "case_substring",
    "image_type",
    "image_subtype",
    "radiology_region",
    "radiology_region_granular",
    "radiology_view",
    "ml_labels_for_supervised_classification",
    "gt_labels_for_semisupervised_classification",
]
# (stage, reason) of each problem; None for what is to be kept.
EXPECTED = {
    "under_age": ("age", "under_age"),
    "unknown_age": ("age", "unknown_age"),
    "white_pixel": ("image", "too_small"),
    "truncated_image": ("image", "unreadable"),
    "not_an_image": ("image", "unreadable"),
    "exact_duplicate": ("duplicates", "exact_duplicate"),
    "near_duplicate": ("duplicates", "near_duplicate"),
    "uniform_image": ("image", "near_uniform"),
    "absurd_shape": ("image", "extreme_shape"),
    "malformed_list": ("ingest", "malformed_list"),
    "caption_name": ("identifiers", "name"),
    "caption_date": ("identifiers", "date"),
    "caption_record_number": ("identifiers", "record_number"),
    "caption_phone": ("identifiers", "phone"),
    "caption_email": ("identifiers", "email"),
    "caption_url": (None, None),
    "caption_initials": (None, None),
    "boilerplate_caption": ("caption", "boilerplate_caption"),
    "caption_markup": ("caption", "caption_markup"),
    "empty_caption": ("caption", "empty_caption"),
    "missing_from_archive": ("archive", "missing_from_archive"),
    "unknown_class": ("class", "unknown_class"),
    "emoji_in_caption": (None, None),
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("demo")
    draw_corpus(folder, seed=3, cases=60, archives=ARCHIVES)
    return Corpus(folder)


@pytest.mark.slow
def test_the_same_arguments_give_byte_identical_files(tmp_path: Path) -> None:
    """A corpus is a function of its seed: archives, tables and manifest, to the last byte."""
    contents = []
    for number, seed in enumerate((5, 5, 6)):
        folder = tmp_path / str(number)
        draw_corpus(folder, seed=seed, cases=12, archives=["PMC4"])
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert set(contents[0]) == {
        "PMC4.zip",
        "captions_and_labels.csv",
        "cases.parquet",
        "metadata.parquet",
        "manifest.json",
    }
    assert contents[0] == contents[1]
    assert contents[0]["PMC4.zip"] != contents[2]["PMC4.zip"]


def test_the_table_has_the_columns_and_types_of_multicare(corpus: Corpus) -> None:
    """The CSV is MultiCaRe 2.x's: 16 columns in its order, list columns as Python literals."""
    rows = corpus.rows
    assert list(rows.columns) == COLUMNS
    assert rows["file_size"].dtype == np.int64
    assert rows["file_id"].is_unique
    assert rows["file_id"].str.fullmatch(r"file_\d{7}").all()
    assert rows["file"].is_unique
    assert set(rows["license"]) <= {"CC BY", "CC BY-NC", "CC BY-NC-SA", "CC0"}
    for column in (
        "case_substring",
        "ml_labels_for_supervised_classification",
        "gt_labels_for_semisupervised_classification",
    ):
        sound = rows[rows["file"].map(corpus.problems) != "malformed_list"]
        assert all(isinstance(ast.literal_eval(text), list) for text in sound[column])
    radiology = rows["image_type"] == "radiology"
    assert (rows.loc[radiology, "radiology_region"] != "").all()
    assert (rows.loc[~radiology, ["radiology_region", "radiology_view"]] == "").all(axis=None)


def test_file_names_state_article_figure_component_order_and_total(corpus: Corpus) -> None:
    """Names follow {PMCID}_{figure}_{component}_{order}_{total}.webp; panels share a caption."""
    pattern = re.compile(r"(PMC\d{8})_(.+)_(undivided|[A-Z])_(\d)_(\d)\.webp")
    for row in corpus.rows.itertuples():
        match = pattern.fullmatch(str(row.file))
        assert match is not None
        article, figure, component, order, total = match.groups()
        assert str(row.patient_id)[:-3] == article
        assert row.main_image == f"{row.patient_id}_{figure}.jpg"
        assert row.image_component == component.lower()
        assert component == ("undivided" if total == "1" else "ABCD"[int(order) - 1])
    figures = corpus.rows.groupby("main_image")
    assert (figures["caption"].nunique() == 1).all()
    assert figures.size().max() > 1


def test_patients_articles_and_images_join(corpus: Corpus) -> None:
    """Every row has its patient, every patient an article with metadata, every case images."""
    types = {"case_id": "string", "case_text": "string", "age": "int64", "gender": "string"}
    case = pa.struct([(name, pa.type_for_alias(alias)) for name, alias in types.items()])
    assert corpus.cases.schema.field("cases").type == pa.list_(case)
    assert set(corpus.rows["patient_id"]) == set(corpus.patients)
    for article, metadata in zip(
        corpus.cases.to_pylist(), corpus.metadata.to_pylist(), strict=True
    ):
        described = metadata["article_metadata"]
        assert article["article_id"] == metadata["article_id"] == described["pmcid"]
        assert described["case_amount"] == len(article["cases"]) in (1, 2)
        assert re.fullmatch(r"(19|20)\d\d", described["year"])
    genders = {patient["gender"] for patient in corpus.patients.values()}
    assert genders <= {"Male", "Female", "Unknown", "Transgender"}


def test_every_archive_entry_is_named_by_a_row_or_by_the_manifest(corpus: Corpus) -> None:
    """Only the rows planted as missing have no entry, and only the planted extra has no row."""
    named = {f"{file[:4]}/{file[:5]}/{file}" for file in corpus.rows["file"]}
    extras = {extra["member"] for extra in corpus.manifest["archive_extras"]}
    missing = {entry["file"] for entry in corpus.planted("missing_from_archive")}
    assert len(extras) == 1
    assert set(corpus.members) - named == extras
    assert {member.split("/")[-1] for member in named - set(corpus.members)} == missing
    for row in corpus.rows[~corpus.rows["file"].isin(missing)].itertuples():
        assert row.file_size == len(corpus.image(str(row.file)))


def test_the_manifest_names_every_trouble_with_its_stage_and_reason(corpus: Corpus) -> None:
    """Each problem is planted at least twice, each file has one, and expectations are exact."""
    entries = corpus.manifest["planted"]
    assert corpus.manifest["seed"] == 3
    assert {entry["file"] for entry in entries} <= set(corpus.rows["file"])
    assert len({entry["file"] for entry in entries}) == len(entries)
    counts = Counter(entry["problem"] for entry in entries)
    assert set(counts) == set(EXPECTED)
    assert min(counts.values()) >= 2
    for entry in entries:
        stage, reason = EXPECTED[entry["problem"]]
        assert (entry["stage"], entry["reason"]) == (stage, reason)
        assert entry["expected"] == ("kept" if stage is None else "rejected")
        assert (entry["of"] is not None) == (stage == "duplicates")


def test_a_smallest_corpus_still_holds_every_trouble_twice() -> None:
    """Twelve cases in one archive are enough, whatever the seed; fewer are refused."""
    for seed in range(20):
        planted = plant(Plan(seed, 12, ["PMC1"]))
        counts = Counter(one.trouble.problem for one in planted)
        assert set(counts) == set(EXPECTED)
        assert min(counts.values()) >= 2
        assert all(one.original.file < one.panel.file for one in planted if one.original)
    with pytest.raises(PairDxError, match="at least 12 cases"):
        plant(Plan(0, 11, ["PMC1"]))


@pytest.mark.parametrize("archives", [[], ["PMC0"], ["../PMC1"], ["PMC1", "PMC1"]])
def test_wrong_archive_names_are_refused(tmp_path: Path, archives: list[str]) -> None:
    """Archive names become file names and article ids, so only MultiCaRe's own are taken."""
    with pytest.raises(PairDxError, match="archive names"):
        draw_corpus(tmp_path, seed=0, cases=12, archives=archives)


def test_ages_are_the_only_problem_of_the_cases_planted_for_age(corpus: Corpus) -> None:
    """Planted ages are below 18 or unknown; every other row belongs to an adult."""
    for file, patient in corpus.rows["patient_id"].items():
        age = corpus.patients[patient]["age"]
        if corpus.problems.get(str(file)) == "under_age":
            assert 0 <= age < 18
        elif corpus.problems.get(str(file)) == "unknown_age":
            assert age is None
        else:
            assert 18 <= age < 100


def test_unplanted_images_open_and_are_large_enough(corpus: Corpus) -> None:
    """Every image without an image problem is a WebP of 180 to 340 pixels a side."""
    spoilt = {"white_pixel", "truncated_image", "not_an_image", "missing_from_archive"}
    spoilt |= {"absurd_shape"}
    for file in corpus.rows["file"]:
        if corpus.problems.get(file) not in spoilt:
            width, height = opened(corpus.image(file)).size
            assert 180 <= min(width, height) <= max(width, height) <= 340


def test_spoilt_images_are_spoilt_as_stated(corpus: Corpus) -> None:
    """Truncated and foreign files cannot be decoded; a lost image is one white pixel."""
    for entry in corpus.planted("truncated_image", "not_an_image"):
        with pytest.raises((OSError, UnidentifiedImageError)):
            opened(corpus.image(entry["file"]))
    for entry in corpus.planted("truncated_image"):
        assert corpus.image(entry["file"])[8:12] == b"WEBP"
    for entry in corpus.planted("white_pixel"):
        image = opened(corpus.image(entry["file"]))
        assert image.size == (1, 1)
        assert image.getpixel((0, 0)) == (255, 255, 255)


def test_copies_follow_clean_originals_of_other_articles(corpus: Corpus) -> None:
    """A copy has its original's label, another article and caption, and sorts after it."""
    for entry in corpus.planted("exact_duplicate", "near_duplicate"):
        copy, original = corpus.rows.loc[entry["file"]], corpus.rows.loc[entry["of"]]
        assert original["file"] not in corpus.problems
        assert original["file"] < copy["file"]
        assert original["patient_id"][:-3] != copy["patient_id"][:-3]
        assert original["image_type"] == copy["image_type"]
        assert original["caption"] != copy["caption"]
        same = corpus.image(entry["file"]) == corpus.image(entry["of"])
        assert same == (entry["problem"] == "exact_duplicate")


TITLE = re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof)\.")
DATE = re.compile(r"\b(19|20)\d\d\b|\d{1,2}/\d{1,2}/\d{4}")
RECORD = re.compile(r"\d{5,}")
MARKUP = re.compile(r"[<>]")
EMOJI = re.compile(r"[\U0001F300-\U0001FAFF]")


@pytest.mark.parametrize(
    ("problem", "pattern"),
    [
        ("caption_name", TITLE),
        ("caption_date", DATE),
        ("caption_record_number", RECORD),
        ("caption_markup", MARKUP),
        ("caption_email", re.compile("@")),
        ("caption_url", re.compile(r"//|www|org/")),
        ("emoji_in_caption", EMOJI),
        ("empty_caption", re.compile(r"\A\s*\Z")),
    ],
)
def test_captions_hold_their_planted_problem_and_no_other(
    corpus: Corpus, problem: str, pattern: re.Pattern[str]
) -> None:
    """A problem's mark is in every caption planted with it and in no other caption."""
    marked = {str(file) for file, text in corpus.rows["caption"].items() if pattern.search(text)}
    assert marked == {entry["file"] for entry in corpus.planted(problem)}


def test_unknown_types_stand_only_where_planted(corpus: Corpus) -> None:
    """The clean rows have MultiCaRe's seven types; only ``unknown_class`` rows have another."""
    assert set(corpus.clean()["image_type"]) == SIX | {"pathology"}
    for entry in corpus.manifest["planted"]:
        known = corpus.rows.loc[entry["file"], "image_type"] in SIX
        assert known == (entry["problem"] != "unknown_class")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_class_keeps_enough_images_for_an_experiment(seed: int) -> None:
    """With 360 cases, each of the six classes has 90 images or more that nothing rejects."""
    plan = Plan(seed, 360, ARCHIVES)
    rejected = {one.panel.file for one in plant(plan) if one.trouble.stage}
    panels = [panel for panel in plan.panels() if panel.file not in rejected]
    counts = Counter(panel.kind.image_type for panel in panels)
    assert min(counts[label] for label in SIX) >= 90
    assert counts.most_common(1)[0][0] == "radiology"
