"""Does privileged text help where it should, and only there? A data set made to tell.

    python tests/benchmarks/privileged_text.py --table privileged_text.md

Images show signs weakly, below stronger patterns that mean nothing; a bank of texts names signs; a
class is decided by a majority of signs, and a part of the labels that systems learn from is wrong.
So a text says several things of an image, and a label one, not always rightly: whoever learns to
predict the text that goes with an image learns to see signs. Where the bank's texts are about
something else, there is nothing to learn.

Everything is the project's own: the encoder that pairs is a CLIP model that the family clip trained
on other images with captions, features and matches are those of the pairing, systems are of the
family clip_it with one budget, and intervals are those of methods over all seeds. Every seed has
its own training pairs, wrong labels and weights; test pairs are the same. It is no test: it takes
minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from benchmarks.privileged_data import (  # noqa: E402
    CLASSES,
    ENCODER,
    LOOP,
    NOTHING,
    SAYS,
    SIZE,
    TILE,
    Bank,
    World,
    features_of,
    told,
    train_encoder,
)
from pairdx.evaluation.comparisons import pairwise_tests  # noqa: E402
from pairdx.evaluation.method_tests import add_method_tests  # noqa: E402
from pairdx.models.base import FitJob, Pairs, predict  # noqa: E402
from pairdx.models.clip_it import system as clip_it  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.tasks.single_label.rows import predicted_rows  # noqa: E402

RESAMPLES = 2000
UNIMODAL: dict[str, Any] = {
    **LOOP,
    "backbone": {
        "library": "timm",
        "name": "vit_tiny_patch16_224",
        "weights": None,
        "arguments": {
            **{"img_size": SIZE, "patch_size": TILE, "embed_dim": 64},
            **{"depth": 1, "num_heads": 2},
        },
    },
    **{"trains": "everything", "lora": None, "pairing": None, "text_branch": None},
    **{"fusion": "none", "distil_into": "text_branch", "distillation_weight": 1.0},
    "text_encoder": {"trains": "nothing", "lora": None, "detach": True},
    **{"word_dropout": 0.0, "softmax": "single", "batch_size": 32, "schedule": "constant"},
    **{"optimiser": "adam", "weight_decay": 0.0001, "weight_decay_on": "all"},
    **{"max_grad_norm": 0.5, "keep_epoch": "best", "early_stopping_patience": None},
}
TAUGHT = {
    "text_branch": {"layers": 1, "hidden": 64, "negative_slope": 0.1, "dimension": 32},
    "fusion": "late",
}
# By title: what the system learns from, and how texts are chosen.
NEAREST, RANDOM, ALONE = "CLIP-IT", "random pairing", "unimodal"
CHOICES = {NEAREST: "nearest", RANDOM: "random"}


def train(
    options: argparse.Namespace,
    pairs: tuple[Pairs, Pairs],
    seed: int,
    bank: Bank | None,
    choose: str | None,
) -> clip_it.ClipItClassifier:
    """Train one system of the family."""
    settings = UNIMODAL | {"epochs": options.epochs, "learning_rate": options.learning_rate}
    resources: dict[str, Path] = {}
    if bank is not None and choose is not None:
        resources = {**bank.files, "matches": bank.folder / f"{choose}_{seed}.parquet"}
        pairing = {"name": choose, "bank": "drawn", "encoder": {**ENCODER, "weights": "given"}}
        settings |= TAUGHT | {"pairing": pairing, "distillation_weight": options.weight}
    classifier = clip_it.build({**settings, "compile": False}, CLASSES, resources, seed)
    clip_it.fit(classifier, *pairs, FitJob(seed=seed, threads=options.threads))
    return classifier


class Run:
    """All systems with all seeds.

    Attributes:
        predictions: By condition and system, the predictions of every seed for the test pairs.
        told: By condition and system, what the paired texts tell rightly, of every seed.
        remarks: What was measured besides.
    """

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.world = options, World(options)
        started = time.perf_counter()
        self.encoder = train_encoder(self.world, folder)
        self.test = self.world.pairs("test", 1, options.test_pairs)
        self.banks = {
            says: Bank(self.world.bank(says), self.encoder, folder / str(at))
            for at, says in enumerate((SAYS, NOTHING))
        }
        self.predictions: dict[tuple[str, str], list[pd.DataFrame]] = {}
        self.told: dict[tuple[str, str], list[float]] = {}
        self.seconds = {"encoder": time.perf_counter() - started, "systems": 0.0}

    def with_seed(self, seed: int) -> None:
        """Draw training and validation pairs, and train everyone on them."""
        started, options = time.perf_counter(), self.options
        drawn = self.world.pairs
        pairs = (
            drawn(f"train{seed}", 1000 * seed, options.pairs, wrong=options.wrong),
            drawn(f"tried{seed}", 1000 * seed + 1, options.validation_pairs, wrong=options.wrong),
        )
        images = features_of(self.encoder, pairs)
        subsets = zip(pairs, ("train", "validation"), strict=True)
        table = pd.concat([one.table.assign(subset=name) for one, name in subsets])
        self._keep((SAYS, ALONE), train(options, pairs, seed, None, None))
        self.predictions.setdefault((NOTHING, ALONE), []).append(self.predictions[SAYS, ALONE][-1])
        for says, bank in self.banks.items():
            for title, choose in CHOICES.items():
                matches = bank.pair(table.reset_index(drop=True), images, choose, seed)
                self.told.setdefault((says, title), []).append(told(matches, bank, pairs))
                self._keep((says, title), train(options, pairs, seed, bank, choose))
        self.seconds["systems"] += time.perf_counter() - started

    def _keep(self, key: tuple[str, str], classifier: clip_it.ClipItClassifier) -> None:
        found = predict(classifier, self.test, 500)
        rows = predicted_rows(self.test.table, found, CLASSES, subset="test")
        self.predictions.setdefault(key, []).append(rows)
        print(*key, f"{(rows['label'] == rows['predicted']).mean():.3f}", flush=True)


def table_of(run: Run) -> pd.DataFrame:
    """Compare CLIP-IT with the others under both conditions: differences of methods, in points."""
    rows = []
    for says in (SAYS, NOTHING):
        own = {title: run.predictions[says, title] for title in (NEAREST, ALONE, RANDOM)}
        first = {title: each[0] for title, each in own.items()}
        tests = pairwise_tests(first, resamples=RESAMPLES, seed=1)
        random = dict.fromkeys(own, True)
        tests = add_method_tests(tests, own, random, resamples=RESAMPLES, seed=1)
        for one in tests[tests["system_a"] == NEAREST].to_dict("records"):
            other = str(one["system_b"])
            means = [np.mean([_accuracy(each) for each in own[name]]) for name in (NEAREST, other)]
            difference, low, high = (
                100 * one[f"method_difference{end}"] for end in ("", "_low", "_high")
            )
            rows.append(
                {
                    "condition": says,
                    "signs told rightly, %": f"{100 * np.mean(run.told[says, NEAREST]):.1f}",
                    "CLIP-IT, %": f"{100 * means[0]:.1f}",
                    "compared with": other,
                    "its accuracy, %": f"{100 * means[1]:.1f}",
                    "difference, points": f"{difference:+.1f}",
                    "95 % interval": f"{low:+.1f} to {high:+.1f}",
                    "excludes zero": "yes" if low > 0 or high < 0 else "no",
                }
            )
    return pd.DataFrame(rows)


def _accuracy(rows: pd.DataFrame) -> float:
    return float((rows["label"] == rows["predicted"]).mean())


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value, meaning in (
        ("seeds", 5, "trainings of every system, each with training pairs of its own"),
        ("pairs", 160, "training pairs"),
        ("validation-pairs", 400, "validation pairs, which choose the epoch"),
        ("test-pairs", 2000, "test pairs, whose labels are all right"),
        ("texts", 400, "texts of a bank"),
        ("epochs", 20, "of every system"),
        ("encoder-pairs", 4096, "other images with captions, for the encoder that pairs"),
        ("encoder-epochs", 10, "of that encoder"),
        ("threads", 1, "CPU threads"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{meaning} ({value})")
    for name, number, meaning in (
        ("wrong", 0.2, "share of wrong labels among training and validation pairs"),
        ("sign", 0.06, "strength of a sign, of 1 from black to white"),
        ("nuisance", 0.05, "standard deviation of each pattern that means nothing"),
        ("noise", 0.1, "standard deviation of the noise of every pixel"),
        ("weight", 5.0, "of the distillation loss"),
        ("learning-rate", 0.001, "of every system"),
    ):
        parser.add_argument(f"--{name}", type=float, default=number, help=f"{meaning} ({number})")
    parser.add_argument("--table", type=Path, help="where to write the table")
    return parser.parse_args(arguments)


def notes_of(run: Run) -> list[str]:
    """State the conditions."""
    options = {key: value for key, value in vars(run.options).items() if key != "table"}
    stated = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in options.items())
    seconds = run.seconds
    return [
        f"Arguments: {stated}.",
        "Accuracies: mean over seeds, on the same test pairs. Interval: of the difference of two "
        "methods over all seeds, paired over test pairs (2,000 resamples), with what trainings "
        "differ by besides.",
        "Signs told rightly: of how many of the signs the paired text says what is true of the "
        "image; half of them would be chance.",
        f"{seconds['encoder']:.0f} s for the encoder, {seconds['systems']:.0f} s for the systems.",
    ]


def main() -> None:
    """Run, print the table, and write it if asked to."""
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options, Path(folder))
        for seed in range(1, options.seeds + 1):
            run.with_seed(seed)
    found = as_markdown(
        table_of(run), title="Privileged text on constructed data", notes=notes_of(run)
    )
    print(found)
    if options.table:
        options.table.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
