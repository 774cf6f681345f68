"""What readers of a table of images share: its columns, paths, subsets, and where images lie.

``where`` is what messages name as the place. Keys in them are those of a dataset's ``source``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.plan.wording import similar
from pairdx.stores import (
    DamagedMemberError,
    ImageStore,
    LeadsOutError,
    climbs_out,
    file_of,
    parts_of,
)

NAMES_IN_MESSAGES = 20
LONGEST_IDENTIFIER = 250  # bytes: with an ending, what a file may be called


def listed(names: Iterable[str]) -> str:
    """List names in a message, the first of many."""
    names = list(names)
    rest = len(names) - NAMES_IN_MESSAGES
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(names[:NAMES_IN_MESSAGES]) + more


def top_level(store: ImageStore) -> list[str]:
    """Name the files and folders at the top of a store."""
    return sorted({re.sub(r"/.*", "/", name, flags=re.DOTALL) for name in store.members()})


def require_columns(
    names: Iterable[str],
    wanted: Sequence[tuple[str, str]],
    where: object,
    *,
    table: str = "the table of images",
    keys: str = "source.columns",
) -> None:
    """Refuse a table that lacks a column.

    Args:
        names: Those that it has.
        wanted: The key below ``keys`` and the name of each that is read.
        where: The table.
        table: What messages call it.
        keys: The key below which the names of its columns stand.
    """
    names = list(names)
    missing = [(key, name) for key, name in wanted if name not in names]
    if missing:
        lacking = [name for _, name in missing]
        stated = dict.fromkeys(f"`{keys}.{key}`" for key, _ in missing)
        raise PairDxError(
            f"{table} lacks the column(s) {', '.join(lacking)}; its columns are: "
            f"{listed(names)}{similar(lacking, names)}",
            where=where,
            remedy=f"set {', '.join(stated)} to the name that the table uses",
        )


def require_identifiers(pair_ids: pd.Series, where: object) -> None:
    """Refuse now what could not name a file of the dataset archive, hours later."""
    for what, odd in (
        ("hold slashes", pair_ids.str.contains(r"[/\\]")),
        ("hold characters that cannot be printed", ~pair_ids.map(str.isprintable)),
        (
            f"are longer than {LONGEST_IDENTIFIER} bytes",
            pair_ids.map(lambda name: len(name.encode(errors="replace"))) > LONGEST_IDENTIFIER,
        ),
    ):
        if odd.any():
            raise PairDxError(
                f"{odd.sum()} identifiers of pairs {what}, such as {pair_ids[odd].iloc[0]!r}: they "
                "name the images that are handed on",
                where=f"{where}, column {pair_ids.name}",
                remedy="write them without, or set `source.columns.pair_id` to another column",
            )


def file_and_path(stated: str) -> tuple[str, str]:
    """Return the bare name of an image, and one spelling of its path below the folder of images.

    What leaves that folder, or names no file, stays as it is in both: curation rejects it.
    """
    parts = parts_of(stated)
    if not parts or climbs_out(stated) or stated.endswith(("/", "\\")) or "\0" in stated:
        return stated, stated
    return parts[-1], "/".join(parts)


def subsets_of(
    table: pd.DataFrame, column: str | None, subsets: Mapping[str, str], where: object
) -> pd.Series:
    """Return the subset of every row: train, validation, test, or "" where none is stated.

    Raises:
        PairDxError: A name is not among those that ``source.subsets`` translates.
    """
    if column is None:
        return pd.Series("", index=table.index)
    known = {str(name).lower(): subset for name, subset in subsets.items()} | {"": ""}
    names = table[column].str.strip()
    unknown = sorted(set(names[~names.str.lower().isin(list(known))]))
    if unknown:
        raise PairDxError(
            f"the table of images has subsets of unknown names: {listed(unknown)}",
            where=f"{where}, column {column}",
            remedy="add them to `source.subsets`, each with train, validation or test; or set "
            "`source.columns.subset` to null",
        )
    return names.str.lower().map(known)


def require_images(
    store: ImageStore, members: pd.Series, where: object, *, place: str, remedy: str
) -> None:
    """Tell a wrong folder or column from single images that are missing, which curation counts.

    Args:
        store: Where they should lie.
        members: Their names there.
        where: The table.
        place: What the store is called in the message.
        remedy: What to do where none is there.
    """
    leads_out: dict[str, Path] = {}
    for member in members:
        try:
            store.size(member)
        except LeadsOutError as error:
            leads_out[member] = error.target
        except (KeyError, DamagedMemberError):
            continue
        else:
            return
    if leads_out:
        first, target = next(iter(leads_out.items()))
        member = file_of(first)
        raise PairDxError(
            f"none of the {len(members)} images is in {place}: {len(leads_out)} are links that "
            f"lead out of it, which are not followed, such as {member} to {target}",
            where=where,
            remedy="name the folder that they lead to as the folder of images (of a table of "
            f"documents, `source.images`), such as {_top_of(target, member)}; or put copies in the "
            "place of the links",
        )
    if len(members):
        raise PairDxError(
            f"none of the {len(members)} images is in {place}; the first should be "
            f"{file_of(members.iloc[0])}, but there are: {listed(top_level(store)) or 'no files'}",
            where=where,
            remedy=remedy,
        )


def _top_of(target: Path, member: str) -> Path:
    """Return the folder below which a member's path leads to a file; else that file's own."""
    parts = tuple(parts_of(member))
    same = target.parts[-len(parts) :] == parts
    return target.parents[len(parts) - 1] if same else target.parent
