"""What the documents show works: policies load or are refused as said, settings resolve, the ledger's proof runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast

import click
import msgspec
import pytest
import yaml

from secgate import config, registry
from secgate.cli import cli
from secgate.controls import read_mapping
from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.ledgers.sqlite import SqliteLedger
from secgate.merkle import EMPTY_HEAD
from secgate.model import Entry, Message, Notice
from secgate.notifiers.webhook import WebhookNotifier
from secgate.path_classes import read_path_classes, require_known
from secgate.policy import Layer, LayerName, Vocabulary, effective_data, load_layer, load_vocabulary, read_limits
from secgate.resources import files_under
from tests.attest_support import Pipeline
from tests.product import NOW, Product, tree
from tests.runs.conftest import git, product
from tests.unit.conftest import Git

__all__ = ["git", "product"]

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```\n+(> [^\n]*(?:\n> [^\n]*)*)?", flags=re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A fenced block: its language, the words after it, its text, and the quotation below it."""

    language: str
    words: str
    text: str
    quoted: str

    @property
    def name(self) -> str:
        """The file that the first line names."""
        return self.text.partition("\n")[0].removeprefix("# ")


def examples(document: str, language: str) -> list[Example]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    found = [Example(*match.groups(default="")) for match in FENCE.finditer(text)]
    return [one for one in found if one.language == language]


def policies(*, refused: bool) -> list[Example]:
    found = [one for one in examples("policies.md", "rego") if one.words.strip() in ("", "refused")]
    return [one for one in found if ("refused" in one.words) is refused]


@pytest.fixture(scope="module")
def shipped_files() -> dict[str, bytes]:
    return dict(files_under(ROOT / "policies", ".rego", ".json"))


@pytest.fixture(scope="module")
def vocabulary(shipped_files: dict[str, bytes]) -> Vocabulary:
    return load_vocabulary(shipped_files["schema/input.json"])


@pytest.fixture(scope="module")
def shipped(shipped_files: dict[str, bytes], vocabulary: Vocabulary) -> Layer:
    return load_layer("shipped", shipped_files, reader=RegorusEngine(), vocabulary=vocabulary)


def load(example: Example, shipped: Layer, vocabulary: Vocabulary) -> Layer:
    layer, _, path = example.name.partition(": ")
    files = {path: example.text.encode()}
    if layer == "organisation":
        for data in examples("policies.md", "json"):
            (key,) = json.loads(data.text)
            files[f"data/{key}.json"] = data.text.encode()
    return load_layer(
        cast("LayerName", layer),
        files,
        reader=RegorusEngine(),
        vocabulary=vocabulary,
        shipped=shipped,
        data=effective_data(shipped),
    )


@pytest.mark.parametrize("example", policies(refused=False), ids=lambda one: one.name)
def test_policy_that_is_shown_loads(example: Example, shipped: Layer, vocabulary: Vocabulary) -> None:
    layer = load(example, shipped, vocabulary)
    assert layer.rules == (Path(example.name).stem,)
    effective_data(shipped, layer)


@pytest.mark.parametrize("example", policies(refused=True), ids=lambda one: one.name)
def test_policy_that_is_said_to_be_refused_is(example: Example, shipped: Layer, vocabulary: Vocabulary) -> None:
    with pytest.raises(PolicyError) as caught:
        load(example, shipped, vocabulary)
    said = "; ".join(part for part in (caught.value.what, caught.value.remedy) if part)
    assert said == " ".join(example.quoted.replace("\n>", "").removeprefix("> ").split())


def test_the_conftest_policy_that_is_shown_says_what_is_quoted(tmp_path: Path) -> None:
    shown = [one for kind in ("toml", "rego") for one in examples("policies.md", kind) if "conftest" in one.words]
    for example in shown:
        path = tmp_path / example.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    (tmp_path / "deploy").mkdir()
    pod = "metadata: {name: shop}\nspec: {containers: [{image: 'shop:latest'}]}\n"
    (tmp_path / "deploy" / "app.yaml").write_text(pod, encoding="utf-8")
    words = ("run", "--profile=pre-commit", "--scanner=bandit", "--format=json")
    argv = [sys.executable, "-m", "secgate", *words]
    env = {**os.environ, "SECGATE_LEDGER_STORE": "none"}
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1, done.stderr
    quoted = next(example.quoted for example in shown if example.quoted)
    assert quoted.removeprefix("> ") in json.loads(done.stdout)["run"]["notes"]


