"""What is known of the findings of one pair, as one text: ``edema|effusion?`` and back.

Of several classes any number can be true of a pair, and of some it may not be known. The text names
those that are true and, with a question mark, those of which nobody knows; of all others the pair
is known to be free. It stands in the column ``findings`` of pairs and predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pairdx.errors import PairDxError

COLUMN = "findings"
SEPARATOR = "|"
UNKNOWN = "?"


def encode(states: Mapping[str, bool | None], classes: Sequence[str]) -> str:
    """Write what is known of one pair, in the order of the classes.

    Args:
        states: Of each class whether it is true; None, or no entry: not known.
        classes: The classes.
    """
    written = {True: "{}", None: "{}" + UNKNOWN}
    known = ((name, states.get(name)) for name in classes)
    return SEPARATOR.join(
        written[state].format(name) for name, state in known if state is not False
    )


def decode(texts: Iterable[str], classes: Sequence[str]) -> NDArray[np.float64]:
    """Return what N texts say of C classes, float64 [N, C]: 1 true, 0 not, NaN unknown.

    Raises:
        PairDxError: A text names what is no class, or one class twice.
    """
    position = {name: at for at, name in enumerate(classes)}
    texts = list(texts)
    found = np.zeros((len(texts), len(classes)))
    for row, text in enumerate(texts):
        names = text.split(SEPARATOR) if text else []
        bare = [name.removesuffix(UNKNOWN) for name in names]
        strange = [name for name in bare if name not in position]
        if strange or len(set(bare)) < len(bare):
            what = f"{strange[0]!r}, which is no class" if strange else "one class twice"
            raise PairDxError(
                f"the findings {text!r} name {what}",
                where=f"column {COLUMN}, row {row}",
                remedy="delete the file that holds them; it is made again",
            )
        for name, label in zip(names, bare, strict=True):
            found[row, position[label]] = np.nan if name.endswith(UNKNOWN) else 1.0
    return found
