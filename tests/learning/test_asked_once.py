"""The job that predicts shows its system every pair once, whatever is made of the answers."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tiny_models as tiny
from pairdx.models.base import Classifier, predict
from pairdx.models.clip.objectives import ClipNetwork
from pairdx.models.frozen_encoder import FrozenEncoder
from pairdx.models.fusion import system as fusion
from pairdx.models.fusion.network import FusionNetwork
from pairdx.models.linear_probe import system as probe
from pairdx.models.prompt_sets import ALL_TEMPLATES, OWN_PROMPTS
from pairdx.models.registry import load_classifier
from tiny_clip import build

SCRIPT = Path(__file__).parents[2] / "workflow/scripts/predict.py"
PAIRS, OUTSIDE = tiny.make_pairs(40), tiny.make_pairs(5, seed=7)
SUBSETS = ["train"] * 16 + ["validation"] * 9 + ["test"] * 15
BATCH = 4
TEMPLATES = ["{}", "a figure of {}"]


class Job:
    """Files as the workflow makes them, and the rule's job on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        split = folder / "stratified"
        split.mkdir()
        self.system = folder / "system"
        PAIRS.table.to_parquet(folder / "pairs.parquet")
        pairs = pd.DataFrame({"pair_id": PAIRS.table["pair_id"], "subset": SUBSETS})
        pairs.to_parquet(split / "split.parquet")
        OUTSIDE.table.assign(label="pathology").to_parquet(folder / "outside.parquet")
        tiny.write_packed(folder / "images.npy", PAIRS)
        tiny.write_packed(folder / "outside.npy", OUTSIDE)
        self.source: dict[str, Any] = {
            "pairs": str(folder / "pairs.parquet"),
            "split": str(split / "split.parquet"),
            "images": str(folder / "images.npy"),
            "out_of_distribution": str(folder / "outside.parquet"),
            "out_of_distribution_images": str(folder / "outside.npy"),
            "settings": str(self.system / "settings.json"),
        }
        self.params = {
            "code": "", "task": "single_label", "family": "clip", "untrained": {},
            "classes": list(tiny.CLASSES), "prompts": [], "batch_size": BATCH,
            "state": str(folder / "state"),
        }  # fmt: skip

    def save(self, classifier: Classifier) -> None:
        """Save the system that is asked."""
        self.system.mkdir()
        classifier.save(self.system)

    def run(self) -> dict[str, pd.DataFrame]:
        """Run the script and return the tables that it writes."""
        names = ("predictions", "out_of_distribution", "prompts")
        out = {name: str(self.folder / f"{name}_out.parquet") for name in names}
        snakemake = SimpleNamespace(
            input=Inputs(self.source),
            output=SimpleNamespace(**out),
            params=SimpleNamespace(**self.params),
            wildcards=SimpleNamespace(split="stratified"),
            log=[str(self.folder / "predict.log")],
            threads=1,
        )
        runpy.run_path(str(SCRIPT), init_globals={"snakemake": snakemake})
        return {name: pd.read_parquet(path) for name, path in out.items()}


class Inputs(dict[str, Any]):
    """Named inputs, by attribute as by key."""

    __getattr__ = dict.__getitem__


@pytest.fixture
def job(tmp_path) -> Job:
    return Job(tmp_path)


def counted(monkeypatch, of: type, name: str) -> list[int]:
    """Note how many pairs each forward pass is of."""
    seen: list[int] = []
    original = getattr(of, name)

    def noted(network, inputs, *others):
        seen.append(len(inputs))
        return original(network, inputs, *others)

    monkeypatch.setattr(of, name, noted)
    return seen


# Validation, test, out of distribution, in batches of four.
ONCE = [4, 4, 1, 4, 4, 4, 3, 4, 1]


def assert_as_asked_alone(job: Job, tables: dict[str, pd.DataFrame]) -> None:
    """Compare with what the system says when it is asked for probabilities alone."""
    classifier = load_classifier(job.system, {})
    columns = [f"p_{label}" for label in tiny.CLASSES]
    for subset in ("validation", "test"):
        pairs = PAIRS.at(np.flatnonzero(np.array(SUBSETS) == subset))
        rows = tables["predictions"][tables["predictions"]["subset"] == subset]
        expected = predict(classifier, pairs, BATCH)
        np.testing.assert_array_equal(rows[columns].to_numpy(), expected)
        known = tables["out_of_distribution"]
        known = known[known["subset"] == subset]
        assert known["pair_id"].tolist() == rows["pair_id"].tolist()
        assert known["predicted"].tolist() == rows["predicted"].tolist()
        np.testing.assert_allclose(known["max_probability"], expected.max(axis=1), atol=1e-6)
    outside = tables["out_of_distribution"]
    outside = outside[outside["subset"] == "out_of_distribution"]
    assert outside["pair_id"].tolist() == OUTSIDE.table["pair_id"].tolist()
    expected = predict(classifier, OUTSIDE, BATCH)
    np.testing.assert_allclose(outside["max_probability"], expected.max(axis=1), atol=1e-6)


def test_a_network_sees_every_pair_once(job, monkeypatch, tmp_path):
    """Probabilities, and how sure it is of known pairs and of others."""
    resources = tiny.write_word_vectors(tmp_path, PAIRS)
    job.save(fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1))
    job.params["family"] = "fusion"
    seen = counted(monkeypatch, FusionNetwork, "forward")
    tables = job.run()
    assert seen == ONCE
    assert_as_asked_alone(job, tables)
    assert len(tables["prompts"]) == 0


def test_clip_encodes_every_image_once_prompts_or_not(job, monkeypatch):
    """The features of the test images that its own prompts are compared with serve all others."""
    job.save(build(seed=31))
    job.params["prompts"] = TEMPLATES
    seen = counted(monkeypatch, ClipNetwork, "image_features")
    tables = job.run()
    assert seen == ONCE
    assert_as_asked_alone(job, tables)
    prompts = tables["prompts"].groupby("template")["predicted"].agg(list)
    assert set(prompts.index) == {OWN_PROMPTS, *TEMPLATES, ALL_TEMPLATES}
    predictions = tables["predictions"]
    tested = predictions[predictions["subset"] == "test"]
    assert prompts[OWN_PROMPTS] == tested["predicted"].tolist()


def test_a_probes_encoder_sees_every_image_once(job, monkeypatch):
    """Its regression's probabilities and decision values are of the same features."""
    settings = tiny.settings(tiny.PROBE, inputs=["image"])
    classifier = probe.build(settings, tiny.CLASSES, {}, 1)
    features = classifier.encoder.image_features(np.asarray(PAIRS.images[:16]))
    classifier.model.fit(features.astype(np.float64), PAIRS.labels[:16])
    classifier.fitted = True
    job.save(classifier)
    job.params["family"] = "linear_probe"
    seen = counted(monkeypatch, FrozenEncoder, "image_features")
    tables = job.run()
    assert seen == ONCE
    assert_as_asked_alone(job, tables)


def test_where_nothing_is_out_of_distribution_only_the_known_pairs_are_seen(job, monkeypatch):
    """And there is a table without rows, as before."""
    job.save(build(seed=31))
    del job.source["out_of_distribution"]
    seen = counted(monkeypatch, ClipNetwork, "image_features")
    tables = job.run()
    assert seen == ONCE[:-2]
    assert len(tables["out_of_distribution"]) == 0
    assert {"subset", "predicted", "max_probability", "energy"} < set(tables["out_of_distribution"])
