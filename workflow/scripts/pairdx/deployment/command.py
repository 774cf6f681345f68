"""The command line: ``python -m pairdx.deployment FOLDER INPUT... -o OUT``."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pairdx.deployment.entries import printable
from pairdx.deployment.options import (
    DEFAULT_BATCH,
    FORMATS,
    TABLES,
    Options,
    Summary,
    cores,
    require_number,
)
from pairdx.deployment.stopping import StoppedError
from pairdx.deployment.streams import printed, say
from pairdx.errors import PairDxError
from pairdx.logs import logger

PROGRAM = "python -m pairdx.deployment"
WRONG = 2  # exit status of wrong usage, input or configuration
_DESCRIPTION = "Classify documents with a deployed system, or show it in a browser (--serve)."
_EXAMPLES = f"""examples:
  {PROGRAM} FOLDER scans/ -o predictions.parquet
  {PROGRAM} FOLDER 'scans/**/*.png' -o predictions.csv
  {PROGRAM} FOLDER pairs.csv --images scans -o predictions.jsonl
  {PROGRAM} FOLDER --serve

A run that was interrupted goes on when the same command is given again.
exit status: 0, also if some files cannot be read (their rows say why); 2 for wrong usage or input;
130 after Ctrl-C, 143 after SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line asks, and return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # names of files may be any bytes
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    given = parser.parse_intermixed_args(arguments)
    _log(quiet=given.quiet)
    try:
        if given.serve:
            return _serve(parser, given)
        return _classify(parser, given)
    except StoppedError as error:
        say(f"Stopped: {error}")
        return 128 + error.number
    except PairDxError as error:
        say(f"Error: {error}")
        return WRONG
    except KeyboardInterrupt:  # a second one
        return 130
    except OSError as error:
        say(f"Error: the operating system refused: {error}")
        return WRONG


def _serve(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    if given.inputs or given.output:
        parser.error("--serve shows a page; it takes no inputs and no output")
    require_number("threads", given.threads)
    # Flask: only where the page is wanted.
    from pairdx.deployment.page.server import serve

    serve(
        given.folder,
        host=given.host,
        port=given.port,
        threads=given.threads or cores(),
    )
    return 0


def _classify(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    if given.output is None:
        parser.error("the following arguments are required: -o/--output")
    from pairdx.deployment.run import classify

    options = Options(
        image_column=given.image_column,
        caption_column=given.caption_column,
        images=given.images,
        absolute_paths=given.absolute_paths,
        caption=given.caption,
        shard=given.shard,
        batch_size=given.batch_size,
        processes=given.processes,
        threads=given.threads,
        format=given.format,
        restart=given.restart,
        quiet=given.quiet,
    )
    summary = classify(given.folder, given.inputs, given.output, options)
    if given.quiet or (error := printed(told(summary))) is None:
        return 0
    if isinstance(error, BrokenPipeError):  # nobody reads what is printed; the table is written
        return 0
    say(f"Error: {summary.output} is written, and what is in it cannot be printed: {error}")
    return WRONG


def told(summary: Summary) -> str:
    """Say in a few lines what came of a run."""
    lines = [
        f"{printable(str(summary.output))}: {summary.rows:,} rows in {summary.seconds:.1f} s, "
        f"{summary.classified:,} classified, {summary.abstained:,} of them left to a person"
    ]
    lines += [f"  {count:,} without a class: {why}" for why, count in summary.problems.items()]
    lines += [f"  {count:,} passed over: {why}" for why, count in summary.passed_over.items()]
    return "\n".join(lines)


def _log(*, quiet: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING if quiet else logging.INFO)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", help="a folder that `snakemake deployed` made")
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help=f"image files, folders, quoted patterns, or one table ({' '.join(TABLES)})",
    )
    parser.add_argument(
        *("-o", "--output"),
        type=Path,
        metavar="OUT",
        help="the table to write, whole or not at all",
    )
    parser.add_argument("--format", choices=FORMATS, help="of OUT (default: by its ending)")
    parser.add_argument("--quiet", action="store_true", help="say nothing but what is wrong")
    _add_options_of_tables(parser)
    _add_options_of_work(parser)
    page = parser.add_argument_group("a page in the browser, in place of a table")
    page.add_argument("--serve", action="store_true", help="serve it until Ctrl-C")
    page.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: %(default)s)"
    )
    page.add_argument(
        "--port", type=int, default=8000, help="default: %(default)s; 0: one that is free"
    )
    return parser


def _add_options_of_tables(parser: argparse.ArgumentParser) -> None:
    table = parser.add_argument_group("a table as input")
    table.add_argument(
        "--image-column", metavar="NAME", help="of files (default: image, file or path)"
    )
    table.add_argument("--caption-column", metavar="NAME", help="of captions (default: caption)")
    table.add_argument(
        "--images", type=Path, metavar="FOLDER", help="where paths start (default: at the table)"
    )
    table.add_argument(
        "--absolute-paths", action="store_true", help="let paths lead out of that folder"
    )
    parser.add_argument("--caption", metavar="TEXT", help="the caption of the one file")


def _add_options_of_work(parser: argparse.ArgumentParser) -> None:
    work = parser.add_argument_group("work")
    work.add_argument(
        "--processes", type=int, metavar="N", help="at a time (default: one per core, at most 8)"
    )
    work.add_argument(
        "--threads", type=int, metavar="N", help="of each process (default: the cores, shared)"
    )
    work.add_argument(
        *("--batch-size",),
        type=int,
        metavar="N",
        default=DEFAULT_BATCH,
        help="default: %(default)s",
    )
    work.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="classify the I-th of N parts of the inputs only",
    )
    work.add_argument(
        "--restart", action="store_true", help="throw away what an interrupted run left"
    )


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form I/N, such as 3/10")
    return int(found[1]), int(found[2])
