"""The killable Rego child: `python -I -m secgate.engines.child`, one question on stdin, one reply on stdout.

Question: a line of JSON {modules, data, query}, then the document as it is. Without a query the syntax trees are asked
for, with `coverage` the lines that the query comes to.
Reply: {value}, or {what, remedy, place}. A document may have a hundred megabytes: it is never copied into anything.
"""

from __future__ import annotations

import json
import os
import sys
from typing import BinaryIO

import msgspec
from msgspec import Raw, Struct

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.ports import PolicyModule


class Question(Struct, frozen=True, kw_only=True):
    """What is asked of the document behind it."""

    modules: list[PolicyModule]
    data: Raw = Raw(b"{}")
    query: str = ""
    coverage: bool = False


def answer(question: BinaryIO, engine: RegorusEngine) -> bytes:
    """Give the reply to one question. A PolicyError becomes the reply; nothing else is caught."""
    asked = msgspec.json.decode(question.readline(), type=Question)
    try:
        if asked.coverage:
            value = msgspec.json.encode(
                engine.reached(asked.modules, data=bytes(asked.data), query=asked.query, limit_s=0)
            )
        elif asked.query:
            value = engine.evaluate(
                asked.modules,
                data=bytes(asked.data),
                document=question.read(),
                query=asked.query,
                # The limit is kept by who started this process, and ends it.
                limit_s=0,
            ).value
        else:
            value = json.dumps(engine.syntax(asked.modules)).encode()
    except PolicyError as error:
        return msgspec.json.encode({"what": error.what, "remedy": error.remedy, "place": error.place})
    return msgspec.json.encode({"value": Raw(value)})


if __name__ == "__main__":
    _engine = RegorusEngine(ends=True)
    sys.stdout.buffer.write(answer(sys.stdin.buffer, _engine))
    sys.stdout.buffer.flush()
    os._exit(0)
