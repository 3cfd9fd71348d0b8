"""Every installed scanner on a sample that it must find: a scanner that finds nothing there is not to be believed.

The sample is written into a private folder, its secret put together only there, so that no file of secgate holds one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import textwrap
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from secgate import registry
from secgate.advisories import ImportLimits, build
from secgate.config import Machine
from secgate.model import RunDocument, ScanStatus
from secgate.pipeline.running import run
from secgate.preparation import RunRequest, Silence

_PACKAGE = "secgate-selftest-sample"
_FILES = {
    "app.py": (
        'import subprocess\n\n\ndef run(text):\n    eval(text)\n    return subprocess.call("ls " + text, shell=True)\n'
    ),
    "requirements.txt": f"{_PACKAGE}==1.0\n",
    "Dockerfile": "FROM debian:12\nRUN apt-get update\nUSER root\nEXPOSE 22\n",
    "main.tf": (
        'resource "aws_security_group" "open" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n'
        '    protocol    = "tcp"\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n'
    ),
    ".github/workflows/ci.yml": (
        "on: pull_request_target\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    ),
}


class SelfTest(Struct, frozen=True, kw_only=True):
    """One scanner's answer to its sample."""

    scanner: str
    ok: bool
    reason: str = ""


def self_tests(*, machine: Machine, now: datetime) -> tuple[SelfTest, ...]:
    """Run every built-in scanner on the sample and tell which found it, sorted by name."""
    with tempfile.TemporaryDirectory(prefix="secgate-selftest-") as scratch:
        tree = Path(scratch) / "sample"
        _write(tree)
        database = Path(scratch) / "advisories.sqlite"
        _advisories(Path(scratch), database, now)
        env = {
            **{name: value for name, value in machine.env.items() if not name.startswith("SECGATE_")},
            "SECGATE_ADVISORIES": str(database),
            "SECGATE_ADVISORIES_SOURCE": "local",
            "SECGATE_LEDGER_STORE": "none",
            "SECGATE_OFFLINE": "true",
        }
        document = run(
            RunRequest(path=str(tree), profile="audit"),
            machine=msgspec.structs.replace(machine, env=env),
            now=now,
            observer=Silence(),
        )
    return tuple(_answer(name, document) for name in sorted(registry.BUILTIN["scanners"]))


def _answer(name: str, document: RunDocument) -> SelfTest:
    part = next((one for one in document.invocations if one.scanner == name), None)
    if part is None:
        return SelfTest(scanner=name, ok=False, reason="it took no part")
    if part.status is not ScanStatus.COMPLETED:
        return SelfTest(scanner=name, ok=False, reason=part.reason or part.status.value)
    if not any(witness.scanner == name for finding in document.findings for witness in finding.witnesses):
        return SelfTest(scanner=name, ok=False, reason="it ran and found nothing in its sample")
    return SelfTest(scanner=name, ok=True)


def _write(tree: Path) -> None:
    marks = "-----{} RSA PRIVATE " + "KEY-----"
    lines = textwrap.wrap(base64.b64encode(hashlib.sha512(b"secgate self-test").digest() * 8).decode(), 64)
    key = "\n".join((marks.format("BEGIN"), *lines, marks.format("END"), ""))
    for name, text in {**_FILES, "deploy.pem": key}.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _advisories(scratch: Path, database: Path, now: datetime) -> None:
    folder = scratch / "advisories"
    folder.mkdir()
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    record = {
        "id": "SECGATE-SELFTEST-1",
        "modified": stamp,
        "published": stamp,
        "summary": "A made advisory for a made package.",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": _PACKAGE},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
            }
        ],
    }
    (folder / "SECGATE-SELFTEST-1.json").write_text(json.dumps(record))
    build(str(folder), str(database), now=now, limits=ImportLimits())
