"""Peers: the same pairs, split, networks, epochs and cores, for this workflow and for others."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.suite.part import Part, Settings, Table
from benchmarks.suite.peer_environments import PINS, missing
from benchmarks.suite.peer_task import IMAGES, OURS, Task, prepare
from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import bootstrap_mean, interval_around, sums_per_case
from pairdx.evaluation.paired import bootstrap_paired_differences
from pairdx.evaluation.score_intervals import pairs_if_cases_agree, score_interval
from pairdx.evaluation.timing import limited_threads
from pairdx.files import read_json
from pairdx.models.base import Pairs, predict
from pairdx.squaring import fit_to_square

QUESTION = (
    "How accurate, how fast and how long to write the same training is, done by this workflow and "
    "by others: the same pairs, split, networks, initial weights of the image network, epochs, "
    "batches, learning rate and cores."
)
RESAMPLES, SEED, LEVEL = 2000, 1, 0.95
TIMES = 3
COMMAND_LINES = 1  # what is typed beside the files


@dataclass(frozen=True)
class Found:
    """What came of one training.

    Attributes:
        task: What was learned.
        who: By whom.
        training: Seconds to the trained system: imports, packing and the training itself.
        milliseconds: From an image file to a class, per image, all test images at once.
        predicted: A label per test pair.
        lines: Lines that a user writes.
        imports: Seconds of importing libraries among those of training.
        packing: Seconds of packing images among those of training; peers pack none.
    """

    task: str
    who: str
    training: float
    milliseconds: float
    predicted: list[str]
    lines: int
    imports: float = 0.0
    packing: float = 0.0

    @property
    def itself(self) -> float:
        """Seconds of the training, imports and packing apart."""
        return self.training - self.imports - self.packing


# Task, our system in peers/ours.yaml, and the peers; a peer's script is peers/NAME_task.py.
TASKS = {
    "image to class": ("lite0", ("autogluon", "scikit_learn")),
    "images and captions aligned": ("tiny_clip", ("open_clip",)),
}
# Of our systems: the side that their images are packed at, and the library of their networks.
READ = {"lite0": (IMAGES, "timm"), "tiny_clip": (64, "open_clip")}
TITLES = {
    "autogluon": "AutoGluon MultiModal",
    "scikit_learn": "scikit-learn on frozen features",
    "open_clip": "open_clip's training script",
}


def measure(settings: Settings) -> Part:
    """Train all of them, one after the other."""
    found: list[Found] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        task = prepare(settings, Path(folder))
        test = task.table("test")
        for name, (system, peers) in TASKS.items():
            found.append(ours(task, name, system, test))
            for peer in peers:
                if reason := missing(settings.peers, peer):
                    problems.append(f"{TITLES[peer]}: {reason}.")
                    continue
                try:
                    found.append(theirs(settings, task, name, peer))
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    problems.append(f"{TITLES[peer]}: {error}")
        sizes = {subset: len(task.table(subset)) for subset in ("train", "validation", "test")}
    start = "ImageNet's weights" if task.pretrained else "random weights (its package is missing)"
    real = "real images and captions" if settings.real_data else "the drawn demo corpus"
    return Part(
        QUESTION,
        [Table("Peers", [row(one, test) for one in found])],
        conditions={"data": real, **sizes, "threads": settings.threads},
        notes=[*against(found, test), *remarks(start)],
        problems=problems,
    )


def ours(task: Task, name: str, system: str, test: pd.DataFrame) -> Found:
    """Train by the workflow, from the command line, and classify the test images' files."""
    folder = task.ours(system)
    task.make(folder / "predictions.parquet")
    rows = pd.read_parquet(folder / "predictions.parquet").set_index("pair_id")
    passport = read_json(folder / "passport.json")
    if passport["threads"] != task.threads:
        raise PairDxError(f"{system} was trained on {passport['threads']} threads, not as asked")
    classifier = task.classifier(system)
    size, library = READ[system]
    packing = task.packing_seconds(size)
    classes = tuple(read_json(folder / "settings.json")["classes"])

    def classify() -> np.ndarray:
        opened = [Image.open(task.folder / file).convert("RGB") for file in test["image"]]
        pixels = np.stack([fit_to_square(image, size) for image in opened])
        return predict(classifier, Pairs(test, pixels, classes), 32)

    with limited_threads(task.threads):
        milliseconds = milliseconds_each(classify, len(test))
    return Found(
        name,
        "this workflow",
        float(passport["wall_seconds"]) + packing,
        milliseconds,
        rows.loc[test["pair_id"], "predicted"].tolist(),
        lines_of(system),
        task.import_seconds(system, library),
        packing,
    )


def milliseconds_each(classify: Callable[[], object], images: int) -> float:
    """Return the median milliseconds per image of some calls."""
    seconds = []
    for _ in range(TIMES):
        started = perf_counter()
        classify()
        seconds.append(perf_counter() - started)
    return 1000 * statistics.median(seconds) / images


def theirs(settings: Settings, task: Task, name: str, peer: str) -> Found:
    """Run one peer in its environment.

    Raises:
        RuntimeError: It failed; the text is the last line of what it printed.
        subprocess.TimeoutExpired: It took too long.
    """
    python = settings.peers / peer / "bin" / "python"
    script = PINS / f"{peer}_task.py"
    command = [str(python), str(PINS / "run_peer.py"), str(script)]
    task.run_peer([*command, "--imports"])  # our own libraries are in the disk's cache, too
    said = json.loads(task.run_peer(command).strip().splitlines()[-1])
    return Found(
        name,
        TITLES[peer],
        said["imports"] + said["training"],
        said["milliseconds"],
        said["predicted"],
        written_lines(script.read_text(encoding="utf-8")) + COMMAND_LINES,
        said["imports"],
    )


