"""The engine that asks a server: what it leaves behind, and servers that are down, slow, wrong or not to be trusted."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from secgate.engines.opa import OpaEngine
from secgate.errors import PolicyError, UsageError
from secgate.ports import Answer, PolicyModule
from tests import opa_server as server

MODULE = PolicyModule(path="a.rego", text="package t\nx := input.a + data.b")


def ask(engine: OpaEngine, *, limit_s: float = 20, text: str = MODULE.text) -> Answer:
    module = PolicyModule(path="a.rego", text=text)
    return engine.evaluate([module], data=b'{"b": 2}', document=b'{"a": 1}', query="data.t.x", limit_s=limit_s)


@pytest.fixture
def strange(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a server that answers everything with the fixture's parameter, a Reply."""
    with server.answering(request.param) as address:
        yield address


def test_it_takes_back_what_it_put(opa_server: str) -> None:
    before = server.ids(opa_server)
    assert ask(OpaEngine(address=opa_server)).value == b"3"
    with pytest.raises(PolicyError):
        ask(OpaEngine(address=opa_server), text="package t\nx := 1 / 0")
    assert server.ids(opa_server) == before


def test_policies_of_others_are_not_seen(tmp_path: Path) -> None:
    (tmp_path / "theirs.rego").write_text("package t\nx := 99\ny := 5")
    with server.running(tmp_path, files=["theirs.rego"]) as address:
        assert ask(OpaEngine(address=address)).value == b"3"
        with pytest.raises(PolicyError, match="undefined"):
            ask(OpaEngine(address=address), text="package t\nx := data.t.y")


def test_two_at_once_do_not_meet(opa_server: str) -> None:
    found: list[bytes] = []
    texts = [f"package t\nx := {number}" for number in range(4)]
    threads = [
        threading.Thread(target=lambda text=text: found.append(ask(OpaEngine(address=opa_server), text=text).value))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"0", b"1", b"2", b"3"]


def test_the_server_names_its_decision(tmp_path: Path) -> None:
    with server.running(tmp_path, "--set", "decision_logs.console=true") as address:
        answer = ask(OpaEngine(address=address))
    assert len(answer.decision_id) == 36


def test_the_servers_version(opa_server: str) -> None:
    assert OpaEngine(address=opa_server).version.count(".") == 2


def test_old_syntax_is_refused_and_never_rewritten(opa_server: str) -> None:
    with pytest.raises(PolicyError, match="keyword is required") as caught:
        ask(OpaEngine(address=opa_server), text="package t\nx { data.b == 2 }")
    assert caught.value.place == "a.rego:2:1"


def test_a_server_that_is_down() -> None:
    with pytest.raises(PolicyError, match=r": nobody answers there: Connection refused\n"):
        ask(OpaEngine(address=f"http://127.0.0.1:{server.free_port()}"))


@pytest.mark.parametrize("strange", [server.replying(b"[]"), server.replying(b'"x"', status=404)], indirect=True)
def test_a_server_of_another_form_that_refuses_to_forget_is_no_fault_of_ours(strange: str) -> None:
    with pytest.raises(PolicyError):
        ask(OpaEngine(address=strange))


def test_nothing_is_sent_to_where_a_server_sends_to() -> None:
    with (
        server.answering(server.replying(b"{}")) as other,
        server.answering(server.replying(b"", status=307, headers={"Location": f"{other}/v1/data"})) as address,
        pytest.raises(PolicyError, match="sends to another address"),
    ):
        ask(OpaEngine(address=address))


@pytest.mark.parametrize("strange", [server.dripping], indirect=True)
def test_a_slow_server_is_given_up_by_the_clock_on_the_wall(strange: str) -> None:
    before = time.monotonic()
    with pytest.raises(PolicyError, match="did not answer within"):
        ask(OpaEngine(address=strange), limit_s=0.5)
    assert time.monotonic() - before < 30


