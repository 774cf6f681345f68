"""Mistakes and disagreements as sheets to look at: image, caption, what was said, how surely."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pairdx.evaluation.mistakes import BOTH, NEITHER
from pairdx.reporting.format.class_ticks import LONGEST
from pairdx.reporting.format.classes import Names, name_of, title_of
from pairdx.reporting.format.glyphs import drawable_name
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.markdown import percent
from pairdx.reporting.format.picture_grid import Picture, picture_grid
from pairdx.reporting.format.tables import DRAWN_NOTE, shorten
from pairdx.reporting.format.theme import FAINT, new_figure, theme

COLUMNS = 4  # pictures side by side
LONGEST_CAPTION = 90
LONGEST_IN_TABLE = 160
LICENCE_NOTE = (
    "Images and captions keep their own licences, named under each picture as far as they are "
    "known; pass this sheet on only as these, and the privacy of patients, allow."
)
Registry = Mapping[str, Mapping[str, Any]]


@theme()
def mistake_sheet(
    mistakes: pd.DataFrame,
    images: np.ndarray,
    classes: Names,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw wrongly classified pairs: true class, predicted class and confidence, image, caption.

    Args:
        mistakes: label, predicted, confidence (0 to 1), caption, article_id, licence; one row per
            picture, in figure order.
        images: uint8 [N, S, S, 3] RGB, one per row.
        classes: Display names, by label.
        title: Title of the figure.
        note: Small print under it.
    """
    if mistakes.empty:
        figure = new_figure(0.5, title=title, note=note)
        figure.text(0.5, 0.2, "No test pair is classified wrongly.", ha="center", color=FAINT)
        return figure
    pictures = [
        Picture(
            image,
            f"{drawable_name(title_of(row['label'], classes), LONGEST)}\n\u2192 "
            f"{drawable_name(name_of(row['predicted'], classes), LONGEST)} "
            f"{_confidence(row['confidence'])}",
            _below(row),
            *divmod(position, COLUMNS),
        )
        for position, (row, image) in enumerate(
            zip(mistakes.to_dict("records"), images, strict=True)
        )
    ]
    return picture_grid(pictures, COLUMNS, title=title, note=note)


def _below(row: Mapping[Hashable, Any]) -> str:
    """Write what is known of a picture: the start of its caption, its source, its licence."""
    source = ", ".join(filter(None, (row["article_id"], row["licence"])))
    caption = shorten(row["caption"], LONGEST_CAPTION)
    return "\n".join(filter(None, (caption, f"[{source}]" if source else "")))


def _confidence(value: float) -> str:
    """Write a confidence in whole percent; 100 % only for certainty."""
    return ">99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def sheet_note(entry: Mapping[str, Any], *, drawn: bool) -> str:
    """Say how to read the sheet, and whose the images are.

    Args:
        entry: The system's registry entry.
        drawn: Whether the workflow drew the images itself.
    """
    demo = systems_note([entry])
    return " ".join(
        [
            "Over each image: its class, \u2192 the predicted class and the probability given to "
            "it. Test pairs, first seed, surest first.",
            DRAWN_NOTE if drawn else LICENCE_NOTE,
            *([demo] if demo else []),
        ]
    )


def disagreements_for_reading(
    table: pd.DataFrame,
    names: Sequence[str],
    registry: Registry,
    listed: int,
    classes: Names,
) -> pd.DataFrame:
    """Write the first rows of tables/disagreements_{split}.csv as text.

    Args:
        table: The disagreements with their captions, in order.
        names: The two systems.
        registry: The ``systems`` section of the configuration.
        listed: Most rows to keep.
        classes: Display names, by label.
    """
    kept = table.head(listed)
    right = {name: system_title(name, registry) for name in names} | {NEITHER: "Neither"}
    shown = {
        "Pair": kept["pair_id"],
        "Case": kept["case_id"],
        "Caption": [shorten(text, LONGEST_IN_TABLE) for text in kept["caption"]],
        "Class": [title_of(name, classes) for name in kept["label"]],
    }
    for name in names:
        shown[f"{system_title(name, registry)} says"] = [
            f"{title_of(said, classes)}, {_confidence(confidence)}"
            for said, confidence in zip(
                kept[f"{name}_predicted"], kept[f"{name}_confidence"], strict=True
            )
        ]
    shown["Right"] = [right[name] for name in kept["right"]]
    return pd.DataFrame(shown)


def disagreement_notes(
    both: pd.DataFrame,
    names: Sequence[str],
    registry: Registry,
    *,
    chosen: str,
    listed: int,
    drawn: bool,
) -> list[str]:
    """Count who is right on all test pairs, and say what is listed.

    Args:
        both: What ``side_by_side`` returned.
        names: The two systems.
        registry: The ``systems`` section of the configuration.
        chosen: How the two were chosen, as a sentence.
        listed: Most rows in the table for reading.
        drawn: Whether the workflow drew images and captions itself.
    """
    first, second = (system_title(name, registry) for name in names)
    count = both["right"].value_counts()
    predicted = both[f"{names[0]}_predicted"], both[f"{names[1]}_predicted"]
    differ = predicted[0] != predicted[1]
    same_wrong = int(((both["right"] == NEITHER) & ~differ).sum())
    rows = int(differ.sum())
    demo = systems_note(registry[name] for name in names)
    parts = [
        f"{label}: {int(count.get(key, 0)):,} ({percent(count.get(key, 0) / len(both))} %)"
        for key, label in (
            (BOTH, "both right"),
            (names[0], f"only {first} right"),
            (names[1], f"only {second} right"),
            (NEITHER, "both wrong"),
        )
    ]
    return [
        *([demo] if demo else []),
        f"Of {len(both):,} test pairs (first seed): {'; '.join(parts)}, {same_wrong:,} of these "
        "with the same wrong class.",
        chosen,
        f"They disagree on {rows:,}: {'all' if rows <= listed else f'the first {listed:,}'} listed "
        "here, all in the CSV file with whole captions. Those in which the less sure of the two is "
        "surest stand first.",
        DRAWN_NOTE if drawn else "Captions keep the licences of their articles.",
    ]
