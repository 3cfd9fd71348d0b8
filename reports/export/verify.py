"""Verify an export of a secgate ledger with nothing of secgate: entries, tree, checkpoints, blobs, signatures, figures.

Python's standard library (3.9 or later) is enough; signatures are checked where --signers names an allowed_signers
file, by ssh-keygen (OpenSSH 8.9) and openssl (1.1.1). Exit 0: all that was asked for holds. 1: something does not, the
first bad entry is named. 2: the call is wrong, or a program that is needed is not there. README.md tells the options
and what the words mean. In this order: the tree, the entries, signatures, checkpoints and blobs, what people agreed on,
what became of each finding, the figures, the call.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterator, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

Json = dict[str, Any]
MAX_LINE = 16 * 1024 * 1024 + 1
FORM = re.compile(
    rb'\{"at_epoch_s":(0|[1-9]\d{0,10}),"body":(\{.*\}),"previous_root":"([0-9a-f]{64})",'
    rb'"sequence":(0|[1-9]\d{0,15}),"type":"([a-z][a-z0-9-]{0,63})","version":([1-9]\d{0,15})\}\n'
)
"""The exact bytes of an entry and its line's end."""
SIGNED = {
    "waiver-requested": ("secgate-waiver-request", "requester"),
    "waivers-requested": ("secgate-waiver-request", "requester"),
    "waiver-approved": ("secgate-waiver-approval", "approver"),
    "waiver-revoked": ("secgate-waiver-revocation", "by"),
    "downgrade-requested": ("secgate-downgrade-request", "requester"),
    "downgrade-approved": ("secgate-downgrade-approval", "approver"),
    "downgrade-revoked": ("secgate-downgrade-revocation", "by"),
    "override-given": ("secgate-override", "by"),
    "override-reviewed": ("secgate-override-review", "by"),
    "gate-reviewed": ("secgate-gate-review", "by"),
    "secret-revoked": ("secgate-secret-revocation", "by"),
}
"""By an entry's type: what its signature is for, and who has to sign."""
SECOND = ("waiver-approved", "downgrade-approved", "override-reviewed")
ANSWERS = (*SECOND, "waiver-revoked", "downgrade-revoked")
"""What only a second person may say, and what else is about a statement that one of the other types made."""
SOURCE = ("repository", "commit", "tree")
BLOBS = (
    *("document_digest", "input_digest", "checkpoint_digest", "statement_digest", "signature_digest"),
    *("list_digest", "rows_digest", "inventory_digest"),
)
DUE, ASIDE = ("met", "excepted", "missed", "overdue"), ("dismissed", "not yet due")
"""What becomes of a duty: what counts as due, and what is counted apart."""
RANKS = ("info", "low", "medium", "high", "critical")
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What comes of reading something that is not what it should be."""


class Bad(Exception):  # noqa: N818 - what it says reads better so
    """What does not hold, and at which entry (-1 where none can be named)."""

    def __init__(self, entry: int, what: str) -> None:
        super().__init__(what)
        self.entry, self.what = entry, what


def must(is_so: object, entry: int, what: str) -> None:
    if not is_so:
        raise Bad(entry, what)


# ---------------------------------------------------------------------------------------- the tree, as in RFC 6962


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def grow(peaks: list[bytes], size: int, leaf: bytes) -> bytes:
    """Add a leaf to a tree of `size` leaves; `peaks` are the roots of its perfect subtrees, largest first.

    Give its root.
    """
    node = leaf
    while size & 1:
        node, size = sha(b"\x01", peaks.pop(), node), size >> 1
    peaks.append(node)
    for peak in reversed(peaks[:-1]):
        node = sha(b"\x01", peak, node)
    return node


def folded(place: int, last: int, node: bytes, path: Sequence[bytes]) -> tuple[str, str, bool]:
    """Walk a proof upwards (RFC 9162, 2.1.3.2 and 2.1.4.2): give both roots, and whether it had the right length."""
    first = second = node
    for step in path:
        if last == 0:
            return "", "", False
        if place & 1 or place == last:
            first, second = sha(b"\x01", step, first), sha(b"\x01", step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = sha(b"\x01", second, step)
        place, last = place >> 1, last >> 1
    return first.hex(), second.hex(), last == 0


def check_proof(file: Path, heads: Sequence[tuple[int, str]]) -> str:
    """Check a proof by itself, and that it is of one of `heads` where there are any."""
    proof = read(content(file))
    path = [bytes.fromhex(step) for step in proof["path"]]
    if proof["format"] == "secgate-inclusion":
        data, place, new = proof["entry"].encode(), proof["sequence"], proof["head"]
        _, root, whole = folded(place, new["size"] - 1, sha(b"\x00", data), path)
        good = whole and 0 <= place < new["size"] and root == new["root"] and read(data)["sequence"] == place
        mine, told = [new], f"entry {place} is one of the {new['size']} with root {new['root']}"
    else:
        old, new = proof["old"], proof["new"]
        mine, told = [old, new], f"the {new['size']} entries with root {new['root']} have grown from {old['size']}"
        if old["size"] & (old["size"] - 1) == 0:
            path.insert(0, bytes.fromhex(old["root"]))
        place, last = old["size"] - 1, new["size"] - 1
        while place & 1:
            place, last = place >> 1, last >> 1
        first, second, whole = folded(place, last, path[0], path[1:]) if path else ("", "", False)
        good = whole and 1 <= old["size"] < new["size"] and (first, second) == (old["root"], new["root"])
        good = good or (old == new and not proof["path"])
    must(good, -1, f"{file}: the proof does not hold")
    known = not heads or any((one["size"], one["root"]) in heads for one in mine)
    must(known, -1, f"{file}: the proof holds, but of no head that a checkpoint has")
    return told


# ------------------------------------------------------------------------------------------------------- the entries


class Entry(NamedTuple):
    number: int
    at: int
    type: str
    body: Json
    said: list[tuple[str, Json]]
    """Of a statement (id, request) of each that it makes, or what it is about."""


def lines(folder: Path) -> Iterator[bytes]:
    for file in sorted((folder / "entries").glob("*.jsonl")):
        must(file.is_file(), -1, f"{file} is no file")
        with file.open("rb") as stream:
            while line := stream.readline(MAX_LINE):
                yield line


def read(text: str | bytes) -> Any:
    """Read JSON without NaN, and without a key twice in an object: which one counts would be the reader's choice."""
    return json.loads(text, parse_constant=int, object_pairs_hook=once)


