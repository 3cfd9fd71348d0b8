"""RFC 3161 against an authority of our own: openssl behind a loopback server."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.errors import SignatureError, UsageError
from secgate.signers.timestamps import Timestamps, query
from tests.ledger_support import Runner
from tests.product import Product
from tests.runs.kept_ledger import Kept, standalone
from tests.unit.conftest import Git

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="no openssl")
NONCE = bytes(range(8))
CONFIG = """\
[tsa]
default_tsa = made
[made]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
[usage]
extendedKeyUsage = critical,timeStamping
"""


def openssl(*arguments: str, cwd: Path, stdin: bytes = b"") -> bytes:
    return subprocess.run([OPENSSL, *arguments], cwd=cwd, input=stdin, check=True, capture_output=True).stdout


class Authority:
    """A root, a certificate that may stamp, and a server that answers with it; `refuse` has it answer no.

    It stamps `late_s` after it was asked.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder))
        for part in ("root", "stamp"):
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", part, cwd=self.folder)
        openssl(
            "req", "-x509", "-key", "root", "-subj", f"/CN={name}", "-days", "9", "-out", "root.pem", cwd=self.folder
        )
        openssl("req", "-new", "-key", "stamp", "-subj", f"/CN={name} stamp", "-out", "stamp.csr", cwd=self.folder)
        sign = ("x509", "-req", "-in", "stamp.csr", "-CA", "root.pem", "-CAkey", "root", "-CAcreateserial")
        usage = ("-days", "9", "-extfile", "tsa.cnf", "-extensions", "usage", "-out", "stamp.pem")
        openssl(*sign, *usage, cwd=self.folder)
        self.refuse = False
        self.late_s = 0.0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def answer(self, asked: bytes) -> bytes:
        time.sleep(self.late_s)
        (self.folder / "asked").write_bytes(b"\x30\x00" if self.refuse else asked)
        said = ("-config", "tsa.cnf", "-signer", "stamp.pem", "-inkey", "stamp", "-chain", "root.pem")
        return openssl("ts", "-reply", "-queryfile", "asked", *said, cwd=self.folder)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def handler_of(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path, "one")
    yield made
    made.close()


@pytest.fixture
def stamps(tmp_path: Path) -> Timestamps:
    (tmp_path / "scratch").mkdir()
    return Timestamps(runner=Runner(), executable=OPENSSL, directory=str(tmp_path / "scratch"))


def test_openssl_reads_the_question_as_its_own(tmp_path: Path) -> None:
    (tmp_path / "asked").write_bytes(query(b"a message", nonce=NONCE))
    text = openssl("ts", "-query", "-in", "asked", "-text", cwd=tmp_path).decode()
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0x4001020304050607" in text
    assert "Certificate required: yes" in text


def test_an_answer_is_checked(authority: Authority, stamps: Timestamps) -> None:
    answer = stamps.ask(authority.url, b"a message", nonce=NONCE)
    at = stamps.verify(answer, b"a message", authorities=authority.root)
    assert abs((datetime.now(tz=UTC) - at).total_seconds()) < 60


def test_an_answer_for_something_else_does_not_count(authority: Authority, stamps: Timestamps) -> None:
    answer = stamps.ask(authority.url, b"a message", nonce=NONCE)
    with pytest.raises(SignatureError, match=r"does not verify: message imprint mismatch\n"):
        stamps.verify(answer, b"another", authorities=authority.root)


