"""The benchmark of the data path: both paths do the same work; data held ready is not counted."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_models as tiny
from benchmarks import data_path, paper_scale
from pairdx.errors import PairDxError

TINY = data_path.Settings(
    images=5, image_size=32, batch_size=2, threads=1, seconds=0.0, steps=2, turns=1, workers=(0,)
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list[Path]:
    """A few WebP files."""
    return data_path.write_images(tmp_path_factory.mktemp("pictures"), TINY)


def test_without_augmentation_both_paths_show_the_same_pixels(pictures, monkeypatch):
    """Decoding once or anew, resizing and cutting are one and the same work."""
    nothing = dict.fromkeys(
        ("flip", "rotation_degrees", "brightness", "contrast", "saturation", "hue"), 0.0
    )
    entry = {"settings": {"augmentation": nothing}}
    monkeypatch.setattr(data_path, "registry", lambda _: entry)
    settings = data_path.Settings(images=5, image_size=32, batch_size=5)
    packed, labels = next(data_path.packed_batches(pictures, settings))
    decoded, others = next(data_path.decoded_batches(pictures, settings, workers=0))
    assert packed.dtype == decoded.dtype == torch.float32
    assert packed.stride() == decoded.stride()
    torch.testing.assert_close(packed[labels.argsort()], decoded[others.argsort()])


def test_waiting_for_data_is_told_from_computing():
    """Data that takes 20 ms and a step that takes 10 ms: two thirds of a step are data."""

    def slow_data():
        while True:
            time.sleep(0.02)
            yield torch.zeros(2), torch.zeros(2)

    step, data = data_path.step_seconds(slow_data(), lambda *_: time.sleep(0.01), TINY)
    assert 0.02 <= data < step
    assert step - data >= 0.01
    assert data_path.images_per_second(slow_data(), TINY) <= 2 / 0.02


def test_batches_that_idle_workers_hold_ready_are_not_counted():
    """They are drawn beforehand: two per worker."""
    batches = iter(range(100))
    data_path.drained(batches, workers=2)
    assert next(batches) == 4


def test_a_small_comparison_has_one_line_per_path_and_its_conditions():
    """Rates are relative to the best DataLoader of the same run."""
    table = data_path.compare_paths(TINY)
    assert table["path"].tolist() == [data_path.PACKED, "WebP decoded per sample, 0 workers"]
    assert table["times_as_fast"][1] == 1
    assert table["data_share"].between(0, 1, inclusive="neither").all()
    text = data_path.report(table, TINY, load=1.25)
    assert f"torch {torch.__version__.split('+')[0]}" in text
    assert "1 threads" in text
    assert "1.2 other processes" in text


def test_training_at_scale_relates_speed_to_matrix_products(monkeypatch):
    """Both families through their own fit; the operations are those of the networks."""
    monkeypatch.setattr(paper_scale, "WORDS", [f"w{number}" for number in range(50)])
    names = {label: label for label in paper_scale.CLASSES}
    clip = tiny.settings(tiny.CLIP, epochs=1, class_names=names)
    systems = {
        "pairdx_fusion": {"family": "fusion", "settings": tiny.settings(tiny.FUSION, epochs=1)},
        "pairdx_clip": {"family": "clip", "settings": clip},
    }
    text = paper_scale.training_at_scale(
        "cpu", 16, systems, threads=1, image_size=32, matrix_size=64
    )
    for expected in (
        "pairdx_fusion",
        "pairdx_clip",
        "Achieved share, %",
        "Data share, %",
        "float32",
    ):
        assert expected in text


def test_operations_are_three_times_those_of_the_forward_pass():
    """A 1 x 1 convolution from 3 to 4 channels on 32 x 32 pixels, counted by hand."""

    class Images(torch.nn.Conv2d):
        def forward(self, images, tokens):
            assert tokens.shape == (1, 1)
            return super().forward(images)

    class Classifier:
        network = Images(3, 4, 1)

        def tokenise(self, captions):
            return np.zeros((len(captions), 1), dtype=np.int64)

    counted = paper_scale.operations_per_pair(Classifier(), tiny.make_pairs(2))
    assert counted == 3 * 2 * 3 * 4 * 32 * 32


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_paper_scale_says_so():
    """No number from another device."""
    with pytest.raises(PairDxError, match="GPU"):
        paper_scale.training_at_scale("cuda", 10, {}, threads=1)
