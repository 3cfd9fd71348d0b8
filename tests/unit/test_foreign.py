"""Somebody else's plug-in that raises what it may not, or gives what it may not: the outcome is that of its kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from secgate.errors import ConfigError, NotificationError, PluginError, PolicyError, SecgateError, SignatureError
from secgate.foreign import (
    ForeignEngine,
    ForeignNotifier,
    ForeignPartialReporter,
    ForeignPopulation,
    ForeignReporter,
    ForeignSigner,
)
from secgate.model import Trust
from secgate.ports import Engine, Notifier, PartialReporter, PopulationReader, Reporter, Signer

AT = datetime(2026, 11, 27, tzinfo=UTC)
PANIC = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


class Theirs:
    """A plug-in of every kind that does the same whatever it is asked."""

    name = "theirs"
    suffix = "txt"
    kinds = ("reviews",)
    provider = ""
    needs_secret = False

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work

    @property
    def version(self) -> Any:
        return self._work()

    def _does(self, *_: object, **__: object) -> Any:
        return self._work()

    evaluate = render = rendered = sign = verify = read = body = check = shown = send = _does


def _calls(theirs: Any) -> dict[str, tuple[Callable[[], object], type[SecgateError]]]:
    engine, reporter = ForeignEngine(theirs, "`theirs`"), ForeignReporter(theirs, "`theirs`")
    partial = ForeignPartialReporter(theirs, "`theirs`")
    signer, reader = ForeignSigner(theirs, "`theirs`"), ForeignPopulation(theirs, "`theirs`")
    notifier, document = ForeignNotifier(theirs, "`theirs`"), Any
    return {
        "version": (lambda: engine.version, PolicyError),
        "evaluate": (
            lambda: engine.evaluate((), data=b"{}", document=b"{}", query="data.x", limit_s=1.0),
            PolicyError,
        ),
        "render": (lambda: reporter.render(document, width=80, colour=False), PluginError),  # type: ignore[arg-type]
        "rendered": (lambda: partial.rendered(document), PluginError),  # type: ignore[arg-type]
        "sign": (lambda: signer.sign(b"", namespace="n", key="k"), SignatureError),
        "verify": (lambda: signer.verify(b"", b"", namespace="n", trust=Trust(), at=AT), SignatureError),
        "read": (lambda: reader.read(b"", "reviews", place="list.csv"), PluginError),
        "body": (lambda: notifier.body(document), NotificationError),  # type: ignore[arg-type]
        "check": (lambda: notifier.check(address="a", secret="s"), PluginError),
        "shown": (lambda: notifier.shown(b"", address="a", at=AT), NotificationError),
        "send": (lambda: notifier.send(b"", address="a", secret="s", at=AT), NotificationError),
    }


CALLS = tuple(_calls(Theirs(lambda: None)))
SILENT = ("sign", "body", "check", "shown", "send")


def _raise(error: BaseException) -> Callable[[], Any]:
    def work() -> Any:
        raise error

    return work


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [RuntimeError("boom\nboom"), KeyError("x"), SystemExit(0), PANIC("boom")])
def test_whatever_it_raises_is_the_outcome_of_its_kind(call: str, error: BaseException) -> None:
    work, kind = _calls(Theirs(_raise(error)))[call]
    with pytest.raises(kind, match="the plug-in `theirs` cannot") as caught:
        work()
    assert type(caught.value) is kind
    assert type(error).__name__ in caught.value.what
    assert ("boom" in caught.value.what.replace("the plug-in", "")) == ("boom" in str(error) and call not in SILENT)


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("check", "send")])
def test_what_is_of_another_form_is_no_answer(call: str) -> None:
    work, kind = _calls(Theirs(lambda: 3))[call]
    with pytest.raises(kind, match=r"TypeError: a int is no|cannot .*: TypeError"):
        work()


@pytest.mark.parametrize("call", CALLS)
def test_what_it_raises_on_purpose_stays(call: str) -> None:
    meant = ConfigError("no list", faults=())
    work, _ = _calls(Theirs(_raise(meant)))[call]
    with pytest.raises(ConfigError) as caught:
        work()
    assert caught.value is meant


def test_an_interrupt_is_no_fault_of_a_plug_in() -> None:
    with pytest.raises(KeyboardInterrupt):
        ForeignReporter(Theirs(_raise(KeyboardInterrupt())), "`theirs`").render(Any, width=80, colour=False)  # type: ignore[arg-type]


def test_each_is_what_its_protocol_asks_for() -> None:
    theirs: Any = Theirs(lambda: "1")
    assert isinstance(ForeignEngine(theirs, "x"), Engine)
    assert isinstance(ForeignReporter(theirs, "x"), Reporter)
    assert not isinstance(ForeignReporter(theirs, "x"), PartialReporter)
    assert isinstance(ForeignPartialReporter(theirs, "x"), PartialReporter)
    assert isinstance(ForeignSigner(theirs, "x"), Signer)
    assert isinstance(ForeignPopulation(theirs, "x"), PopulationReader)
    assert isinstance(ForeignNotifier(theirs, "x"), Notifier)
