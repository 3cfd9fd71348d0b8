"""`secgate init`: shown first, written whole or not at all, and once."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from secgate.events import BaselineRecorded, event_of
from secgate.ledgers.sqlite import SqliteLedger
from tests.product import CLEAN, WEAK, Ended, Product, tree
from tests.signing_support import ADA, EVE, KEYGEN, allowed, enforced_layer, make_key
from tests.unit.conftest import Git

FILES = ["secgate.toml", ".pre-commit-config.yaml", ".github/workflows/secgate.yml"]


def init(product: Product, git: Git, *arguments: str) -> Ended:
    return product.cli("init", *arguments, cwd=git.root, at=None)


@pytest.fixture
def shop(git: Git) -> Git:
    git.commit({"app.py": CLEAN})
    git("remote", "add", "origin", "https://github.com/acme/shop.git")
    return git


def written(git: Git) -> dict[str, bytes]:
    names = git("ls-files", "--others", "--modified").splitlines()
    return {name: (git.root / name).read_bytes() for name in names}


def test_it_shows_asks_writes_and_a_second_time_changes_nothing(product: Product, shop: Git) -> None:
    dry = init(product, shop, "--dry-run")
    assert (dry.code, written(shop)) == (0, {})
    assert [line.removeprefix("+++ b/") for line in dry.out.splitlines() if line.startswith("+++")] == FILES
    unasked = init(product, shop)
    assert (unasked.code, "give --yes" in unasked.err, written(shop)) == (2, True, {})
    done = init(product, shop, "--yes")
    assert (done.code, done.out, sorted(written(shop))) == (0, dry.out, sorted(FILES))
    assert "next: look at them, commit them, then `secgate run`" in done.err
    assert "hooks start with `pre-commit install" in done.err
    held = written(shop)
    again = init(product, shop, "--yes")
    assert (again.code, again.out, written(shop)) == (0, "", held)
    assert "nothing to write" in again.err
    assert product.cli("config", "check", cwd=shop.root, at=None).code == 0
    shop.commit()
    assert product.cli("run", cwd=shop.root, at=None).code in (0, 3), "the workflow that is written is no finding"


@pytest.mark.parametrize(("answer", "count", "code"), [(b"y\n", 3, 0), (b"n\n", 0, 130)])
def test_it_asks_on_a_terminal(product: Product, shop: Git, answer: bytes, count: int, code: int) -> None:
    ours, theirs = pty.openpty()
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-m", "secgate", "init"]
    with subprocess.Popen(argv, cwd=shop.root, env=env, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.write(ours, answer)
        process.communicate(timeout=120)
    os.close(theirs)
    os.close(ours)
    assert (process.returncode, len(written(shop))) == (code, count)


@pytest.mark.parametrize("place", ["secgate.toml", ".pre-commit-config.yaml", ".github", ".github/workflows"])
def test_links_are_refused_before_anything_is_written(product: Product, shop: Git, tmp_path: Path, place: str) -> None:
    outside = tree(tmp_path / "outside", {"file": "mine\n"})
    (shop.root / place).parent.mkdir(exist_ok=True)
    (shop.root / place).symlink_to(outside / "file" if place.endswith(("toml", "yaml")) else outside)
    ended = init(product, shop, "--yes")
    assert (ended.code, place in ended.err) == (2, True), ended
    assert not (shop.root / "secgate.toml").is_file() or place == "secgate.toml"
    assert {one.name: one.read_text() for one in outside.rglob("*")} == {"file": "mine\n"}


def test_a_folder_in_the_way_and_a_file_in_the_way(product: Product, shop: Git) -> None:
    (shop.root / "secgate.toml").mkdir()
    assert init(product, shop, "--yes").code == 2
    (shop.root / "secgate.toml").rmdir()
    (shop.root / ".github").write_text("a file")
    ended = init(product, shop, "--yes")
    assert (ended.code, ".github" in ended.err, sorted(written(shop))) == (2, True, [".github"])
    assert init(product, shop, "--yes", "--without", "workflow").code == 0


def test_faulty_settings_are_said_and_nothing_is_written(product: Product, shop: Git) -> None:
    shop.commit({"secgate.toml": "profil = 'x'\n"})
    ended = init(product, shop, "--yes")
    assert (ended.code, "did you mean `profile`" in ended.err, written(shop)) == (2, True, {})


def test_a_file_of_windows_is_added_to_in_its_own_form_and_shown_without(product: Product, git: Git) -> None:
    text = "\ufeff[project]\r\nname = 'x'\r\n".encode()
    git.commit({"app.py": CLEAN})
    (git.root / "pyproject.toml").write_bytes(text)
    done = init(product, git, "--pyproject", "--without", "pre-commit", "--yes")
    assert done.code == 0
    shown = done.out.splitlines()
    assert (" [project]" in shown, "+version = 1" in shown, "\\" in done.out) == (True, True, False)
    held = (git.root / "pyproject.toml").read_bytes()
    assert held.startswith(text)
    assert held.count(b"\n") == held.count(b"\r\n")


def test_a_plain_folder_gets_settings_alone(product: Product, tmp_path: Path) -> None:
    plain = tree(tmp_path / "plain", {"app.py": CLEAN})
    ended = product.cli("init", "--yes", cwd=plain, at=None)
    assert (ended.code, sorted(path.name for path in plain.iterdir())) == (0, ["app.py", "secgate.toml"])


def test_a_disk_that_takes_no_more_leaves_whole_files(product: Product, shop: Git) -> None:
    """A file is written beside its place and moved there: what ends it half-way leaves the old one, or none."""
    pyproject = "".join(f"# line {number}\n" for number in range(9_000))
    shop.commit({"pyproject.toml": pyproject})
    root = Path(__file__).parents[2]
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); "
    argv = [
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        + limited
        + "from secgate.cli import main; main()"
    ]
    done = subprocess.run(
        [sys.executable, "-c", *argv, "init", "--yes", "--pyproject", "--without", "workflow"],
        cwd=shop.root,
        env={**product.env, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "pyproject.toml: cannot write it" in done.stderr) == (2, True), done.stderr
    assert (shop.root / "pyproject.toml").read_text() == pyproject
    assert sorted(path.name for path in shop.root.iterdir()) == [".git", "app.py", "pyproject.toml"]


def test_a_baseline_needs_somebody_who_signs(product: Product, shop: Git) -> None:
    ended = init(product, shop, "--yes", "--baseline")
    assert (ended.code, "give --author ID and --key FILE" in ended.err, written(shop)) == (2, True, {})


# ------------------------------------------------------------------------------------------------------ --baseline


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Ada may sign baselines, Eve is a person who may not."""
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    keys = {person: make_key(tmp_path / "keys", person) for person in (ADA, EVE)}
    lines = (allowed(ADA, keys[ADA], 'namespaces="secgate-baseline"'), allowed(EVE, keys[EVE], 'namespaces="other"'))
    return enforced_layer(tmp_path / "organisation", *lines)


