"""RFC 3161 timestamps: asked of an authority over http(s), checked by openssl.

The answer is kept as it came (TimeStampResp, DER): whoever doubts it can check it with another program. An answer is
signed, so that plain http, which most authorities speak, takes nothing from it.
"""

from __future__ import annotations

import http.client
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from secgate.errors import SignatureError, UsageError
from secgate.model import Limits, Output
from secgate.ports import ProcessRunner
from secgate.requesting import within

MAX_ANSWER_BYTES = 128 * 1024
_SHA256_IMPRINT = bytes.fromhex("3031300d060960864801650304020105000420")
_TIME = re.compile(r"^Time stamp: (\w{3} +\d+ \d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)
_ERROR = re.compile(r":error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):[^:]*:\d+:(.*)$")
"""A line of openssl's error queue: thread, code, library, function, reason, file, line, more about it."""
_REMEDY = "ask another authority, or leave timestamps out"


def query(message: bytes, *, nonce: bytes) -> bytes:
    """Give the request for a timestamp of SHA-256 of `message`, with the authority's certificate asked for.

    `nonce` is eight random bytes. Source: RFC 3161, 2.4.1.
    """
    number = bytes([nonce[0] & 0x7F | 0x40]) + nonce[1:]  # positive, and never shorter
    body = b"\x02\x01\x01" + _SHA256_IMPRINT + sha256(message).digest() + b"\x02\x08" + number + b"\x01\x01\xff"
    return bytes([0x30, len(body)]) + body


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _reason(told: str) -> str:
    """Give the reason of openssl's first error, and not where in its source that is."""
    for line in told.splitlines():
        match = _ERROR.search(line)
        if match:
            return ": ".join(part for part in (match[1], match[2].strip()) if part)
    return "openssl says no more"


class Timestamps:
    """Asks authorities and checks their answers."""

    def __init__(self, *, runner: ProcessRunner, executable: str, directory: str, timeout_s: float = 30.0) -> None:
        """`executable` is openssl, "" where there is none; `directory` is private; `timeout_s` is for one answer."""
        self._runner = runner
        self._executable = executable
        self._directory = directory
        self._timeout_s = timeout_s

    def ask(self, url: str, message: bytes, *, nonce: bytes) -> bytes:
        """Give an authority's answer for `message`, granted and to this very question.

        Raises UsageError for an address that is none, SignatureError for an authority that does not answer so.
        """
        if not _is_address(url):
            raise UsageError("this is no address of a timestamp authority", remedy="give http(s)://HOST/...", place=url)
        asked = query(message, nonce=nonce)
        request = urllib.request.Request(url, data=asked, method="POST")  # noqa: S310 - the scheme was checked
        request.add_header("Content-Type", "application/timestamp-query")

        def exchange() -> bytes:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as reply:  # noqa: S310
                answer: bytes = reply.read(MAX_ANSWER_BYTES + 1)
                return answer

        try:
            answer = within(self._timeout_s, exchange)
        except (urllib.error.URLError, http.client.HTTPException, OSError, UnicodeError) as error:
            reason = getattr(error, "reason", "") or error
            raise SignatureError(f"the authority does not answer: {reason}", place=url, remedy=_REMEDY) from error
        if len(answer) > MAX_ANSWER_BYTES or asked[-13:-3] not in answer or sha256(message).digest() not in answer:
            raise SignatureError("the authority answered another question", place=url, remedy=_REMEDY)
        if "Status: Granted" not in self._text(answer):
            raise SignatureError("the authority did not grant a timestamp", place=url, remedy=_REMEDY)
        return answer

    def verify(self, answer: bytes, message: bytes, *, authorities: bytes) -> datetime:
        """Give when, by the word of an authority that `authorities` (PEM) vouch for, `message` was there.

        The authority's certificate must have been valid then. Raises SignatureError otherwise.
        """
        at = self._stamped_at(answer)
        with tempfile.TemporaryDirectory(prefix="timestamp-", dir=self._directory) as name:
            files = {part: Path(name, part) for part in ("answer", "message", "authorities")}
            for part, data in (("answer", answer), ("message", message), ("authorities", authorities)):
                files[part].write_bytes(data)
            argv = ("ts", "-verify", "-in", str(files["answer"]), "-data", str(files["message"]))
            output = self._run((*argv, "-CAfile", str(files["authorities"]), "-attime", str(int(at.timestamp()))))
        if output.exit_code or b"Verification: OK" not in output.stdout + output.stderr:
            raise SignatureError(
                f"the timestamp does not verify: {_reason(output.stderr.decode('utf-8', 'replace'))[:200]}",
                remedy="see that the enforced layer has the authority's root certificate",
            )
        return at

    def _stamped_at(self, answer: bytes) -> datetime:
        match = _TIME.search(self._text(answer))
        if match is None:
            raise SignatureError("the timestamp says no time", remedy=_REMEDY)
        return datetime.strptime(f"{match[1]} {match[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)

    def _text(self, answer: bytes) -> str:
        with tempfile.TemporaryDirectory(prefix="timestamp-", dir=self._directory) as name:
            file = Path(name, "answer")
            file.write_bytes(answer)
            output = self._run(("ts", "-reply", "-in", str(file), "-text"))
        if output.exit_code:
            raise SignatureError("the authority's answer is no timestamp", remedy=_REMEDY)
        return output.stdout.decode("utf-8", "replace")

    def _run(self, arguments: Sequence[str]) -> Output:
        if not self._executable:
            raise SignatureError("openssl is not on PATH", remedy="install openssl (1.1.1 or later)")
        limits = Limits(time_s=20.0, output_bytes=1024 * 1024)
        argv = (self._executable, *arguments)
        output = self._runner.run(argv, cwd=self._directory, env={"LC_ALL": "C"}, limits=limits)
        if output.problem or output.timed_out or output.truncated:
            raise SignatureError(
                f"openssl did not work: {output.problem or 'it was stopped at its limit'}", remedy="run it by hand"
            )
        return output
