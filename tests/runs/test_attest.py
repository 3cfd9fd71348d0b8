"""Attestations as whole runs make them, and everything that could be made to look like one."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from secgate import custody
from secgate.attest import read
from secgate.custody.measuring import measure
from secgate.document_schema import document_schema
from secgate.errors import LedgerError, SignatureError, TargetError, UsageError
from secgate.events import event_of, to_entry
from secgate.gate_events import ArtefactBound
from secgate.ledgers.sqlite import SqliteLedger
from tests.attest_support import MACHINE, Pipeline
from tests.product import CLEAN, DAY, NOW, WEAK, Product, tree
from tests.runs.kept_ledger import standalone
from tests.signing_support import ADA, allowed
from tests.unit.conftest import Git, SubprocessRunner


@pytest.fixture
def pipeline(product: Product, git: Git, tmp_path: Path) -> Pipeline:
    return Pipeline(product, git, tmp_path)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, bytes]:
    home = tmp_path_factory.mktemp("attested")
    git = Git(home / "shop", home / "git-home", SubprocessRunner()).init()
    made = Pipeline(Product(home / "machine"), git, home)
    return made, made.run().data


@pytest.fixture
def attested(once: tuple[Pipeline, bytes]) -> Pipeline:
    """One run for all who only forge its attestation."""
    made, data = once
    made.trust_machine()
    made.file.write_bytes(data)
    return made


# --------------------------------------------------------------------------------------------------- what a run says


def test_a_pass_is_attested_and_verifies(pipeline: Pipeline) -> None:
    made = pipeline.run()
    answer = pipeline.ask()
    assert (answer.exit_code, answer.signed.principal, made.run.outcome) == (0, MACHINE, "pass")
    assert [one.digest for one in made.statement.subject] == [
        {"gitCommit": pipeline.commit},
        {"gitTree": pipeline.git("rev-parse", "HEAD^{tree}")},
    ]


def test_a_fail_is_attested_and_is_no_pass(pipeline: Pipeline) -> None:
    pipeline.git.commit({"app.py": WEAK})
    commit = pipeline.git("rev-parse", "HEAD")
    assert pipeline.run().run.outcome == "fail"
    assert pipeline.ask(commit=commit).exit_code == 1
    assert pipeline.ask(commit=commit, require="valid").exit_code == 0


def test_an_inconclusive_run_is_attested_and_could_not_be_told(pipeline: Pipeline) -> None:
    pipeline.product.without("semgrep")
    assert pipeline.run().run.outcome == "inconclusive"
    assert pipeline.ask().exit_code == 3


def test_a_fail_that_was_let_pass_is_no_pass(pipeline: Pipeline) -> None:
    pipeline.git.commit({"app.py": WEAK})
    (pipeline.layer / "enforced.toml").write_text('version = 1\nmode = "observe"\n')
    made = pipeline.run()
    answer = pipeline.ask(commit=made.run.source.commit)
    assert (made.run.mode, answer.exit_code) == ("observe", 1)
    assert b"the gate only observed" in custody.answer_page(answer, file="f", width=80)


def test_it_holds_numbers_and_neither_findings_nor_names(pipeline: Pipeline) -> None:
    pipeline.git.commit({"secret_app.py": WEAK})
    payload = pipeline.run().payload
    assert json.loads(payload)["predicate"]["verdicts"] == {"deny": 1}
    for told in (b"secret_app", b"eval(", b"Ada", b"example.org", str(pipeline.home).encode()):
        assert told not in payload


def test_the_same_run_gives_the_same_bytes(pipeline: Pipeline) -> None:
    made = pipeline.run()
    again = custody.attest_recorded(
        made.run.run_id, place=pipeline.place, key=str(pipeline.key.path), machine=pipeline.product.machine(), now=NOW
    )
    assert again.data == made.data


def test_an_unsigned_statement_is_what_a_key_would_sign_and_leaves_no_trace(pipeline: Pipeline) -> None:
    run = pipeline.run().run.run_id
    built = tree(pipeline.home, {"shop.whl": "built"}) / "shop.whl"
    known: dict[str, Any] = {"place": pipeline.place, "machine": pipeline.product.machine(), "now": NOW}
    ledger = SqliteLedger(str(pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    before = ledger.head()
    statement = custody.unsigned(run, [str(built)], **known)
    assert ledger.head() == before
    assert statement == pipeline.bind(str(built), run=run).made.payload + b"\n"
    with pytest.raises(UsageError, match="no artefact"):
        custody.unsigned(run, [], **known)


def test_it_names_the_documents_that_the_ledger_kept(pipeline: Pipeline) -> None:
    made = pipeline.run()
    ledger = SqliteLedger(str(pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    for digest in (made.run.policy.input_digest, made.run.policy.policies_digest):
        assert hashlib.sha256(ledger.blob(digest)).hexdigest() == digest


def test_a_run_without_a_ledger_is_attested(pipeline: Pipeline) -> None:
    pipeline.product.env["SECGATE_LEDGER_STORE"] = "none"
    pipeline.run()
    assert pipeline.ask().exit_code == 0


@pytest.mark.parametrize("what", ["dirty", "staged", "plain"])
def test_what_is_no_commit_is_refused_before_it_is_looked_at(pipeline: Pipeline, what: str) -> None:
    root = pipeline.git.root
    (root / "new.py").write_text(CLEAN)
    options: dict[str, Any] = {"staged": True} if what == "staged" else {}
    if what == "staged":
        pipeline.git("add", ".")
    if what == "plain":
        root = pipeline.home / "plain"
        root.mkdir()
    with pytest.raises(UsageError, match="attest"):
        pipeline.product.run(root, attested=True, **options)
    assert pipeline.product.calls("bandit") == []


def test_the_key_that_would_count_for_nothing_signs_nothing(pipeline: Pipeline) -> None:
    for key in (pipeline.stranger, pipeline.ada):
        with pytest.raises(SignatureError, match="would count for nothing"):
            pipeline.run(key=key)
    assert not pipeline.file.exists()


# ------------------------------------------------------------------------------------- the commit that was merged


def test_a_squash_is_known_by_its_tree(pipeline: Pipeline) -> None:
    pipeline.git("checkout", "--quiet", "-b", "change")
    pipeline.git.commit({"app.py": CLEAN + "\n"})
    pipeline.git.commit({"app.py": CLEAN + "\n\n"})
    pipeline.run()
    pipeline.git("checkout", "--quiet", "main")
    pipeline.git("merge", "--quiet", "--squash", "change")
    pipeline.git("commit", "--quiet", "-m", "squashed")
    told = pipeline.ask(commit="main", repository=str(pipeline.git.root))
    assert (told.exit_code, "made anew by a squash, a rebase or a merge queue" in told.matches[0].how) == (0, True)
    merged = pipeline.git("rev-parse", "main")
    blind = pipeline.ask(commit=merged)
    assert (blind.exit_code, "--repository" in blind.matches[0].how) == (3, True)


def test_a_rebase_whose_branch_is_gone_is_known_in_a_fresh_clone(pipeline: Pipeline) -> None:
    pipeline.git("checkout", "--quiet", "-b", "change")
    pipeline.git.commit({"app.py": CLEAN + "\n"})
    pipeline.run()
    pipeline.git("checkout", "--quiet", "main")
    pipeline.git("cherry-pick", "change")
    pipeline.git("branch", "--quiet", "-D", "change")
    clone = pipeline.home / "clone" / "shop"
    pipeline.git("clone", "--quiet", "--no-local", str(pipeline.git.root), str(clone))
    pipeline.git("remote", "remove", "origin", cwd=clone)
    told = pipeline.ask(commit="HEAD", repository=str(clone))
    assert (told.exit_code, "not in this clone" in told.matches[0].how) == (0, True)


def test_a_merge_that_changed_nothing_is_known(pipeline: Pipeline) -> None:
    pipeline.git("checkout", "--quiet", "-b", "change")
    pipeline.git.commit({"app.py": CLEAN + "\n"})
    pipeline.run()
    pipeline.git("checkout", "--quiet", "main")
    pipeline.git("merge", "--quiet", "--no-ff", "-m", "merge", "change")
    told = pipeline.ask(commit="main", repository=str(pipeline.git.root))
    assert (told.exit_code, "one of its ancestors" in told.matches[0].how) == (0, True)


def test_a_rebase_onto_a_base_that_moved_is_another_tree_and_said_where(pipeline: Pipeline) -> None:
    pipeline.git("checkout", "--quiet", "-b", "change")
    pipeline.git.commit({"app.py": CLEAN + "\n"})
    pipeline.run()
    pipeline.git("checkout", "--quiet", "main")
    pipeline.git.commit({"moved\x1b[31m.py": CLEAN})
    pipeline.git("cherry-pick", "change")
    told = pipeline.ask(commit="main", repository=str(pipeline.git.root))
    assert told.exit_code == 1
    assert "in moved\\x1b[31m.py: gate what is there now" in told.matches[0].how


def test_the_same_tree_in_another_repository_does_not_count(pipeline: Pipeline) -> None:
    pipeline.run()
    pipeline.git("commit", "--quiet", "--allow-empty", "-m", "again")
    pipeline.git("remote", "add", "origin", "https://example.com/other/shop.git")
    told = pipeline.ask(commit="main", repository=str(pipeline.git.root))
    assert (told.exit_code, told.matches[0].what) == (1, "repository")


def test_a_commit_that_a_shallow_clone_lacks_could_not_be_told(pipeline: Pipeline) -> None:
    pipeline.run()
    old = pipeline.commit
    pipeline.git.commit({"app.py": CLEAN + "\n"})
    pipeline.git.commit({"app.py": CLEAN + "\n\n"})
    clone = pipeline.home / "shallow"
    pipeline.git("clone", "--quiet", "--depth=1", f"file://{pipeline.git.root}", str(clone))
    missing = pipeline.git("rev-parse", "HEAD~1")
    told = pipeline.ask(commit=missing, repository=str(clone))
    assert (told.exit_code, "not in a shallow clone" in told.matches[0].how) == (3, True)
    assert pipeline.ask(commit=old).exit_code == 0


def test_a_tree_is_held_against_the_tree_alone(pipeline: Pipeline) -> None:
    pipeline.run()
    assert pipeline.ask(tree=pipeline.git("rev-parse", "HEAD^{tree}")).exit_code == 0
    assert pipeline.ask(tree=pipeline.commit).exit_code == 1


@pytest.mark.parametrize(
    "asked", [{}, {"commit": "main"}, {"tree": "HEAD"}, {"commit": "A" * 40}, {"commit": "-x", "repository": "nowhere"}]
)
def test_a_question_that_cannot_be_answered_is_a_usage_error(attested: Pipeline, asked: dict[str, Any]) -> None:
    with pytest.raises((UsageError, TargetError)):
        attested.ask(**{"commit": "", **asked})


# -------------------------------------------------------------------------------------------------- limits of a pass


def test_a_folder_does_not_stand_for_the_whole(pipeline: Pipeline) -> None:
    commit = pipeline.git.commit({"web/a.py": CLEAN})
    now = NOW
    done = pipeline.product.run(pipeline.git.root / "web", attested=True, now=now)
    made = custody.attest(
        done, key=str(pipeline.key.path), enforced=str(pipeline.layer), machine=pipeline.product.machine(), now=now
    )
    pipeline.file.write_bytes(made.data)
    assert pipeline.ask(commit=commit).exit_code == 3
    for prefix in ("web", "web/deeper"):
        assert pipeline.ask(commit=commit, prefix=prefix).exit_code == 0
    assert pipeline.ask(commit=commit, prefix="webs").exit_code == 3


def test_the_profile_that_is_asked_for_counts(pipeline: Pipeline) -> None:
    pipeline.run(profile="pre-commit")
    assert pipeline.ask(commit=pipeline.commit, profiles=("release", "pre-commit")).exit_code == 0
    assert pipeline.ask(commit=pipeline.commit, profiles=("release",)).exit_code == 1


def test_an_old_one_is_told_by_its_age(pipeline: Pipeline) -> None:
    pipeline.run()
    asked = {"commit": pipeline.commit, "max_age": timedelta(days=2)}
    assert pipeline.ask(days=2, **asked).exit_code == 0
    assert pipeline.ask(days=2.1, **asked).exit_code == 1


# ------------------------------------------------------------------------------------------------------ who signed


def refused(attested: Pipeline, said: str = "", **asked: Any) -> None:
    with pytest.raises(SignatureError, match=said):
        attested.ask(**asked)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"payloadType": "application/json"}, "its payload is `application/json`"),
        ({"payloadType": "application/vnd.secgate-checkpoint+json"}, "its payload is"),
        ({"payloadType": None}, "its payload is nothing"),
        ({"signatures": []}, "nobody signed it"),
        ({"signatures": [{"sig": "AAAA", "keyid": "SHA256:x"}]}, "nobody who counts"),
        ({"signatures": [{"sig": "AAAA"}] * 17}, "17 signatures"),
        ({"payload": "!"}, "this is no attestation"),
    ],
)
def test_threat_05_a_forged_envelope_counts_for_nothing(attested: Pipeline, change: dict[str, Any], said: str) -> None:
    attested.forge(**change)
    refused(attested, said)


def test_threat_05_another_payload_under_the_signature_counts_for_nothing(attested: Pipeline) -> None:
    envelope = json.loads(attested.file.read_bytes())
    better = attested.said(predicate__profile="release")
    attested.file.write_text(json.dumps({**envelope, "payload": base64.b64encode(better).decode()}))
    refused(attested, "nobody who counts")


def test_a_signature_for_another_purpose_is_none_for_this(attested: Pipeline) -> None:
    attested.trust(allowed(MACHINE, attested.key, 'namespaces="*"'))
    attested.forge(namespace="secgate-checkpoint", payloadType="application/vnd.in-toto+json")
    refused(attested, "nobody who counts")


def test_a_machine_of_another_role_counts_for_nothing(attested: Pipeline) -> None:
    attested.trust(allowed(MACHINE, attested.key, 'namespaces="secgate-checkpoint"'))
    refused(attested, "does not count for in-toto")


def test_a_person_attests_nothing(attested: Pipeline) -> None:
    attested.trust(allowed(ADA, attested.ada, 'namespaces="in-toto"'))
    attested.forge(key=attested.ada)
    refused(attested, "is a person")


def test_a_further_signature_by_a_stranger_neither_helps_nor_harms(attested: Pipeline) -> None:
    good = json.loads(attested.file.read_bytes())["signatures"]
    attested.forge(key=attested.stranger)
    bad = json.loads(attested.file.read_bytes())["signatures"]
    attested.forge(signatures=[*bad, *good])
    assert attested.ask().signed.principal == MACHINE
    attested.forge(signatures=bad * 2)
    refused(attested, "nobody who counts")


def test_without_signers_nothing_counts(attested: Pipeline) -> None:
    attested.trust()
    with pytest.raises(UsageError, match="nobody's signature would count"):
        attested.ask()


def test_the_list_of_signers_does_not_come_from_the_clone(attested: Pipeline) -> None:
    inside = attested.git.root / "organisation"
    attested.layer.rename(inside)
    attested.layer = inside
    with pytest.raises(UsageError, match="inside the scanned tree"):
        attested.ask(commit=attested.commit, repository=str(attested.git.root))


@pytest.mark.parametrize(("revoked", "counts"), [("", True), ("20260227000000", False), ("20260305000000", True)])
def test_a_key_that_is_revoked_by_now_counts_for_nothing_whatever_time_it_says(
    attested: Pipeline, revoked: str, counts: bool
) -> None:
    line = allowed(MACHINE, attested.key, 'namespaces="in-toto"')
    attested.trust(line, revoked=f'from="{revoked}" {attested.key.public} stolen\n' if revoked else "")
    if counts:
        assert attested.ask(days=1).exit_code == 0
    else:
        refused(attested, "is revoked", days=1, commit=attested.commit)
    if revoked:
        refused(attested, "is revoked", days=9, commit=attested.commit)


def test_a_key_that_ended_still_counts_for_what_it_signed_before(attested: Pipeline) -> None:
    for until, counts in (("20260302000000", True), ("20260301000000", False)):
        attested.trust(allowed(MACHINE, attested.key, f'namespaces="in-toto",valid-before="{until}"'))
        if counts:
            assert attested.ask(days=300, commit=attested.commit).exit_code == 0
        else:
            refused(attested, "does not count for in-toto at this time", days=300, commit=attested.commit)


def test_one_of_the_future_is_refused(attested: Pipeline) -> None:
    refused(attested, "lies ahead", days=-1, commit=attested.commit)


# ------------------------------------------------------------------------------------------------ what it is made of


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predicateType": "https://github.com/secgate/secgate/gate-run/v0"}, "reads .*v1 alone"),
        ({"predicateType": "https://github.com/secgate/secgate/gate-run/v2"}, "reads .*v1 alone"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "not https"),
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "its payload is"),
        ({"subject": []}, "length"),
        ({"predicate__outcome": "Pass"}, "Invalid enum"),
        ({"predicate__allOutcomes": ["pass", "fail"]}, "not the first"),
        ({"predicate__allOutcomes": []}, "not the first"),
        ({"predicate__source__commit": "0" * 40}, "different gitCommit"),
        ({"predicate__source__tree": "0" * 40}, "different gitTree"),
        ({"predicate__signedOn": "2026-02-01T00:00:00Z"}, "before the run"),
        ({"predicate__signedOn": "2026-03-01T12:00:00"}, "timezone"),
        ({"predicate__policy": None}, "Expected"),
    ],
)
def test_what_a_trusted_key_signed_is_still_read_strictly(
    attested: Pipeline, change: dict[str, Any], said: str
) -> None:
    attested.forge(attested.said(**change))
    refused(attested, said)


@pytest.mark.parametrize("where", ["payload", "predicate", "envelope"])
def test_a_key_that_is_there_twice_is_refused(attested: Pipeline, where: str) -> None:
    payload = attested.said()
    if where == "payload":
        attested.forge(payload.replace(b'{"_type"', b'{"predicateType":"x","_type"', 1))
    elif where == "predicate":
        attested.forge(payload.replace(b'"outcome":', b'"outcome": "fail", "outcome":', 1))
    else:
        data = attested.file.read_bytes()
        attested.file.write_bytes(data.replace(b'{"payload"', b'{"payloadType":"x","payload"', 1))
    refused(attested, "it gives the key '[a-zA-Z]+' twice")


def test_a_field_that_is_not_known_is_passed_over(attested: Pipeline) -> None:
    attested.forge(attested.said(predicate__later="more"))
    assert attested.ask().exit_code == 0


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"payloadType":NaN}', "{}".encode("utf-16")]
)
def test_what_is_no_envelope_is_refused(attested: Pipeline, data: bytes) -> None:
    attested.file.write_bytes(data)
    refused(attested, "this is no attestation")


def test_threat_13_a_huge_envelope_is_refused_unread(attested: Pipeline) -> None:
    with attested.file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024 * 1024)
    refused(attested, "larger than")


def test_threat_13_an_endless_envelope_is_refused(attested: Pipeline) -> None:
    question = custody.Question(file="/dev/zero", commit=attested.commit)
    with pytest.raises(SignatureError, match="larger than"):
        custody.check_attestation(question, enforced=str(attested.layer), machine=attested.product.machine(), now=NOW)


def test_threat_12_nothing_that_it_says_reaches_the_terminal_raw(attested: Pipeline) -> None:
    hostile = "\x1b]0;owned\x07\u202e##[error]\n::error::x"
    subject = json.loads(attested.said())["subject"] + [{"name": hostile, "digest": {hostile: "aa"}}]
    names = ("line", "profile", "override", "repository", "runId")
    changes = {f"predicate__{name}": hostile for name in names}
    attested.forge(attested.said(subject=subject, predicate__mode="overridden", **changes))
    for asked in ({"artifacts": ("sha256:" + "0" * 64,)}, {"commit": "0" * 40, "require": "valid"}):
        answer = attested.ask(**asked)
        for page in (custody.answer_page(answer, file="f", width=80), custody.answer_json(answer)):
            assert not any(raw in page.decode() for raw in ("\x1b", "\x07", "\u202e", "\n::error"))
            assert b"##[" not in page or page.startswith(b"FAIL")


# ------------------------------------------------------------------------------------------------ artefacts bound


def bindings(pipeline: Pipeline) -> list[ArtefactBound]:
    ledger = SqliteLedger(str(pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    found = [event_of(entry) for entry in ledger.read()]
    return [event for event in found if isinstance(event, ArtefactBound)]


def test_what_is_built_after_the_gate_is_bound_to_its_run(pipeline: Pipeline) -> None:
    run = pipeline.run()
    wheel = pipeline.home / "shop.whl"
    wheel.write_bytes(b"built")
    bound = pipeline.bind(str(wheel), run=run.run.run_id[:20], days=1)
    (event,) = bindings(pipeline)
    assert (event.artifact, event.name) == ("sha256:" + hashlib.sha256(b"built").hexdigest(), "shop.whl")
    assert (event.run_id, event.commit, event.key) == (run.run.run_id, pipeline.commit, bound.made.key)
    assert pipeline.ask(days=1, artifacts=(str(wheel),), commit=pipeline.commit).exit_code == 0
    wheel.write_bytes(b"built otherwise")
    assert pipeline.ask(days=1, artifacts=(str(wheel),)).exit_code == 1


def test_the_log_says_what_was_bound_to_which_run(pipeline: Pipeline) -> None:
    run = pipeline.run().run.run_id
    pipeline.bind("sha256:" + "a" * 64)
    told = pipeline.product.cli("ledger", "log", "--type", "artefact-bound", cwd=pipeline.git.root).out
    assert f"sha256:{'a' * 12} of run {run[:8]}" in told


def test_an_artefact_of_a_run_that_failed_is_no_pass(pipeline: Pipeline) -> None:
    pipeline.git.commit({"app.py": WEAK})
    pipeline.run()
    digest = "sha256:" + "a" * 64
    pipeline.bind(digest)
    assert pipeline.ask(artifacts=(digest,)).exit_code == 1


def test_digests_that_the_run_was_given_are_subjects(pipeline: Pipeline) -> None:
    digests = ("sha256:" + "a" * 64, "sha512:" + "b" * 128)
    pipeline.run(artifacts=digests)
    assert pipeline.ask(artifacts=digests).exit_code == 0
    assert pipeline.ask(artifacts=("sha512:" + "c" * 128,)).exit_code == 1


def test_a_subject_by_another_algorithm_is_no_match(pipeline: Pipeline) -> None:
    pipeline.run()
    wheel = pipeline.home / "shop.whl"
    wheel.write_bytes(b"built")
    subject = json.loads(pipeline.said())["subject"]
    md5 = {"name": "shop.whl", "digest": {"md5": hashlib.md5(b"built").hexdigest()}}  # noqa: S324 - it is refused
    pipeline.forge(pipeline.said(subject=[*subject, md5]))
    answer = pipeline.ask(artifacts=(str(wheel),))
    assert (answer.exit_code, "only md5" in answer.matches[0].how) == (1, True)
    both = {"name": "shop.whl", "digest": {"sha256": hashlib.sha256(b"built").hexdigest(), "sha512": "0" * 128}}
    pipeline.forge(pipeline.said(subject=[*subject, both]))
    assert pipeline.ask(artifacts=(str(wheel),)).exit_code == 1


@pytest.mark.parametrize(
    "text", ["sha256:abc", "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha256:" + "a" * 65, "nothing", "", "."]
)
def test_what_is_neither_digest_nor_file_binds_nothing(pipeline: Pipeline, text: str) -> None:
    pipeline.run()
    with pytest.raises(UsageError):
        pipeline.bind(text)
    assert bindings(pipeline) == []


def test_threat_14_a_link_or_a_pipe_is_no_artefact(pipeline: Pipeline) -> None:
    pipeline.run()
    (pipeline.home / "link").symlink_to(pipeline.home / "machine")
    os.mkfifo(pipeline.home / "pipe")
    for name, said in (("link", "it is a link"), ("pipe", "no regular file")):
        with pytest.raises(UsageError, match=said):
            pipeline.bind(str(pipeline.home / name))


def test_a_name_that_nobody_should_print_is_bound_and_shown_escaped(pipeline: Pipeline) -> None:
    pipeline.run()
    path = os.fsencode(pipeline.home) + b"/a\n\x1b[2J\xff.whl"
    Path(os.fsdecode(path)).write_bytes(b"built")
    bound = pipeline.bind(os.fsdecode(path))
    assert bindings(pipeline)[0].name == "a\\n\\x1b[2J\\udcff.whl"
    assert [one.name for one in bound.made.statement.artifacts] == ["a\\n\\x1b[2J\\udcff.whl"]


def test_a_huge_file_is_read_in_pieces(tmp_path: Path) -> None:
    import tracemalloc

    file = tmp_path / "image"
    with file.open("wb") as stream:
        stream.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    told = measure("image", cwd=str(tmp_path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.digests["sha256"] == hashlib.sha256(bytes(64 * 1024 * 1024)).hexdigest()
    assert peak < 8 * 1024 * 1024


def test_nothing_is_noted_where_the_key_does_not_count(pipeline: Pipeline) -> None:
    pipeline.run()
    with pytest.raises(SignatureError):
        pipeline.bind("sha256:" + "a" * 64, key=pipeline.stranger)
    assert bindings(pipeline) == []


def test_a_binding_signed_by_nobody_who_counts_is_found_by_both_programs(pipeline: Pipeline) -> None:
    pipeline.run()
    pipeline.bind("sha256:" + "a" * 64)
    place = custody.Place(path=str(pipeline.git.root), enforced=str(pipeline.layer))
    known: dict[str, Any] = {"machine": pipeline.product.machine(), "now": NOW + DAY}
    checked = custody.verify(place, custody.Asked(), **known)
    assert (len(checked.survey.bindings), checked.erased) == (1, 0)
    folder = pipeline.home / "export"
    custody.export(place, to=str(folder), **known)
    signers = str(pipeline.layer / "allowed_signers")
    whole = standalone(folder, "--signers", signers)
    assert (whole.code, "bindings     1 artefact," in whole.out) == (0, True), whole
    ((number, _, _),) = checked.survey.bindings
    pipeline.trust(allowed(MACHINE, pipeline.stranger, 'namespaces="in-toto"'))
    ended = standalone(folder, "--signers", signers)
    assert (ended.code, f"first bad entry: {number}" in ended.out) == (1, True), ended
    with pytest.raises(LedgerError, match=f"does not verify at entry {number}"):
        custody.verify(place, custody.Asked(), **known)


def test_a_key_twice_in_a_bound_attestation_is_found_by_both_programs(pipeline: Pipeline) -> None:
    """Signed by whom it should be: another reader would read a failure, or another run."""
    pipeline.run()
    pipeline.bind("sha256:" + "a" * 64)
    place = custody.Place(path=str(pipeline.git.root), enforced=str(pipeline.layer))
    known: dict[str, Any] = {"machine": pipeline.product.machine(), "now": NOW + DAY}
    payload = read(pipeline.file.read_bytes()).payload
    pipeline.forge(payload.replace(b'"outcome":', b'"outcome":"fail","outcome":', 1))
    data = pipeline.file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    ledger = SqliteLedger(str(pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"))
    event = msgspec.structs.replace(bindings(pipeline)[0], statement_digest=digest)
    number = ledger.append(ledger.head(), [to_entry(event)], now=NOW + DAY, blobs={digest: data}).size - 1
    with pytest.raises(LedgerError, match=f"does not verify at entry {number}: .* it gives the key 'outcome' twice"):
        custody.verify(place, custody.Asked(), **known)
    custody.export(place, to=str(pipeline.home / "export"), **known)
    ended = standalone(pipeline.home / "export")
    assert (ended.code, f"first bad entry: {number}\n" in ended.out) == (1, True), ended
    assert "a key is given twice" in ended.out


# ------------------------------------------------------------------------------------------------ the command line


def cli(pipeline: Pipeline, *words: str) -> Any:
    return pipeline.product.cli(*words, cwd=pipeline.git.root, at=NOW, SECGATE_ENFORCED=str(pipeline.layer))


def test_by_the_command_line_from_the_run_to_the_deployment(pipeline: Pipeline) -> None:
    key, out = ("--attest-key", str(pipeline.key.path)), pipeline.file
    assert cli(pipeline, "run", "--attest", str(out), *key).code == 0
    ended = cli(pipeline, "attest", "verify", str(out), "--commit", "HEAD", "--repository", ".")
    assert (ended.code, ended.out.splitlines()[0]) == (0, f"PASS: {out}")
    assert max(map(len, ended.out.splitlines()[1:])) <= 80
    wheel = pipeline.home / "shop.whl"
    wheel.write_bytes(b"built")
    bound = cli(
        pipeline, "attest", "bind", "2026", "--artifact", str(wheel), "--key", str(pipeline.key.path), "-o", str(out)
    )
    assert (bound.code, "bound shop.whl to run 2026" in bound.err) == (0, True), bound
    told = cli(pipeline, "attest", "verify", str(out), "--artifact", str(wheel), "--format", "json")
    document = json.loads(told.data)
    assert (told.code, document["told"]["signed_by"]["principal"]) == (0, MACHINE)
    form = jsonschema_rs.validator_for(document_schema("attest"))
    form.validate(document)
    assert not form.is_valid({**document, "told": {**document["told"], "exit_code": 2}})
    emitted = cli(pipeline, "attest", "emit", "--key", str(pipeline.key.path))
    assert read(emitted.data).run.outcome == "pass"
    assert cli(pipeline, "attest", "verify", str(out)).code == 2
    pipeline.file.write_text("{}")
    assert cli(pipeline, "attest", "verify", str(out), "--require", "valid").code == 2


def test_where_a_run_cannot_be_attested_no_earlier_attestation_stays(pipeline: Pipeline) -> None:
    key, out = ("--attest-key", str(pipeline.key.path)), pipeline.file
    assert cli(pipeline, "run", "--attest", str(out), *key).code == 0
    (pipeline.git.root / "new.py").write_text(WEAK)
    ended = cli(pipeline, "run", "--attest", str(out), *key)
    assert (ended.code, out.exists(), ended.out) == (2, False, "")


@pytest.mark.parametrize("words", [("--attest", "F"), ("--attest-key", "K"), ("--attest", "-", "--attest-key", "K")])
def test_half_a_wish_is_refused_before_the_work(pipeline: Pipeline, words: tuple[str, ...]) -> None:
    named = {"F": str(pipeline.file), "K": str(pipeline.key.path)}
    ended = cli(pipeline, "run", *(named.get(word, word) for word in words))
    assert (ended.code, ended.out) == (2, ""), ended
    assert pipeline.product.calls("bandit") == []


def test_what_is_read_is_never_written_over(pipeline: Pipeline) -> None:
    pipeline.run()
    before, key = pipeline.file.read_bytes(), str(pipeline.key.path)
    calls = [
        ("attest", "verify", str(pipeline.file), "--require", "valid", "-o", str(pipeline.file)),
        ("attest", "emit", "--key", key, "-o", key),
        ("attest", "bind", "2026", "--artifact", str(pipeline.file), "--key", key, "-o", str(pipeline.file)),
        ("run", "--attest", key, "--attest-key", key),
    ]
    for words in calls:
        assert cli(pipeline, *words).code == 2, words
    assert (pipeline.file.read_bytes(), Path(key).exists()) == (before, True)


def test_others_tools_read_the_envelope(pipeline: Pipeline) -> None:
    """DSSE by hand, as any in-toto tool does it: pre-authentication encoding and Ed25519, nothing of ours."""
    pipeline.run()
    text = f"""
import base64, json, sys
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
whole = json.load(open({str(pipeline.file)!r}))
payload, kind = base64.b64decode(whole["payload"]), whole["payloadType"].encode()
message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
key = load_ssh_public_key(open({str(pipeline.key.path)!r} + ".pub", "rb").read())
key.verify(base64.b64decode(whole["signatures"][0]["sig"]), message)
print(json.loads(payload)["_type"])
"""
    done = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "https://in-toto.io/Statement/v1\n"
