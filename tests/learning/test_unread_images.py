"""Who looks at no image in training reads none into memory, and learns the same without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models import training_job
from pairdx.models.base import Pairs
from pairdx.models.features import write_features
from pairdx.models.frozen_encoder import extract_features, load_encoder
from pairdx.models.inputs import read_subset
from pairdx.models.registry import family
from pairdx.models.training_job import TrainingJob, run_training

PAIRS = tiny.make_pairs(30)
CASES = {
    "words": ("linear", tiny.settings(tiny.LINEAR, features="words"), False),
    "colour": ("linear", tiny.settings(tiny.LINEAR, features="mean_colour"), True),
    "nothing": ("linear", tiny.settings(tiny.LINEAR, features="none"), False),
    "probe": ("linear_probe", tiny.PROBE, False),
    "text_only": ("fusion", tiny.settings(tiny.FUSION, branches=["caption"], fusion=None), False),
    "clip": ("clip", tiny.settings(tiny.CLIP, epochs=1), True),
}


def make_job(name: str, folder: Path) -> TrainingJob:
    """One training on files as the workflow makes them."""
    subsets = ["train"] * 18 + ["validation"] * 6 + ["test"] * 6
    PAIRS.table.to_parquet(folder / "pairs.parquet")
    split = pd.DataFrame({"pair_id": PAIRS.table["pair_id"], "subset": subsets})
    split.to_parquet(folder / "split.parquet")
    tiny.write_packed(folder / "images.npy", PAIRS)
    files: dict[str, Path] = {}
    if name == "text_only":
        files = tiny.write_word_vectors(folder, PAIRS)
    if name == "probe":
        encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
        ids, files = PAIRS.table["pair_id"].tolist(), {"features": folder / "features.safetensors"}
        how = {"batch_size": 8, "device": "cpu", "threads": 1}
        made = extract_features(encoder, ids, PAIRS.images, PAIRS.captions, **how)
        write_features(files["features"], made)
    model, settings, _ = CASES[name]
    return TrainingJob(
        family=model, settings=settings, classes=tiny.CLASSES, stand_in=True, seed=1, device="cpu",
        processes=1, threads=1, loader_workers=0, checkpoint_minutes=None,
        pairs=str(folder / "pairs.parquet"), split=str(folder / "split.parquet"),
        images=str(folder / "images.npy"),
        resources={key: str(path) for key, path in files.items()},
        state_folder=str(folder / "state"), folder=str(folder),
    )  # fmt: skip


def _strength(name: str) -> float:
    return float(CASES[name][1]["inverse_regularisation"])


@pytest.mark.parametrize("name", CASES)
def test_a_training_reads_images_only_if_it_looks_at_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """And the weights are those of a training that was given them all the same."""
    job, looks = make_job(name, tmp_path), CASES[name][2]
    if not looks:  # not even opened, which would look at its checksum: gigabytes
        (tmp_path / "images.npy").rename(tmp_path / "elsewhere.npy")
    sides: list[int] = []

    def recorded(*arguments: Any, **options: Any) -> Pairs:
        pairs = read_subset(*arguments, **options)
        sides.append(pairs.image_size)
        return pairs

    monkeypatch.setattr(training_job, "read_subset", recorded)
    run_training(job)
    assert sides == [PAIRS.image_size if looks else 0] * 2
    passport = json.loads((tmp_path / "passport.json").read_text(encoding="utf-8"))
    # What chooses its strength of regularisation says which one.
    chosen = passport["chosen"].get("inverse_regularisation")
    assert chosen == (None if name in ("nothing", "text_only", "clip") else _strength(name))
    if looks:
        return
    (tmp_path / "elsewhere.npy").rename(tmp_path / "images.npy")
    weights = load_file(tmp_path / "model.safetensors")
    monkeypatch.setattr(family(job.family), "fits_images", lambda _: True)
    again = tmp_path / "again"
    again.mkdir()
    run_training(TrainingJob(**{**job.__dict__, "folder": str(again), "state_folder": str(again)}))
    assert sides[2:] == [PAIRS.image_size] * 2
    other = load_file(again / "model.safetensors")
    assert weights.keys() == other.keys()
    assert all(np.array_equal(weights[key], other[key]) for key in weights)
    passports = [
        json.loads((at / "passport.json").read_text(encoding="utf-8")) for at in (tmp_path, again)
    ]
    assert passports[0]["pairs"] == passports[1]["pairs"]


def test_nobody_is_trained_on_a_split_that_cannot_be_used(tmp_path: Path) -> None:
    """It is made, so that the check before training can show it; it goes no further."""
    job = make_job("nothing", tmp_path)
    split = pd.read_parquet(job.split)
    split.loc[split["subset"] == "test", "subset"] = "train"
    split.to_parquet(job.split)
    with pytest.raises(PairDxError, match="test"):
        run_training(job)
    assert not (tmp_path / "model.safetensors").exists()
