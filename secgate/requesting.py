"""Requests that carry something of ours: to where the operator said, and nowhere else."""

from __future__ import annotations

import ssl
import urllib.request


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where something is sent is the operator's choice, not a server's."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def opener(*, stays_here: bool) -> urllib.request.OpenerDirector:
    """Give what opens requests: by certificates that this machine trusts, following no redirect.

    What `stays_here`, on this machine, goes through no proxy either.
    """
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    if stays_here:
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)