def once(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice")
    return made


class Log:
    """Every entry verified, one after the other; of most nothing is kept but what the checks to come need."""

    def __init__(self, folder: Path, *, until: int) -> None:
        """`until`: duties are as the entries before that time left them, 0 for all entries."""
        self.size, self.ledger_id, self.fold = 0, "", Fold()
        self.roots = [sha()]  # over the first 0, 1, 2 ... entries
        self.kept: dict[str, list[Entry]] = {kind: [] for kind in ("checkpoint", "artefact-bound", "statement")}
        self.sources: dict[str, list[str]] = {}  # of each run: repository, commit, tree
        self.named: dict[str, int] = {}  # digests of blobs, and the first entry that names each
        self.counts: dict[str, int] = {}
        self.runs: dict[str, int] = {}
        self.unknown: list[int] = []  # entries of a type or version that this program does not know
        self.last = 0  # the time of the last entry
        peaks: list[bytes] = []
        for line in lines(folder):
            number = self.size
            must(line.endswith(b"\n"), number, "the file is cut off within it")
            form = FORM.fullmatch(line)
            if form is None:
                raise Bad(number, "its bytes are not in the form in which entries are written")
            at, body, root, sequence, kind, version = form.groups()
            must(int(sequence) == number, number, f"entry {int(sequence)} stands in its place")
            if root.decode() != self.roots[-1].hex():
                must(number, 0, "it was not written as the first one")
                raise Bad(number - 1, f"it is not what it was when entry {number} was written")
            must(int(at) >= self.last, number, "its time lies before that of the entry before it")
            self.last = int(at)
            self.roots.append(grow(peaks, number, sha(b"\x00", line[:-1])))
            self.size += 1
            try:
                said = read(body.decode())
                self.counts[kind.decode()] = self.counts.get(kind.decode(), 0) + 1
                if kind.decode() not in KNOWN or version != b"1":
                    self.unknown.append(number)
                    continue
                entry = Entry(number, self.last, kind.decode(), said, said_in(kind.decode(), said))
                self._note(entry)
                if not until or self.last < until:
                    self.fold.take(entry)
            except UNREADABLE as error:
                raise Bad(number, f"it is not what a {kind.decode()} says, or cannot follow: {error!r}") from error

    def _note(self, entry: Entry) -> None:
        number, kind, body = entry.number, entry.type, entry.body
        if kind == "ledger-created":
            self.ledger_id = str(body.get("ledger_id", ""))
        elif kind == "run":
            outcome = body.get("outcome") or "undecided"
            self.runs[outcome] = self.runs.get(outcome, 0) + 1
            self.sources[body["run_id"]] = [body[name] for name in SOURCE]
        elif kind == "checkpoint":
            same = 1 <= body["size"] <= number and self.roots[body["size"]].hex() == body["root"]
            must(same, number, "the head that it says was signed is not that of the entries before it")
        elif kind == "artefact-bound":
            same = self.sources.get(str(body.get("run_id"))) == [body.get(name) for name in SOURCE]
            must(same, number, "no run before it was of the commit that it binds an artefact to")
        kept = self.kept.get("statement" if kind in SIGNED else kind)
        if kept is not None:
            kept.append(entry)
        for field in BLOBS:
            # Of another tool's list of known debt nothing is kept but what it lists.
            if body.get(field) and not (field == "statement_digest" and body.get("kind") == "sarif"):
                self.named.setdefault(body[field], number)


def said_in(kind: str, body: Json) -> list[tuple[str, Json]]:
    """Give (id, request) of each that a statement makes; the id is the digest of the request's exact bytes."""
    if kind not in SIGNED:
        return []
    said = read(body["statement"])
    parts = [(body["statement"], said)]
    if "requests" in said:
        form: Json = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
        parts = [(json.dumps(one, **form), one) for one in said["requests"]]
    for _, one in parts:
        if not isinstance(one[SIGNED[kind][1]], str):
            raise TypeError("nobody is named")
        if kind.endswith("-requested"):
            # What is asked of it later is there.
            holds(one["bound"], {"anchor": "", "package": "", "secret_macs": [], "witnesses": [], "severity": "info"})
            one["subject"]["type"], one["expires_epoch_s"] + 0
    return [(sha(text.encode()).hex(), one) for text, one in parts]


def content(file: Path) -> bytes:
    must(file.is_file(), -1, f"{file} is no file")  # nothing that never ends is waited for
    return file.read_bytes()


def check_manifest(log: Log, folder: Path) -> dict[str, Json]:
    """Hold the entries against it; give what it says of blobs that were changed before the export, by digest."""
    said: Json = read(content(folder / "manifest.json"))
    known = (said["format"], said["version"]) == ("secgate-export", 1)
    must(known, -1, "manifest.json is of another form than this program reads")
    shorter = min(log.size, said["size"])
    must(log.size == said["size"], shorter, f"{log.size} entries are there, and the manifest says {said['size']}")
    must(log.ledger_id == said["ledger_id"], 0, "it is of another ledger than the manifest")
    why = "it is not what it was when the manifest was written, or all up to it were made to fit"
    must(log.roots[-1].hex() == said["root"], log.size - 1, why)
    return {one["digest"]: one for one in said.get("changed", ())}


def check_earlier(folder: Path, earlier: Path) -> str:
    """Hold the entries against those of an export that was made before: each must be the same."""
    now, count = lines(folder), 0
    for line in lines(earlier):
        must(next(now, b"") == line, count, "it is another one in the earlier export, or is gone")
        count += 1
    return f"{count} entries are those of {earlier}"


# ----------------------------------------------------------------------------------- signatures, checkpoints, blobs


class Sealed:
    """A DSSE envelope, taken apart; nothing of it is believed yet."""

    def __init__(self, data: bytes) -> None:
        envelope = read(data)
        self.type, self.payload = envelope.get("payloadType"), unpacked(envelope["payload"])
        self.said: Json = read(self.payload)
        self.signatures = [unpacked(one["sig"]) for one in envelope["signatures"]]
        self.timestamps = [unpacked(one) for one in envelope.get("timestamps", [])]


def unpacked(text: str) -> bytes:
    """Give what stands there as base64, of either alphabet."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


class Signers:
    """Whose keys count: an allowed_signers file, and the times from which keys were revoked, by fingerprint."""

    def __init__(self, file: Path | None, authorities: Path | None, revoked: dict[str, int]) -> None:
        self.is_asked, self.authorities, self.revoked = file is not None, authorities, revoked
        self.keys: list[tuple[str, dict[str, str], str, bytes]] = []
        for line in file.read_text("utf-8").splitlines() if file else ():
            words = line.split()
            at = next((index for index, word in enumerate(words) if re.match(r"(sk-)?(ssh|ecdsa)-", word)), 0)
            said = " ".join(words[1:at])
            if at and not line.startswith("#") and "cert-authority" not in said.lower():
                options = {name.lower(): value for name, value in re.findall(r'([A-Za-z-]+)="([^"]*)"', said)}
                self.keys.append((words[0], options, words[at], base64.b64decode(words[at + 1])))

    def counting(self, namespace: str, at_epoch_s: int) -> Iterator[tuple[str, str, bytes]]:
        """Give whose keys count for a namespace at a time. Times and patterns (`*`, `?`, `!`) are those of OpenSSH."""
        at = datetime.fromtimestamp(at_epoch_s, timezone.utc).strftime("%Y%m%d%H%M%S")
        for principal, options, kind, blob in self.keys:
            after, before = (options.get(f"valid-{end}", "").rstrip("Zz") for end in ("after", "before"))
            patterns = options.get("namespaces", "").split(",")
            met = [one for one in patterns if fnmatchcase(namespace, one.lstrip("!").replace("[", "[[]"))]
            is_time = after.ljust(14, "0") <= at <= (before.ljust(14, "0") if before else "9")
            if is_time and met and not any(one.startswith("!") for one in met):
                yield principal, kind, blob

    def is_revoked(self, blob: bytes, at_epoch_s: int) -> bool:
        """Tell whether what a key signed at a time counts for nothing."""
        since = self.revoked.get("SHA256:" + base64.b64encode(sha(blob)).decode().rstrip("="))
        return since is not None and at_epoch_s >= since

    def machine(self, namespace: str, sealed: Sealed, at_epoch_s: int, *, even_revoked: bool) -> str:
        """Give whose Ed25519 key signed an envelope, "" for nobody's that counts for it at that time."""
        kind = f"application/vnd.{namespace}+json"
        message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(sealed.payload), sealed.payload)
        argv = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "key"]
        for principal, form, blob in self.counting(namespace, at_epoch_s) if sealed.type == kind else ():
            if form != "ssh-ed25519" or (self.is_revoked(blob, at_epoch_s) and not even_revoked):
                continue
            files = {"key": bytes.fromhex("302a300506032b6570032100") + blob[-32:], "message": message}  # RFC 8410
            for one in sealed.signatures:
                if not run([*argv, "-in", "message", "-sigfile", "signature"], signature=one, **files).returncode:
                    return principal
        return ""

    def person(self, namespace: str, statement: str, signature: str, at_epoch_s: int) -> str:
        """Give who signed a statement, "" for nobody who counts for it at that time."""
        for principal, kind, blob in self.counting(namespace, at_epoch_s):
            if blob == key_of(signature):
                allowed = f'{principal} namespaces="{namespace}" {kind} {base64.b64encode(blob).decode()}\n'.encode()
                argv = ["ssh-keygen", "-Y", "verify", "-I", principal, "-n", namespace, "-f", "allowed", "-s", "it"]
                done = run(argv, stdin=statement.encode(), allowed=allowed, it=signature.encode())
                return "" if done.returncode else principal
        return ""

    def stamped(self, sealed: Sealed) -> list[int]:
        """Give when authorities that count stamped the first signature (RFC 3161), earliest first."""
        times: list[int] = []
        if self.authorities is None:
            return times
        for answer in sealed.timestamps:
            files = {"answer": answer, "signature": sealed.signatures[0], "roots": self.authorities.read_bytes()}
            shown = run(["openssl", "ts", "-reply", "-in", "answer", "-text"], **files).stdout.decode()
            said = re.search(r"^Time stamp: (\w+ +\d+ [\d:]+)(?:\.\d+)?( \d+) GMT$", shown, re.MULTILINE)
            if said is not None:
                at = datetime.strptime(f"{said[1]}{said[2]} +0000", "%b %d %H:%M:%S %Y %z").timestamp()
                argv = ["openssl", "ts", "-verify", "-in", "answer", "-data", "signature", "-CAfile", "roots"]
                times += [int(at)] * (run([*argv, "-attime", str(int(at))], **files).returncode == 0)
        return sorted(times)


