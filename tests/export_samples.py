"""Material for the tests of exports: a system's cell as the job finds it, archives included."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
from PIL import Image

import tiny_models as tiny
from pairdx.deployment.export.choices import Choices
from pairdx.deployment.export.verification import Sample
from pairdx.deployment.export.writing import Deployed
from pairdx.models.base import Pairs
from pairdx.packed_images import open_packed
from pairdx.packing import pack_images

ARCHIVE = "PMC1"
CHOSEN = Choices(1.5, 0.7, 0.8, None, 12)
PASSPORT = {"seed": 1, "host": {"name": "a-machine-of-ours", "cores": 4}}


def sample_of(folder: Path, pairs: Pairs, *, edit: str = "") -> Sample:
    """Write the pairs' images into an archive, and pack them as the workflow does: 32 by 32.

    Nobody has predicted anything of them yet, see :func:`seen_by`.

    Args:
        folder: Where to.
        pairs: With images of any size.
        edit: What a reviewer cut off or painted over, of each image.
    """
    archive, members, sums = folder / "PMC1.zip", [], []
    with ZipFile(archive, "w") as written:
        for pair_id, pixels in zip(pairs.table["pair_id"], pairs.images[:], strict=True):
            held = io.BytesIO()
            Image.fromarray(pixels).save(held, "PNG")
            members.append(f"images/{pair_id}.png")
            sums.append(hashlib.sha256(held.getvalue()).hexdigest())
            written.writestr(members[-1], held.getvalue())
    table: pd.DataFrame = pairs.table.assign(
        archive=ARCHIVE, member=members, sha256=sums, image_edit=edit
    )
    pack_images(table, {ARCHIVE: archive}, folder / "packed.npy", size=32)
    packed = open_packed(folder / "packed.npy").of_pairs(table["pair_id"].tolist())
    return Sample(table, np.array(packed[:]), {ARCHIVE: archive}, pd.DataFrame())


def seen_by(sample: Sample, classifier: Any) -> Sample:
    """Return the sample with what a system predicts of it, as the run's job would."""
    found = classifier.probabilities(sample.images[:], classifier.tokenise(sample.captions))
    table = sample.table[["pair_id"]].assign(subset="validation")
    columns = [f"p_{label}" for label in classifier.classes]
    predictions = pd.concat([table, pd.DataFrame(found, columns=columns)], axis=1)
    # In another order than the pairs, and with others.
    test = predictions.assign(subset="test", **dict.fromkeys(columns, 1.0))
    return replace(sample, predictions=pd.concat([test, predictions[::-1]], ignore_index=True))


def deployed(family: str, choices: Choices = CHOSEN, **stated: Any) -> Deployed:
    """What the configuration says of the cell of a tiny system, and what was chosen for it."""
    facts: dict[str, Any] = {
        "system": f"tiny_{family}",
        "title": "A tiny system",
        "family": family,
        "stand_in": True,
        "dataset": "made",
        "dataset_title": "Made pairs",
        "split": "grouped",
        "seed": 1,
        "task": "single_label",
        "classes": [[label, label.title()] for label in tiny.CLASSES],
        "reads": ["image"],
        "image": {"size": 32, "squaring": "crop"},
        "text": None,
        "risk": 0.05,
    }
    return Deployed({**facts, **stated}, choices, PASSPORT, "0123456789abcdef0123")
