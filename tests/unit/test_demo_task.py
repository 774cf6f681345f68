"""The demo corpus as a task: neither trivial nor impossible; images and captions are varied."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from drawn_corpus import ARCHIVES, SIX, Corpus, opened
from pairdx.corpus.demo import draw_demo_corpus
from pairdx.corpus.demo_plan import Plan
from pairdx.corpus.demo_troubles import recompressed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo_corpus(folder, seed=4, cases=90, archives=ARCHIVES)
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
    colours = np.array(
        [np.asarray(opened(corpus.image(file))).mean(axis=(0, 1)) for file in rows["file"]]
    )
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
    assert (predicted == targets[test]).float().mean() > 0.85
