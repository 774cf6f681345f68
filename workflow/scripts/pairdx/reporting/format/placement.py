"""Short labels beside points, off the points and off each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.theme import FAINT, INK, SMALL

SIZE = SMALL + 0.5  # of the labels, in points
MARKER = 4.0  # half a marker, in points
DISTANCES = (9.0, 13.0, 18.0, 24.0, 31.0)  # from point to label, in points; the first that is free
ANGLES = np.radians([30, 150, 330, 210, 0, 180, 60, 120, 300, 240])
LEADER = 12.0  # a label this far off, or farther, has a line to its point


@dataclass(frozen=True)
class Placement:
    """A point that needs a label.

    Attributes:
        text: The label.
        x: Where the point is, in the units of the axes.
        y: Likewise.
        low: Lower end of its error bar.
        high: Upper end.
    """

    text: str
    x: float
    y: float
    low: float
    high: float


def place_labels(figure: Figure, panel: Axes, points: Sequence[Placement]) -> None:
    """Write every label near its point where least is covered: no label, marker or error bar.

    Labels are placed one after the other, at the nearest free place; where none is free, at the one
    that covers least. The figure's layout must be final but for the labels, which take no part in
    it.
    """
    figure.draw_without_rendering()  # only then does the panel know where it is
    scale = 72 / figure.dpi
    spots = scale * panel.transData.transform([(point.x, point.y) for point in points])
    bars = [
        scale * panel.transData.transform([(point.x, point.low), (point.x, point.high)])
        for point in points
    ]
    frame = scale * panel.get_window_extent().get_points().ravel()
    obstacles = [_box(spot, MARKER, MARKER) for spot in spots]
    thin = [bar.ravel() + np.array([-1, -2, 1, 2]) for bar in bars]
    for point, spot in zip(points, spots, strict=True):
        half = (0.32 * SIZE * len(point.text) + 1, 0.42 * SIZE)
        choices = [
            distance * np.array([np.cos(angle), np.sin(angle)])
            for distance, angle in itertools.product(DISTANCES, ANGLES)
        ]
        covered = [
            _covered(_box(spot + offset, *half), obstacles, thin, frame)
            + _crossed(spot, offset, obstacles)
            for offset in choices
        ]
        best = choices[int(np.argmin(covered))]
        obstacles.append(_box(spot + best, *half))
        _write(panel, point, best)


def _box(centre: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """Return left, bottom, right, top."""
    half = np.array([half_width, half_height])
    return np.concatenate([centre - half, centre + half])


def _crossed(spot: np.ndarray, offset: np.ndarray, obstacles: Sequence[np.ndarray]) -> float:
    """Return how much the line to a label that is far off crosses, beyond the point's marker."""
    distance = float(np.hypot(*offset))
    steps = np.arange(MARKER + 2, distance if distance >= LEADER else 0, 3.0)
    boxes = [_box(spot + offset * step / distance, 1, 1) for step in steps]
    return 10 * sum(_overlap(box, other) for box in boxes for other in obstacles)


def _covered(
    box: np.ndarray,
    obstacles: Sequence[np.ndarray],
    thin: Sequence[np.ndarray],
    frame: np.ndarray,
) -> float:
    """Return how much a label in this box would cover; error bars weigh less than the rest."""
    outside = bool((box[:2] < frame[:2]).any() or (box[2:] > frame[2:]).any())
    covered = sum(_overlap(box, other) for other in obstacles)
    return 1e6 * outside + 10 * covered + sum(_overlap(box, other) for other in thin)


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the area that two boxes share, in square points."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    return float(np.prod(sides)) if (sides > 0).all() else 0.0


def _write(panel: Axes, point: Placement, offset: np.ndarray) -> None:
    far = float(np.hypot(*offset)) >= LEADER
    label = panel.annotate(
        point.text,
        (point.x, point.y),
        xytext=(float(offset[0]), float(offset[1])),
        textcoords="offset points",
        ha="center",
        va="center",
        size=SIZE,
        color=INK,
        zorder=5,
        arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.6, "shrinkA": 0, "shrinkB": 2}
        if far
        else None,
    )
    label.set_in_layout(False)
