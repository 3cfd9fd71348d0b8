"""A ref of any repository that only ever moves forward: fetched, read by path, extended by one commit, pushed.

The push is never forced, so the server takes it only if nobody was first: that is the compare-and-swap, and a writer
killed at any moment has pushed a whole commit or none. git runs with a bare repository of its own as cache, without
hooks, system or user configuration; the cache remembers where the ref was: one that went back, or away, is an error.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from secgate.addresses import without_credentials
from secgate.errors import HeadMovedError, LedgerError
from secgate.ledgers.files import unwritable
from secgate.model import Limits, Output
from secgate.ports import ProcessRunner

_TIP = "refs/secgate/ledger"
_RESTORED = "refs/secgate/restored"
_NEXT = "refs/secgate/next"
_COMMITTER = "secgate <secgate@localhost>"

_PLAIN_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_SCP_LIKE = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9._-]+)?:[^:]")
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to (update|lock)|unable to (lock|update)"
    r"|incorrect old value|already exists|reference changed",
    re.IGNORECASE,
)
_NO_REF = "couldn't find remote ref"


class RemoteRef:
    """One ref of one repository. `locked` is held around everything that fetches or writes."""

    def __init__(
        self,
        remote: str,
        ref: str,
        *,
        noun: str,
        runner: ProcessRunner,
        cache: str,
        git: str,
        env: Mapping[str, str] | None = None,
        time_limit_s: float = 120.0,
    ) -> None:
        """`remote`: an absolute path or what git takes as an address. `ref`: a branch, or a full name under `refs/`.

        `noun` is what the ref holds, in words. `cache`: absolute path of a folder for this remote and ref alone, made
        when missing. `git`: the executable. `env`: what reaching the remote takes, such as GIT_SSH_COMMAND. Raises
        LedgerError for an address or a ref that git could take for something else.
        """
        self.address = f"{without_credentials(remote)}#{ref}"
        self._noun = noun
        is_address = "://" in remote or Path(remote).is_absolute() or _SCP_LIKE.match(remote)
        if remote.startswith("-") or "::" in remote.split("/", 1)[0] or not is_address:
            raise self.fault("this is no address of a repository", remedy="give an absolute path or a URL")
        if not _PLAIN_REF.fullmatch(ref) or ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock")):
            raise self.fault("this is no name of a ref", remedy="give a branch, or a full name under refs/")
        self._remote = remote
        self._ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        self._runner = runner
        self._cache = Path(cache)
        self._git_path = git
        self._env = dict(env or {})
        self._time_limit_s = time_limit_s

    def objects(self, tip: str, paths: Sequence[str]) -> list[bytes | None]:
        """Give the bytes of files of a commit, None for one that is not there."""
        names = "".join(f"{tip}:{path}\n" for path in paths)
        rest = self._git("cat-file", "--batch", stdin=names.encode()).stdout
        found: list[bytes | None] = []
        for _ in paths:
            line, _, rest = rest.partition(b"\n")
            words = line.split()
            if words[-1:] == [b"missing"]:
                found.append(None)
                continue
            if len(words) != 3 or words[1] != b"blob":
                raise self.fault(
                    f"the ref holds something else than a {self._noun}", remedy=f"name the {self._noun}'s own ref"
                )
            size = int(words[2])
            found.append(rest[:size])
            rest = rest[size + 1 :]
        return found

    def commit(self, parent: str | None, files: Mapping[str, bytes], *, said: str, at_epoch_s: int) -> str:
        """Make one commit in the cache and give its name. One process, whatever the number of files."""
        message = f"secgate: {said}\n".encode()
        parts = [f"reset {_NEXT}\n\n".encode()] if parent is None else []
        parts += [f"commit {_NEXT}\nmark :1\ncommitter {_COMMITTER} {at_epoch_s} +0000\n".encode()]
        parts += [b"data %d\n" % len(message), message]
        if parent is not None:
            parts += [f"from {parent}\n".encode()]
        for path, data in files.items():
            parts += [f"M 100644 inline {path}\n".encode(), b"data %d\n" % len(data), data, b"\n"]
        parts += [b"\nget-mark :1\ndone\n"]
        output = self._git("fast-import", "--quiet", "--done", "--force", "--date-format=raw", stdin=b"".join(parts))
        return output.stdout.decode("ascii", "replace").strip()

    def check_push(self, commit: str) -> None:
        """Raise LedgerError where the remote would not take a push from here; nothing is pushed."""
        output = self._push("--dry-run", commit=commit)
        if output.exit_code or output.timed_out:
            raise self._git_fault(f"the {self._noun} takes no push from here", output)

    def push(self, commit: str) -> None:
        """Move the remote's ref forward to `commit`. Raises HeadMovedError if it has moved meanwhile."""
        output = self._push(commit=commit)
        if output.exit_code == 0 and not output.timed_out:
            self._git("update-ref", _TIP, commit)
            return
        said = "\n".join(_text(part) for part in (output.stdout, output.stderr))
        rejected = next((line for line in said.splitlines() if line.startswith("!")), "")
        if _MOVED.search(rejected):
            raise HeadMovedError(
                f"another writer appended first ({_shown(rejected)})", place=self.address, remedy="read it again"
            )
        raise self._git_fault(f"the {self._noun} could not be pushed", output, rejected)

    def fetch(self) -> str | None:
        """Bring the cache to where the remote's ref is and give its commit; None if the remote has no such ref."""
        self._prepare()
        output = self._git(
            "fetch",
            "--no-progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            self._remote,
            f"{self._ref}:{_TIP}",
            network=True,
            may_fail=True,
        )
        if output.exit_code == 0 and not output.timed_out:
            return self.cached()
        said = _text(output.stderr)
        remedy = f"restore it from a backup; if that was on purpose, remove {self._cache}"
        if _NO_REF in said:
            if self.cached() is None:
                return None
            raise self.fault(f"the {self._noun} was there before and is gone", remedy=remedy)
        if "non-fast-forward" in said:
            raise self.fault(f"the {self._noun} was rewritten since this machine last saw it", remedy=remedy)
        raise self._git_fault(f"the {self._noun} could not be fetched", output)

    def bundle(self, path: str) -> None:
        """Write the fetched ref with its whole history into a bundle file. Raises LedgerError where it cannot."""
        output = self._git("bundle", "create", "--quiet", path, _TIP, may_fail=True)
        if output.exit_code or output.timed_out:
            raise unwritable(path, _shown(_text(output.stderr)) or "git does not say why")

    def unbundle(self, path: str) -> str:
        """Take in what a bundle file holds and give its commit, which is pushed by nobody yet.

        Raises LedgerError for what is no bundle, and for one that lacks what this machine saw at the address.
        """
        self._prepare()
        output = self._git("fetch", "--quiet", "--no-tags", "--", path, f"+{_TIP}:{_RESTORED}", may_fail=True)
        if output.exit_code or output.timed_out:
            raise LedgerError(
                f"this is no bundle of a {self._noun}: {_shown(_text(output.stderr))}",
                place=path,
                remedy="give what `secgate ledger backup` wrote",
            )
        tip = self._git("rev-parse", "--verify", "--quiet", f"{_RESTORED}^{{commit}}")
        commit = tip.stdout.decode("ascii", "replace").strip()
        known = self.cached()
        if known and self._git("merge-base", "--is-ancestor", known, commit, may_fail=True).exit_code:
            raise LedgerError(
                f"this machine saw a {self._noun} at {self.address} that the backup does not hold",
                place=path,
                remedy=f"give a later backup; if none is to be had, remove {self._cache}",
            )
        return commit

    def is_absent(self) -> bool:
        """Tell whether the remote has no such ref. Raises LedgerError where it cannot be asked."""
        self._prepare()
        return not self._git("ls-remote", "--quiet", "--", self._remote, self._ref, network=True).stdout.strip()

    def paths(self, tip: str, under: str) -> Iterator[str]:
        """Give the paths of a commit's files below `under`, sorted."""
        listed = self._git("ls-tree", "-r", "-z", "--name-only", "--full-tree", tip, "--", under).stdout
        yield from (name for name in listed.decode("utf-8", "replace").split("\0") if name)

    def cached(self) -> str | None:
        """Give the commit at which the ref was seen last; None for never."""
        self._prepare()
        output = self._git("rev-parse", "--verify", "--quiet", f"{_TIP}^{{commit}}", may_fail=True)
        return output.stdout.decode("ascii", "replace").strip() or None

    def _prepare(self) -> None:
        """Make the cache where it is missing or was half made; clear away what a killed git left locked."""
        ready = self._cache / "secgate-ready"
        if not ready.exists():
            named = _text(self._git("ls-remote", "--quiet", "--", self._remote, network=True).stdout).split()
            form = "sha256" if named and len(named[0]) == 64 else "sha1"
            self._git("init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(self._cache))
            ready.touch()
        for lock in (*self._cache.glob("refs/secgate/*.lock"), *self._cache.glob("*.lock")):
            if lock.name != "secgate.lock":
                lock.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------- inside

    @property
    def _is_local(self) -> bool:
        return Path(self._remote).is_absolute() or self._remote.startswith("file://")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the cache against other runs of this machine; the lock ends with the process, however that ends."""
        try:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._cache / "secgate.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise self.fault(
                f"the {self._noun}'s cache cannot be used: {error}", remedy="name a folder that may be written"
            ) from error
        try:
            deadline = time.monotonic() + self._time_limit_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise self.fault(
                            f"another run of this machine holds the {self._noun}'s cache", remedy="run it again later"
                        ) from error
                    time.sleep(0.01)
            yield
        finally:
            os.close(descriptor)

    def _push(self, *options: str, commit: str) -> Output:
        argv = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--quiet", *options]
        if self._is_local:
            argv.append(f"--receive-pack={self._git_path} -c core.hooksPath={os.devnull} receive-pack")
        return self._git(*argv, "--", self._remote, f"{commit}:{self._ref}", network=True, may_fail=True)

    def _git(self, *args: str, stdin: bytes = b"", network: bool = False, may_fail: bool = False) -> Output:
        # Rule 9 of the threats: nothing but our own repository's configuration, and no program named in any other.
        argv = [self._git_path, "-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        output = self._runner.run(
            [*argv, *args],
            cwd=str(self._cache),
            stdin=stdin,
            env={
                **self._env,
                "GIT_DIR": str(self._cache),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
                "LC_ALL": "C",
            },
            limits=Limits(time_s=self._time_limit_s),
            network=network,
        )
        is_bad = output.exit_code != 0 or output.timed_out or output.truncated
        if output.problem or output.truncated or (is_bad and not may_fail):
            raise self._git_fault(f"git {args[0]} did not end well", output)
        return output

    def _git_fault(self, what: str, output: Output, said: str = "") -> LedgerError:
        reason = said or output.problem or ("no answer in time" if output.timed_out else _text(output.stderr))
        return self.fault(
            f"{what}: {_shown(reason)}", remedy="see that the repository can be reached and may be written"
        )

    def fault(self, what: str, *, remedy: str = "restore the ledger from a backup") -> LedgerError:
        """Give an error at this address."""
        return LedgerError(what, place=self.address, remedy=remedy)


def _shown(said: str) -> str:
    """Give what git said in one line of plain text, without credentials."""
    return "".join(part if part.isprintable() else " " for part in without_credentials(" ".join(said.split())))[:500]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
