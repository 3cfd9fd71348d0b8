"""A new folder or tar file that is there whole or not at all, and reading one that anybody may have written."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, ClassVar, Literal, Protocol

import msgspec
from msgspec import Meta

from secgate.errors import LedgerError
from secgate.ledgers.files import new_place
from secgate.merkle import MAX_ENTRY_BYTES
from secgate.model import Digest, Epoch, Value
from secgate.once import require_once

MAX_FILE_BYTES = 1024 * 1024 * 1024
MAX_NAMES = 5_000_000
_REMEDY = "give what `secgate ledger export` wrote, unchanged"
_PACKED = (".tar.gz", ".tgz")


_OTHER_ARCHIVES = (".zip", ".7z", ".gz", ".bz2", ".xz", ".zst", ".tbz2", ".txz")


class ChangedBlob(Value, frozen=True, kw_only=True):
    """A blob that was not what its digest says when the export was made, and the first entry that names it.

    `entry` is -1 where none does. `found` is the digest of what stood in its place, which goes with the export under
    that name, "" in exports of versions before.
    """

    digest: Digest
    entry: Annotated[int, Meta(ge=-1)]
    found: Digest = ""


class Manifest(Value, frozen=True, kw_only=True):
    """What an export is of, and how much. Further fields that a later program writes are passed over.

    `changed` are blobs that were not what entries say: of a ledger that is whole there are none.
    """

    format: Literal["secgate-export"] = "secgate-export"
    version: Literal[1] = 1
    ledger_id: str
    size: Annotated[int, Meta(ge=0)]
    root: Digest
    first_epoch_s: Epoch
    last_epoch_s: Epoch
    blobs: int
    changed: tuple[ChangedBlob, ...] = ()
    checkpoints: int
    secgate_version: str

    NAME: ClassVar[str] = "manifest.json"


class Sink(Protocol):
    """Takes files by name, each once."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""
        ...


class Source(Protocol):
    """Gives files by name."""

    address: str

    def names(self, under: str) -> list[str]:
        """Give the names of regular files below a folder, sorted."""
        ...

    def get(self, name: str) -> bytes:
        """Give a file's bytes. Raises LedgerError where it is too large or cannot be read."""
        ...

    def lines(self, name: str, *, cap: int) -> Iterator[bytes]:
        """Give a file's lines without their ends. Raises LedgerError for a line of more than `cap` bytes."""
        ...


@contextmanager
def sink(path: str) -> Iterator[Sink]:
    """Give something to write to; at its end the folder or file takes the name `path`, which nothing has yet.

    Raises LedgerError where something has that name, or it cannot be written, or for another kind of archive.
    """
    if path.endswith(_OTHER_ARCHIVES) and not path.endswith(_PACKED):
        raise LedgerError("this kind of archive is not written", place=path, remedy="give a .tar, .tgz or .tar.gz")
    with new_place(path) as building:
        if path.endswith((*_PACKED, ".tar")):
            with _tar(building, packed=path.endswith(_PACKED)) as tar:
                yield tar
        else:
            building.mkdir()
            yield _Folder(building)


@contextmanager
def source(path: str) -> Iterator[Source]:
    """Give an export to read from. Raises LedgerError for what is none."""
    place = Path(path)
    if place.is_dir():
        yield _ReadFolder(place)
        return
    if not place.exists():
        raise LedgerError("there is no export", place=path, remedy=_REMEDY)
    if not place.is_file():
        raise LedgerError("this is no export: neither a folder nor a file", place=path, remedy=_REMEDY)
    try:
        with tarfile.open(place, "r:*") as archive:
            yield _ReadTar(path, archive)
    except tarfile.ReadError as error:
        raise LedgerError("this is no export: neither a folder nor a tar file", place=path, remedy=_REMEDY) from error
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise LedgerError(f"the export cannot be read: {error}", place=path, remedy=_REMEDY) from error


def manifest_of(read: Source) -> Manifest:
    """Give what an export says of itself. Raises LedgerError for a folder or tar file that is none."""
    place = f"{read.address}: {Manifest.NAME}"
    try:
        data = read.get(Manifest.NAME)
        made = msgspec.json.decode(data, type=Manifest)
        require_once(data)
        return made
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"this is no export: {error}", place=place, remedy=_REMEDY) from error


def rows_of(read: Source) -> Iterator[bytes]:
    """Give the bytes of an export's entries, in order."""
    for name in read.names("entries/"):
        yield from read.lines(name, cap=MAX_ENTRY_BYTES)


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, data: bytes) -> None:
        file = self._root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


class _Tar:
    """Members have no owner and no time, so that the same files give the same bytes."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def put(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o644
        self._archive.addfile(member, io.BytesIO(data))


@contextmanager
def _tar(path: Path, *, packed: bool) -> Iterator[_Tar]:
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("wb"))
        if packed:
            file = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))  # type: ignore[assignment]  # it is one in all but name
        yield _Tar(stack.enter_context(tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)))


class _ReadFolder:
    def __init__(self, root: Path) -> None:
        self.address = str(root)
        self._root = root

    def names(self, under: str) -> list[str]:
        found = []
        for folder, _, files in os.walk(self._root / under):
            found += [Path(folder, name).relative_to(self._root).as_posix() for name in files]
        return _capped(sorted(found), self.address)

    def get(self, name: str) -> bytes:
        with self._open(name) as file:
            return _whole(file, f"{self.address}: {name}")

    def lines(self, name: str, *, cap: int) -> Iterator[bytes]:
        with self._open(name) as file:
            yield from _lines(file, cap=cap, place=f"{self.address}: {name}")

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        try:
            descriptor = os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise _unreadable(f"{self.address}: {name}", error.strerror or "") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(f"{self.address}: {name}", "it is no regular file")
            yield file


class _ReadTar:
    def __init__(self, path: str, archive: tarfile.TarFile) -> None:
        self.address = path
        self._archive = archive
        self._members = {member.name.removeprefix("./"): member for member in archive if member.isreg()}

    def names(self, under: str) -> list[str]:
        return _capped(sorted(name for name in self._members if name.startswith(under)), self.address)

    def get(self, name: str) -> bytes:
        with self._open(name) as file:
            return _whole(file, f"{self.address}: {name}")

    def lines(self, name: str, *, cap: int) -> Iterator[bytes]:
        with self._open(name) as file:
            yield from _lines(file, cap=cap, place=f"{self.address}: {name}")

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        member = self._members.get(name)
        file = self._archive.extractfile(member) if member is not None else None
        if file is None:
            raise _unreadable(f"{self.address}: {name}", "it is not there")
        with file:
            yield file  # type: ignore[misc]  # a buffered reader is a BinaryIO in all but name


def _whole(file: BinaryIO, place: str) -> bytes:
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise _unreadable(place, "it is too large")
    return data


def _lines(file: BinaryIO, *, cap: int, place: str) -> Iterator[bytes]:
    while line := file.readline(cap + 2):
        if not line.endswith(b"\n"):
            raise _unreadable(place, "it is cut off, or a line is too long")
        yield line[:-1]


def _capped(names: list[str], place: str) -> list[str]:
    if len(names) > MAX_NAMES:
        raise _unreadable(place, f"{len(names)} files")
    return names


def _unreadable(place: str, why: str) -> LedgerError:
    return LedgerError(f"the export cannot be read: {why}", place=place, remedy=_REMEDY)
