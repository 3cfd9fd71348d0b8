"""Engine `opa`: a real OPA server, which may serve others at the same time.

The modules and data of an evaluation are put under a name of their own on the server, asked, and taken back. The client
library's own habits are switched off: it would rewrite policies that do not compile, try again on its own, and read
proxies and passwords from the environment.

Source: OPA documentation, REST API (policies, data, `strict-builtin-errors`).
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from secgate.errors import PolicyError, UsageError
from secgate.policy.namespace import Namespaced, namespaced
from secgate.ports import Answer, PolicyModule
from secgate.requesting import Given, within

if TYPE_CHECKING:
    from opa_client.opa import OpaClient
    from requests import Response

CONNECT_S = 5.0
SMALLEST_S = 10.0
BYTES_PER_S = 200_000
"""What a slow server is trusted to take in and judge; the time for an answer grows with what is sent."""
MODULE_S = 0.5
"""Time for each module beside that: whenever one is put or taken back, the server compiles all it holds."""

_QUERY = re.compile(r"data((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_MESSAGE = 400
_SEE = "look at the server's own log, or judge with another engine"

_NOT_OPA = "see that an OPA server answers there, and no proxy, gateway or other program"
_BESIDE = frozenset({"decision_id", "explanation", "metrics", "provenance", "warning"})
"""What OPA says beside a result, or of a rule that has none. Source: OPA documentation, REST API, data."""
_OWN_NAME = re.compile(r"secgate_[0-9a-f]{24}")
_MOST_KEYS = 4

_STRANGE = (ValueError, TypeError, AttributeError, KeyError)
"""What the client raises where a server's words are JSON of another form than OPA's, or none."""


class OpaEngine:
    """Evaluates on an OPA server."""

    name = "opa"

    def __init__(
        self, *, address: str, token: str = "", ca: str = "", certificate: str = "", key: str = "", proxy: str = ""
    ) -> None:
        """`address` is https, or http on this machine; the files are paths. Nothing is asked of the server yet.

        Raises UsageError for an address that cannot be used.
        """
        self._host, self._port, self._tls = _parts(address)
        _require_usable(token, ca, certificate, key)
        self._token, self._proxy = token, proxy
        self._verify: str | bool = (ca or True) if self._tls else False
        self._certificate = (certificate, key) if certificate and key else certificate or None
        self._address = f"{self._host}:{self._port}"

    @property
    def version(self) -> str:
        """The server's version, asked of it. Raises PolicyError when it does not answer."""
        with self._client(SMALLEST_S) as (client, last), self._named({}, last):
            answer = self._within(SMALLEST_S, lambda: client.ad_hoc_query("x := opa.runtime().version"))
            version = _at(answer, "result", 0, "x")
            if not isinstance(version, str) or not version:
                raise PolicyError(last.words(), place=self._address, remedy=_NOT_OPA)
            return version

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine. Past the time, the request is given up, and the server drops it."""
        path = _QUERY.fullmatch(query)
        if path is None:
            raise PolicyError(f"`{query}` is not the name of a rule", remedy="ask for `data.PACKAGE.RULE`")
        values, facts = _decoded(data, "data"), _decoded(document, "input")
        name = f"secgate_{secrets.token_hex(12)}"
        under = {f"secgate/{name}/{at:05d}.rego": namespaced(one, name) for at, one in enumerate(modules)}
        size = len(data) + len(document) + sum(len(one.text) for one in modules)
        wait_s = min(limit_s, SMALLEST_S + size / BYTES_PER_S + MODULE_S * len(modules))
        with self._client(wait_s) as (client, last):
            placed: list[str] = []

            def ask() -> object:
                self._put(client, under, values, name, placed)
                package, _, rule = f"{name}{path.group(1)}".rpartition(".")
                return client.query_rule(facts, package, rule, {"strict-builtin-errors": "true"})

            failed = True
            try:
                with self._named(under, last, name=name):
                    answer = self._within(wait_s, ask)
                if not isinstance(answer, dict) or ("result" not in answer and answer.keys() - _BESIDE):
                    raise PolicyError(last.words(), place=self._address, remedy=_NOT_OPA)
                failed = False
            finally:
                self._take_back(client, last, placed, name, wait_s=wait_s, quiet=failed)
        if "result" not in answer:
            raise PolicyError(f"`{query}` is undefined", remedy="load the module that defines it")
        called = answer.get("decision_id", "")
        return Answer(
            value=msgspec.json.encode(answer["result"]), decision_id=called if isinstance(called, str) else ""
        )

    @contextmanager
    def _client(self, wait_s: float) -> Iterator[tuple[OpaClient, _LastAnswer]]:
        from opa_client.opa import OpaClient

        client = OpaClient(
            host=f"[{self._host}]" if ":" in self._host else self._host,
            port=self._port,
            ssl=self._verify,
            cert=self._certificate,
            token=self._token or None,
            retries=0,
            timeout=(min(CONNECT_S, wait_s), wait_s),
        )
        # The environment belongs to the caller: a .netrc would replace the token, a proxy variable see the findings.
        client._session.trust_env = False  # noqa: SLF001 - the client offers no other way
        # Facts and token go to the server that is named and to no other that it sends to.
        client._session.max_redirects = 0  # noqa: SLF001 - as above
        if self._proxy:
            client._session.proxies = {"https": self._proxy}  # noqa: SLF001 - as above
        last = _LastAnswer()
        client._session.hooks["response"].append(last.note)  # noqa: SLF001 - as above
        try:
            yield client, last
        finally:
            client.close_connection()

    def _put(
        self, client: OpaClient, under: Mapping[str, Namespaced], values: object, name: str, placed: list[str]
    ) -> None:
        """Put data and modules on the server, functions before those that call them, and note each in `placed`."""
        from opa_client.errors import RegoParseError

        client.update_or_create_data(values, name)
        waiting = {place: under[place] for place in _in_order(under)}
        while waiting:
            before = len(waiting)
            for place, one in list(waiting.items()):
                try:
                    # Never `rego_compat`: it rewrites a policy by regular expressions, and another policy would decide.
                    client.update_policy_from_string(one.module.text, place, rego_compat=False)
                except RegoParseError as error:
                    if not _lacks_functions(error.errors, name):
                        raise
                    fault = error
                else:
                    placed.append(place)
                    del waiting[place]
            if len(waiting) == before:
                raise fault

    def _take_back(
        self, client: OpaClient, last: _LastAnswer, placed: Sequence[str], name: str, *, wait_s: float, quiet: bool
    ) -> None:
        """Leave nothing on the server. With `quiet`, another fault is on its way and says more."""
        from opa_client.errors import DeleteDataError, DeletePolicyError
        from requests.exceptions import RequestException

        refused: list[str] = []

        def remove() -> None:
            for place in reversed(placed):
                try:
                    client.delete_policy(place)
                except DeletePolicyError as error:
                    refused.append(_short(str(error.message or last.words())))
                except (RequestException, *_STRANGE) as error:
                    refused.append(last.why(error))
            try:
                client.delete_data(name)
            except DeleteDataError as error:
                refused.append(_short(str(error.message or last.words())))
            except (RequestException, *_STRANGE) as error:
                refused.append(last.why(error))

        try:
            self._within(min(wait_s, SMALLEST_S + MODULE_S * len(placed)), remove)
        except PolicyError as error:
            refused.append(error.what)
        if refused and not quiet:
            raise PolicyError(
                f"what was judged with could not be taken off the server: {refused[0]}",
                place=self._address,
                remedy=_SEE,
            )

    def _within(self, limit_s: float, work: Callable[[], Given]) -> Given:
        """Give what `work` gives. Raises PolicyError when the clock on the wall says so."""
        from requests.exceptions import ReadTimeout

        try:
            return within(limit_s, work)
        except (TimeoutError, ReadTimeout) as error:
            # The client's own limit for one wait may come a moment before the clock's.
            told = f"the server did not answer within {limit_s:.3g} s"
            raise PolicyError(told, place=self._address, remedy=_SEE) from error

    @contextmanager
    def _named(self, under: Mapping[str, Namespaced], last: _LastAnswer, *, name: str = "") -> Iterator[None]:
        """Turn what the client raises into a PolicyError that names the module as it was written."""
        from opa_client.errors import RegoParseError
        from requests.exceptions import ConnectionError as NoConnection
        from requests.exceptions import HTTPError, RequestException, SSLError, TooManyRedirects

        try:
            yield
        except RegoParseError as error:
            body = {"code": error.expression, "message": error.message, "errors": error.errors}
            raise _fault(body, under, name=name, address=self._address, otherwise=last.words()) from error
        except HTTPError as error:
            body = _body(error.response.content) if error.response is not None else {}
            raise _fault(body, under, name=name, address=self._address, otherwise=last.words()) from error
        except (RequestException, OSError, *_STRANGE) as error:
            told, remedy = f"the server gave no answer that can be read: {last.why(error)}", _NOT_OPA
            if isinstance(error, (SSLError, NoConnection, TooManyRedirects)):
                remedy = "see that it runs, and that address, certificate and token are right"
            if isinstance(error, SSLError):
                told = f"no TLS connection is made with the server: {_last_cause(error)}"
            elif isinstance(error, NoConnection):
                told = f"nobody answers there: {_last_cause(error)}"
            elif isinstance(error, TooManyRedirects):
                told = "the server sends to another address, where nothing is asked"
            raise PolicyError(told, place=self._address, remedy=remedy) from error


class _LastAnswer:
    """What the server answered last: of another program's answer the client says nothing that helps."""

    def __init__(self) -> None:
        self._response: Response | None = None

    def note(self, response: Response, *_: object, **__: object) -> None:
        """Keep an answer; called for each."""
        self._response = response

    def words(self) -> str:
        """Say what was asked and what came, for an answer that is not OPA's."""
        response = self._response
        if response is None:
            return "it answered in another form than OPA's"
        asked = f"{response.request.method} {_OWN_NAME.sub('NAME', urlsplit(response.url).path)}"
        return _short(f"{asked} was answered with HTTP status {response.status_code} and {_form(response.content)}")

    def why(self, error: Exception) -> str:
        """Say what a fault is: the answer's form where the client stumbled over it, else its own words."""
        is_of_form = isinstance(error, _STRANGE) and self._response is not None
        return self.words() if is_of_form else _short(str(error))


