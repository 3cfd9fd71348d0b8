"""Requests that carry something of ours: to where the operator said, and nowhere else."""

from __future__ import annotations

import urllib.request


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