def key_of(signature: str) -> bytes:
    """Give the public key that an SSH signature says it is by, b"" for none. Source: OpenSSH, PROTOCOL.sshsig."""
    try:
        data = base64.b64decode("".join(line for line in signature.splitlines() if not line.startswith("-----")))
    except ValueError:
        return b""
    return data[14 : 14 + int.from_bytes(data[10:14], "big")]


def run(argv: Sequence[str], *, stdin: bytes = b"", **files: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run a program in a folder that holds `files`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        try:
            env = {**os.environ, "LC_ALL": "C"}
            return subprocess.run(argv, input=stdin, capture_output=True, check=False, cwd=folder, env=env)
        except FileNotFoundError:
            fail(f"{argv[0]} is needed to check signatures and is not there")


def check_checkpoint(log: Log, data: bytes, name: str, signers: Signers, noted: Entry | None) -> Json:
    """Hold the log against one signed head; `noted` is the entry that speaks of it, None for one that was handed in.

    Of one that was handed in the key must not be revoked, and counts at the time of its timestamp where it has one.
    """
    entry = noted.number if noted else -1
    try:
        sealed = Sealed(data)
        size, root, ledger, at = (sealed.said[part] for part in ("size", "root", "ledger_id", "at_epoch_s"))
        if size < 1 or not sealed.signatures:
            raise ValueError(f"it is of {size} entries, signed by {len(sealed.signatures)}")
    except UNREADABLE as error:
        raise Bad(entry, f"{name}: this is no checkpoint: {error!r}") from error
    must(ledger == log.ledger_id, entry, f"{name}: the checkpoint is of another ledger")
    if noted:
        same = (size, root) == (noted.body["size"], noted.body["root"])
        must(same, entry, f"{name}: the checkpoint is of other entries than it says")
    times = signers.stamped(sealed)
    counts_at = times[0] if times and not noted else at
    who = signers.is_asked and signers.machine("secgate-checkpoint", sealed, counts_at, even_revoked=noted is not None)
    counts = who and (noted or who.startswith("machine:"))  # a person's was noted by versions before
    must(counts or not signers.is_asked, entry, f"{name}: nobody who counts for it signed this checkpoint")
    must(size <= log.size, log.size, f"{name}: the checkpoint is of {size} entries: the tail was cut off")
    stamped = times or not signers.authorities
    must(stamped, entry, f"{name}: no timestamp of this checkpoint is by an authority that counts")
    why = f"{name}: one of the entries 0 to {size - 1} is not what it was when the checkpoint was made"
    must(log.roots[size].hex() == root, entry, why)
    return sealed.said


def check_checkpoints(log: Log, folder: Path, given: Sequence[Path], signers: Signers) -> list[Json]:
    """Check those that entries speak of, those in the export, and those that were handed in."""
    found: list[Json] = []
    for one in log.kept["checkpoint"]:
        digest, file = one.body["checkpoint_digest"], folder / "checkpoints" / f"{one.number:06}.json"
        place = file if file.exists() else blob_at(folder, digest)
        if place.exists():
            why = f"{file.name} is not the checkpoint that it says was put elsewhere: another was put back"
            must(sha(content(place)).hex() == digest, one.number, why)
            found.append(check_checkpoint(log, content(place), file.name, signers, one))
    for file in [*sorted((folder / "checkpoints").glob("given-*.json")), *given]:
        kept = check_checkpoint(log, content(file), str(file), signers, None)
        found.append({**kept, "is_given": file in given})
    return found


def tell_checkpoints(log: Log, kept: Sequence[Json], reach: int, newer_than: int) -> Iterator[str]:
    """Tell how far they reach, those that were handed in to `reach`, and where an old one may have been put back."""
    newest, largest = (max((one[by] for one in kept), default=0) for by in ("at_epoch_s", "size"))
    must(newest >= newer_than, -1, "no checkpoint is as new as was asked for: an old one may have been put back")
    yield f"checkpoints  {len(kept)}, grown from each; the largest is of {largest} entries"
    for one in [one for one in log.kept["checkpoint"] if 0 < reach < one.body["size"]][-1:]:
        yield f"  a newer one, of {one.body['size']} entries, was put at {one.body['place']}, says entry {one.number}"


def check_bindings(log: Log, folder: Path, signers: Signers) -> None:
    """Check that each attestation that is here says what its entry says, and who signed it."""
    for entry in log.kept["artefact-bound"]:
        number, body = entry.number, entry.body
        file = blob_at(folder, body["statement_digest"])
        if not file.exists():
            continue
        try:
            sealed = Sealed(content(file))
            gate_run, (kind, _, value) = sealed.said["predicate"], body["artifact"].partition(":")
            told = [gate_run["runId"], gate_run["repository"], gate_run["source"]["commit"], gate_run["source"]["tree"]]
            same = told == [body["run_id"], *(body[name] for name in SOURCE)]
            same = same and any(one["digest"].get(kind) == value for one in sealed.said["subject"])
        except UNREADABLE as error:
            raise Bad(number, f"the attestation that it rests on does not read: {error!r}") from error
        must(same, number, "the attestation that it rests on says something else")
        who = signers.machine("in-toto", sealed, entry.at, even_revoked=True)
        is_machine = who.startswith("machine:") or not signers.is_asked
        must(is_machine, number, "nobody who counts for it signed the attestation that it rests on")


def check_statements(log: Log, signers: Signers) -> dict[int, str]:
    """Give who signed each thing that people said, "" for nobody who counts; {} where that is not asked for."""
    found = {}
    for one in log.kept["statement"] if signers.is_asked else ():
        said = one.body["statement"], one.body["signature"]
        found[one.number] = signers.person(SIGNED[one.type][0], *said, one.at)
    return found


def blob_at(folder: Path, digest: str) -> Path:
    return folder / "blobs" / digest[:2] / digest[2:]


def check_blobs(log: Log, folder: Path, changed: dict[str, Json]) -> Iterator[str]:
    """Check that each blob is what it is called; tell how many there are, which are not, and what stands for those."""
    held = set()
    for file in sorted((folder / "blobs").glob("*/*")):
        digest = file.parent.name + file.name
        same = sha(content(file)).hex() == digest
        must(same, log.named.get(digest, -1), f"the blob {digest} that it names was changed")
        held.add(digest)
    missing = len(log.named.keys() - held)
    yield f"blobs        {len(held)}, each what it is called" + (
        f"; {missing} that entries name are not here" * bool(missing)
    )
    for digest, one in changed.items():
        found = str(one.get("found", ""))
        if found:
            same = sha(content(folder / "changed" / found)).hex() == found != digest
            must(same, one["entry"], f"what stood in the place of the blob {digest} is not what the manifest says")
        yield f"  CHANGED in the ledger: {digest}, named by entry {one['entry']}; changed/{found} stood in its place"


# ------------------------------------------------------------------------------------------------- the figures anew


def agreements(log: Log, terms: Json, signers: Signers, who: dict[int, str]) -> tuple[dict[str, Json], dict[int, str]]:
    """Give what people agreed on, by id, and which statements count for nothing, with why.

    `who` signed each, {} where that was not asked for. Each agreement has kind, request, when it was approved (by
    somebody else, 0 for never) and when it ended: at its own time, or after the longest life of its severity.
    """
    made: dict[str, Json] = {}
    vain: dict[int, str] = {}
    for entry in log.kept["statement"]:
        kind, said = entry.type, entry.said
        named = {part[SIGNED[kind][1]] for _, part in said}
        asked = made.get(said[0][1].get("request") or said[0][1].get("override") or "")
        revoked = signers.is_revoked(key_of(entry.body["signature"]), entry.at)
        why = in_vain(kind, named, asked, who.get(entry.number), terms, revoked=revoked)
        if why:
            vain[entry.number] = why
        elif kind not in ANSWERS:
            for name, part in said:
                word = kind.partition("-")[0].removesuffix("s")
                told = {
                    "kind": word,
                    "id": name,
                    "said": part,
                    "by": min(named),
                    "asked": entry.at,
                    "from": 0,
                    "end": 0,
                }
                made.setdefault(name, told)
        elif asked and kind.endswith("-revoked"):
            asked["end"] = asked["end"] and min(asked["end"], entry.at)
        elif asked and kind.endswith("-approved") and not asked["from"]:
            own = asked["said"]["expires_epoch_s"]
            longest = terms.get(f"{asked['kind']}s_s", {}).get(asked["said"]["bound"]["severity"], own)
            asked.update({"from": entry.at, "end": min(own, entry.at + longest)})
    return made, vain


def in_vain(kind: str, named: set[str], asked: Json | None, signer: str | None, terms: Json, *, revoked: bool) -> str:
    """Say why a statement counts for nothing, "" where it counts.

    It names `named`, is about `asked`, and `signer` signed it: None where that was not asked for, "" for nobody.
    """
    name, people, approvers = ", ".join(sorted(named)), terms.get("people"), terms.get("approvers")
    same = asked is not None and named == {asked["by"]}
    wrong = {
        "nobody who counts for it signed it": signer == "",
        "its key was revoked": revoked,
        f"it names {name}, and {signer or 'one person'} signed it": len(named) != 1 or signer not in (None, *named),
        f"{name} is nobody of the organisation's people": people is not None and not named <= set(people),
        "it is about something that no entry before it says": kind in ANSWERS and asked is None,
        f"{name} answers to what {name} said: a second person must": kind in SECOND and same,
        f"{name} may not approve it": kind in SECOND and approvers is not None and not named <= set(approvers),
    }
    return next((why for why, is_so in wrong.items() if is_so), "")


def holds(bound: Json, facts: Json, apart: Container[str] = ()) -> bool:
    """Tell whether what an exception was bound to is still what was last recorded of a finding.

    A rule that joined since is its scanner's word, but for rules that stood `apart`, in another finding.
    """
    values = values_of(bound["form"], facts)
    milder = RANKS.index(facts["severity"]) <= RANKS.index(bound["severity"])
    joined = {rule: scanner for rule, scanner in rules_of(facts).items() if rule not in bound.get("rules", ())}
    unseen = [rule for rule, scanner in joined.items() if bound["scanners"] and scanner not in bound["scanners"]]
    return (
        milder
        and bool(values)
        and values <= set(bound["values"])
        and not unseen
        and not any(rule in apart for rule in joined)
    )


def values_of(form: str, facts: Json) -> set[str]:
    """Give what exceptions of a form are bound to, as it was last recorded."""
    told = {"text": [facts["anchor"]], "version": [facts["package"].rpartition("@")[2]], "secret": facts["secret_macs"]}
    return set(told.get(form, ()))


def rules_of(facts: Json) -> dict[str, str]:
    """Give by which rules a finding is seen, as `scanner:rule`, each with its scanner; of none yet, none."""
    return {f"{one['scanner']}:{one['rule']}": one["scanner"] for one in facts.get("witnesses", ())}


NAMED_BY = {
    **dict.fromkeys(("finding-opened", "finding-seen-again", "finding-changed"), ("finding", "fingerprint")),
    **dict.fromkeys(("finding-closed", "finding-merged", "obligation", "obligation-superseded"), ("fingerprint",)),
    "finding-aliased": ("former", "value"),
    "finding-split": ("origin", "value"),
}
"""Where an event has the fingerprint of the finding that it is about."""
KNOWN = {
    *("ledger-created", "ledger-adopted", "run", "baseline", "inventory-stored", "artefact-bound", "checkpoint"),
    *("policy-changed", "scanner-changed", "rule-pack-changed", "mode-changed", "population-imported"),
    *("notification-sent", *SIGNED, *NAMED_BY),
}
"""Every type of entry, each of version 1."""


class Fold:
    """What became of each finding: its clock, its duties, its end. Keys are (repository, line, fingerprint).

    A duty is (basis, start, limit, number of the entry that took it back, -1 for none).
    """

    def __init__(self) -> None:
        self.live: dict[tuple[str, str, str], Json] = {}
        self.became: dict[tuple[str, str, str], tuple[str, str, str]] = {}  # what has another name, or was taken in
        self.past: list[Json] = []
        self.taken: dict[int, Json] = {}  # what each entry that took a duty back says, with the finding as it was then
        self.debts: set[tuple[str, str, int]] = set()  # lists of known debt: repository, line, the ledger's time

    def take(self, entry: Entry) -> None:
        """Take in the next entry."""
        number, at, kind, body, _ = entry
        if kind == "baseline":
            self.debts.add((body["repository"], body["line"], at))
        if kind not in NAMED_BY:
            return
        name: Any = body
        for part in NAMED_BY[kind]:
            name = name[part]
        key = (body["repository"], body["line"], name)
        if kind == "finding-opened":
            self._open(key, body, at)
        while kind == "finding-split" and key not in self.live and key in self.became:
            key = self.became[key]  # the event has the name from before the run, which may have renamed it meanwhile
        one = self.live[key]
        if kind == "finding-seen-again":
            one["closed"] = None
        elif kind == "finding-closed":
            one["closed"] = at
        elif kind == "obligation":
            one["duties"].append((body["basis"], body["start_epoch_s"], body["limit_s"], -1))
        elif kind == "obligation-superseded":
            stood = (body["basis"], body["start_epoch_s"], body["limit_s"], -1)
            one["duties"] = [(*stood[:3], number) if duty == stood else duty for duty in one["duties"]]
            held = {"facts": one["facts"], "names": set(one["names"]), "duties": list(one["duties"])}
            self.taken[number] = {"body": body, "at": at, **held}
        elif kind in ("finding-aliased", "finding-merged", "finding-split"):
            one = self._succeed(entry, key, one)
        if "finding" in body:
            see(one, body["finding"])

    def _open(self, key: tuple[str, str, str], body: Json, at: int) -> None:
        before = self.live.get(key)
        self.past += [before] if before else []
        one = {"repository": body["repository"], "line": body["line"], "start": body["start_epoch_s"], "opened": at}
        one |= {kind: set(before[kind]) if before else set() for kind in ("names", "wholes", "apart")}
        facts = before["facts"] if before else {}
        self.live[key] = {**one, "facts": facts, "episode": body["episode"], "duties": [], "closed": None}

    def _succeed(self, entry: Entry, key: tuple[str, str, str], one: Json) -> Json:
        """Let a finding have another name, take another in, or part in two; give the one that the event describes."""
        _, _, kind, body, _ = entry
        if kind == "finding-merged":
            absorbed = (*key[:2], body["absorbed"]["value"])
            gone = self.live.pop(absorbed)
            self.became[absorbed] = key
            one["duties"] += [duty for duty in gone["duties"] if duty not in one["duties"]]
            one["names"] |= {*gone["names"], gone["facts"]["fingerprint"]}
            one["wholes"] |= gone["wholes"]
            one["apart"] |= {*gone["apart"], *rules_of(one["facts"]), *rules_of(gone["facts"])}
            return one
        if kind == "finding-aliased":
            del self.live[key]
            self.became[key] = (*key[:2], body["fingerprint"])
            one["names"].add(key[2])
            one["facts"] = {**one["facts"], "fingerprint": body["fingerprint"], "algorithm": body["algorithm"]}
        else:
            part: Json = {
                "duties": list(one["duties"]),
                "names": {body["origin"]["value"]},
                "wholes": {*one["wholes"], *one["names"], one["facts"]["fingerprint"]},
                "apart": {*one["apart"], *rules_of(one["facts"]), *rules_of(body["finding"])},
                "closed": None,
                "facts": {},
            }
            one = {**one, **part, "episode": body["episode"]}
        self.live[(*key[:2], (body.get("finding") or body)["fingerprint"])] = one
        return one


def see(one: Json, facts: Json) -> None:
    """Take in what is seen of a finding. Names that it had before stay with it."""
    before = one["facts"]
    one["names"] |= {alias["value"] for alias in (*before.get("aliases", ()), *facts["aliases"])}
    old, new = set(rules_of(before)), set(rules_of(facts))
    if old & new and before["weakness"] != facts["weakness"]:  # called otherwise, its rules came from another finding
        one["apart"] |= old | new
    one["facts"] = facts


class Figures:
    """A fold judged over a time, with what people agreed on."""

    def __init__(self, fold: Fold, agreed: dict[str, Json], start: int, end: int) -> None:
        self.fold, self.agreed, self.start, self.end = fold, agreed, start, end
        self.unbacked = {number: why for number in fold.taken if (why := self._unbacked(number))}
        """Entries that took a duty back with nobody's word behind them: the duty stands."""
        waivers = [one for one in agreed.values() if one["kind"] == "waiver"]
        self.single = [one for one in waivers if one["said"]["subject"]["type"] == "finding"]
        names = {one["said"]["subject"][name] for one in self.single for name in ("fingerprint", "group")}
        self.kin: dict[tuple[str, str], list[Json]] = {}  # by repository and line, what waivers may be of
        told = [*fold.past, *fold.live.values()] if names else []
        for one in told:
            one["called"], one["group"] = {one["facts"]["fingerprint"], *one["names"]}, twins(one["facts"])
        near = {name for one in told if names & {*one["called"], one["group"]} for name in every_name(one)}
        for one in told:
            if one["group"] in names or near & every_name(one):
                self.kin.setdefault((one["repository"], one["line"]), []).append(one)

    def _unbacked(self, number: int) -> str:
        """Say why a duty was taken back for nothing, "" where a downgrade or a list of known debt is behind it."""
        taken = self.fold.taken[number]
        body, facts = taken["body"], taken["facts"]
        (kind, level), due = body["basis"].split(":")[:2], body["start_epoch_s"] + body["limit_s"]
        if kind != "severity" or level not in RANKS:
            return "only a duty of a severity is taken back"
        if not body["downgrade"]:
            told = any(
                basis.startswith("baseline:")
                and body["start_epoch_s"] <= start <= due
                and RANKS.index(level) <= RANKS.index(basis.split(":")[1])
                and (body["repository"], body["line"], start) in self.fold.debts
                for basis, start, _, _ in taken["duties"]
            )
            return "" if told else "it names no downgrade, and no list of known debt took its place"
        one = self.agreed.get(body["downgrade"], {"kind": ""})
        if one["kind"] != "downgrade" or not one["from"]:
            return "no second person approved a downgrade of that id"
        said, bound, subject = one["said"], one["said"]["bound"], one["said"]["subject"]
        named = subject["fingerprint"] in {facts["fingerprint"], *taken["names"]} or subject["group"] == twins(facts)
        of_it = RANKS.index(said["severity"]) < RANKS.index(level) <= RANKS.index(bound["severity"])
        wrong = {
            "the downgrade was approved after the duty was due": one["from"] > due,
            "the downgrade did not hold then": not one["from"] <= taken["at"] < one["end"],
            "the downgrade is of another finding": not named or subject["repository"] != body["repository"],
            "the downgrade was bound to what the finding was no longer": not holds(bound, facts),
            "the downgrade is of no such duty": not of_it,
        }
        return next((why for why, is_so in wrong.items() if is_so), "")

    def duties(self) -> Iterator[Json]:
        """Give each finding with a duty that was due in the time, or overdue in it, or is not yet due, with its result.

        It is due at start + limit, the earliest that stands.
        """
        for one in [*self.fold.past, *self.fold.live.values()]:
            standing = [duty for duty in one["duties"] if duty[3] < 0 or duty[3] in self.unbacked]
            due, closed = min((start + limit for _, start, limit, _ in standing), default=0), one["closed"]
            if standing and not (due < self.start and closed is not None and closed <= self.start):
                row = {name: one[name] for name in ("repository", "line", "episode", "start", "closed")}
                row |= {name: one["facts"][name] for name in ("fingerprint", "severity")}
                yield {**row, "due": due, "result": self._result(one, due)}

    def _result(self, one: Json, due: int) -> str:
        closed = one["closed"]
        end = self.end if closed is None else closed
        if due >= self.end:
            return "not yet due"
        if closed is not None and closed <= due:
            return "met"
        there = self.kin.get((one["repository"], one["line"]), [])
        kin = [twin for twin in there if twin is one or twin["opened"] <= due < (twin["closed"] or due + 1)]
        kin.sort(key=lambda twin: [twin["facts"][name] for name in ("path", "start_line", "ordinal", "fingerprint")])
        waivers = [said for said in self.single if in_force(said, due)]
        waivers = [said for said in waivers if said["said"]["subject"]["repository"] == one["repository"]]
        waivers.sort(key=lambda said: (-said["end"], said["id"]))
        held = share_out(kin, waivers)
        own = {name for name, at in held.items() if kin[at] is one}
        own |= {name for name in one.get("called", ()) if name not in held}
        mine = [said for said in self.agreed.values() if self._covers(said, one, due, own) and fits(said["said"], one)]
        if not mine:
            together = [said for at, used in complete(kin, waivers, held).items() if kin[at] is one for said in used]
            mine = together if all(said["end"] >= end for said in together) else []
        holding = [said for said in mine if said["end"] >= end]
        if any(said["said"]["kind"] == "accept" for said in holding):
            return "excepted"
        return "dismissed" if holding else "overdue" if closed is None else "missed"

    @staticmethod
    def _covers(said: Json, one: Json, due: int, own: set[str]) -> bool:
        """Tell whether a waiver is of a finding, which `own` names, and was in force when it was due."""
        if not in_force(said, due):
            return False
        facts, subject = one["facts"], said["said"]["subject"]
        of_it = False
        if subject["type"] == "finding":
            of_it = subject["fingerprint"] in own and subject["repository"] == one["repository"]
        elif subject["type"] == "advisory":
            ecosystem, _, rest = facts["package"].partition("/")
            same = package(ecosystem, rest.rpartition("@")[0]) == package(subject["ecosystem"], subject["package"])
            of_it = subject["advisory"].upper() in {name.upper() for name in facts["advisories"]}
            of_it = of_it and same and one["repository"] in subject["repositories"]
        return of_it


def package(ecosystem: str, name: str) -> tuple[str, str]:
    """Give what is equal for equal packages: on the Python index case does not count, and `-`, `_` and `.` are one."""
    ecosystem = ecosystem.lower()
    return ecosystem, re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "pypi" else name


def in_force(said: Json, at: int) -> bool:
    """Tell whether a waiver was approved by a time and holds beyond it."""
    return bool(said["kind"] == "waiver" and 0 < said["from"] <= at < said["end"])


def share_out(kin: Sequence[Json], waivers: Sequence[Json]) -> dict[str, int]:
    """Give which finding, as an index, has the waivers of each name: of twins as many are waived as there are waivers.

    First come those that name a finding as it is called now, then as it was. What is left over goes to its twins, where
    need be by giving others another one; what no longer fits the very finding that it names goes to none.
    """
    offers: dict[str, list[Json]] = {}
    for said in waivers:
        offers.setdefault(said["said"]["subject"]["fingerprint"], []).append(said["said"])
    held: dict[str, int] = {}
    for is_former in (False, True):
        for at, twin in enumerate(kin):
            names = sorted(every_name(twin)) if is_former else [twin["facts"]["fingerprint"]]
            free = (name for name in names if name in offers and name not in held)
            found = next((name for name in free if any(fits(one, twin) for one in offers[name])), "")
            if found and at not in held.values():
                held[found] = at
    for name, asked in list(offers.items()):
        named = [] if name in held else [twin for twin in kin if name in every_name(twin)]
        offers[name] = [one for one in asked if all(fits(one, twin) for twin in named)]
    left = [name for name in offers if name not in held]
    for at in range(len(kin)):
        if at not in held.values():
            exchange(at, kin, {name: offers[name] for name in left}, held)
    return held


def every_name(one: Json) -> set[str]:
    """Give what a finding is or was called, and what it was a part of."""
    return {*one["called"], *one.get("wholes", ())}


def fits(asked: Json, one: Json) -> bool:
    """Tell whether a waiver of a finding, under any of its names, or of its advisory, holds for it alone.

    One that names what it was a part of must have been given for each of its rules.
    """
    if asked["subject"]["type"] != "finding":
        return holds(asked["bound"], one["facts"])
    name = asked["subject"]["fingerprint"]
    is_whole = name in one["wholes"] and name != one["facts"]["fingerprint"]
    looked_at = {rule.partition(":")[2].upper() for rule in asked["bound"].get("rules", ())}
    # Rules that see an advisory are names of it.
    is_it = asked["bound"]["form"] == "version" and looked_at & {
        name.upper() for name in one["facts"].get("advisories", ())
    }
    apart = () if is_it else one["apart"]
    return holds(asked["bound"], one["facts"], rules_of(one["facts"]) if is_whole else apart)


def complete(kin: Sequence[Json], waivers: Sequence[Json], held: dict[str, int]) -> dict[int, list[Json]]:
    """Give, by index, the fewest waivers that hold together for what an edited crosswalk parted or put together.

    The waivers of one name serve several parts where these are at one place and have no rule in common.
    """
    users = {name: [kin[at]] for name, at in held.items()}
    found: dict[int, list[Json]] = {}
    for at, one in enumerate(kin):
        if at in held.values():
            continue
        rules, names = set(rules_of(one["facts"])), every_name(one)
        names |= {name for name, user in held.items() if every_name(kin[user]) & names}
        mine = []
        for said in waivers:
            name, bound = said["said"]["subject"]["fingerprint"], said["said"]["bound"]
            is_of_it = rules & set(bound.get("rules", ())) and values_of(bound["form"], one["facts"]) & {
                *bound["values"]
            }
            if (
                name in names
                and is_of_it
                and all(
                    place(user) == place(one) and not rules & set(rules_of(user["facts"]))
                    for user in users.get(name, ())
                )
            ):
                mine.append(said)
        count = next((count for count in range(1, len(mine) + 1) if enough(mine[:count], one)), 0)
        used = mine[:count]
        for said in list(used):
            rest = [other for other in used if other is not said]
            used = rest if enough(rest, one) else used
        if used:
            found[at] = used
            for name in {said["said"]["subject"]["fingerprint"] for said in used}:
                users.setdefault(name, []).append(one)
    return found


def enough(offers: Sequence[Json], one: Json) -> bool:
    """Tell whether all that is seen of a finding was looked at by those who asked for these waivers."""
    bounds = [said["said"]["bound"] for said in offers]
    if len({bound["form"] for bound in bounds}) != 1 or not all(bound["scanners"] for bound in bounds):
        return False
    whole: Json = {part: [value for each in bounds for value in each[part]] for part in ("values", "scanners", "rules")}
    whole |= {"form": bounds[0]["form"], "severity": max((each["severity"] for each in bounds), key=RANKS.index)}
    return holds(whole, one["facts"], rules_of(one["facts"]))


def place(one: Json) -> tuple[str, str]:
    """Give where a finding is, as far as all parts of one whole agree."""
    return one["facts"]["path"], one["facts"]["symbol"]


def exchange(wanting: int, kin: Sequence[Json], offers: dict[str, list[Json]], held: dict[str, int]) -> None:
    """Give a twin one of `offers` to its group, by the shortest way of exchanges, where there is one."""
    came: dict[str, int] = {}
    waiting = [wanting]
    while waiting:
        at = waiting.pop(0)
        for name in [name for name in offers if name not in came]:
            mine = [one for one in offers[name] if one["subject"]["group"] == kin[wanting]["group"]]
            if not any(fits(one, kin[at]) for one in mine):
                continue
            came[name] = at
            if name in held:
                waiting.append(held[name])
                continue
            passed = name
            while passed:
                before = next((one for one, holder in held.items() if holder == came[passed]), "")
                held[passed] = came[passed]
                passed = before
            return


def twins(facts: Json) -> str:
    """Give the name of the group of equal statements that a finding is in."""
    alone = facts["fingerprint"] if facts["lane"] in ("secrets", "dependencies") else ""
    parts = [facts["algorithm"], "twins", facts["weakness"], facts["path"], facts["symbol"], facts["anchor"], "", alone]
    return sha("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hex()


def figures(log: Log, found: Figures) -> Json:
    """Count entries and runs, and say for each severity how its duties stand; adherence = met / due."""
    duties = sorted(found.duties(), key=lambda row: [row[by] for by in ("due", "repository", "line", "fingerprint")])
    table: dict[str, Json] = {}
    for row in duties:
        line = table.setdefault(row["severity"], dict.fromkeys((*DUE, *ASIDE), 0))
        line[row["result"]] += 1
    for line in table.values():
        line["due"] = sum(line[name] for name in DUE)
        line["adherence"] = f"{line['met']}/{line['due']}"
    told = {"from_epoch_s": found.start, "to_epoch_s": found.end, "entries": log.counts, "runs": log.runs}
    told["unknown"] = log.unknown
    told |= {"severities": table, "duties": duties, "taken_back": len(found.fold.taken)}
    return {**told, "taken_back_for_nothing": {str(number): why for number, why in found.unbacked.items()}}


def report(told: Json) -> Iterator[str]:
    start, end = (datetime.fromtimestamp(told[name], timezone.utc) for name in ("from_epoch_s", "to_epoch_s"))
    if odd := told["unknown"]:
        yield f"unknown      {len(odd)} of another type or version, from entry {odd[0]} on: in no figure"
    yield "runs         " + (", ".join(f"{count} {name}" for name, count in sorted(told["runs"].items())) or "none")
    since = f"{start:%Y-%m-%d %H:%M} to " if told["from_epoch_s"] else "until "
    yield f"duties       {since}{end:%Y-%m-%d %H:%M} UTC; adherence = met / (met + excepted + missed + overdue)"
    for number, why in told["taken_back_for_nothing"].items():
        yield f"  entry {number} took a duty back for nothing, and it stands: {why}"
    for severity, line in sorted(told["severities"].items()):
        parts = ", ".join(f"{line[name]} {name}" for name in (*DUE, *ASIDE))
        yield f"  {severity:<10} {line['adherence']:>9}   {parts}"


# ---------------------------------------------------------------------------------------------------------- the call


def fail(what: str) -> NoReturn:
    print(f"verify.py: {what}", file=sys.stderr)
    sys.exit(2)


def shown(text: str) -> str:
    """Give a line without what a terminal would obey: an export is anybody's text."""
    return "".join(one if one.isprintable() else "?" for one in text)[:2000]


def existing(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def moment(text: str) -> int:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date: write 2026-03-31, or 2026-03-31T12:00:00Z") from None
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def verify(given: argparse.Namespace) -> Iterator[str]:
    """Check everything in turn, and say what was checked."""
    folder: Path = given.folder
    if given.proof:
        heads = [Sealed(one.read_bytes()).said for one in given.checkpoint]
        yield "proof        " + check_proof(given.proof, [(one["size"], one["root"]) for one in heads])
        yield "holds, and one of its heads is a checkpoint's" if heads else "holds, and is worth as much as its head"
        return
    for place in filter(None, (folder, given.earlier)):
        if not (place / "manifest.json").is_file():
            fail(f"{place} is no export: manifest.json is not in it")
    if given.to and given.start >= given.to:
        fail("the time ends before it begins: give a later --to")
    place = given.terms or folder / "terms.json"
    terms = read(content(place)) if given.terms or place.exists() else {}
    signers = Signers(given.signers, given.authorities, terms.get("revoked", {}))
    if given.earlier:
        # First, since it alone can tell where a past that was made to fit begins.
        yield "earlier      " + check_earlier(folder, given.earlier)
    log = Log(folder, until=given.to)
    changed = check_manifest(log, folder)
    yield f"entries      {log.size}, root {log.roots[-1].hex()}"
    kept = check_checkpoints(log, folder, given.checkpoint, signers)
    reach = max((one["size"] for one in kept if one.get("is_given")), default=0)
    yield from tell_checkpoints(log, kept, reach, given.newer_than)
    yield from check_blobs(log, folder, changed)
    check_bindings(log, folder, signers)
    if count := len(log.kept["artefact-bound"]):
        yield f"bindings     {count} artefact{'s' * (count > 1)}, each to the commit of a run before it"
    who, said = check_statements(log, signers), {one.number: one for one in log.kept["statement"]}
    forged = [number for number, name in who.items() if not name]
    if signers.is_asked and not forged:
        yield f"signatures   {len(who)} statements and {len(kept)} checkpoints, each by somebody who counts for it"
    elif not signers.is_asked:
        yield "signatures   not checked: give --signers, best with a file that you had from elsewhere"
    yield f"terms        {place}" if terms else "terms        none: exceptions last as long as they say"
    agreed, vain = agreements(log, terms, signers, who)
    for number, why in vain.items():
        yield f"  entry {number}, {said[number].type}, counts for nothing: {why}"
    told = figures(log, Figures(log.fold, agreed, given.start, given.to or log.last + 1))
    yield from report(told)
    if given.json:
        given.json.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")
    why = "the blob {} was changed in the ledger before the export"
    bad = [Bad(one["entry"], why.format(one["digest"])) for one in changed.values()]
    why = "its signature as a {} is by nobody who counts for it: it may be forged"
    bad += [Bad(number, why.format(said[number].type)) for number in forged]
    if bad:
        raise min(bad, key=lambda one: one.entry if one.entry >= 0 else log.size)
    rest = f"; nothing but itself vouches for the {log.size - reach} behind them" if reach < log.size else ""
    yield f"holds: {reach} of its {log.size} entries are those that a checkpoint from elsewhere is of{rest}"


def main() -> int:
    """Read the call, check, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    for name, kind, text in (
        ("signers", existing, "an allowed_signers file: whose keys count"),
        ("authorities", existing, "certificates (PEM): every checkpoint needs their timestamp"),
        ("earlier", Path, "an export that was made before"),
        ("newer-than", moment, "the newest checkpoint must be"),
        ("to", moment, "judge duties as of then, by the entries before; by default by all entries"),
        ("terms", existing, "longest lives, approvers, revoked keys; by default those of the export"),
        ("json", Path, "write the figures and every duty to a file"),
        ("proof", existing, "check a proof instead of an export"),
    ):
        parser.add_argument(f"--{name}", type=kind, help=text, default=0 if kind is moment else None)
    parser.add_argument("--from", dest="start", type=moment, default=0, help="judge what was due or overdue since")
    parser.add_argument("--checkpoint", action="append", type=existing, default=[], help="a signed head that you kept")
    try:
        for line in verify(parser.parse_args()):
            print(shown(line))
    except Bad as bad:
        print(shown(f"DOES NOT VERIFY: {bad.what}"))
        if bad.entry >= 0:
            print(f"first bad entry: {bad.entry}")
        return 1
    except (OSError, *UNREADABLE) as error:
        print(shown(f"DOES NOT VERIFY: it cannot be read: {error!r}"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
