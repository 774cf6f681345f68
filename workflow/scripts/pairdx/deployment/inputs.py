"""What is to be classified, as the command line names it, as entries one after the other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pairdx.deployment.cells import Cells
from pairdx.deployment.entries import Entry, file_entry, printable
from pairdx.deployment.folder import DeployedFolder
from pairdx.deployment.options import CAPTION_COLUMN, IMAGE_COLUMNS, TABLES, Options
from pairdx.deployment.patterns import Matches, is_pattern
from pairdx.deployment.tables import Table, open_table
from pairdx.deployment.walking import OwnFiles, Walk
from pairdx.errors import PairDxError


@dataclass(frozen=True)
class Listing:
    """All entries of a run, to be gone through once.

    Attributes:
        entries: They themselves.
        in_order: Whether they come in the order of their numbers; else by source and path.
        passed_over: Filled while they are gone through: files that were not taken, by reason.
    """

    entries: Iterator[Entry]
    in_order: bool
    passed_over: Counter[str]


def list_inputs(
    inputs: Sequence[str],
    options: Options,
    folder: DeployedFolder,
    own: OwnFiles | None = None,
) -> Listing:
    """Prepare the listing of what is to be classified; of a table its columns alone are looked at.

    Args:
        inputs: As the command line names them.
        options: What is chosen.
        folder: The system.
        own: The run's own files, which are none of its inputs.

    Raises:
        PairDxError: There is nothing, an input is not there, a table is named beside others, a
            column is missing, or captions are read and none can be known.
    """
    names = [os.fspath(one) for one in inputs]
    if not names:
        raise PairDxError("nothing to classify is named", remedy="name files, folders or a table")
    tables = [name for name in names if _is_table(name)]
    if not tables:
        _refuse_options_of_tables(names, options)
        walk = Walk(own or OwnFiles())
        sources = _sources(names, options, folder, walk)
        return Listing(chain.from_iterable(sources), False, walk.passed_over)
    if len(names) > 1:
        raise PairDxError(
            "a table is classified alone",
            where=printable(tables[0]),
            remedy="start once per table, or write one table that names all files",
        )
    if options.caption is not None:
        raise PairDxError("--caption is for one file; a table has captions of its own")
    return Listing(_of_table(Path(tables[0]), options, folder), True, Counter())


def _is_table(name: str) -> bool:
    return name.lower().endswith(TABLES) and not os.path.isdir(name) and not _stands_for(name)  # noqa: PTH112


def _stands_for(name: str) -> bool:
    """Say whether an input is a pattern: it has its signs, and no file is called so."""
    return is_pattern(name) and not os.path.lexists(name)


def _called_as_a_table(names: Sequence[str]) -> str | None:
    """Say which input is a folder that is called as a table, if one is."""
    called = [name for name in names if name.rstrip("/").lower().endswith(TABLES)]
    folders = [printable(name) for name in called if os.path.isdir(name)]  # noqa: PTH112
    return f"{folders[0]}, which is a folder" if folders else None


def _refuse_options_of_tables(names: Sequence[str], options: Options) -> None:
    given = {
        "--image-column": options.image_column,
        "--caption-column": options.caption_column,
        "--images": options.images,
        "--absolute-paths": options.absolute_paths or None,
    }
    for option, value in given.items():
        if value is not None:
            raise PairDxError(
                f"{option} is about a table, and no table is named",
                where=_called_as_a_table(names),
                remedy=f"name a table ({', '.join(TABLES)}) as the input",
            )


def _sources(
    names: Sequence[str], options: Options, folder: DeployedFolder, walk: Walk
) -> list[Iterator[Entry]]:
    if not folder.reads_images:
        raise PairDxError(
            "this system reads captions and no images",
            where=_called_as_a_table(names),
            remedy=f"give it a table ({', '.join(TABLES)}) with a column of captions",
        )
    _check_caption(names, options, folder)
    sources = []
    for source, name in enumerate(names):
        if _stands_for(name):
            sources.append(_found(name, source, walk))
        elif os.path.isdir(name):  # noqa: PTH112
            sources.append(walk.folder(name, source))
        elif os.path.lexists(name):
            entry = file_entry(name, source)
            sources.append(iter([replace(entry, caption=options.caption or "")]))
        else:
            raise PairDxError(
                "there is no such file or folder",
                where=printable(name),
                remedy="correct the path" + (": between folders stands /" if "\\" in name else ""),
            )
    return sources


def _check_caption(names: Sequence[str], options: Options, folder: DeployedFolder) -> None:
    if options.caption is None:
        if folder.reads_captions:
            raise PairDxError(
                "this system reads a caption with every image, and files alone have none",
                where=_called_as_a_table(names),
                remedy=f"give it a table ({', '.join(TABLES)}) of images and captions, or for one "
                "file --caption TEXT",
            )
        return
    if not folder.reads_captions:
        raise PairDxError("this system reads no captions", remedy="leave --caption out")
    if len(names) > 1 or os.path.isdir(names[0]) or _stands_for(names[0]):  # noqa: PTH112
        raise PairDxError(
            "--caption is the caption of one file, and more are named",
            remedy=f"give a table ({', '.join(TABLES)}) of images and captions",
        )
    if not options.caption.strip():
        raise PairDxError("the caption is empty", remedy="say what is written under the image")


def _found(pattern: str, source: int, walk: Walk) -> Iterator[Entry]:
    matches = Matches(pattern, source, walk)
    yield from matches
    if not matches.any:
        raise PairDxError(
            "nothing is called so",
            where=printable(pattern),
            remedy="correct the pattern, or the folder",
        )


def _of_table(path: Path, options: Options, folder: DeployedFolder) -> Iterator[Entry]:
    table = open_table(path)
    image = _image_column(table, options, needed=folder.reads_images)
    caption = _caption_column(table, options) if folder.reads_captions else None
    places = [place for place in (image, caption) if place is not None]
    start = os.path.abspath(options.images or path.parent)  # noqa: PTH100
    if not os.path.isdir(start):  # noqa: PTH112
        raise PairDxError(
            "the folder of images is not there", where=printable(start), remedy="correct --images"
        )
    cells = Cells(start, anywhere=options.absolute_paths, opens=folder.reads_images)

    def entries() -> Iterator[Entry]:
        for number, (row, problem) in enumerate(table.rows(places), start=1):
            named = row[0] if image is not None else ""
            written = row[-1] if caption is not None else None
            yield cells.entry(number, named, written, problem)

    return entries()


def _image_column(table: Table, options: Options, *, needed: bool) -> int | None:
    if options.image_column is not None:
        return table.place_of(options.image_column)
    there = [name for name in IMAGE_COLUMNS if name in table.columns]
    if len(there) == 1:
        return table.place_of(there[0])
    if not needed:
        return None
    what = f"both {' and '.join(there)} could be the column" if there else "no column is known"
    raise PairDxError(
        f"{what} of files; the table's columns are {table.names}",
        where=table.path,
        remedy="say which one names the files: --image-column NAME",
    )


def _caption_column(table: Table, options: Options) -> int:
    name = options.caption_column or CAPTION_COLUMN
    if options.caption_column is None and name not in table.columns:
        raise PairDxError(
            "this system reads captions, and no column is called 'caption'; the table's columns "
            f"are {table.names}",
            where=table.path,
            remedy="say which one holds the captions: --caption-column NAME",
        )
    return table.place_of(name)
