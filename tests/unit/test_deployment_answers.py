"""What a deployed system makes of probabilities, and of an image file's bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pairdx.deployment.answers import calibrated, decide, found
from pairdx.deployment.preprocessing import Square, square
from pairdx.errors import PairDxError
from pairdx.evaluation.calibration import scale
from pairdx.images import apply_edit, decode
from pairdx.squaring import fit_to_square


def file_of(width: int, height: int, kind: str = "PNG") -> bytes:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(noise).save(held, kind)
    return held.getvalue()


@pytest.mark.parametrize("temperature", [0.01, 0.4, 1.0, 1.7, 100.0])
def test_probabilities_are_calibrated_as_the_evaluation_does_it(temperature: float) -> None:
    given = np.random.default_rng(1).dirichlet([0.2] * 7, 500).astype(np.float32)
    given[0], given[1] = np.eye(7)[2], np.full(7, 1 / 7)
    expected = scale(given.astype(np.float64), temperature)
    assert np.abs(calibrated(given, temperature) - expected).max() < 1e-12
    assert calibrated(given, temperature).dtype == np.float64
    assert np.allclose(calibrated(given, temperature).sum(axis=1), 1)


def test_without_a_temperature_probabilities_stay_as_they_are() -> None:
    given = np.array([[0.2, 0.9], [0.5, 0.0]])
    assert np.array_equal(calibrated(given, None), given)


def test_a_decision_below_the_threshold_is_left_open_and_one_at_it_is_not() -> None:
    decided = decide(np.array([[0.3, 0.7], [0.75, 0.25], [0.5, 0.5]]), 0.7)
    assert decided.predicted.tolist() == [1, 0, 0]
    assert decided.confidence.tolist() == [0.7, 0.75, 0.5]
    assert decided.abstain.tolist() == [False, False, True]


def test_where_no_confidence_kept_the_risk_every_decision_is_left_open() -> None:
    assert decide(np.array([[0.0, 1.0]]), None).abstain.tolist() == [True]


def test_findings_are_found_from_their_own_thresholds_on_and_never_without_one() -> None:
    called = found(np.array([[0.4, 0.9, 1.0], [0.39, 0.1, 0.2]]), [0.4, 0.2, None])
    assert called.tolist() == [[True, True, False], [False, False, False]]


@pytest.mark.parametrize("squaring", ["crop", "squash", "pad"])
def test_a_file_becomes_the_square_that_is_packed(squaring: str) -> None:
    content = file_of(70, 40)
    made = square(content, 32, squaring, "crop 5 5 60 35; mask 10 10 20 20")
    image = decode(content)
    assert isinstance(image, Image.Image)
    assert isinstance(made, Square)
    edited = apply_edit(image, "crop 5 5 60 35; mask 10 10 20 20")
    assert np.array_equal(made.pixels, fit_to_square(edited, 32, squaring))
    assert (made.width, made.height) == (70, 40)
    assert made.pixels.dtype == np.uint8


def test_what_is_no_image_is_a_sentence() -> None:
    assert str(square(b"PK\3\4 and more", 32, "crop")).startswith("a zip file")
    assert "damaged" in str(square(file_of(30, 30)[:200], 32, "crop"))


def test_a_line_of_pixels_takes_no_memory() -> None:
    refused = square(file_of(40_000, 1), 224, "crop")
    assert str(refused) == "refused: 40000 by 1 pixels are a line rather than an image"
    assert isinstance(square(file_of(4_000, 10), 224, "crop"), Square)


def test_an_edit_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(PairDxError, match="not inside the image"):
        square(file_of(20, 20), 8, "crop", "crop 0 0 30 30")
