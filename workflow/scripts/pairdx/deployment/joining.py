"""Tables of shards joined to one, a piece at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.deployment.entries import reason_of
from pairdx.deployment.outputs import METADATA, columns_of, pieces_of, write_rows
from pairdx.errors import PairDxError
from pairdx.seals import require_sound

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

    from pairdx.deployment.outputs import Columns


def join(parts: Sequence[str | Path], output: Path, kind: str) -> Counter[str]:
    """Write the rows of all shards, in order, as one table.

    Args:
        parts: The Parquet tables of all shards of one run, in order.
        output: The table to write.
        kind: ``parquet``, ``csv`` or ``jsonl``.

    Returns:
        How many rows there are (``rows``), and how many have no answer, by reason.

    Raises:
        PairDxError: A table is damaged, or of another system or other inputs than the first.
    """
    from pyarrow.parquet import ParquetFile

    first: dict[str, Any] = {}
    files = []
    for path in map(Path, parts):
        require_sound(path)
        files.append(ParquetFile(path))
        facts = json.loads((files[-1].schema_arrow.metadata or {}).get(METADATA.encode(), b"{}"))
        facts.get("options", {}).pop("shard", None)
        first = first or facts
        if not facts or facts != first:
            raise PairDxError(
                "this table is of another system or of other choices than the first shard's",
                where=path,
                remedy="delete the shards; they are made again",
            )
    labels = [label for label, _ in first["model"]["classes"]]
    counts: Counter[str] = Counter()
    write_rows(output, kind, labels, first, _pieces(files, labels, counts))
    return counts


def _pieces(
    files: Sequence[ParquetFile], labels: Sequence[str], counts: Counter[str]
) -> Iterator[Columns]:
    for file in files:
        for batch in file.iter_batches(pieces_of(labels), columns=columns_of(labels)):
            columns: Columns = batch.to_pydict()
            counts["rows"] += batch.num_rows
            counts.update(reason_of(one) for one in columns["problem"] if one)
            yield columns
