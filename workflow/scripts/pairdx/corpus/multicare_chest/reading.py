"""X-rays of the thorax among the images of MultiCaRe 2.x, with nothing known of their findings.

Kind, region and view are columns of the table of images, as MultiCaRe's classifier predicted them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.multicare import reading as multicare
from pairdx.errors import PairDxError
from pairdx.finding_texts import COLUMN, UNKNOWN
from pairdx.logs import logger
from pairdx.sheets import read_text_table

SUBTYPE, REGION = "x_ray", "thorax"
OTHER_IMAGE, OTHER_VIEW = "other_image", "other_view"


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Join MultiCaRe's three tables into one row per image, and say which are no chest X-rays.

    Args:
        tables: As :func:`pairdx.corpus.multicare.reading.read` takes them.
        settings: ``views``: values of ``radiology_view`` that are kept, or None for all.

    Returns:
        That function's columns, with the label "" and no text_labels, and two more: ``findings``
        ("?": nothing is known of any) and ``left_out``: ``other_image`` (no X-ray, or not of the
        thorax), ``other_view``, or "" for those that stay.

    Raises:
        PairDxError: As there; or no image is a chest X-ray of these views.
    """
    candidates = multicare.read(tables, {})
    images = read_text_table(
        *(tables["captions"],),
        what="the table of images",
        where=tables["captions"],
        remedy="or fetch it again",
    )
    kind = images["image_subtype"].str.strip() + " of " + images["radiology_region"].str.strip()
    view = images["radiology_view"].str.strip()
    left_out = pd.Series("", index=candidates.index)
    if settings["views"] is not None:
        left_out[~view.isin(settings["views"])] = OTHER_VIEW
    left_out[kind != f"{SUBTYPE} of {REGION}"] = OTHER_IMAGE
    candidates["label"] = candidates["text_labels"] = ""
    candidates[COLUMN], candidates["left_out"] = UNKNOWN, left_out
    _log(left_out, view, tables["captions"])
    return candidates


def _log(left_out: pd.Series, view: pd.Series, path: Path) -> None:
    """Say how many stay, and of which views; stop where none does."""
    chest, stays = left_out != OTHER_IMAGE, left_out == ""
    views = view[chest].replace("", "(none)").value_counts()
    named = ", ".join(f"{name} ({count})" for name, count in views.items())
    logger.info(
        "%d of %d images are X-rays of the thorax (views: %s); %d of them are of views that stay",
        *(chest.sum(), len(left_out), named or "none", stays.sum()),
    )
    if stays.any():
        return
    if not chest.any():
        raise PairDxError(
            f"not one of {len(left_out)} images has the image_subtype {SUBTYPE} and the "
            f"radiology_region {REGION}",
            where=path,
            remedy="use the table of a MultiCaRe 2.x release that holds chest X-rays",
        )
    raise PairDxError(
        f"none of {chest.sum()} chest X-rays is of a view that is read; there are: {named}",
        where="config key `source.views` of the dataset",
        remedy="name views as the column radiology_view does, or null for all",
    )
