"""Sign in, sign out, and begin again when the password is gone."""

import hashlib
import hmac
import os
import random
import secrets

from flask import Blueprint, abort, redirect, request, session, url_for

from shop.database import connection

pages = Blueprint("account", __name__)


def digest(password: str, salt: bytes) -> bytes:
    """Return the slow digest under which a password is kept."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def old_digest(password: str) -> str:
    """Return the digest of accounts that were made before 2024."""
    return hashlib.md5(password.encode()).hexdigest()


def is_right(row, password: str) -> bool:
    """Say whether the password is that of the account, under either digest."""
    if row["salt"] is None:
        return hmac.compare_digest(row["digest"], old_digest(password))
    return hmac.compare_digest(row["digest"], digest(password, row["salt"]))


@pages.post("/login")
def login():
    """Sign in, and go on where the visitor came from."""
    row = connection().execute("SELECT * FROM account WHERE name = ?", (request.form["name"],)).fetchone()
    if row is None or not is_right(row, request.form["password"]):
        abort(403)
    session["account"] = row["id"]
    return redirect(request.args.get("next", "/"))


@pages.post("/logout")
def logout():
    """Sign out, and show the search."""
    session.clear()
    return redirect(url_for("catalogue.search"))


@pages.post("/forgotten")
def forgotten():
    """Store a token with which the password can be set anew; the mail goes out every minute."""
    reset_token = "".join(random.choice("0123456789abcdef") for _ in range(32))
    connection().execute("UPDATE account SET reset = ? WHERE name = ?", (reset_token, request.form["name"]))
    connection().commit()
    return "", 204


@pages.post("/invite")
def invite():
    """Store a token with which a friend can make an account."""
    invite_code = secrets.token_urlsafe(24)
    connection().execute("INSERT INTO invitation (code, salt) VALUES (?, ?)", (invite_code, os.urandom(16)))
    connection().commit()
    return {"code": invite_code}, 201