def test_the_tests_that_are_shown_pass_and_miss_their_rule(tmp_path: Path) -> None:
    (shown,) = (one for one in examples("policies.md", "rego") if one.words.strip() == "test")
    ruled = next(one for one in policies(refused=False) if one.name.endswith("no_pickle.rego"))
    for example in (ruled, shown):
        path = tmp_path / example.name.partition(": ")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    argv = [sys.executable, "-m", "secgate", "policy", "test", ".secgate/policies"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_that_is_shown_finds_what_is_quoted(tmp_path: Path) -> None:
    (rule,), (settings,) = examples("rules.md", "yaml"), examples("rules.md", "toml")
    folder = tmp_path / "organisation" / "pack"
    made = {"pack/acme.yaml": rule.text, "enforced.toml": settings.text.replace("/srv/organisation/pack", str(folder))}
    tree(tmp_path / "organisation", made)
    tree(tmp_path / "shop", {"app.py": "import acme.legacy\n\nclient = acme.legacy.Client('shop')\n"})
    words = ("run", "--profile=pre-commit", "--scanner=semgrep", "--enforced=../organisation")
    argv = [sys.executable, "-m", "secgate", *words]
    env = {**os.environ, "SECGATE_LEDGER_STORE": "none"}
    done = subprocess.run(argv, cwd=tmp_path / "shop", capture_output=True, text=True, check=False, env=env)
    said = {" ".join(line.split()) for line in done.stdout.splitlines()}
    (quoted,) = re.findall(
        r"^> .+\n(?:> .+\n)*", (ROOT / "docs/rules.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    shown = {" ".join(line.removeprefix("> ").split()) for line in quoted.splitlines()}
    assert (done.returncode, shown - said) == (1, set()), done.stdout + done.stderr


@pytest.mark.parametrize("example", examples("configuration.md", "toml"), ids=lambda one: one.name)
def test_settings_that_are_shown_resolve(example: Example) -> None:
    trust: config.Trust = "enforced" if example.name == config.ENFORCED_NAME else "repository"
    layer = config.parse_file(example.text.encode(), name=example.name, trust=trust)
    assert layer is not None
    assert config.resolve([layer]).sources


PIPELINES = [*examples("pipelines.md", "yaml"), *examples("pipelines.md", "groovy")]


@pytest.mark.parametrize("example", PIPELINES, ids=lambda one: one.name)
def test_a_pipeline_that_is_shown_reads_and_calls_secgate_as_it_is(example: Example) -> None:
    text = example.text
    if example.language == "yaml":
        text = json.dumps(yaml.safe_load(text)).replace("\\n", "\n")
    calls = re.findall(r"\bsecgate ((?:run|tools) [^\n\"]*)", text)
    assert len(calls) >= 2
    for call in calls:
        words = shlex.split(call)
        command = cli.get_command(click.Context(cli), words[0])
        assert command is not None
        command.make_context(words[0], words[1:])
        for form in re.findall(r"--format (\S+)", call):
            assert form.partition("=")[0] in registry.names("reporters")


@pytest.mark.parametrize("example", examples("pre-commit.md", "yaml"), ids=lambda one: one.text[:60])
def test_a_hook_that_is_shown_is_offered_and_takes_its_arguments(example: Example) -> None:
    offered = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    (repo,) = yaml.safe_load(example.text)["repos"]
    for hook in repo["hooks"]:
        words = [*shlex.split(offered[hook["id"]]["entry"])[2:], *hook.get("args", []), "app.py"]
        command = cli.get_command(click.Context(cli), "hook")
        assert command is not None
        assert command.make_context("hook", words).params["files"] == ("app.py",)


def test_every_format_is_in_the_table_of_pipelines() -> None:
    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    table = set(re.findall(r"`([a-z-]+)`", "\n".join(line for line in text.splitlines() if line.startswith("| `"))))
    assert set(registry.names("reporters")) - table == {"json", "sarif-all", "text"}


def test_limits_and_path_classes_that_are_shown_fit_together(shipped: Layer, vocabulary: Vocabulary) -> None:
    (epss, limits), (classes,) = examples("deadlines.md", "json"), examples("deadlines.md", "toml")
    both = json.loads(limits.text)
    both["limits"] |= json.loads(epss.text)
    files = {"data/limits.json": json.dumps(both).encode()}
    own = load_layer(
        "organisation",
        files,
        reader=RegorusEngine(),
        vocabulary=vocabulary,
        shipped=shipped,
        data=effective_data(shipped),
    )
    read = read_path_classes(classes.text.encode())
    require_known(read_limits(effective_data(shipped, own)).path_classes, read)
    assert [one.name for one in read] == ["tests", "web"]


def test_the_attestations_that_are_shown_are_made_and_verify(product: Product, git: Git, tmp_path: Path) -> None:
    shown = [one.text.strip() for one in examples("attestation.md", "sh") if one.words.strip() == "attest"]
    pipeline = Pipeline(product, git, tmp_path)
    pipeline.key.path.rename(tmp_path / "release")
    tree(tmp_path / "dist", {"shop.whl": "built"})
    ended = [product.cli(*shlex.split(line)[1:], cwd=git.root, at=NOW) for line in shown]
    assert [one.code for one in ended] == [0] * 4, ended
    assert [one.out.partition(":")[0] for one in ended[2:]] == ["PASS", "PASS"]


def test_the_ledgers_proof_runs_without_secgate(tmp_path: Path) -> None:
    (snippet,) = examples("ledger.md", "python")
    assert len(snippet.text.splitlines()) <= 25
    ledger = SqliteLedger(str(tmp_path / "ledger.sqlite"))
    ledger.create()
    head = EMPTY_HEAD
    for number in range(7):
        body = b'{"n":%d,"text":"a b"}' % number
        entry = Entry(type="made-here", version=1, body=body)
        head = ledger.append(head, [entry], now=datetime(2026, 3, 1, tzinfo=UTC), blobs={})
    rows = [entry.data for entry in ledger.read()]
    for arguments, given in ((["ledger.sqlite"], b""), ([], b"".join(row + b"\n" for row in rows))):
        argv = [sys.executable, "-I", "-c", snippet.text, *arguments]
        done = subprocess.run(argv, cwd=tmp_path, input=given, capture_output=True, check=True)
        assert done.stdout.decode().split() == [str(head.size), head.root]
    for wrong in (rows[1:], [*rows[:3], rows[3].replace(b"a b", b"a c"), *rows[4:]]):
        argv = [sys.executable, "-I", "-c", snippet.text]
        assert subprocess.run(argv, input=b"\n".join(wrong), capture_output=True, check=False).returncode == 1


def shown_output(document: str, tree: Path) -> tuple[list[str], list[str]]:
    """Give what the one script of a document says in a tree, and what the document says that it says."""
    (shown,) = (one for one in examples(document, "sh") if not one.words.strip())
    python = shlex.quote(sys.executable)
    script = re.sub("^secgate", f"{python} -m secgate", shown.text, flags=re.MULTILINE).replace("python3", python)
    env = {**os.environ, "SECGATE_STATE_DIR": str(tree.parent / "state")}
    done = subprocess.run(["sh", "-ec", script], cwd=tree, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), [line.removeprefix("> ") for line in shown.quoted.splitlines()]


def test_the_message_that_is_shown_has_what_a_message_has() -> None:
    _, sent = (json.loads(one.text) for one in examples("notifications.md", "json"))
    message = msgspec.convert(sent["told"], Message)
    assert set(sent["told"]) == set(Message.__struct_fields__)
    assert [set(one) for one in sent["told"]["notices"]] == [set(Notice.__struct_fields__)]
    assert sent == json.loads(WebhookNotifier().body(message))


def test_the_inventory_that_is_shown_is_made(tmp_path: Path) -> None:
    files = [one for kind in ("text", "json") for one in examples("inventory.md", kind)]
    assert len(files) == 2
    tree = tmp_path / "tree"
    tree.mkdir()
    for one in files:
        (tree / one.words.strip()).write_text(one.text, encoding="utf-8")
    said, shown = shown_output("inventory.md", tree)
    assert said == shown


def test_an_empty_ledger_has_the_metrics_that_are_shown(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    said, shown = shown_output("metrics.md", tmp_path / "tree")
    assert said[-len(shown) :] == shown
    assert sum(line.startswith("# TYPE") for line in said) == len(shown)


def test_every_metric_that_there_is_is_documented() -> None:
    named = set(re.findall(r"`(secgate_[a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))
    made = set(
        re.findall(r'"(secgate_[a-z_]+)"', (ROOT / "secgate/evidence/exposition.py").read_text(encoding="utf-8"))
    )
    assert named == made


def test_what_is_shown_not_to_apply_reads() -> None:
    (shown,) = examples("controls.md", "json")
    shipped = dict(files_under(ROOT / "policies" / "controls", ".json"))
    mapping = read_mapping(shipped, {shown.words.strip(): shown.text.encode()})
    (declared,) = mapping.not_applicable.values()
    assert (declared.person, declared.decided_epoch_s > 0) == ("p-4f2a", True)