def sign(product: Product, git: Git, layer: Path, *, author: str = ADA, key: str = ADA) -> Ended:
    words = ("--baseline", "--author", author, "--key", str(layer.parent / "keys" / key), "--enforced", str(layer))
    return init(product, git, "--yes", *words)


def recorded(git: Git) -> list[BaselineRecorded]:
    ledger = SqliteLedger(str(git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    found = [event_of(entry) for entry in ledger.read()]
    return [one for one in found if isinstance(one, BaselineRecorded)]


def old_shop(product: Product, git: Git, layer: Path) -> None:
    """A shop with debt that the gate has seen once."""
    git.commit({"old.py": WEAK})
    product.cli("run", "--enforced", str(layer), "--scope", "protected", cwd=git.root)


def test_a_first_baseline_is_signed_recorded_and_counts(product: Product, shop: Git, layer: Path) -> None:
    old_shop(product, shop, layer)
    done = sign(product, shop, layer)
    assert (done.code, "baseline: 1 finding listed in" in done.err) == (0, True), done
    (event,) = recorded(shop)
    assert (event.author, event.findings, event.kind) == (ADA, 1, "statement")
    shop.commit()
    words = ("run", "--enforced", str(layer), "--scope", "protected", "--format", "json")
    document = json.loads(product.cli(*words, cwd=shop.root).data)
    bases = {duty["basis"] for one in document["run"]["findings"] for duty in one["obligations"]}
    assert any(basis.startswith("baseline:") for basis in bases), bases


def test_a_second_call_signs_nothing(product: Product, shop: Git, layer: Path) -> None:
    old_shop(product, shop, layer)
    assert sign(product, shop, layer).code == 0
    again = sign(product, shop, layer)
    assert (again.code, "nothing was signed" in again.err, "nothing to write" in again.err) == (0, True, True)
    assert len(recorded(shop)) == 1


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("nobody", ADA), "is nobody of people.toml"),
        ((EVE, EVE), ""),
        ((EVE, ADA), f"not of `{EVE}`"),
        ((ADA, "gone"), ""),
    ],
)
def test_nobody_else_signs_it(product: Product, shop: Git, layer: Path, pair: tuple[str, str], said: str) -> None:
    old_shop(product, shop, layer)
    ended = sign(product, shop, layer, author=pair[0], key=pair[1])
    assert (ended.code, said in ended.err.replace("\n", " ")) == (2, True), ended
    assert recorded(shop) == []


def test_before_the_first_run_there_is_nothing_to_sign(product: Product, shop: Git, layer: Path) -> None:
    ended = sign(product, shop, layer)
    assert (ended.code, "secgate run" in ended.err) == (2, True), ended


def test_a_dry_run_signs_nothing(product: Product, shop: Git, layer: Path) -> None:
    old_shop(product, shop, layer)
    words = ("--baseline", "--author", ADA, "--key", str(layer.parent / "keys" / ADA), "--enforced", str(layer))
    assert init(product, shop, "--dry-run", *words).code == 0
    assert (recorded(shop), written(shop)) == ([], {})
