"""Where the files of a corpus lie: a zip file, a folder, a download, an HDF5 file; read alike.

Nothing is unpacked to disk, and no name leads out of the zip file or the folder. A file is found by
its name or, where there is none of that very name, by one that means the same: as other programs
and systems spell it, or inside one folder more. Images of an HDF5 file are named by their rows.
"""

from __future__ import annotations

import os
import re
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from lzma import LZMAError
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import crc32
from zlib import error as ZlibError

from pairdx import hdf5_images
from pairdx.errors import PairDxError
from pairdx.files import read_json
from pairdx.storage_errors import is_refusal_of_storage, storage_error

# What the parts of the zip format raise on a damaged, encrypted or unknown entry.
_DAMAGE = (
    BadZipFile,
    ZlibError,
    LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,  # UnicodeDecodeError: an entry's own header names it in bytes that are no UTF-8
    struct.error,
)

# Behind a member's name: its grey levels, if they have 16 bits, are those of the PNG standard, from
# black at 0 to white at 65,535. Its bytes are given out with a private, empty chunk that says so.
LINEAR = "?linear"
LINEAR_CHUNK = struct.pack(">I4sI", 0, b"prLn", crc32(b"prLn"))
PNG, AFTER_HEADER, DEEP_GREY = b"\x89PNG\r\n\x1a\n", 33, b"\x10\x00"

SHADOWS = "__macosx"  # a folder in which one system keeps what belongs to its own files
NAMES_IN_MESSAGES = 5


class DamagedMemberError(Exception):
    """One member cannot be read, although it is listed; the others may be sound."""


class LeadsOutError(KeyError):
    """A member of a folder is a link out of it, or lies behind one: it is not read.

    Attributes:
        target: Where it leads.
    """

    def __init__(self, member: str, target: Path) -> None:
        super().__init__(member)
        self.target = target


class Files(Protocol):
    """Files by their very names, as a zip file, a folder or a download holds them."""

    def read(self, member: str) -> bytes:
        """Return a member's content.

        Raises:
            KeyError: There is no such member, or its name leads out of the store.
            DamagedMemberError: It cannot be read.
        """

    def size(self, member: str) -> int:
        """Return the number of bytes that :meth:`read` would give.

        Raises:
            KeyError: There is no such member, or its name leads out of the store.
            DamagedMemberError: It cannot be looked at.
        """

    def members(self) -> list[str]:
        """Return the names of all files as they stand there, unsafe names included."""


class ImageStore:
    """The same files, found by names that mean theirs.

    A member is found under its very name; else under one that differs in backslashes for ``/``,
    in ``./`` or ``//``, in capitals or in the form of Unicode; else under such a name inside one
    folder more.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self._known: dict[str, str] = {}  # names that were asked for, by what they are

    def read(self, member: str) -> bytes:
        """Return a member's content.

        Raises:
            KeyError: There is no such member, or its name leads out of the store.
            DamagedMemberError: It cannot be read, or several members could be meant.
        """
        name = self.find(member)
        content = self.files.read(file_of(name))
        return marked_linear(content) if name.endswith(LINEAR) else content

    def size(self, member: str) -> int:
        """Return the number of bytes that lie there; errors as of :meth:`read`."""
        return self.files.size(file_of(self.find(member)))

    def members(self) -> list[str]:
        """Return the names of all files as they stand there, unsafe names included."""
        return self.files.members()

    def find(self, member: str) -> str:
        """Return the very name of a member; errors as of :meth:`read`."""
        if member.endswith(LINEAR):
            return self.find(file_of(member)) + LINEAR
        if member not in self._known:
            try:
                self.files.size(member)
                self._known[member] = member
            except LeadsOutError:
                raise
            except KeyError:
                self._known[member] = self._find_by_meaning(member)
        return self._known[member]

    def _find_by_meaning(self, member: str) -> str:
        if climbs_out(member) or member.endswith("/"):
            raise KeyError(member)
        whole, inside = self._by_meaning
        meaning = meaning_of(member)
        found = list(dict.fromkeys(whole.get(meaning) or inside.get(meaning) or []))
        if len(found) > 1:
            named = ", ".join(sorted(found)[:NAMES_IN_MESSAGES])
            raise DamagedMemberError(f"several members could be meant: {named}")
        if not found:
            raise KeyError(member)
        return found[0]

    @cached_property
    def _by_meaning(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Names by what they mean, and by what they mean without their first folder."""
        whole, inside = defaultdict(list), defaultdict(list)
        for name in self.members():
            if climbs_out(name):
                continue
            meaning = meaning_of(name)
            whole[meaning].append(name)
            folder, _, rest = meaning.partition("/")
            if rest and folder != SHADOWS:
                inside[rest].append(name)
        return dict(whole), dict(inside)


