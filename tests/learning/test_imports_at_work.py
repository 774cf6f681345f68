"""What systems import at work: each job in a fresh interpreter, which must not load the rest.

PyTorch takes about 2 CPU seconds to import, with its compiler and torchvision 4, with open_clip 6,
scikit-learn one; and whatever is done to a system is a job of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tiny_models as tiny
from pairdx.models.base import FitJob
from pairdx.models.features import write_features
from pairdx.models.frozen_encoder import extract_features, load_encoder
from pairdx.models.fusion import system as fusion
from pairdx.models.linear import system as linear
from pairdx.plan.code import SCRIPTS

PAIRS = tiny.make_pairs(30)
TRAIN_AND_LIST = """
import json, sys
from pairdx.models.training_job import TrainingJob, run_training
run_training(TrainingJob(**json.loads(sys.argv[1])))
print(json.dumps(list(sys.modules)))
"""
PREDICT_AND_LIST = """
import json, sys
from pathlib import Path
from pairdx.models.base import predict
from pairdx.models.inputs import read_subset
from pairdx.models.registry import load_classifier
job = json.loads(sys.argv[1])
files = job["pairs"], job["split"], job["images"]
predict(load_classifier(Path(job["folder"]), {}), read_subset(*files, job["classes"], "test"), 8)
print(json.dumps(list(sys.modules)))
"""


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    """What a training job gets, but for the system and its settings."""
    subsets = ["train"] * 18 + ["validation"] * 6 + ["test"] * 6
    PAIRS.table.to_parquet(tmp_path / "pairs.parquet")
    split = pd.DataFrame({"pair_id": PAIRS.table["pair_id"], "subset": subsets})
    split.to_parquet(tmp_path / "split.parquet")
    tiny.write_packed(tmp_path / "images.npy", PAIRS)
    (tmp_path / "system").mkdir()
    return {
        "pairs": str(tmp_path / "pairs.parquet"),
        "split": str(tmp_path / "split.parquet"),
        "images": str(tmp_path / "images.npy"),
        "classes": tiny.CLASSES,
        "folder": str(tmp_path / "system"),
        "state_folder": str(tmp_path / "state"),
        "resources": {},
        "stand_in": False,
        "seed": 1,
        "device": "cpu",
        "processes": 1,
        "threads": 1,
        "loader_workers": 0,
        "checkpoint_minutes": None,
    }


def loaded(program: str, job: dict[str, Any]) -> set[str]:
    """The modules that a fresh interpreter has loaded after one job."""
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(job)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_probe_is_trained_without_pytorch(job: dict[str, Any], tmp_path: Path) -> None:
    """On kept features the encoder has nothing to do; its parameters are counted all the same."""
    encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
    ids = PAIRS.table["pair_id"].tolist()
    options = {"batch_size": 8, "device": "cpu", "threads": 1}
    path = tmp_path / "features.safetensors"
    write_features(path, extract_features(encoder, ids, PAIRS.images, PAIRS.captions, **options))
    job |= {"family": "linear_probe", "settings": tiny.PROBE, "resources": {"features": str(path)}}
    found = loaded(TRAIN_AND_LIST, job)
    assert "sklearn" in found
    assert found.isdisjoint({"torch", "open_clip", "transformers"})
    passport = json.loads(Path(job["folder"], "passport.json").read_text(encoding="utf-8"))
    of_encoder = sum(encoder.parameters()[name] for name in tiny.PROBE["inputs"])
    assert passport["parameters"] == of_encoder + passport["trained_parameters"]


def test_a_baseline_on_words_is_trained_without_pytorch(job: dict[str, Any]) -> None:
    job |= {"family": "linear", "settings": tiny.settings(tiny.LINEAR, features="words")}
    found = loaded(TRAIN_AND_LIST, job)
    assert "sklearn" in found
    assert "torch" not in found


def test_the_most_frequent_class_is_predicted_without_scikit_learn(job: dict[str, Any]) -> None:
    classifier = linear.build(tiny.settings(tiny.LINEAR, features="none"), tiny.CLASSES, {}, 1)
    linear.fit(classifier, PAIRS, PAIRS, FitJob(seed=1))
    classifier.save(Path(job["folder"]))
    found = loaded(PREDICT_AND_LIST, job)
    assert "pandas" in found
    assert found.isdisjoint({"sklearn", "torch"})


def test_fusion_without_images_predicts_without_torchvision(
    job: dict[str, Any], tmp_path: Path
) -> None:
    """And so without PyTorch's compiler, which torchvision loads, and open_clip through it."""
    words = tiny.write_word_vectors(tmp_path, PAIRS)
    settings = tiny.settings(tiny.FUSION, branches=["caption"], fusion=None)
    fusion.build(settings, tiny.CLASSES, words, 1).save(Path(job["folder"]))
    found = loaded(PREDICT_AND_LIST, job)
    assert "torch" in found
    assert found.isdisjoint({"torchvision", "torch._dynamo", "open_clip", "sklearn", "kornia"})
