"""Charts for the demo corpus."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from pairdx.corpus.drawn.images.canvas import font, ink, varied

Generator = np.random.Generator
Box = tuple[float, float, float, float]

SERIES = (
    (0.12, 0.47, 0.71), (1.0, 0.5, 0.05), (0.17, 0.63, 0.17), (0.84, 0.15, 0.16),
    (0.58, 0.4, 0.74), (0.55, 0.34, 0.29), (0.2, 0.2, 0.2), (0.9, 0.47, 0.76),
)  # fmt: skip
PAPER = ((1.0, 1.0, 1.0),) * 6 + (
    (0.93, 0.93, 0.95),
    (0.98, 0.93, 0.85),
    (0.85, 0.91, 0.96),
    (0.97, 0.88, 0.9),
)
WORDS = (
    "Days",
    "Weeks",
    "Months",
    "Survival",
    "CRP",
    "Titre",
    "Dose",
    "Score",
    "Count",
    "Level",
    "Group",
    "mmHg",
    "Rate",
)


class Plot:
    """A chart that is being drawn: a pen, the frame of its axes and its colours."""

    def __init__(self, rng: Generator, shape: tuple[int, int]) -> None:
        height, width = shape
        self.rng = rng
        self.dark = rng.random() < 0.1
        paper = (
            varied(rng, (0.1, 0.11, 0.14), 0.03)
            if self.dark
            else varied(rng, PAPER[rng.integers(len(PAPER))], 0.015)
        )
        self.ink = ink((0.85, 0.85, 0.85) if self.dark else (0.1, 0.1, 0.1))
        self.image = Image.new("RGB", (width, height), ink(paper))
        self.draw = ImageDraw.Draw(self.image)
        left, top = width * rng.uniform(0.1, 0.24), height * rng.uniform(0.05, 0.2)
        self.box: Box = (
            left,
            top,
            width * rng.uniform(0.82, 0.97),
            height * rng.uniform(0.74, 0.9),
        )
        self.stroke = int(rng.integers(2, 5))
        order = rng.permutation(len(SERIES))
        grey = rng.random() < 0.2
        self.colours = [
            ink((0.12 * rank,) * 3 if grey else SERIES[one]) for rank, one in enumerate(order)
        ]

    def point(self, across: float, up: float) -> tuple[float, float]:
        """Return the pixel of a place given in parts of the axes, from the lower left."""
        left, top, right, bottom = self.box
        return left + across * (right - left), bottom - up * (bottom - top)

    def axes(self) -> None:
        """Draw the axes, their ticks, numbers and titles, and at times a grid or a frame."""
        left, top, right, bottom = self.box
        rng, size = self.rng, int(self.rng.integers(11, 17))
        grid, frame = rng.random() < 0.35, rng.random() < 0.4
        light = ink((0.35,) * 3 if self.dark else (0.8,) * 3)
        for tick in range(int(rng.integers(3, 8))):
            place = tick / 6
            for across, up, shift in ((place, 0.0, (-4, 4)), (0.0, place, (-24, -6))):
                x, y = self.point(across, up)
                if grid:
                    self.draw.line((x, y, *((x, top) if up == 0 else (right, y))), fill=light)
                self.draw.text(
                    (x + shift[0], y + shift[1]),
                    str(int(tick * 10)),
                    fill=self.ink,
                    font=font(size - 2),
                )
        self.draw.line((left, top, left, bottom, right, bottom), fill=self.ink, width=2)
        if frame:
            self.draw.rectangle(self.box, outline=self.ink)
        words = [WORDS[one] for one in rng.integers(0, len(WORDS), 2)]
        self.draw.text(
            ((left + right) / 2 - 15, bottom + 16), words[0], fill=self.ink, font=font(size)
        )
        if rng.random() < 0.5:
            self.draw.text((left, max(0, top - 18)), words[1], fill=self.ink, font=font(size))

    def legend(self, entries: int) -> None:
        """Name the first series in a corner."""
        x, y = self.point(self.rng.choice([0.05, 0.65]), self.rng.choice([0.97, 0.4]))
        for entry in range(entries):
            self.draw.rectangle(
                (x, y + 14 * entry, x + 10, y + 14 * entry + 8), fill=self.colours[entry]
            )
            self.draw.text(
                (x + 14, y + 14 * entry - 3), f"Arm {entry + 1}", fill=self.ink, font=font(11)
            )


def chart(rng: Generator, shape: tuple[int, int]) -> Image.Image:
    """Draw a chart: bars, curves, survival steps, points, a forest plot, a flow diagram or slices.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
    """
    plot = Plot(rng, shape)
    kinds = (_bars, _curves, _survival, _points, _forest, _flow, _slices)
    draw = kinds[rng.choice(len(kinds), p=(0.24, 0.24, 0.18, 0.1, 0.09, 0.09, 0.06))]
    draw(rng, plot)
    return plot.image


def _bars(rng: Generator, plot: Plot) -> None:
    plot.axes()
    groups, series = int(rng.integers(3, 10)), int(rng.integers(1, 4))
    heights = np.clip(rng.gamma(2.0, 0.22, (groups, series)), 0.04, 0.97)
    lying = rng.random() < 0.25
    for group in range(groups):
        for one in range(series):
            start = (group + 0.15 + 0.7 * one / series) / groups
            end, height = start + 0.65 / series / groups, float(heights[group, one])
            corners = ((0, start), (height, end)) if lying else ((start, 0), (end, height))
            (x0, y0), (x1, y1) = plot.point(*corners[0]), plot.point(*corners[1])
            plot.draw.rectangle((x0, min(y0, y1), x1, max(y0, y1)), fill=plot.colours[one])
            if not lying and series < 3:
                middle = (x0 + x1) / 2
                plot.draw.line((middle, y1 - rng.uniform(3, 14), middle, y1), fill=plot.ink)
    if series > 1:
        plot.legend(series)


def _curves(rng: Generator, plot: Plot) -> None:
    plot.axes()
    series, steps = int(rng.integers(1, 5)), int(rng.integers(5, 40))
    marked = rng.random() < 0.5 and steps < 20
    for one in range(series):
        walk = np.cumsum(rng.normal(rng.normal(0, 0.2), 1, steps))
        levels = rng.uniform(0.05, 0.35) + rng.uniform(0.3, 0.6) * (walk - walk.min()) / max(
            np.ptp(walk), 0.1
        )
        points = [plot.point(step / (steps - 1), float(level)) for step, level in enumerate(levels)]
        plot.draw.line(points, fill=plot.colours[one], width=plot.stroke, joint="curve")
        for x, y in points if marked else ():
            plot.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=plot.colours[one])
    if series > 1:
        plot.legend(series)


def _survival(rng: Generator, plot: Plot) -> None:
    plot.axes()
    series = int(rng.integers(1, 4))
    for one in range(series):
        times = np.sort(rng.random(int(rng.integers(6, 30))))
        levels = 1 - np.cumsum(rng.dirichlet(np.ones(times.size)) * rng.uniform(0.3, 0.95))
        points, level = [plot.point(0, 0.97)], 0.97
        for time, below in zip(times, levels, strict=True):
            points += [plot.point(float(time), level), plot.point(float(time), 0.97 * float(below))]
            level = 0.97 * float(below)
        plot.draw.line([*points, plot.point(1, level)], fill=plot.colours[one], width=plot.stroke)
        for x, y in points[2::6]:
            plot.draw.line((x, y - 5, x, y + 5), fill=plot.colours[one], width=2)
    plot.legend(series)


def _points(rng: Generator, plot: Plot) -> None:
    plot.axes()
    slope, size = rng.uniform(-0.8, 0.8), rng.uniform(2.5, 6)
    for x, y, which in zip(
        *rng.random((2, int(rng.integers(20, 120)))), rng.integers(0, 3, 200), strict=False
    ):
        px, py = plot.point(
            float(x), float(np.clip(0.5 + slope * (x - 0.5) + 0.35 * (y - 0.5), 0, 1))
        )
        plot.draw.ellipse((px - size, py - size, px + size, py + size), fill=plot.colours[which])
    plot.draw.line(
        (*plot.point(0, 0.5 - slope / 2), *plot.point(1, 0.5 + slope / 2)), fill=plot.ink, width=2
    )


def _forest(rng: Generator, plot: Plot) -> None:
    rows = int(rng.integers(5, 13))
    middle = rng.uniform(0.45, 0.75)
    plot.draw.line((*plot.point(middle, 0), *plot.point(middle, 1)), fill=plot.ink)
    plot.draw.line((*plot.point(0.25, 0), *plot.point(1, 0)), fill=plot.ink, width=2)
    for row in range(rows):
        up = (row + 0.5) / rows
        place, reach = (
            float(np.clip(middle + rng.normal(0, 0.1), 0.35, 0.9)),
            rng.uniform(0.03, 0.16),
        )
        plot.draw.line(
            (*plot.point(place - reach, up), *plot.point(place + reach, up)), fill=plot.ink, width=2
        )
        x, y = plot.point(place, up)
        size = rng.uniform(3, 8)
        plot.draw.rectangle((x - size, y - size, x + size, y + size), fill=plot.colours[0])
        plot.draw.text((4, y - 7), WORDS[rng.integers(len(WORDS))], fill=plot.ink, font=font(13))


def _flow(rng: Generator, plot: Plot) -> None:
    width, height = plot.image.size
    rows, fill = int(rng.integers(3, 6)), ink(varied(rng, (0.9, 0.94, 0.98), 0.05))
    for row in range(rows):
        columns = int(rng.integers(1, 4))
        for column in range(columns):
            x, y = width * (column + 0.5) / columns, height * (row + 0.5) / rows
            across, down = width / columns * rng.uniform(0.3, 0.42), height / rows * 0.3
            if row:
                plot.draw.line((width / 2, y - 2.2 * down, x, y - down), fill=plot.ink, width=2)
            box = (x - across, y - down, x + across, y + down)
            plot.draw.rounded_rectangle(
                box, 5, fill=None if plot.dark else fill, outline=plot.ink, width=2
            )
            for line in range(rng.integers(1, 3)):
                text = " ".join(WORDS[one] for one in rng.integers(0, len(WORDS), 2))
                plot.draw.text(
                    (x - across + 5, y - down + 2 + 13 * line), text, fill=plot.ink, font=font(11)
                )


def _slices(rng: Generator, plot: Plot) -> None:
    width, height = plot.image.size
    radius = min(width, height) * rng.uniform(0.28, 0.4)
    x, y = width * rng.uniform(0.4, 0.5), height * 0.52
    angle = rng.uniform(0, 360)
    for one, share in enumerate(rng.dirichlet(np.full(int(rng.integers(3, 7)), 3.0))):
        box = (x - radius, y - radius, x + radius, y + radius)
        plot.draw.pieslice(
            box, angle, angle + 360 * share, fill=plot.colours[one], outline=plot.ink
        )
        angle += 360 * share
    plot.box = (width * 0.05, height * 0.05, width * 0.98, height * 0.95)
    plot.legend(int(rng.integers(2, 6)))
