"""The pass over a view: read the listed files, put folders together to documents, ask every check.

Results come sorted by path, line and id. A check that answers in another form than `Hit`, or of a file that it was not
shown, is a fault of the pack and ends the pass.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from secgate.errors import InternalError
from secgate.infrastructure.documents import MOST_BYTES, Parsed, documents, joined
from secgate.infrastructure.forms import (
    REPORT,
    REPORT_VERSION,
    Check,
    FileAnswer,
    Hit,
    Listed,
    Metadata,
    Report,
    Told,
)
from secgate.resources import files_under

if TYPE_CHECKING:
    import regorus

CHECKS = "data.secgate.infrastructure."

MOST_RESOURCES = 1_000
"""Resources of one document, but for a folder with more: a check may relate what stands in one folder only."""

MOST_RESULTS = 50_000

_ALL = "secgate.infrastructure_all"
Form = TypeVar("Form")


def load(rules: Path) -> Pack:
    """Load the pack in a folder. Raises InternalError for one that does not keep to its form."""
    return Pack(list(files_under(rules, ".rego")))


def run(listed: bytes, *, root: str, pack: Pack) -> bytes:
    """Look at the files of `listed` below `root` and give the report as JSON.

    Raises InternalError for a check that does not keep to its form, and past a cap.
    """
    files = msgspec.json.decode(listed, type=list[Listed])
    answers: list[FileAnswer] = []
    results: list[Told] = []
    for batch in _batches(files, root):
        answers += [FileAnswer(path=file.path, kind=file.kind, problem=part.problem) for file, part in batch]
        results += pack.ask(batch)
        if len(results) > MOST_RESULTS:
            raise InternalError(f"more than {MOST_RESULTS} results", remedy="scan a part of the tree at a time")
    report = Report(schema=REPORT, version=REPORT_VERSION, checks=list(pack.checks), files=answers, results=results)
    return msgspec.json.encode(report)


class Pack:
    """The checks of a folder of Rego, loaded once: every package below `data.secgate.infrastructure` is one."""

    def __init__(self, modules: Sequence[tuple[str, bytes]]) -> None:
        import regorus

        self._engine: regorus.Engine = regorus.Engine()
        packages = {self._engine.add_policy(path, text.decode()) for path, text in modules}
        names = sorted(name.removeprefix(CHECKS) for name in packages if name.startswith(CHECKS))
        # One rule over all checks: what they share is worked out once, not once for each.
        for rule in ("metadata", "result"):
            answers = "".join(f'\t"{name}": {CHECKS}{name}.{rule},\n' for name in names)
            self._engine.add_policy(f"all_{rule}.rego", f"package {_ALL}_{rule}\n\nanswers := {{\n{answers}}}\n")
        metadata = self._answers("metadata", dict[str, Metadata])
        self.checks = tuple(Check(name=name, metadata=metadata[name]) for name in sorted(metadata))
        if len(self.checks) != len(names):
            raise InternalError("a check of the infrastructure pack has no metadata", remedy="reinstall secgate")
        ids = {check.metadata.id for check in self.checks}
        if not ids or len(ids) != len(self.checks):
            raise InternalError("the infrastructure pack has no check, or two of one id", remedy="reinstall secgate")

    def ask(self, batch: Sequence[tuple[Listed, Parsed]]) -> list[Told]:
        """Give every check's results on the document that the files of `batch` make."""
        document = joined((file.path, file.kind, part) for file, part in batch)
        if not document["resources"]:
            return []
        self._engine.set_input_json(msgspec.json.encode(document).decode())
        shown = {file.path for file, _ in batch}
        hits = self._answers("result", dict[str, list[Hit]])
        results = [
            Told(id=check.metadata.id, resource=hit.resource, path=hit.path, line=hit.line, message=hit.message)
            for check in self.checks
            for hit in hits[check.name]
        ]
        strays = sorted({told.path for told in results} - shown)
        if strays:
            raise InternalError(f"a check of the infrastructure pack tells of {strays[0]!r}, which it was not shown")
        return sorted(results, key=lambda told: (told.path, told.line, told.id, told.resource, told.message))

    def _answers(self, rule: str, form: type[Form]) -> Form:
        """Give a rule of every check by the check's name; a check without it leaves all of them undefined."""
        try:
            answer: str = self._engine.eval_rule_as_json(f"data.{_ALL}_{rule}.answers")
            return msgspec.json.decode(answer, type=form)
        except (RuntimeError, msgspec.DecodeError) as error:
            first = " ".join(str(error).partition("Stack backtrace")[0].split())[:400]
            raise InternalError(f"a check of the infrastructure pack failed: {first}", remedy="report this") from error


def _batches(files: Sequence[Listed], root: str) -> Iterator[list[tuple[Listed, Parsed]]]:
    """Read the files, folder by folder; small folders share a document."""
    batch: list[tuple[Listed, Parsed]] = []
    size, folder = 0, ""
    for file in sorted(files, key=lambda file: (_folder(file.path), file.path, file.kind)):
        if size >= MOST_RESOURCES and _folder(file.path) != folder:
            yield batch
            batch, size = [], 0
        folder = _folder(file.path)
        part = _read(file, root)
        batch.append((file, part))
        size += len(part.resources)
    if batch:
        yield batch


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _read(file: Listed, root: str) -> Parsed:
    try:
        data = read_plain(root, file.path)
    except OSError as error:
        return Parsed((), f"unreadable: {error.strerror or 'it cannot be read'}")
    return documents(file.path, file.kind, data)


def read_plain(root: str, path: str) -> bytes:
    """Read a regular file below `root`, at most one byte more than is looked at.

    No link is followed, in the folders above the file neither. Raises OSError for all that is not there or not plain.
    """
    *folders, name = path.split("/")
    if not name or any(part in ("", ".", "..") for part in (*folders, name)):
        raise OSError(0, "not a path of the view")
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return opened.read(MOST_BYTES + 1)