def marked_linear(content: bytes) -> bytes:
    """Return a grey PNG file of 16 bits with the chunk that says what they mean; others as is."""
    if not content.startswith(PNG) or content[24:26] != DEEP_GREY:
        return content
    return content[:AFTER_HEADER] + LINEAR_CHUNK + content[AFTER_HEADER:]


def is_marked_linear(content: bytes) -> bool:
    """Say whether a file has that chunk."""
    return content[AFTER_HEADER : AFTER_HEADER + len(LINEAR_CHUNK)] == LINEAR_CHUNK


def parts_of(member: str) -> list[str]:
    """Split a member's name into folders and file, whichever way they are joined."""
    return [part for part in re.split(r"[/\\]", member) if part not in ("", ".")]


def meaning_of(member: str) -> str:
    """Return what all spellings of a member's name have in common."""
    return "/".join(parts_of(unicodedata.normalize("NFC", member).casefold()))


@contextmanager
def open_store(path: str | Path) -> Iterator[ImageStore]:
    """Open a zip file, a folder, a download or an HDF5 file for reading while the block runs.

    A download is named by its manifest, a ``.json`` file that maps names of files beside it to
    their checksums. Its members are the listed files and, instead of a listed zip file, what that
    holds; of members of one name, those of the zip file that comes first by name are read.

    An HDF5 file (``.h5``) has the images of its array ``x``: of ``NAME.h5`` the BMP files
    ``NAME/0``, ``NAME/1``, …

    Raises:
        PairDxError: It is missing, or none of these, or damaged as a whole.
    """
    path = Path(path)
    with ExitStack() as stack:
        if path.is_dir():
            yield ImageStore(_Folder(path))
        elif path.suffix.lower() == ".json":
            listed = _listed(path)
            zips = [name for name in listed if name.lower().endswith(".zip")]
            others = frozenset(listed).difference(zips)
            archives = [_Zip(stack.enter_context(_opened(path.parent / name))) for name in zips]
            yield ImageStore(_Joined([_Folder(path.parent, others), *archives]))
        elif path.suffix.lower() in hdf5_images.SUFFIXES:
            yield ImageStore(_Rows(path, stack.enter_context(hdf5_images.open_images(path))))
        else:
            yield ImageStore(_Zip(stack.enter_context(_opened(path))))


