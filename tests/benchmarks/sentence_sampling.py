"""Do drawn sentences and relaxed pairs help to find several findings? A data set made to tell.

    python tests/benchmarks/sentence_sampling.py --table sentence_sampling.md

Both are a reconstruction of what Jang et al. (arXiv 2212.07050) describe; its exact form is not
public. Images show up to eight findings weakly (a faint pattern each), below stronger patterns that
mean nothing. A report has a sentence for most findings that are there, for some that are not, and
sentences about other matters, in any order. A small CLIP that was trained on other images, of
things, is tuned on these pairs in four ways with one budget: plain, with sentences drawn in every
epoch, with relaxed positive pairs, with both. Then it is asked about each finding by a positive and
a negative prompt ("{}", "no {}").

Everything but the data is the project's own. Every seed has its own training pairs, draws and order
of batches; the weights that all start from, and the test pairs, are the same. It is no test: it
takes minutes. Settings are for trial with --asked validation and other seeds (--first-seed).
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

from scipy.stats import t as student  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from benchmarks.report_data import CLASSES, LOOP, PROMPTS, World, train_base  # noqa: E402
from pairdx.models.base import FitJob, Pairs, predict  # noqa: E402
from pairdx.models.clip import system as clip  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402

BASE, PLAIN, SAMPLED, RELAXED, BOTH = "untuned", "plain", "sentences", "relaxation", "both"


def systems(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the settings that each tuned system has besides the common ones."""
    sampling = {"sentence_sampling": {"at_least": options.at_least, "at_most": options.at_most}}
    relaxation = {
        "relaxation": {
            **{"form": options.form, "sides": options.sides},
            "quantile": None if options.threshold is not None else options.quantile,
            **{"threshold": options.threshold, "slope": options.slope, "epsilon": options.epsilon},
        }
    }
    return {PLAIN: {}, SAMPLED: sampling, RELAXED: relaxation, BOTH: sampling | relaxation}


class Run:
    """All systems with all seeds.

    Attributes:
        areas: By system, the macro AUROC of every seed.
        drawing: By system, the share of the time of training passes that batches were waited for.
    """

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.world = options, World(options)
        started = time.perf_counter()
        self.weights = train_base(self.world, folder)
        seed, count = (1, options.test_pairs) if options.asked == "test" else (2, 2000)
        self.asked = self.world.pairs(options.asked, seed, count)
        self.areas: dict[str, list[float]] = {}
        self.drawing: dict[str, list[float]] = {}
        self._keep(BASE, self._build({}, 1))
        self.cut = self._build({}, 1).truncated_share(self.asked.captions)
        self.seconds = {"base": time.perf_counter() - started, "systems": 0.0}

    def with_seed(self, seed: int) -> None:
        """Draw training and validation pairs, and tune everyone on them."""
        started, options = time.perf_counter(), self.options
        train = self.world.pairs(f"train{seed}", 1000 * seed, options.pairs)
        validation = self.world.pairs(f"tried{seed}", 1000 * seed + 1, 256)
        for title, settings in systems(options).items():
            if title not in (options.only or title):
                continue
            classifier = self._build(settings, seed)
            job = FitJob(seed=seed, threads=options.threads)
            history = clip.fit(classifier, train, validation, job)
            waited = history["data_seconds"].sum() / history["seconds"].sum()
            self.drawing.setdefault(title, []).append(waited)
            self._keep(title, classifier, f"{classifier.observed} {history.iloc[-1].to_dict()}")
        self.seconds["systems"] += time.perf_counter() - started

    def _build(self, settings: dict[str, Any], seed: int) -> clip.ClipClassifier:
        options = self.options
        common = {
            **{**LOOP, "weights": "given", "several": True, "finding_prompts": PROMPTS},
            **{"class_names": {finding: finding for finding in CLASSES}, "epochs": options.epochs},
            **{"batch_size": options.batch, "learning_rate": options.learning_rate},
        }
        return clip.build({**common, **settings}, CLASSES, {"weights": self.weights}, seed)

    def _keep(self, title: str, classifier: clip.ClipClassifier, remark: str = "") -> None:
        area = macro_area(self.asked, predict(classifier, self.asked, 500))
        self.areas.setdefault(title, []).append(area)
        print(f"{title}: {area:.4f}", remark if self.options.verbose else "", flush=True)


def macro_area(pairs: Pairs, probabilities: np.ndarray) -> float:
    """Return the mean over findings of the area under the ROC curve."""
    return float(roc_auc_score(pairs.findings, probabilities, average="macro"))


