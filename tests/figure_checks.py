"""What is asked of every figure."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from pairdx.reporting.format.theme import DOTS_PER_INCH, PAGE_WIDTH, theme


def assert_whole(figure: Figure, folder: Path) -> None:
    """Assert that it is of page width, that its SVG is XML, and that nothing is cut off.

    And that no title breaks within the word stand-in.
    """
    with theme():
        figure.savefig(folder / "figure.svg", format="svg")
        figure.set_dpi(DOTS_PER_INCH)  # as in the PNG: texts are a little wider at others
        figure.draw_without_rendering()
    assert ElementTree.parse(folder / "figure.svg").getroot().tag.endswith("svg")  # noqa: S314
    assert not [text for text in figure.findobj(Text) if "stand-\n" in text.get_text()]
    content = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert width == pytest.approx(PAGE_WIDTH)
    rounding = 1e-6
    assert min(content.x0, content.y0) >= -rounding
    assert content.x1 <= width + rounding
    assert content.y1 <= height + rounding