def written_lines(text: str) -> int:
    """Count lines that are neither empty nor a comment nor of the docstring at the head."""
    if text.startswith('"""'):
        text = text.split('"""', 2)[2]
    lines = [line.strip() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def lines_of(system: str) -> int:
    """Count the lines of our overlay that concern one of its systems, and the command."""
    text = (PINS / OURS).read_text(encoding="utf-8")
    shared, systems = text.split("systems:\n")
    sections = ("\n" + systems.rstrip("\n")).split("\n  ")
    # A line of an entry is indented further; what does not begin with a space begins an entry.
    entry, lines = "", 0
    for line in sections[1:]:
        entry = entry if line.startswith(" ") else line.removesuffix(":")
        lines += entry == system
    return written_lines(shared) + 1 + lines + COMMAND_LINES


def row(found: Found, test: pd.DataFrame) -> dict[str, object]:
    """Return a row of the table; the accuracy with the library's interval over cases.

    Args:
        found: A training.
        test: The test pairs that it classified, with columns label and case_id.
    """
    right = (np.array(found.predicted) == test["label"].to_numpy()).astype(float)
    share = float(right.mean())
    case, names = pd.factorize(test["case_id"])
    cases, case = len(names), case.astype(np.int64)
    drawn = bootstrap_mean(right, case, cases, resamples=RESAMPLES, seed=SEED)
    worth = pairs_if_cases_agree(case, cases)
    low, high = score_interval(share, drawn, LEVEL, worth=worth, cases=cases)
    within = "one case" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"
    return {
        "task": found.task,
        "who": found.who,
        "right, % (95 % interval)": f"{100 * share:.1f} ({within})",
        "training_seconds": found.training,
        "of it imports_seconds": found.imports,
        "of it packing_seconds": found.packing or None,
        "ms per image": found.milliseconds,
        "lines written": found.lines,
    }


def against(found: list[Found], test: pd.DataFrame) -> list[str]:
    """Compare ours with every peer of the same task, a sentence each."""
    ours_of = {one.task: one for one in found if one.who == "this workflow"}
    return [sentence(ours_of[one.task], one, test) for one in found if one.who != "this workflow"]


def sentence(own: Found, other: Found, test: pd.DataFrame) -> str:
    """Say what the difference in accuracy is worth, and how the rest compares."""
    labels = test["label"].to_numpy()
    difference = (np.array(own.predicted) == labels).astype(float)
    difference -= np.array(other.predicted) == labels
    return (
        f"This workflow against {other.who} ({own.task}): accuracy {100 * difference.mean():+.1f} "
        f"points ({told(difference, test['case_id'])}); training "
        f"{own.training / other.training:.2f} times as long (imports and packing apart "
        f"{own.itself / other.itself:.2f} times), an image "
        f"{own.milliseconds / other.milliseconds:.2f} times, {own.lines} lines against "
        f"{other.lines}."
    )


def told(difference: np.ndarray, case_ids: pd.Series) -> str:
    """Say between which bounds a mean difference lies when cases are drawn, and who is ahead."""
    sums = sums_per_case(case_ids, np.column_stack([difference, np.ones(len(difference))]))
    drawn = bootstrap_paired_differences(sums[:, :1], sums[:, 1], resamples=RESAMPLES, seed=SEED)
    low, high = interval_around(float(difference.mean()), drawn[:, 0], LEVEL, len(sums))
    if low is None or high is None:
        return "no interval: one case"
    verdict = "not told apart" if low <= 0 <= high else "ahead" if low > 0 else "behind"
    return f"95 % interval {100 * low:+.1f} to {100 * high:+.1f}: {verdict}"


def remarks(start: str) -> list[str]:
    """Say what a reader must know of the comparison."""
    return [
        f"Image to class: EfficientNet-Lite0 at {IMAGES} pixels, {start}, 5 epochs of AdamW in "
        "batches of 32 at a constant rate, no augmentation; scikit-learn sees its frozen features. "
        "Aligned: a CLIP of three and two layers at 64 pixels, random weights, 8 epochs in batches "
        "of 64; images are then classified by a prompt per class. Ours spares equal captions of a "
        "batch as each other's negatives (ignore_duplicate_captions), open_clip's script does not.",
        "Every training ran once, with one seed: what another seed would change is in no interval. "
        "Intervals draw whole cases; of a difference, the same cases for both sides.",
        "training_seconds: until there is a trained system, importing the learning libraries "
        "included (NumPy and pandas were there before, on all sides). Ours is the training job's "
        "seconds and those of the job that packed the images, its process's start included; it "
        "reads the source's files, of all subsets. Peers pack nothing: they were handed PNG files "
        "of the packed pixels, whose writing is not counted, and decode them in every epoch. "
        "Imports find their files in the disk's cache on all sides; ours were timed apart, of "
        "peers the head of their file.",
        "What the trainings do besides is their own way: validation after every epoch, saving; "
        "AutoGluon reads by two worker processes, validates twice an epoch and averages its three "
        "best states; open_clip leaves out an epoch's last, smaller batch.",
        "ms per image: from PNG files of the same pixels, all test images in one call, median of "
        "three; our row is the library's eager network, not what `snakemake deployed` makes.",
        "Lines: of peers/NAME_task.py, and of the parts of peers/ours.yaml that concern the "
        "system, with one command. Ours also curate, split, evaluate and compare; peers were "
        "handed the curated pairs and the split as tables.",
    ]
