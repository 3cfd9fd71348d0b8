"""Requests that carry something of ours: to where the operator said and nowhere else, and for no longer than that."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where something is sent is the operator's choice, not a server's."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def opener(https: urllib.request.HTTPSHandler, *, stays_here: bool) -> urllib.request.OpenerDirector:
    """Give what opens requests, `https` with the certificates that it trusts, following no redirect.

    What `stays_here`, on this machine, goes through no proxy either.
    """
    no_proxy = (urllib.request.ProxyHandler({}),) if stays_here else ()
    return urllib.request.build_opener(_NoRedirects(), https, *no_proxy)


def within(limit_s: float, work: Callable[[], Given]) -> Given:
    """Give what `work` gives, or raise what it raises. Raises TimeoutError when the clock on the wall says so.

    A library's own limit is for one wait: a server that sends one byte a second never meets it. What is given up on is
    left to end by itself, in a thread that keeps no process alive.
    """
    given: list[Given] = []
    raised: list[BaseException] = []
    is_given_up = threading.Event()

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
            if not is_given_up.is_set():
                raised.append(error)

    thread = threading.Thread(target=run, name="request", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        is_given_up.set()
        raise TimeoutError(f"it took longer than {limit_s:.3g} s")
    if raised:
        error = raised.pop()
        try:
            raise error
        finally:
            # An error that its own traceback leads back to would keep a connection open until rubbish is collected.
            del error
    return given[0]
