"""One connection a request."""

import sqlite3

from flask import current_app, g


def connection() -> sqlite3.Connection:
    """Return this request's connection; it is opened at first use."""
    if "connection" not in g:
        g.connection = sqlite3.connect(current_app.config["DATABASE"])
        g.connection.row_factory = sqlite3.Row
    return g.connection


def close(error: BaseException | None = None) -> None:
    """Close this request's connection if it has one."""
    opened = g.pop("connection", None)
    if opened is not None:
        opened.close()
