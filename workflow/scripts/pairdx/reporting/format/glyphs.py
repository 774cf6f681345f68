"""What the fonts of figures can draw, and text in its place where they cannot.

DejaVu Sans comes with matplotlib and draws Latin, Greek, Cyrillic, Hebrew and Arabic, each in its
direction. For what it lacks, further fonts of the machine are asked; what none of them has is
written by name or code point, because matplotlib would draw an empty box.
"""

from __future__ import annotations

from functools import cache

from matplotlib import font_manager

from pairdx.reporting.format.characters import in_one_bracket, named

MISSING_GLYPH = "\u25a1"
# In this order, where they are installed; fonts of coloured pictures cannot be drawn.
FURTHER = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans"),
    *("WenQuanYi Zen Hei", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei"),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Ethiopic"),
    *("Noto Emoji", "Symbola", "Segoe UI Symbol", "Noto Sans Symbols2", "Arial Unicode MS"),
    "Unifont",
)
CUT = "\u2026"


@cache
def families() -> list[str]:
    """Name the fonts of figures: matplotlib takes each letter from the first that has it."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FURTHER if name in installed)]


@cache
def _characters() -> frozenset[int]:
    known: set[int] = set()
    for family in families():
        font = font_manager.get_font(font_manager.findfont(family))
        known |= {code for code in font.get_charmap() if chr(code).isprintable()}
    return frozenset(known)


def drawable(text: str) -> str:
    """Replace what the figures' fonts lack by a box, and control characters by spaces."""
    known = _characters()
    return "".join(
        character if ord(character) in known else MISSING_GLYPH if character.isprintable() else " "
        for character in text
    )


def drawable_name(name: str, longest: int | None = None) -> str:
    """Name in brackets what the figures' fonts lack: ``[grinning face] smile``, ``[U+80F8]``.

    Args:
        name: The name of a class.
        longest: Characters; a longer one is cut in its middle, as names often differ at the end.
    """
    known = _characters()
    written = in_one_bracket("".join(one if ord(one) in known else _named(one) for one in name))
    if longest is not None and len(written) > longest:
        tail = (longest - 1) // 3
        return written[: longest - 1 - tail].rstrip() + CUT + written[-tail:].lstrip()
    return written


def _named(character: str) -> str:
    name = named(character) if character.isprintable() else ""
    return f"[{name}]" if name else ""


def no_formula(text: str) -> str:
    """Return text for titles, ticks and legends, in which dollar signs would begin a formula."""
    return text.replace("$", r"\$")
