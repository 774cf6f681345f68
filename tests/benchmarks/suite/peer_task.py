"""The task that this workflow and its peers are given: files, split, networks, the same for all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import pandas as pd
import timm
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

import real_weights
from benchmarks.planning import snakemake
from benchmarks.suite.part import Settings
from benchmarks.suite.peer_environments import PINS, WEIGHTS, missing
from pairdx.files import read_json
from pairdx.models.base import Classifier
from pairdx.models.registry import load_classifier
from pairdx.packed_images import open_packed
from workflow.conftest import copy_of_workflow

IMAGES = 112  # side in pixels of the files that all read
SUBSETS = ("train", "validation", "test")
OURS = "ours.yaml"
PATIENCE = 200  # seconds that a peer may take
# What a training job imports after its clock has started; NumPy and pandas are there before.
IMPORTS = """
import sys
from importlib import import_module
from time import perf_counter

import pandas
from pairdx.models.registry import family

started = perf_counter()
family(sys.argv[1])
import_module(sys.argv[2])
print(perf_counter() - started)
"""


@dataclass(frozen=True)
class Task:
    """A copy of the workflow whose folder is also where peers work.

    Attributes:
        folder: With ``train.csv``, ``validation.csv`` and ``test.csv`` (columns image, caption,
            label, pair_id, case_id) and the networks' files.
        dataset: Name of the workflow's dataset.
        overlays: Configuration files of ours.
        pretrained: Whether the image network starts from weights of ImageNet.
        threads: Cores of the workflow, and threads of its trainings and predictions.
    """

    folder: Path
    dataset: str
    overlays: tuple[str, ...]
    pretrained: bool
    threads: int

    @property
    def results(self) -> Path:
        """Where the workflow writes what is of the split."""
        return self.folder / "results" / "peers" / self.dataset / "grouped"

    @property
    def dataset_files(self) -> Path:
        """Where the workflow writes what is of the dataset."""
        return self.results.parent

    def make(self, *targets: Path) -> None:
        """Let the workflow make some files, on the cores that all have.

        The profile gives a training one thread; what is said here stands in place of all of its
        ``set-threads``.
        """
        named = [str(target.relative_to(self.folder)) for target in targets]
        threads = [f"{rule}={self.threads}" for rule in ("train_on_cpu", "predict")]
        options = ["--profile", "profiles/local", "--cores", str(self.threads)]
        options += ["--set-threads", *threads, "--configfile", *self.overlays]
        snakemake(self.folder, *options, "--", *named)

    def table(self, subset: str) -> pd.DataFrame:
        """Return the rows of one subset."""
        return pd.read_csv(self.folder / f"{subset}.csv", keep_default_na=False)

    def ours(self, system: str) -> Path:
        """Return the folder of one of our trained systems."""
        return self.results / system / "seed1"

    def packing_seconds(self, size: int) -> float:
        """Return the seconds of the job that packed the images, its process's start included."""
        folder = self.folder / "benchmarks" / "peers" / self.dataset / "packed"
        return float(pd.read_csv(folder / f"pack_images_{size}.tsv", sep="\t")["s"].iloc[0])

    def import_seconds(self, system: str, library: str) -> float:
        """Time in a process of its own what the training of a system imports."""
        named = read_json(self.ours(system) / "settings.json")["family"]
        done = subprocess.run(
            [sys.executable, "-c", IMPORTS, named, library],
            env={**os.environ, "PYTHONPATH": str(self.folder / "workflow" / "scripts")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            encoding="utf-8",
        )
        return float(done.stdout.strip().splitlines()[-1])

    def run_peer(self, command: list[str]) -> str:
        """Run a peer's command on as many threads as ours; return what it printed.

        Raises:
            RuntimeError: It failed; the text is the last line of what it printed.
            subprocess.TimeoutExpired: It took too long.
        """
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            variables[variable] = str(self.threads)
        variables |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            encoding="utf-8",
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
            print(done.stderr[-3000:], flush=True)
            raise RuntimeError(lines[-1])
        return done.stdout

    def classifier(self, system: str) -> Classifier:
        """Load one of our trained systems."""
        return load_classifier(self.ours(system), {"weights": self.folder / "weights.safetensors"})


def prepare(settings: Settings, folder: Path) -> Task:
    """Curate, split and pack by the workflow, and hand the same pairs to everybody as files."""
    copy_of_workflow(folder)
    for name in (OURS, "drawn.yaml"):
        shutil.copy(PINS / name, folder / name)
    if settings.real_data:
        (folder / "real_corpus").symlink_to(settings.real_data / "real_corpus")
    pretrained = not missing(settings.peers, WEIGHTS)
    task = Task(
        folder,
        "multicare" if settings.real_data else "drawn",
        (OURS,) if settings.real_data else (OURS, "drawn.yaml"),
        pretrained,
        settings.threads,
    )
    write_networks(folder, settings.peers / WEIGHTS if pretrained else None)
    packed = task.dataset_files / "packed" / f"images_{IMAGES}.npy"
    task.make(task.results / "split.parquet")
    for file in (packed, packed.with_name("images_64.npy")):  # one by one, because it is timed
        task.make(file)
    write_pairs(task, packed)
    return task


def write_networks(folder: Path, weights: Path | None) -> None:
    """Write the networks' files in the forms that ours and the peers read."""
    if weights:
        tensors = real_weights.imagenet_weights(weights)
    else:
        torch.manual_seed(1)
        tensors = timm.create_model(real_weights.BACKBONE, pretrained=False).state_dict()
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    save_file(contiguous, folder / "weights.safetensors")
    network: Any = timm.create_model(real_weights.BACKBONE, pretrained=False)
    given = {"input_size": (3, IMAGES, IMAGES), "num_features": network.num_features}
    described = {"architecture": real_weights.BACKBONE, **network.default_cfg, **given}
    write_json_in(folder / "lite0", "config.json", described)
    body = {name: one for name, one in contiguous.items() if not name.startswith("classifier.")}
    torch.save(body, folder / "lite0" / "pytorch_model.bin")
    systems = yaml.safe_load((folder / OURS).read_text(encoding="utf-8"))["systems"]
    architecture = systems["tiny_clip"]["settings"]["architecture"]
    statistics = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    config = {"model_cfg": architecture, "preprocess_cfg": statistics}
    write_json_in(folder / "tiny_clip", "open_clip_config.json", config)


def write_json_in(folder: Path, name: str, content: dict[str, Any]) -> None:
    """Write a file into a folder of its own."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def write_pairs(task: Task, packed: Path) -> None:
    """Write the packed images as files, and a table per subset."""
    pairs = pd.read_parquet(task.dataset_files / "curated" / "pairs.parquet")
    split = pd.read_parquet(task.results / "split.parquet")
    pairs = pairs.merge(split, on="pair_id", validate="one_to_one")
    images = open_packed(packed).of_pairs(pairs["pair_id"].tolist())
    (task.folder / "images").mkdir()
    pairs["image"] = [f"images/{row}.png" for row in range(len(pairs))]
    for row, name in enumerate(pairs["image"]):
        Image.fromarray(images[row : row + 1][0]).save(task.folder / name)
    for subset in SUBSETS:
        columns = ["image", "caption", "label", "pair_id", "case_id"]
        chosen = pairs.loc[pairs["subset"] == subset, columns]
        chosen.to_csv(task.folder / f"{subset}.csv", index=False)
