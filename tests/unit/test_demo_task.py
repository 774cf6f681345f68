"""The demo corpus as a task: neither trivial nor impossible; images and captions are varied."""

from __future__ import annotations

import io
from typing import Any

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageStat
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from drawn_corpus import ARCHIVES, SIX, Corpus, opened
from pairdx.corpus.drawn.drawing import draw_corpus
from pairdx.corpus.drawn.plan_of_cases import Plan
from pairdx.corpus.drawn.troubles import recompressed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("demo")
    draw_corpus(folder, seed=4, cases=90, archives=ARCHIVES)
    return Corpus(folder)


def perceptual_hash(content: bytes) -> np.ndarray:
    return imagehash.phash(opened(content), hash_size=16).hash.ravel().astype(np.float32)


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


def test_captions_are_varied_and_of_ordinary_length(corpus: Corpus) -> None:
    """Captions have 30 to 250 characters, and hardly any stands in two articles."""
    captions = corpus.clean()["caption"]
    assert captions.str.len().between(30, 250).all()
    articles = corpus.clean()["file"].str[:11].groupby(captions.str.casefold()).nunique()
    assert (articles > 1).mean() < 0.02


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
    colours = np.array([ImageStat.Stat(opened(corpus.image(file))).mean for file in rows["file"]])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=2000))
    assert 0.35 < accuracy(colours, labels, articles, model) < 0.75


@pytest.mark.parametrize("seed", [0, 1])
def test_captions_tell_much_but_not_all(seed: int) -> None:
    """A logistic regression on the words of the caption gets between 0.6 and 0.85 right."""
    panels = [p for p in Plan(seed, 360, ARCHIVES).panels() if p.kind.image_type in SIX]
    captions = np.array([panel.caption for panel in panels], dtype=object)
    labels = np.array([panel.kind.image_type for panel in panels])
    articles = np.array([panel.case.article.article_id for panel in panels])
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=2000))
    assert 0.6 < accuracy(captions, labels, articles, model) < 0.85


def edges(image: Image.Image) -> np.ndarray:
    """How strong edges of eight directions are in each of 4 x 4 parts of an image."""
    grey = np.asarray(image.convert("L").resize((64, 64)), dtype=float) / 255
    down, right = np.gradient(grey)
    direction = (np.arctan2(down, right) % np.pi / np.pi * 8).astype(int) % 8
    strength = np.where(direction == np.arange(8)[:, None, None], np.hypot(down, right), 0.0)
    return strength.reshape(8, 4, 16, 4, 16).mean(axis=(2, 4)).ravel()


def histogram(image: Image.Image) -> np.ndarray:
    """Shares of 4 x 4 x 4 colours."""
    red, green, blue = np.moveaxis(np.asarray(image.resize((64, 64))) // 64, -1, 0).astype(int)
    return np.bincount((16 * red + 4 * green + blue).ravel(), minlength=64) / 64**2


def test_edges_and_colours_solve_most_of_the_task(corpus: Corpus) -> None:
    """The images can be learned: by where edges run and which colours there are, above 0.8.

    Support vectors on fixed features are a convex problem, and come out alike on every processor.
    """
    rows, labels, articles = task(corpus)
    images = [opened(corpus.image(file)) for file in rows["file"]]
    features = np.sqrt([np.concatenate([edges(image), histogram(image)]) for image in images])
    assert accuracy(features, labels, articles, SVC(C=100)) > 0.8
