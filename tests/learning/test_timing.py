"""Timing: every stage of every image is counted, warm-up is not, and torch's threads come back."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from pairdx.errors import PairDxError
from pairdx.evaluation.timing import STAGES, time_classifier
from pairdx.images import apply_edit
from pairdx.machine import cpu_model


class RecordingClassifier:
    """Remembers what it was given; tokenising takes 2 milliseconds or more, classifying 4."""

    def __init__(self) -> None:
        self.captions: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.threads: set[int] = set()

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Keep the captions."""
        time.sleep(0.002)
        self.captions += captions
        return list(captions)

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Keep the shape of the images and the number of threads; give both classes one half."""
        time.sleep(0.004)
        assert images.dtype == np.uint8
        assert len(tokens) == len(images)
        self.shapes.append(images.shape)
        self.threads.add(torch.get_num_threads())
        return np.full((len(images), 2), 0.5, dtype=np.float32)


def encoded(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height), 90).save(stream, format="PNG")
    return stream.getvalue()


IMAGES = [encoded(40, 30), encoded(30, 50), encoded(20, 20)]
CAPTIONS = ["first", "second", "third"]
EDITS = ["", "", ""]
BOTH = ("image", "caption")


def test_stages_add_up_to_the_mean_and_are_seconds_per_image() -> None:
    result = time_classifier(
        RecordingClassifier(),
        IMAGES,
        CAPTIONS,
        EDITS,
        reads=BOTH,
        image_size=16,
        threads=1,
        warm_up=0,
    )
    assert tuple(result["stages"]) == STAGES
    assert sum(result["stages"].values()) == pytest.approx(result["mean"])
    assert result["stages"]["text"] >= 0.002
    assert result["stages"]["forward"] >= 0.004
    assert 0.006 <= result["p50"] <= result["p95"]
    assert (result["batch_size"], result["pairs"], result["threads"]) == (1, 3, 1)
    assert result["cpu_model"]


def test_every_image_is_squared_and_classified_alone_after_the_warm_up() -> None:
    classifier = RecordingClassifier()
    result = time_classifier(
        classifier, IMAGES, CAPTIONS, EDITS, reads=BOTH, image_size=16, threads=1, warm_up=2
    )
    assert classifier.captions == ["first", "second", "first", "second", "third"]
    assert classifier.shapes == [(1, 16, 16, 3)] * 5
    assert (result["warm_up"], result["pairs"]) == (2, 3)


def test_batches_are_full_and_their_times_are_seconds_per_image() -> None:
    """Three images in batches of two: the second batch takes the first image again."""
    classifier = RecordingClassifier()
    result = time_classifier(
        classifier,
        IMAGES,
        CAPTIONS,
        EDITS,
        reads=BOTH,
        image_size=16,
        threads=1,
        warm_up=1,
        batch_sizes=[2],
    )
    singly, in_batches = classifier.captions[:4], classifier.captions[4:]
    assert singly == ["first", "first", "second", "third"]
    assert in_batches == ["first", "second", "first", "second", "third", "first"]
    assert classifier.shapes[4:] == [(2, 16, 16, 3)] * 3
    (batched,) = result["deployment"]
    assert batched["batch_size"] == 2
    assert sum(batched["stages"].values()) == pytest.approx(batched["mean"])
    assert batched["stages"]["forward"] >= 0.002  # 4 milliseconds for two images
    assert batched["p50"] <= batched["p95"]


def test_other_runtimes_are_timed_one_by_one_and_in_the_same_batches() -> None:
    own, other = RecordingClassifier(), RecordingClassifier()
    result = time_classifier(
        own, IMAGES, CAPTIONS, EDITS, reads=BOTH, image_size=16, threads=1, warm_up=1,
        batch_sizes=[2], exported={"ONNX Runtime": other},
    )  # fmt: skip
    assert (other.captions, other.shapes) == (own.captions, own.shapes)
    assert (result["runtime"], result["batch_size"]) == ("PyTorch", 1)
    entries = result["deployment"]
    assert [(entry["runtime"], entry["batch_size"]) for entry in entries] == [
        *(("PyTorch", 2), ("ONNX Runtime", 1), ("ONNX Runtime", 2)),
    ]
    for entry in entries:
        assert sum(entry["stages"].values()) == pytest.approx(entry["mean"])


def test_a_runtime_that_a_system_could_not_be_exported_to_is_an_empty_entry() -> None:
    result = time_classifier(
        RecordingClassifier(), IMAGES, CAPTIONS, EDITS, reads=BOTH, image_size=8, threads=1,
        warm_up=0, runtime="PyTorch", exported={"ONNX Runtime": None},
    )  # fmt: skip
    (entry,) = result["deployment"]
    assert (entry["runtime"], entry["batch_size"]) == ("ONNX Runtime", 1)
    assert [entry[name] for name in ("p50", "p95", "mean")] == [None] * 3
    assert entry["stages"] == dict.fromkeys(STAGES)


class Counting(RecordingClassifier):
    """Also takes what a system gets that reads no captions."""

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """As above; there need be no tokens."""
        return super().probabilities(images, [""] * len(images) if tokens is None else tokens)


@pytest.mark.parametrize("runtime", ["own", "exported"])
@pytest.mark.parametrize(
    ("reads", "run"),
    [
        (["image"], {"decode", "preprocess", "forward"}),
        (["caption"], {"text", "forward"}),
        (["image", "caption"], set(STAGES)),
        ([], {"forward"}),
    ],
)
def test_a_system_is_charged_for_the_stages_of_what_it_reads(
    reads: list[str], run: set[str], runtime: str
) -> None:
    """Files that are no images are no matter to a system that reads none of them."""
    classifier, files = Counting(), IMAGES if "image" in reads else [b"not an image"] * 3
    result = time_classifier(
        classifier, files, CAPTIONS, EDITS, reads=reads, image_size=16, threads=1, warm_up=0,
        batch_sizes=[2], exported={"ONNX Runtime": classifier},
    )  # fmt: skip
    singly, *others = [result, *result["deployment"]]
    assert len(others) == 3
    for measured in [singly] if runtime == "own" else others:
        counted = {name: seconds for name, seconds in measured["stages"].items() if seconds}
        assert set(counted) == run
        assert {measured["stages"][name] for name in set(STAGES) - run} <= {None}
        assert sum(counted.values()) == pytest.approx(measured["mean"])
    assert bool(classifier.captions) == ("caption" in reads)
    assert set(classifier.shapes) == {(1, 16, 16, 3), (2, 16, 16, 3)}


def test_without_batch_sizes_only_single_pairs_are_timed() -> None:
    result = time_classifier(
        RecordingClassifier(),
        IMAGES,
        CAPTIONS,
        EDITS,
        reads=BOTH,
        image_size=8,
        threads=1,
        warm_up=0,
    )
    assert result["deployment"] == []


def test_linear_algebra_is_held_to_the_same_threads() -> None:
    """BLAS takes every core by itself, and baselines would be timed on more cores than networks."""
    seen: set[int] = set()

    class Watching(RecordingClassifier):
        def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
            seen.update(library["num_threads"] for library in threadpool_info())
            return super().probabilities(images, tokens)

    with threadpool_limits(2):
        time_classifier(
            Watching(), IMAGES, CAPTIONS, EDITS, reads=BOTH, image_size=8, threads=1, warm_up=0
        )
        assert {library["num_threads"] for library in threadpool_info()} == {2}
    assert seen == {1}


def test_more_warm_up_than_pairs_is_recorded_as_what_was_run() -> None:
    result = time_classifier(
        RecordingClassifier(),
        IMAGES,
        CAPTIONS,
        EDITS,
        reads=BOTH,
        image_size=8,
        threads=1,
        warm_up=50,
    )
    assert result["warm_up"] == 3


def test_threads_are_set_for_the_classifier_and_restored_even_after_an_error() -> None:
    before = torch.get_num_threads()
    classifier = RecordingClassifier()
    time_classifier(
        classifier, IMAGES, CAPTIONS, EDITS, reads=BOTH, image_size=8, threads=before + 1, warm_up=0
    )
    assert classifier.threads == {before + 1}
    assert torch.get_num_threads() == before

    def failing(image: Image.Image, size: int) -> np.ndarray:
        raise RuntimeError(f"{image.size} {size}")

    with pytest.raises(RuntimeError):
        time_classifier(
            classifier,
            IMAGES,
            CAPTIONS,
            EDITS,
            reads=BOTH,
            image_size=8,
            threads=before + 1,
            warm_up=0,
            preprocess=failing,
        )
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("images", "captions", "edits", "message"),
    [
        ([], [], [], "at least one image"),
        (IMAGES, CAPTIONS[:2], EDITS, "one caption and edit per image"),
        (IMAGES, CAPTIONS, EDITS[:2], "one caption and edit per image"),
        ([b"not an image"], ["caption"], [""], "cannot be read"),
        (IMAGES[:1], ["caption"], ["mask 0 0 1 31"], "40 x 30"),
    ],
)
def test_bad_input_is_refused(
    images: list[bytes], captions: list[str], edits: list[str], message: str
) -> None:
    with pytest.raises(PairDxError, match=message):
        time_classifier(
            RecordingClassifier(),
            images,
            captions,
            edits,
            reads=BOTH,
            image_size=8,
            threads=1,
            warm_up=0,
        )


def test_edited_images_are_classified_and_editing_is_not_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran_on = 0.0
    clock = time.perf_counter

    def slow(image: Image.Image, edit: str) -> Image.Image:
        nonlocal ran_on
        ran_on += 1e6
        return apply_edit(image, edit)

    monkeypatch.setattr(time, "perf_counter", lambda: clock() + ran_on)
    monkeypatch.setattr("pairdx.evaluation.timing.apply_edit", slow)
    sizes = []

    def preprocess(image: Image.Image, size: int) -> np.ndarray:
        sizes.append(image.size)
        return np.zeros((size, size, 3), dtype=np.uint8)

    edits = ["", "crop 1 2 11 22", ""]
    result = time_classifier(
        RecordingClassifier(),
        IMAGES,
        CAPTIONS,
        edits,
        reads=BOTH,
        image_size=8,
        threads=1,
        warm_up=0,
        preprocess=preprocess,
    )
    assert sizes == [(40, 30), (10, 20), (20, 20)]
    assert ran_on >= 3e6
    assert result["mean"] < 1e6  # the time of editing is not the classifier's


def test_the_processor_is_named_as_linux_names_it(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n", encoding="utf-8")
    assert cpu_model(cpuinfo) == "Some CPU @ 2.0GHz"
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 50\n", encoding="utf-8")  # as on ARM
    assert cpu_model(cpuinfo)
    assert cpu_model(tmp_path / "missing")
