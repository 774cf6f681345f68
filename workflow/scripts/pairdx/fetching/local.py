"""Members of archives, gzipped files, and room on the disk."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from pathlib import Path

from pairdx.errors import PairDxError
from pairdx.files import written_whole

MEBIBYTE = 2**20
ENCRYPTED = 0x1  # the flag bit of a zip member


def extract_member(archive: str | Path, member: str, path: str | Path) -> None:
    """Take one file out of a zip archive, whole or not at all (the zip's own CRC-32 is checked).

    Raises:
        PairDxError: The archive is missing or damaged, lacks the member or has encrypted it, or
            the disk is too small.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            if member not in opened.namelist():
                present = ", ".join(sorted(opened.namelist())[:50])
                what = f"the archive has no member {member}; it has: {present}"
                raise PairDxError(what, where=archive, remedy="correct it in config (downloads)")
            information = opened.getinfo(member)
            if information.flag_bits & ENCRYPTED:
                raise PairDxError(
                    f"the member {member} is encrypted",
                    where=archive,
                    remedy="unpack it by hand and set its path in config (downloads)",
                )
            # zipfile gives no more bytes than this, so a decompression bomb cannot fill the disk.
            require_space(path.parent, information.file_size)
            with (
                opened.open(information) as source,
                written_whole(path) as aside,
                aside.open("wb") as target,
            ):
                shutil.copyfileobj(source, target, MEBIBYTE)
    except FileNotFoundError as error:
        raise PairDxError(
            "this archive does not exist",
            where=archive,
            remedy="correct its path in config (downloads); a download is made anew",
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        what = f"this archive is damaged or no zip archive: {error}"
        remedy = "delete it and download it again"
        raise PairDxError(what, where=archive, remedy=remedy) from error


def unpack_gzip(packed: str | Path, path: str | Path) -> int:
    """Unpack a gzipped file, whole or not at all (its own CRC-32 is checked); return its bytes.

    Raises:
        PairDxError: The file is missing, damaged or cut short, or the disk is too small.
    """
    packed, path = Path(packed), Path(path)
    try:
        with (
            gzip.open(packed) as source,
            written_whole(path) as aside,
            aside.open("wb") as target,
        ):
            shutil.copyfileobj(source, target, MEBIBYTE)
            return target.tell()
    except FileNotFoundError as error:
        raise PairDxError(
            "this file does not exist",
            where=packed,
            remedy="correct the dataset's source (path); a download is made anew",
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PairDxError(
            f"this gzipped file is damaged or was cut short: {error}",
            where=packed,
            remedy="delete it and fetch it again",
        ) from error


def require_space(folder: Path, size: int) -> None:
    """Check that ``folder`` has room for ``size`` bytes.

    Raises:
        PairDxError: It has not.
    """
    free = free_bytes(folder)
    if free < size:
        raise PairDxError(
            f"{size / 1e9:.1f} GB are to be written, but only {free / 1e9:.1f} GB are free",
            where=folder,
            remedy="free some space, or make this folder a link to a larger disk",
        )


def free_bytes(folder: Path) -> int:
    """Return how many bytes this user may still write on the disk that holds ``folder``."""
    return shutil.disk_usage(folder).free
