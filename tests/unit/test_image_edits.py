"""A reviewer's edits: read strictly, painted and cut in pixels of the raw image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pairdx.errors import PairDxError
from pairdx.images import Edit, apply_edit, parse_edit

WIDTH, HEIGHT = 12, 9


def picture() -> Image.Image:
    # no pixel of the grey that masks are painted in
    noise = np.random.default_rng(3).integers(129, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    return left, top, draw(st.integers(left + 1, WIDTH)), draw(st.integers(top + 1, HEIGHT))


@given(crop=st.none() | boxes(), masks=st.lists(boxes(), max_size=3))
def test_masks_are_grey_the_crop_is_cut_out_and_nothing_else_changes(
    crop: tuple[int, int, int, int] | None, masks: list[tuple[int, int, int, int]]
) -> None:
    steps = [("crop", crop)] if crop else []
    steps += [("mask", box) for box in masks]
    text = "; ".join(f"{kind} {' '.join(map(str, box))}" for kind, box in steps)
    assert parse_edit(text, (WIDTH, HEIGHT)) == Edit(crop, tuple(masks))
    raw = picture()
    expected = np.array(raw)
    for left, top, right, bottom in masks:
        expected[top:bottom, left:right] = 128
    if crop:
        expected = expected[crop[1] : crop[3], crop[0] : crop[2]]
    np.testing.assert_array_equal(np.asarray(apply_edit(raw, text)), expected)
    np.testing.assert_array_equal(np.asarray(raw), np.asarray(picture()))


def test_no_edit_is_the_image_itself() -> None:
    raw = picture()
    assert apply_edit(raw, "") is raw
    assert parse_edit(" ") == Edit()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blur 0 0 5 5", "no edit"),
        ("crop 0 0 5", "no edit"),
        ("crop 0 0 5 5 5", "no edit"),
        ("crop -1 0 5 5", "no edit"),
        ("crop 0.5 0 5 5", "no edit"),
        ("crop 0,0,5,5", "no edit"),
        ("crop 0 0 5 5;", "no edit"),
        ("mask 0 0 5 \u0665", "no edit"),
        ("mask 3 0 3 5", "empty"),
        ("crop 5 5 2 8", "empty"),
        ("crop 0 0 13 9", "12 x 9"),
        ("mask 0 0 12 10", "12 x 9"),
        ("crop 0 0 5 5; crop 0 0 4 4", "stand first"),
        ("mask 0 0 5 5; crop 0 0 4 4", "stand first"),
    ],
)
def test_malformed_empty_and_outside_edits_are_refused(text: str, message: str) -> None:
    with pytest.raises(PairDxError, match=message):
        parse_edit(text, (WIDTH, HEIGHT))
    with pytest.raises(PairDxError, match=message):
        apply_edit(picture(), text)


def test_without_a_size_the_form_alone_is_checked() -> None:
    assert parse_edit("mask 0 0 5000 5000").masks == ((0, 0, 5000, 5000),)
    with pytest.raises(PairDxError, match="empty"):
        parse_edit("mask 5 5 5 6")