def _form(content: bytes) -> str:
    """Say what an answer is, without its values: they may be anybody's."""
    if not content.strip():
        return "no body"
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return "a body that is no JSON"
    if isinstance(body, dict):
        keys = ", ".join(f"`{key[:40]}`" for key in sorted(body)[:_MOST_KEYS])
        return f"a JSON object with {keys}, not OPA's" if keys else "an empty JSON object"
    return f"a JSON {'list' if isinstance(body, list) else 'value'}, not OPA's"


def _require_usable(token: str, *files: str) -> None:
    """Raise UsageError for a token that is none, which is not shown, and for a file that cannot be read."""
    if not all("!" <= char <= "~" for char in token):
        raise UsageError(
            "the token of the OPA server holds a blank, a line's end or a character that no header takes",
            place="SECGATE_OPA_TOKEN",
            remedy="set it to the token alone, without the end of its file's line",
        )
    for file in filter(None, files):
        if not Path(file).is_file() or not os.access(file, os.R_OK):
            raise UsageError("there is no such file, or it cannot be read", place=file, remedy="name the PEM file")


def _last_cause(error: BaseException) -> str:
    """Give what the operating system or TLS said, without the libraries' words around it."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    text = re.sub(r" *\(_ssl\.c:\d+\)", "", _short(str(reason or error)))
    return text.rpartition("[Errno ")[2].partition("] ")[2] or text.rpartition(": ")[2].strip("\"'()") or text


def _parts(address: str) -> tuple[str, int, bool]:
    try:
        split = urlsplit(address)
        host, port = split.hostname or "", split.port
    except ValueError as error:
        raise UsageError(f"the address of the OPA server cannot be read: {error}", place="engine.address") from error
    remedy = "write it as https://HOST:PORT"
    if not address.strip():
        raise UsageError(
            "the engine `opa` asks a server, and none is named",
            place="engine.address",
            remedy="set SECGATE_OPA_ADDRESS=https://HOST:PORT, or choose another engine",
        )
    if split.scheme not in ("https", "http") or not host or split.path not in ("", "/") or split.query:
        raise UsageError("the address of the OPA server is no https://HOST:PORT", place="engine.address", remedy=remedy)
    if split.username or split.password:
        raise UsageError(
            "the address of the OPA server holds a password",
            place="engine.address",
            remedy="give a token in SECGATE_OPA_TOKEN",
        )
    if split.scheme == "http" and host not in _HERE:
        raise UsageError(
            "the OPA server is asked without TLS, and anyone on the way could decide for it",
            place="engine.address",
            remedy=remedy,
        )
    return host, port or (443 if split.scheme == "https" else 8181), split.scheme == "https"


def _decoded(text: bytes, what: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"the {what} cannot be read: {error}", remedy="report this policy") from error


def _body(content: bytes) -> dict[str, object]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_IMPORT = re.compile(r"^import\s+data\.([\w.]+)", re.MULTILINE)


def _in_order(under: Mapping[str, Namespaced]) -> list[str]:
    """Give the places of modules, those that others import first: each try costs the server a whole compilation.

    A rule may be imported as well as a package, and what imports each other comes last: the order is a help, no more.
    """
    packages = {place: found[1] for place, one in under.items() if (found := _PACKAGE.search(one.module.text))}
    known = set(packages.values())
    needs = {
        place: {name for name in _IMPORT.findall(one.module.text) if name in known and name != packages.get(place)}
        for place, one in under.items()
    }
    ordered: list[str] = []
    while ready := [place for place in needs if place not in ordered and not needs[place]]:
        ordered += ready
        left = {packages[place] for place in packages if place not in ordered}
        needs = {place: names & left for place, names in needs.items()}
    return [*ordered, *(place for place in needs if place not in ordered)]


def _lacks_functions(errors: object, name: str) -> bool:
    """Tell whether a module only waits for others of its own: the server takes one at a time."""
    told = [str(_at(one, "message")) for one in errors] if isinstance(errors, list) else []
    if told[1:] and told[-1] == "error limit reached":
        del told[-1]  # the compiler names ten; what else is wrong is told once these are there
    return bool(told) and all(one.startswith(f"undefined function data.{name}.") for one in told)


def _at(value: object, *keys: str | int) -> object:
    for key in keys:
        if isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        elif isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        else:
            return ""
    return value


def _fault(
    body: Mapping[str, Any], under: Mapping[str, Namespaced], *, name: str, address: str, otherwise: str
) -> PolicyError:
    """Give the server's first error, in the words and at the place of the module as it was written.

    Without one, what it answered is not OPA's: then `otherwise` says what it was.
    """
    first = _at(body.get("errors"), 0)
    message = _at(first, "message") or body.get("message") or body.get("code")
    if not isinstance(message, str) or not message:
        return PolicyError(f"the server could not decide: {otherwise}", place=address, remedy=_NOT_OPA)
    text = _short(message.replace(f"{name}.", "") if name else message)
    file, row, column = (_at(first, "location", key) for key in ("file", "row", "col"))
    module = under.get(str(file))
    if module is None or not isinstance(row, int) or not isinstance(column, int):
        return PolicyError(f"the server could not decide: {text}", place=address, remedy=_SEE)
    return PolicyError(
        text,
        remedy="correct the policy, and try it with `test_` rules",
        place=f"{module.module.path}:{row}:{module.column(row, column)}",
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:_MAX_MESSAGE]
