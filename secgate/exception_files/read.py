"""The forms of files that are read, by name, and the caps that hold for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from secgate.errors import UsageError
from secgate.exception_files import bandit, checkov, trivyignore, vex
from secgate.exception_files.entry import Entry

Form: TypeAlias = Literal["trivyignore", "checkov-baseline", "bandit-baseline", "vex"]
FORMS: tuple[str, ...] = get_args(Form)

MAX_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 10_000


def read(form: Form, data: bytes, *, file: str, under: str = "", products: Sequence[str] = ()) -> tuple[Entry, ...]:
    """Give the entries of a file in its order. `file` is its name for messages.

    `under` is the folder that its paths are relative to, "" for the repository's root; `products` are the names by
    which a VEX document knows this repository. Raises UsageError for a file of another form or past a cap.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"larger than {MAX_BYTES} bytes", place=file, remedy="give it in parts")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"not UTF-8: byte {error.start}", place=file, remedy="save it as UTF-8, or write it again with the tool"
        ) from error
    if form == "vex":
        entries = vex.read(data, file=file, products=products)
    elif form == "trivyignore":
        entries = trivyignore.read(data, file=file, under=under)
    elif form == "bandit-baseline":
        entries = bandit.read(data, file=file, under=under)
    else:
        entries = checkov.read(data, file=file, under=under)
    if len(entries) > MOST_ENTRIES:
        raise UsageError(
            f"{len(entries)} entries, more than {MOST_ENTRIES}", place=file, remedy="give it in parts, those that count"
        )
    return entries