def test_an_authority_that_nobody_vouches_for_does_not_count(
    authority: Authority, stamps: Timestamps, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    other.close()
    answer = stamps.ask(authority.url, b"a message", nonce=NONCE)
    with pytest.raises(SignatureError, match="does not verify: certificate verify error: Verify error:"):
        stamps.verify(answer, b"a message", authorities=other.root)


@pytest.mark.parametrize("answer", [b"", b"0\x00", b"no DER at all"])
def test_what_is_no_answer_does_not_count(stamps: Timestamps, answer: bytes) -> None:
    with pytest.raises(SignatureError, match="no timestamp"):
        stamps.verify(answer, b"a message", authorities=b"")


def test_an_authority_that_says_no_is_an_error(authority: Authority, stamps: Timestamps) -> None:
    authority.refuse = True
    with pytest.raises(SignatureError, match="another question"):
        stamps.ask(authority.url, b"a message", nonce=NONCE)


def test_nobody_there_is_an_error(authority: Authority, stamps: Timestamps) -> None:
    authority.server.server_close()
    with pytest.raises(SignatureError, match="does not answer"):
        stamps.ask(authority.url, b"a message", nonce=NONCE)


def test_a_name_that_no_server_has_is_an_error(stamps: Timestamps) -> None:
    with pytest.raises(SignatureError, match="does not answer"):
        stamps.ask("http://..../", b"a message", nonce=NONCE)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http:///x", "x", "http://[::1"])
def test_what_is_no_address_is_refused(stamps: Timestamps, url: str) -> None:
    with pytest.raises(UsageError):
        stamps.ask(url, b"a message", nonce=NONCE)


def test_without_openssl_it_says_so(tmp_path: Path) -> None:
    stamps = Timestamps(runner=Runner(), executable="", directory=str(tmp_path))
    with pytest.raises(SignatureError, match="not on PATH"):
        stamps.verify(b"x", b"y", authorities=b"")


# ------------------------------------------------------------------------------------------------- on a checkpoint


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    from tests.unit.conftest import SubprocessRunner

    product = Product(tmp_path / "machine")
    (tmp_path / "machine" / "bin" / "openssl").symlink_to(OPENSSL)
    git = Git(tmp_path / "shop", tmp_path / "git-home", SubprocessRunner()).init()
    return Kept(product, git, tmp_path)


def require(kept: Kept, authority: Authority) -> None:
    (kept.layer / "enforced.toml").write_text("version = 1\n[ledger]\ntimestamps_required = true\n")
    (kept.layer / "timestamp-authorities.pem").write_bytes(authority.root)


def checkpoint(kept: Kept, *words: str) -> int:
    return kept.cli("checkpoint", "--to", str(kept.place), "--key", str(kept.machine.path), *words).code


def test_a_stamped_checkpoint_counts_where_a_timestamp_is_required(kept: Kept, authority: Authority) -> None:
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    require(kept, authority)
    ended = kept.cli("verify", "--checkpoint", str(kept.place))
    assert (ended.code, "stamped on" in ended.out) == (0, True), ended
    root = str(authority.folder / "root.pem")
    assert standalone(kept.export(), "--authorities", root, "--checkpoint", str(kept.place)).code == 0
    # Where nobody says which authorities count, another timestamp would be of no use.
    (kept.layer / "timestamp-authorities.pem").unlink()
    ended = kept.cli("verify", "--checkpoint", str(kept.place))
    assert (ended.code, "try: put the root certificates of the authorities" in ended.err) == (2, True), ended


def test_a_plain_checkpoint_does_not(kept: Kept, authority: Authority) -> None:
    assert checkpoint(kept) == 0
    assert kept.cli("verify", "--checkpoint", str(kept.place)).code == 0
    require(kept, authority)
    ended = kept.cli("verify", "--checkpoint", str(kept.place))
    assert (ended.code, "no timestamp that counts" in ended.err) == (2, True), ended
    assert standalone(kept.export(), "--authorities", str(authority.folder / "root.pem")).code == 1


def test_what_lacks_a_required_timestamp_never_replaces_what_has_one(
    kept: Kept, authority: Authority, tmp_path: Path
) -> None:
    require(kept, authority)
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    good, size = kept.place.read_bytes(), len(kept.entries())
    other = Authority(tmp_path, "other")
    assert checkpoint(kept) == 2
    assert checkpoint(kept, "--timestamp", other.url) == 2
    assert (kept.place.read_bytes(), len(kept.entries())) == (good, size)
    assert checkpoint(kept, "--timestamp", other.url, "--timestamp", authority.url) == 0
    other.close()


def test_a_timestamp_of_another_checkpoint_does_not(kept: Kept, authority: Authority) -> None:
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    stamp = json.loads(kept.place.read_bytes())["timestamps"]
    assert checkpoint(kept) == 0
    file = json.loads(kept.place.read_bytes())
    kept.place.write_text(json.dumps({**file, "timestamps": stamp}))
    require(kept, authority)
    ended = kept.cli("verify", "--checkpoint", str(kept.place))
    assert (ended.code, "a timestamp does not count" in ended.err) == (2, True), ended


def test_a_key_counts_when_it_was_stamped(kept: Kept, authority: Authority) -> None:
    """By its own word it was made before the key was revoked, by the authority's after."""
    authority.late_s = 3.0
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    said = json.loads(base64.b64decode(json.loads(kept.place.read_bytes())["payload"]))["at_epoch_s"]
    since = datetime.fromtimestamp(said + 1, tz=UTC)
    (kept.layer / "revoked").write_text(f'from="{since:%Y%m%d%H%M%S}" {kept.machine.public}\n')
    signers, given = str(kept.layer / "allowed_signers"), ("--checkpoint", str(kept.place))
    plain = kept.cli("verify", *given), standalone(kept.export(), "--signers", signers, *given)
    assert [one.code for one in plain] == [0, 0], plain
    require(kept, authority)
    root = ("--authorities", str(authority.folder / "root.pem"))
    stamped = kept.cli("verify", *given), standalone(kept.export(), "--signers", signers, *root, *given)
    assert [one.code for one in stamped] == [2, 1], stamped


def test_a_timestamp_nobody_requires_decides_nothing(kept: Kept, authority: Authority) -> None:
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    file = json.loads(kept.place.read_bytes())
    kept.place.write_text(json.dumps({**file, "timestamps": [base64.b64encode(b"made up").decode()]}))
    ended = kept.cli("verify", "--checkpoint", str(kept.place))
    assert (ended.code, "were not checked" in ended.out) == (0, True), ended


def test_where_no_authority_answers_no_checkpoint_is_taken(kept: Kept, authority: Authority) -> None:
    size = len(kept.entries())
    authority.close()
    assert checkpoint(kept, "--timestamp", authority.url) == 2
    assert (kept.place.exists(), len(kept.entries())) == (False, size)


# ------------------------------------------------------------------------------------------------- in evidence


def integrity(kept: Kept) -> tuple[str, set[str]]:
    """Give what evidence makes of the checkpoint: the result, and exceptions or why it was not tested."""
    period = "--from", "2023-11-15", "--to", "2023-12-01", "--checkpoint", str(kept.place)
    place = "--path", str(kept.git.root), "--enforced", str(kept.layer)
    ended = kept.product.cli("evidence", "check", *period, *place, "--format", "json")
    assert ended.code == 0, ended
    found = {one["assertion"]: one for one in json.loads(ended.data)["evidence"]["assertions"]}["ledger.integrity"]
    told = {one["exception"] for one in found["deviations"]} | {one["reason"] for one in found["untested"]}
    return found["result"], told


def test_evidence_asks_for_a_timestamp_where_one_is_required(kept: Kept, authority: Authority) -> None:
    assert checkpoint(kept) == 0
    assert integrity(kept) == ("no_deviation", set())
    require(kept, authority)
    assert integrity(kept) == ("deviation", {"no_timestamp"})


def test_evidence_takes_a_timestamp_that_counts_and_no_other(kept: Kept, authority: Authority, tmp_path: Path) -> None:
    assert checkpoint(kept, "--timestamp", authority.url) == 0
    require(kept, authority)
    assert integrity(kept) == ("no_deviation", set())
    other = Authority(tmp_path, "other")
    other.close()
    (kept.layer / "timestamp-authorities.pem").write_bytes(other.root)
    assert integrity(kept) == ("deviation", {"no_timestamp"})
    (kept.layer / "timestamp-authorities.pem").unlink()
    result, (why,) = integrity(kept)
    assert (result, "the enforced layer has no timestamp-authorities.pem" in why) == ("not_tested", True)
