"""regorus itself, with nothing loaded beside it, and how a child is asked: for this process and for the child.

A large run starts a dozen children, each for a second or less, and so no module is loaded here that an answer does not
need.

Question: how many parts there are, then each part behind its length: the kind, the query, the data, and path, text and
`v0` or nothing of every module. Then the document, as it is and up to the end: it may have a hundred megabytes.
Reply: `value` and what the engine wrote, or `fault` and {what, remedy, place}.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    import regorus

    Text = tuple[str, str, bool]
    """A module's path and text, and whether it is of the language before `if` and `contains`."""

VALUE, FAULT = b"value\n", b"fault\n"


def loaded(modules: Sequence[Text]) -> regorus.Engine:
    """Give an engine with the modules. Raises what the binding does, and ImportError where there is none."""
    import regorus

    engine = regorus.Engine()
    engine.set_gather_prints(True)
    for path, text, is_v0 in modules:
        engine.set_rego_v0(is_v0)
        engine.add_policy(path, text)
    return engine


def evaluated(modules: Sequence[Text], *, data: bytes, document: str, query: str) -> tuple[str, regorus.Engine]:
    """Give what the engine writes of `query`, and the engine: giving back what it holds takes long, value by value."""
    engine = loaded(modules)
    engine.add_data_json(data.decode())
    engine.set_input_json(document)
    # Text and values of a large run are hundreds of megabytes each: neither outlives its use.
    del document
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
    """Give a question without a document, as `secgate.engines.child` reads it."""
    parts = [kind.encode(), query.encode(), data]
    for path, text, is_v0 in modules:
        parts += [path.encode(), text.encode(), b"v0" if is_v0 else b""]
    return b"%d\n" % len(parts) + b"".join(b"%d\n%b" % (len(part), part) for part in parts)