@pytest.mark.parametrize(
    ("strange", "what"),
    [
        (server.replying(b"<html>login</html>"), "no answer that can be read"),
        (server.replying(b"<html>login</html>", status=403), "HTTP status 403"),
        (server.replying(b'{"code": "unauthorized", "message": "no"}', status=401), "could not decide: no"),
        (
            server.replying(b'{"errors": 3}', status=500),
            "POST /v1/data/NAME/t/x was answered with HTTP status 500 and a JSON object with `errors`",
        ),
        (server.replying(b'{"detail": "Not Found"}', status=404), "HTTP status 404 and a JSON object with `detail`"),
        (server.replying(b'{"allowed": true}'), "HTTP status 200 and a JSON object with `allowed`, not OPA's"),
        (server.replying(b"[]"), "HTTP status 200 and a JSON list"),
        (server.replying(b"3"), "HTTP status 200 and a JSON value"),
        (server.replying(b"{}"), "undefined"),
        (server.replying(b'{"decision_id": 3}'), "undefined"),
        (server.replying(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}), "sends to another address"),
    ],
    indirect=["strange"],
)
def test_a_server_that_answers_something_else(strange: str, what: str) -> None:
    with pytest.raises(PolicyError, match=what) as caught:
        ask(OpaEngine(address=strange))
    assert caught.value.remedy
    assert caught.value.place.startswith("127.0.0.1:") or what == "undefined"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"result": [{"x": 3}]}', b"no"])
def test_another_program_has_no_version(body: bytes) -> None:
    with (
        server.answering(server.replying(body)) as address,
        pytest.raises(PolicyError, match="POST /v1/query was answered with HTTP status 200"),
    ):
        _ = OpaEngine(address=address).version


@pytest.mark.parametrize("body", [b'{"detail": "x"}', b"[]", b"no"])
def test_another_program_that_takes_nothing_in_is_told(body: bytes) -> None:
    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(404)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with (
        server.answering(reply) as address,
        pytest.raises(PolicyError, match="PUT /v1/data/NAME was answered with HTTP status 404"),
    ):
        ask(OpaEngine(address=address))


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("opa.example.org:8181", "no https"),
        ("http://opa.example.org:8181", "without TLS"),
        ("https://a:b@opa.example.org", "password"),
        ("https://opa.example.org:99999", "cannot be read"),
        ("https://opa.example.org/v1", "no https"),
        ("", "none is named"),
    ],
)
def test_addresses_that_cannot_be_used(address: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        OpaEngine(address=address)


def test_a_token_that_no_header_takes_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="SECGATE_OPA_TOKEN") as caught:
        OpaEngine(address="https://opa.example.org", token="s3cret\n")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
def test_a_file_of_tls_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.pem"):
        OpaEngine(address="https://opa.example.org", **{name: str(tmp_path / "absent.pem")})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-days", "2"]
    argv += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:TRUE"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    ssl.create_default_context(cafile=str(folder / "cert.pem"))
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_tls_is_checked_against_the_given_certificate(tmp_path: Path, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    with server.running(tmp_path, "--tls-cert-file", cert, "--tls-private-key-file", key, scheme="https") as address:
        assert ask(OpaEngine(address=address, ca=cert)).value == b"3"
        with pytest.raises(PolicyError, match="certificate"):
            ask(OpaEngine(address=address))


def test_a_server_may_ask_for_the_clients_certificate(tmp_path: Path, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    tls = ["--tls-cert-file", cert, "--tls-private-key-file", key, "--tls-ca-cert-file", cert]
    with server.running(tmp_path, *tls, "--authentication=tls", scheme="https") as address:
        assert ask(OpaEngine(address=address, ca=cert, certificate=cert, key=key)).value == b"3"
        with pytest.raises(PolicyError, match="no TLS connection is made with the server: "):
            ask(OpaEngine(address=address, ca=cert))


AUTHORISED = 'package system.authz\ndefault allow := false\nallow if input.identity == "let-me-in"\n'


def test_the_token_is_sent_and_its_lack_is_said(tmp_path: Path) -> None:
    (tmp_path / "authz.rego").write_text(AUTHORISED)
    arguments = ("--authentication=token", "--authorization=basic")
    with server.running(tmp_path, *arguments, files=["authz.rego"]) as address:
        assert ask(OpaEngine(address=address, token="let-me-in")).value == b"3"
        with pytest.raises(PolicyError, match="request rejected") as caught:
            ask(OpaEngine(address=address, token="wrong"))
    assert "wrong" not in str(caught.value)
