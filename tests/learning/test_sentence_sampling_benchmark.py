"""The benchmark of drawn sentences draws what it says, and compares what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import report_data as drawn
from benchmarks import sentence_sampling as benchmark
from pairdx.report_texts.sentences import sentences

FEW = "--seeds 2 --pairs 32 --test-pairs 400 --base-pairs 64 --base-epochs 1 --epochs 1 --batch 16"


def test_reports_tell_the_findings_of_their_images_and_other_things() -> None:
    """As often as asked, a sentence each; prevalences are those stated."""
    options = benchmark.parsed(["--besides", "2"])
    pairs = drawn.World(options).pairs("p", 5, 2000)
    truth = pairs.findings == 1
    assert truth.mean(axis=0) == pytest.approx(list(drawn.FINDINGS.values()), abs=0.04)
    said = np.array([[name in text.lower() for name in drawn.CLASSES] for text in pairs.captions])
    assert said[truth].mean() == pytest.approx(options.told, abs=0.03)
    assert said[~truth].mean() == pytest.approx(options.denied, abs=0.03)
    for text, named in zip(pairs.captions[:20], said.sum(axis=1), strict=False):
        own = sentences(text)
        assert len(own) == named + 2
        assert sum(sentence in drawn.BESIDES for sentence in own) == 2


def test_the_first_training_sees_few_findings_and_never_a_report() -> None:
    options = benchmark.parsed(["--seen", "0.25"])
    captions = drawn.World(options).others(3, 2000).captions
    medical = [text for text in captions if text.startswith("an x-ray")]
    assert len(medical) / 2000 == pytest.approx(0.25, abs=0.04)
    assert not any(thing in " ".join(medical).split() for thing in drawn.THINGS)


def test_every_system_is_compared_with_the_plain_one(tmp_path: Path) -> None:
    run = benchmark.Run(benchmark.parsed(FEW.split()), tmp_path)
    for seed in (1, 2):
        run.with_seed(seed)
    table = benchmark.table_of(run).set_index("system")
    assert list(table.index) == ["untuned", "plain", "sentences", "relaxation", "both"]
    compared = table["difference to plain"] != ""
    assert list(compared) == [False, False, True, True, True]
    assert [len(run.areas[name]) for name in table.index] == [1, 2, 2, 2, 2]
    run.areas |= {"both": [0.8, 0.9], "sentences": [0.7, 0.9]}
    said = "both against sentences alone: +5.00 points, 95 % interval -58.53 to +68.53."
    assert said in benchmark.notes_of(run)


def test_intervals_are_students_of_paired_differences() -> None:
    """By hand, of 1, 2, 3: 2 plus and minus 4.303 / sqrt(3)."""
    found = benchmark.interval([1.0, 2.0, 3.0])
    assert found == pytest.approx((2, 2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), rel=1e-4)
