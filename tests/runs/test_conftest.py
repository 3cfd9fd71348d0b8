"""Policies in Conftest's shape over infrastructure files: what they say fails the run, and none passes in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import ConfigError, PolicyError, UsageError
from secgate.model import Outcome, RunDocument, Verdict
from tests.product import CLEAN, KEY, Product, outcome, tree
from tests.unit.conftest import Git

POD = """apiVersion: v1
kind: Pod
metadata: {name: first}
spec: {containers: [{name: app, image: "shop:latest"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: second}
spec: {containers: [{name: app, image: "shop:1.2"}]}
"""
LATEST = """package main

deny contains msg if {
	some container in input.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("%s runs an image that may be another tomorrow", [input.metadata.name])
}
"""
OLD = """package main

deny[msg] {
  container := input.spec.containers[_]
  endswith(container.image, ":latest")
  msg := sprintf("%s runs latest", [input.metadata.name])
}
"""
SETTINGS = 'version = 1\n\n[[conftest]]\npolicies = "{policies}"\nfiles = ["deploy/"]\n'


def made(root: Path, policy: str, more: dict[str, str] | None = None, settings: str = "") -> Path:
    files = {
        "secgate.toml": SETTINGS.format(policies="policy") + settings,
        "policy/images.rego": policy,
        "deploy/pods.yaml": POD,
    }
    return tree(root, files | (more or {}))


def of_run(document: RunDocument) -> Verdict:
    assert document.decision is not None
    return next(verdict for verdict in document.decision.verdicts if verdict.subject == "run")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (LATEST, "first runs an image that may be another tomorrow"),
        (OLD, "first runs latest"),
        (LATEST.replace("msg := sprintf", 'text := sprintf').replace("\n}", '\n\tmsg := {"msg": text, "extra": 1}\n}'),
         "first runs an image that may be another tomorrow"),
        (LATEST.replace("deny contains msg", "violation contains msg"), "first runs an image"),
        (LATEST.replace("deny contains msg", "deny_latest contains msg"), "first runs an image"),
        (LATEST.replace("deny contains msg", "deny[msg]"), "first runs an image"),
    ],
    ids=["today", "before", "object", "violation", "named", "keys"],
)  # fmt: skip
def test_what_is_denied_fails_the_run_with_file_and_message(
    product: Product, tmp_path: Path, policy: str, message: str
) -> None:
    document = product.run(made(tmp_path / "plain", policy))
    assert outcome(document) is Outcome.FAIL
    verdict = of_run(document)
    assert (verdict.word, verdict.rule) == ("deny", "data.secgate.rules.documents")
    assert verdict.reason.startswith(f"deploy/pods.yaml: {message}")
    assert "more)" not in verdict.reason
    assert any(note.startswith(f"deploy/pods.yaml: deny: {message}") for note in document.notes)


def test_what_is_right_passes_and_a_warning_warns(product: Product, tmp_path: Path) -> None:
    fixed = {"deploy/pods.yaml": POD.replace(":latest", ":1.1")}
    assert of_run(product.run(made(tmp_path / "right", LATEST, fixed))).word == "allow"
    warned = product.run(made(tmp_path / "warn", LATEST.replace("deny contains", "warn contains")))
    assert of_run(warned).word == "warn"
    assert outcome(warned) is not Outcome.FAIL


def test_every_shape_reaches_its_policy(product: Product, tmp_path: Path) -> None:
    policy = """package main

deny contains "open to all" if {
	some name
	some group in input.resource.aws_security_group[name]
	some rule in group.ingress
	"0.0.0.0/0" in rule.cidr_blocks
}

deny contains "runs as root" if {
	some command in input
	command.Cmd == "user"
	command.Value[0] == "root"
}

deny contains "no retention" if input.Resources.Queue.Properties.MessageRetentionPeriod < 3600

deny contains "privileged" if {
	some service in input.services
	service.privileged
}
"""
    files = {
        "deploy/net.tf": 'resource "aws_security_group" "g" {\n  ingress {\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n',
        "deploy/Dockerfile": "FROM scratch\nUSER root\n",
        "deploy/queue.json": '{"Resources": {"Queue": {"Properties": {"MessageRetentionPeriod": 60}}}}',
        "deploy/compose.yaml": "services: {app: {image: a, privileged: true}}\n",
    }
    document = product.run(made(tmp_path / "plain", policy, files))
    said = sorted(note for note in document.notes if "[main.deny]" in note)
    assert said == [
        "deploy/Dockerfile: deny: runs as root [main.deny]",
        "deploy/compose.yaml: deny: privileged [main.deny]",
        "deploy/net.tf: deny: open to all [main.deny]",
        "deploy/queue.json: deny: no retention [main.deny]",
    ]


@pytest.mark.parametrize(
    ("policy", "settings", "said"),
    [
        (LATEST.replace("package main", "package mian"), "", "no namespace reads `mian.deny`"),
        (LATEST.replace("deny contains", "dney contains"), "", "nothing in the namespace `main` denies or warns"),
        (LATEST, 'namespaces = ["main", "kubernetes"]\n', "nothing in the namespace `kubernetes` denies or warns"),
        (LATEST, 'namespaces = ["a b"]\n', "is no namespace"),
        (LATEST + '\nexception contains ["deny"] if true\n', "", "lets pass without an end"),
        (LATEST.replace('endswith(container.image, ":latest")', "time.now_ns() > 0"), "", "is not allowed"),
        (LATEST.replace('endswith(container.image, ":latest")', "walk(container, _)"), "", "engines answer it"),
        (LATEST.replace("msg := sprintf", "msg := 1 # "), "", "gives no message"),
        ("package main\n\ndeny contains {\n", "", "policy/images.rego:"),
        (LATEST.replace("container.image", "http.send({})"), "", "a function of its input (repository layer)"),
        ("package main\n\ndeny[msg] {\n\tx := input.a\n\tmsg := foo bar\n}\n", "", "images.rego:5:13: expecting"),
        (
            LATEST.replace("package main", "package main\n\nimport input as pod\n\nnamed(x) if pod.name == x"),
            "",
            "write it out: `input`",
        ),
    ],
    ids=[
        "package",
        "rule",
        "namespace",
        "name",
        "exception",
        "clock",
        "unequal",
        "number",
        "syntax",
        "network",
        "older syntax",
        "import",
    ],
)
def test_what_would_pass_in_silence_is_an_error(
    product: Product, tmp_path: Path, policy: str, settings: str, said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        product.run(made(tmp_path / "plain", policy, settings=settings))
    assert said in str(caught.value)


def test_a_policy_that_never_ends_is_killed(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secgate.pipeline.conftest.LIMIT_S", 2.0)
    endless = """package main

r := numbers.range(1, 400)

deny contains "never" if {
	count([1 | some a in r; some b in r; some c in r; some d in r; a + b + c + d < 0]) > 0
}
"""
    with pytest.raises(PolicyError, match="did not come to an end within 2 s"):
        product.run(made(tmp_path / "plain", endless))


def test_a_file_that_cannot_be_read_is_no_pass(product: Product, tmp_path: Path) -> None:
    document = product.run(made(tmp_path / "plain", LATEST, {"deploy/pods.yaml": "a: [\n"}))
    assert of_run(document).word == "inconclusive"
    assert "deploy/pods.yaml could not be read" in of_run(document).reason


def test_a_file_without_a_shape_is_an_error(product: Product, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no reader gives this file the shape"):
        product.run(made(tmp_path / "plain", LATEST, {"deploy/notes.txt": "x\n"}))


def test_that_no_file_fits_is_said(product: Product, tmp_path: Path) -> None:
    root = made(tmp_path / "plain", LATEST)
    (root / "deploy" / "pods.yaml").rename(root / "pods.yaml")
    document = product.run(root)
    assert any("were asked about nothing: no file here fits" in note for note in document.notes)


def test_layers_do_not_meet(product: Product, tmp_path: Path) -> None:
    helper = LATEST.replace('endswith(container.image, ":latest")', "floats(container)")
    organisation = helper + '\nfloats(container) if endswith(container.image, ":latest")\n'
    enforced = tree(
        tmp_path / "org",
        {"enforced.toml": SETTINGS.format(policies="conftest/images"), "conftest/images/images.rego": organisation},
    )
    own = LATEST.replace("deny contains", "warn contains") + "\nfloats(_) if false\n"
    document = product.run(made(tmp_path / "plain", own), enforced=str(enforced))
    assert outcome(document) is Outcome.FAIL
    said = [note for note in document.notes if "deploy/pods.yaml" in note]
    assert ["[main.deny]" in note for note in said] == [True, False]


def test_a_change_cannot_choose_the_policies_that_judge_it(product: Product, git: Git) -> None:
    base = git.commit({"secgate.toml": SETTINGS.format(policies="policy"), "policy/images.rego": LATEST})
    git.commit({"deploy/pods.yaml": POD, "policy/images.rego": LATEST.replace(":latest", ":nothing")})
    document = product.run(git.root, changed_since=base)
    assert of_run(document).word == "deny"
    assert of_run(document).rule == "data.secgate.rules.documents"
    assert "policy/images.rego" in document.target.gate_changes


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ('[[conftest]]\npolicies = "nowhere"\nfiles = ["deploy/"]\n', UsageError, "no policy in a folder"),
        ('[[conftest]]\npolicies = "../out"\nfiles = ["deploy/"]\n', ConfigError, "leads out of the tree"),
        ('[[conftest]]\npolicies = "policy"\n', ConfigError, "files"),
    ],
)
def test_settings_that_name_nothing_are_said(
    product: Product, tmp_path: Path, settings: str, error: type[Exception], said: str
) -> None:
    root = made(tmp_path / "plain", LATEST)
    (root / "secgate.toml").write_text(f"version = 1\n{settings}", encoding="utf-8")
    with pytest.raises(error) as caught:
        product.run(root)
    assert said in str(caught.value)


def test_an_enforced_folder_stands_below_its_own(product: Product, tmp_path: Path) -> None:
    enforced = tree(
        tmp_path / "org", {"enforced.toml": SETTINGS.format(policies="policies"), "policies/images.rego": LATEST}
    )
    with pytest.raises((PolicyError, UsageError), match=r"not below `conftest/`|package is `main`"):
        product.run(tree(tmp_path / "plain", {"deploy/pods.yaml": POD}), enforced=str(enforced))


def test_a_secret_in_a_message_is_masked(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    policy = 'package main\n\ndeny contains sprintf("the key is %s", [input.key]) if input.key != ""\n'
    base = git.commit({"secgate.toml": SETTINGS.format(policies="policy"), "policy/key.rego": policy})
    git.commit({"deploy/app.yaml": f"key: {KEY}\n", "settings.py": f'aws = "{KEY}"\n'})
    ended = product.cli("run", str(git.root), "--changed-since", base, "--format", "text")
    assert ended.code == 1
    assert "deploy/app.yaml: the key is" in ended.out.replace("\n", " ")
    assert KEY not in ended.out
