"""The demo corpus: MultiCaRe's layout, troubles as the manifest states them, a task to learn."""

from __future__ import annotations

import ast
import io
import itertools
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, UnidentifiedImageError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pairdx.corpus.demo import draw_demo_corpus
from pairdx.corpus.demo_plan import Plan
from pairdx.corpus.demo_troubles import plant, recompressed
from pairdx.errors import PairDxError

ARCHIVES = ("PMC1", "PMC2")
SIX = {
    "radiology",
    "endoscopy",
    "medical_photograph",
    "ophthalmic_imaging",
    "electrography",
    "chart",
}
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
    "caption_name": ("caption", "caption_name"),
    "caption_date": ("caption", "caption_date"),
    "caption_record_number": ("caption", "caption_record_number"),
    "caption_markup": ("caption", "caption_markup"),
    "empty_caption": ("caption", "empty_caption"),
    "missing_from_archive": ("archive", "missing_from_archive"),
    "unknown_class": ("class", "unknown_class"),
    "emoji_in_caption": (None, None),
}


class Corpus:
    """A drawn corpus, read back from its files alone."""

    def __init__(self, folder: Path, archives: tuple[str, ...] = ARCHIVES) -> None:
        self.rows = pd.read_csv(folder / "captions_and_labels.csv", keep_default_na=False)
        self.rows = self.rows.set_index("file", drop=False)
        self.cases = pq.read_table(folder / "cases.parquet")
        self.metadata = pq.read_table(folder / "metadata.parquet")
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        self.members: dict[str, bytes] = {}
        for archive in archives:
            with zipfile.ZipFile(folder / f"{archive}.zip") as opened:
                self.members |= {name: opened.read(name) for name in opened.namelist()}
        self.problems = {entry["file"]: entry["problem"] for entry in self.manifest["planted"]}
        self.patients = {
            case["case_id"]: case for article in self.cases.to_pylist() for case in article["cases"]
        }

    def image(self, file: str) -> bytes:
        """Return the bytes of an image by the raw layout's path rule."""
        return self.members[f"{file[:4]}/{file[:5]}/{file}"]

    def planted(self, *problems: str) -> list[dict[str, Any]]:
        """Return the manifest's entries of some problems."""
        return [entry for entry in self.manifest["planted"] if entry["problem"] in problems]

    def clean(self) -> pd.DataFrame:
        """Return the rows in which nothing is planted."""
        return self.rows[~self.rows["file"].isin(self.problems)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo_corpus(folder, seed=3, cases=110, archives=ARCHIVES)
    return Corpus(folder)


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def perceptual_hash(content: bytes) -> np.ndarray:
    return imagehash.phash(opened(content), hash_size=16).hash.ravel().astype(np.float32)


def test_the_same_arguments_give_byte_identical_files(tmp_path: Path) -> None:
    """A corpus is a function of its seed: archives, tables and manifest, to the last byte."""
    contents = []
    for number, seed in enumerate((5, 5, 6)):
        folder = tmp_path / str(number)
        draw_demo_corpus(folder, seed=seed, cases=12, archives=["PMC4"])
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
        assert all(isinstance(ast.literal_eval(text), list) for text in rows[column])
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
        draw_demo_corpus(tmp_path, seed=0, cases=12, archives=archives)


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


def test_perceptual_hashes_tell_copies_from_distinct_images(corpus: Corpus) -> None:
    """Of 256 bits, re-compressed copies differ in at most 12, distinct images in far more."""
    hashes = {file: perceptual_hash(corpus.image(file)) for file in corpus.clean()["file"]}
    for entry in corpus.planted("near_duplicate"):
        copy = perceptual_hash(corpus.image(entry["file"]))
        assert np.abs(copy - hashes[entry["of"]]).sum() <= 12
    bits = np.stack(list(hashes.values()))
    distances = bits @ (1 - bits).T
    distances += distances.T
    assert distances[np.triu_indices(len(bits), 1)].min() > 24


def test_a_recompressed_image_never_keeps_its_bytes() -> None:
    """Even an image that no quality changes comes back as other bytes."""
    stream = io.BytesIO()
    Image.new("RGB", (200, 200), (90, 90, 90)).save(stream, "WEBP", quality=45, method=2)
    again = recompressed(stream.getvalue())
    assert again != stream.getvalue()
    assert opened(again).size == (200, 200)


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


def test_captions_are_varied_and_of_ordinary_length(corpus: Corpus) -> None:
    """Captions have 30 to 250 characters, and hardly any stands in two articles."""
    captions = corpus.clean()["caption"]
    assert captions.str.len().between(30, 250).all()
    articles = corpus.clean()["file"].str[:11].groupby(captions.str.casefold()).nunique()
    assert (articles > 1).mean() < 0.02


def test_all_types_are_there_and_unknown_ones_only_where_planted(corpus: Corpus) -> None:
    """The clean rows have MultiCaRe's seven types, radiology most often of all."""
    counts = corpus.clean()["image_type"].value_counts()
    assert set(counts.index) == SIX | {"pathology"}
    assert counts.idxmax() == "radiology"
    for entry in corpus.manifest["planted"]:
        known = corpus.rows.loc[entry["file"], "image_type"] in SIX
        assert known == (entry["problem"] != "unknown_class")


def task(corpus: Corpus) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the clean rows of the six classes, their classes and their articles."""
    rows = corpus.clean()
    rows = rows[rows["image_type"].isin(SIX)]
    labels = np.array(rows["image_type"].tolist())
    return rows, labels, np.array(rows["file"].str[:11].tolist())


def accuracy(features: Any, labels: np.ndarray, articles: np.ndarray, model: Any) -> float:
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    return float(cross_val_score(model, features, labels, groups=articles, cv=folds).mean())


def test_mean_colour_alone_does_not_solve_the_task(corpus: Corpus) -> None:
    """Colours overlap between classes: a logistic regression on the mean RGB stays below 0.85."""
    rows, labels, articles = task(corpus)
    colours = np.array(
        [np.asarray(opened(corpus.image(file))).mean(axis=(0, 1)) for file in rows["file"]]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=2000))
    assert 0.35 < accuracy(colours, labels, articles, model) < 0.75


def test_captions_tell_much_but_not_all(corpus: Corpus) -> None:
    """A logistic regression on the words of the caption gets between 0.6 and 0.85 right."""
    rows, labels, articles = task(corpus)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=2000))
    captions = np.array(rows["caption"].tolist(), dtype=object)
    assert 0.6 < accuracy(captions, labels, articles, model) < 0.85


@pytest.mark.slow
def test_a_small_convolutional_network_solves_most_of_the_task(tmp_path: Path) -> None:
    """The task is learnable: 700 images of 64 pixels give more than 0.85 on unseen articles."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    draw_demo_corpus(tmp_path, seed=0, cases=360, archives=ARCHIVES)
    corpus = Corpus(tmp_path)
    rows, labels, articles = task(corpus)
    pixels = [np.asarray(opened(corpus.image(f)).resize((64, 64))) for f in rows["file"]]
    images = torch.tensor(np.stack(pixels)).permute(0, 3, 1, 2) / 127.5 - 1
    targets = torch.tensor(np.unique(labels, return_inverse=True)[1])
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=1)
    train, test = next(folds.split(labels, labels, articles))
    train = torch.tensor(train)[torch.randperm(len(train))[:700]]
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 5, stride=2, padding=2)]
    for before, after in itertools.pairwise((16, 32, 64, 128)):
        layers += [nn.BatchNorm2d(before), nn.ReLU()]
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.MaxPool2d(2)]
    layers += [nn.BatchNorm2d(128), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(128, 6))
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=12 * 22)
    for _ in range(12):
        for batch in train[torch.randperm(len(train))].split(32):
            loss = nn.functional.cross_entropy(network(images[batch]), targets[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        predicted = network(images[test]).argmax(1)
    print("ACC", (predicted == targets[test]).float().mean())
    assert (predicted == targets[test]).float().mean() > 0.85