def interval(differences: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of paired differences over seeds with its Student interval."""
    mean, count = float(np.mean(differences)), len(differences)
    spread = float(np.std(differences, ddof=1)) / count**0.5
    half = float(student.ppf((1 + level) / 2, count - 1)) * spread
    return mean, mean - half, mean + half


def table_of(run: Run) -> pd.DataFrame:
    """Compare every tuned system with the plain one: macro AUROC in points."""
    rows = []
    for title, areas in run.areas.items():
        points = 100 * np.array(areas)
        row = {"system": title, "macro AUROC, points": f"{points.mean():.2f}"}
        row["SD over seeds"] = f"{points.std(ddof=1):.2f}" if len(points) > 1 else ""
        row |= {"difference to plain": "", "95 % interval": "", "excludes zero": ""}
        if title not in (BASE, PLAIN):
            mean, low, high = interval(points - 100 * np.array(run.areas[PLAIN]))
            row["difference to plain"] = f"{mean:+.2f}"
            row["95 % interval"] = f"{low:+.2f} to {high:+.2f}"
            row["excludes zero"] = "yes" if low > 0 or high < 0 else "no"
        waiting = run.drawing.get(title)
        row["share of time for data, %"] = f"{100 * np.mean(waiting):.0f}" if waiting else ""
        rows.append(row)
    return pd.DataFrame(rows)


def added(run: Run) -> str:
    """Say what relaxed pairs add to drawn sentences."""
    areas = (100 * np.array(run.areas[title]) for title in (BOTH, SAMPLED))
    mean, low, high = interval(next(areas) - next(areas))
    return (
        f"{BOTH} against {SAMPLED} alone: {mean:+.2f} points, 95 % interval {low:+.2f} to "
        f"{high:+.2f}."
    )


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value, meaning in (
        ("seeds", 5, "trainings of every system, each with training pairs of its own"),
        ("first-seed", 1, "the first of them"),
        ("pairs", 1024, "training pairs"),
        ("test-pairs", 4000, "test pairs"),
        ("epochs", 10, "of every system"),
        ("batch", 64, "pairs of a batch"),
        ("base-pairs", 4096, "images of things with captions, for the weights all start from"),
        ("base-epochs", 12, "of that training"),
        ("besides", 3, "sentences of a report about other matters"),
        ("at-least", 1, "sentences of a draw"),
        ("at-most", 1, "sentences of a draw"),
        ("threads", 1, "CPU threads"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{meaning} ({value})")
    for name, number, meaning in (
        ("seen", 0.1, "share of findings among the images that all weights start from"),
        ("told", 0.9, "share of findings that are there and in the report"),
        ("denied", 0.3, "share of findings that are not there and said to be so"),
        ("sign", 0.06, "strength of a finding, of 1 from black to white"),
        ("nuisance", 0.05, "standard deviation of each pattern that means nothing"),
        ("noise", 0.1, "standard deviation of the noise of every pixel"),
        ("learning-rate", 0.001, "of every system"),
        ("quantile", 0.9, "of the training pairs' cosines, for the threshold"),
        ("threshold", None, "of relaxed pairs, in place of the quantile"),
        ("slope", None, "of relaxed pairs above it"),
        ("epsilon", None, "of the form target"),
    ):
        parser.add_argument(f"--{name}", type=float, default=number, help=f"{meaning} ({number})")
    parser.add_argument("--form", default="clip", help="of the relaxation (clip)")
    parser.add_argument("--sides", default="both", help="of the relaxation (both)")
    parser.add_argument("--asked", default="test", choices=("test", "validation"))
    parser.add_argument("--only", nargs="*", help="systems to train")
    parser.add_argument("--verbose", action="store_true", help="print what is known of each")
    parser.add_argument("--table", type=Path, help="where to write the table")
    return parser.parse_args(arguments)


def notes_of(run: Run) -> list[str]:
    """State the conditions."""
    left_out = ("table", "only", "verbose")
    options = {key: value for key, value in vars(run.options).items() if key not in left_out}
    stated = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in options.items())
    return [
        "Drawn sentences and relaxed pairs are a reconstruction of Jang et al.; its exact form is "
        "not public.",
        f"Arguments: {stated}.",
        "Macro AUROC: mean over findings, zero-shot, on the same pairs for all. Interval: "
        "Student's, of the paired differences of seeds; it is about trainings, not test pairs.",
        added(run),
        f"{100 * run.cut:.1f} % of the reports are longer than what the text encoder reads.",
        f"{run.seconds['base']:.0f} s for the weights that all start from, "
        f"{run.seconds['systems']:.0f} s for the tuned systems.",
    ]


def main() -> None:
    """Run, print the table, and write it if asked to."""
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options, Path(folder))
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            run.with_seed(seed)
    title = "Drawn sentences and relaxed pairs on constructed data"
    if options.seeds > 1 and not options.only:
        found = as_markdown(table_of(run), title=title, notes=notes_of(run))
        print(found)
        if options.table:
            options.table.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