def _listed(manifest: Path) -> list[str]:
    names = read_json(manifest)
    if not isinstance(names, dict) or any(map(climbs_out, names)):
        raise PairDxError(
            "this is no manifest of downloaded files (names of files beside it, with checksums)",
            where=manifest,
            remedy="delete it and run the workflow again: it downloads what is missing",
        )
    return sorted(names)


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except FileNotFoundError as error:
        raise PairDxError(
            "an archive of the corpus is missing",
            where=path,
            remedy="check the dataset's source (path, archives); of a download, "
            "start the workflow again: it fetches what is missing",
        ) from error
    except (BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise PairDxError(
            f"this archive is not a whole zip file: {error}",
            where=path,
            remedy="delete it and fetch it again; a download may have been cut short",
        ) from error
    except OSError as error:
        raise storage_error(error, path) or PairDxError(
            f"this archive cannot be opened: {error}",
            where=path,
            remedy="let the user of the job read it, on every node",
        ) from error


def file_of(member: str) -> str:
    """Return the name of a member's file: without what :data:`LINEAR` says of its grey levels."""
    return member.removesuffix(LINEAR)


def climbs_out(member: str) -> bool:
    """Say whether a member's name could lead out of the folder that it would be unpacked into.

    Such names are absolute (``/x``, ``C:x``) or hold the part ``..``, with ``/`` or a backslash.
    """
    parts = re.split(r"[/\\]", member)
    return ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", member) is not None


def _stop_if_refused(error: Exception, where: object) -> None:
    """Stop where the storage, and not the one file, is at fault: no sound file counts as damaged.

    Raises:
        PairDxError: The storage failed, or its rights are wrong.
    """
    if is_refusal_of_storage(error) and (found := storage_error(error, str(where))):
        raise found from error


class _Zip:
    def __init__(self, archive: ZipFile) -> None:
        self.archive = archive

    def read(self, member: str) -> bytes:
        entry = self._entry(member)
        try:
            return self.archive.read(entry)
        except _DAMAGE as error:
            _stop_if_refused(error, f"{self.archive.filename}: {member}")
            raise DamagedMemberError(f"damaged archive entry: {error}") from error

    def size(self, member: str) -> int:
        return self._entry(member).file_size

    def members(self) -> list[str]:
        return [entry.filename for entry in self.archive.infolist() if not entry.is_dir()]

    def _entry(self, member: str) -> ZipInfo:
        if climbs_out(member) or member.endswith("/"):
            raise KeyError(member)
        return self.archive.getinfo(member)


class _Rows:
    """Images of an HDF5 file: its name without the ending, ``/``, and the row's number from 0."""

    def __init__(self, path: Path, images: hdf5_images.Hdf5Images) -> None:
        self.path, self.images = path, images
        self.before = f"{path.stem}/"

    def read(self, member: str) -> bytes:
        row = self._row(member)
        try:
            return self.images.read(row)
        except _DAMAGE as error:
            _stop_if_refused(error, f"{self.path}: row {row}")
            raise DamagedMemberError(f"damaged row: {error}") from error

    def size(self, member: str) -> int:
        self._row(member)
        return self.images.bytes_each

    def members(self) -> list[str]:
        return [f"{self.before}{row}" for row in range(self.images.number)]

    def _row(self, member: str) -> int:
        row = member.removeprefix(self.before)
        if row == member or not re.fullmatch(r"0|[1-9][0-9]{0,17}", row):
            raise KeyError(member)
        if int(row) >= self.images.number:
            raise KeyError(member)
        return int(row)


class _Joined:
    def __init__(self, stores: Sequence[Files]) -> None:
        self.stores = stores

    def read(self, member: str) -> bytes:
        return self._holder(member).read(member)

    def size(self, member: str) -> int:
        return self._holder(member).size(member)

    def members(self) -> list[str]:
        return [name for store in self.stores for name in store.members()]

    def _holder(self, member: str) -> Files:
        for store in self.stores:
            try:
                store.size(member)
            except KeyError:
                continue
            return store
        raise KeyError(member)


class _Folder:
    """All files of a folder, or the listed ones."""

    def __init__(self, folder: Path, listed: frozenset[str] | None = None) -> None:
        self.folder, self.listed = folder.resolve(), listed

    def read(self, member: str) -> bytes:
        path = self._path(member)
        try:
            return path.read_bytes()
        except OSError as error:
            _stop_if_refused(error, path)
            raise DamagedMemberError(f"this file cannot be read: {error.strerror}") from error

    def size(self, member: str) -> int:
        return self._path(member).stat().st_size

    def members(self) -> list[str]:
        if self.listed is not None:
            return sorted(self.listed)
        return [
            Path(folder, name).relative_to(self.folder).as_posix()
            for folder, _, names in os.walk(self.folder)
            for name in names
        ]

    def _path(self, member: str) -> Path:
        """Return where a member lies, links followed, if that is a file inside the folder."""
        if climbs_out(member) or (self.listed is not None and member not in self.listed):
            raise KeyError(member)
        try:
            path = (self.folder / member).resolve()
            inside, is_file = path.is_relative_to(self.folder), path.is_file()
        except (ValueError, RuntimeError) as error:  # a null character; links in a circle
            raise KeyError(member) from error
        except OSError as error:
            _stop_if_refused(error, self.folder / member)
            raise DamagedMemberError(f"this file cannot be found: {error.strerror}") from error
        if is_file and not inside:
            raise LeadsOutError(member, path)
        if not is_file:
            raise KeyError(member)
        return path
