"""regorus itself, and the killable child that is nothing else: one question on standard input, one reply on the output.

A large run starts a dozen children, each for a second or less. So nothing is loaded here that an answer does not need:
what makes words of a fault is loaded with the fault, and what the engine wrote is read by who asked.

Question: how many parts there are, then each part behind its length: the kind, the query, the data, and path, text and
`v0` or nothing of every module. Then the document, as it is and up to the end: it may have a hundred megabytes.
Reply: `value` and what the engine wrote, or `fault` and {what, remedy, place}.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    import regorus

    Text = tuple[str, str, bool]
    """A module's path and text, and whether it is of the language before `if` and `contains`."""

VALUE, FAULT = b"value\n", b"fault\n"
START = "from secgate.engines.child import main; main()"


def loaded(modules: Sequence[Text]) -> regorus.Engine:
    """Give an engine with the modules. Raises what the binding does, and ImportError where there is none."""
    import regorus

    engine = regorus.Engine()
    engine.set_gather_prints(True)
    for path, text, is_v0 in modules:
        engine.set_rego_v0(is_v0)
        engine.add_policy(path, text)
    return engine


def evaluated(modules: Sequence[Text], *, data: bytes, document: bytes, query: str) -> tuple[str, regorus.Engine]:
    """Give what the engine writes of `query`, and the engine: giving back what it holds takes long, value by value."""
    engine = loaded(modules)
    engine.add_data_json(data.decode())
    text = document.decode()
    # Text and values of a large run are hundreds of megabytes each: neither outlives its use.
    del document
    engine.set_input_json(text)
    del text
    return engine.eval_query_as_json(query), engine


def covered(modules: Sequence[Text], *, data: bytes, query: str) -> str:
    """Give what the engine writes of the lines that `query` comes to, without an input."""
    engine = loaded(modules)
    engine.set_enable_coverage(True)
    engine.add_data_json(data.decode())
    engine.eval_query_as_json(query)
    report: str = engine.get_coverage_report_as_json()
    return report


def asked(kind: str, modules: Sequence[Text], *, data: bytes, query: str) -> bytes:
    """Give a question without a document, as `main` reads it."""
    parts = [kind.encode(), query.encode(), data]
    for path, text, is_v0 in modules:
        parts += [path.encode(), text.encode(), b"v0" if is_v0 else b""]
    return b"%d\n" % len(parts) + b"".join(b"%d\n%b" % (len(part), part) for part in parts)


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
            text, engine = evaluated(modules, data=data, document=question.read(), query=query.decode())
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
