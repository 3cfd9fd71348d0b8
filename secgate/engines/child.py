"""The killable Rego child: one question on standard input, one reply on the output, as `secgate.engines.bare` has them.

What makes words of a fault is loaded with the fault, and what the engine wrote is read by who asked.
"""

from __future__ import annotations

import os
import sys
from mmap import ACCESS_READ, mmap

from secgate.engines.bare import FAULT, VALUE, covered, evaluated, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def _rest(question: BinaryIO) -> str:
    """Give what is left, of a file without a copy of its bytes: a large run's has tens of megabytes."""
    try:
        whole = mmap(question.fileno(), 0, access=ACCESS_READ)
        with memoryview(whole) as held, held[question.tell() :] as rest:
            return str(rest, "utf-8")
    except (OSError, ValueError):
        # A pipe has no length, nor has a file that is read to its end.
        return question.read().decode()


def main() -> None:
    """Answer the one question, and end this process with the answer."""
    question = sys.stdin.buffer
    kind, query, data, *rest = [question.read(int(question.readline())) for _ in range(int(question.readline()))]
    modules = [
        (path.decode(), text.decode(), bool(v0))
        for path, text, v0 in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]
    kept = []
    try:
        if kind == b"syntax":
            text = loaded(modules).get_ast_as_json()
        elif kind == b"reached":
            text = covered(modules, data=data, query=query.decode())
        else:
            text, engine = evaluated(modules, data=data, document=_rest(question), query=query.decode())
            # What it holds is the system's to give back, all at once.
            kept.append(engine)
        word, reply = VALUE, text.encode()
    except BaseException as error:  # a panic of the binding is no other exception
        from secgate.engines.regorus import told

        word, reply = FAULT, told(error, modules)
        if not reply:
            raise
    sys.stdout.buffer.write(word)
    sys.stdout.buffer.write(reply)
    sys.stdout.buffer.flush()
    os._exit(0)
