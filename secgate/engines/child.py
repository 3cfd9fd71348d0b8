"""The killable Rego child: `python -I -m secgate.engines.child`, one question on stdin, one reply on stdout.

Question: {modules, data, document, query}, or {modules} for their syntax trees.
Reply: {value}, or {what, remedy, place}.
"""

from __future__ import annotations

import json
import sys

import msgspec
from msgspec import Raw, Struct

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.ports import PolicyModule


class Question(Struct, frozen=True, kw_only=True):
    """What is asked; without a `query`, the syntax trees are."""

    modules: list[PolicyModule]
    data: Raw = Raw(b"{}")
    document: Raw = Raw(b"{}")
    query: str = ""


def answer(question: bytes) -> bytes:
    """Give the reply to one question, both JSON. A PolicyError becomes the reply; nothing else is caught."""
    asked = msgspec.json.decode(question, type=Question)
    engine = RegorusEngine()
    try:
        if asked.query:
            value = engine.evaluate(
                asked.modules,
                data=bytes(asked.data),
                document=bytes(asked.document),
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
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
