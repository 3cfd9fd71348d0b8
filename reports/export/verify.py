"""Verify an export of a secgate ledger with nothing of secgate: entries, tree, checkpoints, blobs, signatures, figures.

    python3 verify.py [DIR] [--checkpoint FILE]... [--signers FILE] [--authorities FILE]
                      [--earlier DIR] [--newer-than DATE] [--at DATE] [--json FILE] [--proof FILE]

Only Python's standard library (3.9 or later) is needed. Signatures are checked where --signers names an allowed_signers
file, by ssh-keygen (OpenSSH 8.9) and openssl (1.1.1). Exit 0: all that was asked for holds. 1: something does not, the
first bad entry is named. 2: the call is wrong, or a program that is needed is not there.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

Json = dict[str, Any]
KEYS = ["at_epoch_s", "body", "previous_root", "sequence", "type", "version"]
PARTS = {"requested": ("request", "requester"), "approved": ("approval", "approver"), "revoked": ("revocation", "by")}
SIGNED = {
    f"{name}-{end}": (f"secgate-{name.replace('waivers', 'waiver')}-{part}", field)
    for name in ("waiver", "waivers", "downgrade")
    for end, (part, field) in PARTS.items()
} | {
    "override-given": ("secgate-override", "by"),
    "override-reviewed": ("secgate-override-review", "by"),
    "gate-reviewed": ("secgate-gate-review", "by"),
    "secret-revoked": ("secgate-secret-revocation", "by"),
}
"""By an entry's type: what its signature is for, and who has to sign."""
FIRST = (
    *("waiver-requested", "waivers-requested", "downgrade-requested", "override-given"),
    *("gate-reviewed", "secret-revoked"),
)
"""What stands by itself, or others answer to: the rest are about a statement that one of these made."""
SOURCE = ("repository", "commit", "tree")
BLOBS = (
    *("document_digest", "input_digest", "checkpoint_digest", "statement_digest", "signature_digest"),
    *("rows_digest", "inventory_digest"),
)
CHECKPOINT_TYPE = "application/vnd.secgate-checkpoint+json"
ATTESTATION_TYPE = "application/vnd.in-toto+json"


class Bad(Exception):  # noqa: N818 - what it says reads better so
    """What does not hold, and at which entry (-1 where none can be named)."""

    def __init__(self, entry: int, what: str) -> None:
        super().__init__(what)
        self.entry, self.what = entry, what


# ---------------------------------------------------------------------------------------- the tree, as in RFC 6962


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def grow(peaks: list[bytes], size: int, leaf: bytes) -> None:
    """Add a leaf to a tree of `size` leaves; `peaks` are the roots of its perfect subtrees, largest first."""
    node = leaf
    while size & 1:
        node, size = sha(b"\x01", peaks.pop(), node), size >> 1
    peaks.append(node)


def root_of(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return sha()
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = sha(b"\x01", peak, node)
    return node


def folded(place: int, last: int, first: bytes, second: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes, bool]:
    """Walk a proof upwards (RFC 9162, 2.1.3.2 and 2.1.4.2): give both roots, and whether it had the right length."""
    for step in path:
        if last == 0:
            return first, second, False
        if place & 1 or place == last:
            first, second = sha(b"\x01", step, first), sha(b"\x01", step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = sha(b"\x01", second, step)
        place, last = place >> 1, last >> 1
    return first, second, last == 0


def check_proof(file: Path, heads: Sequence[tuple[int, str]]) -> str:
    """Check a proof by itself, and that it is of one of `heads` where there are any."""
    proof = json.loads(file.read_bytes())
    path = [bytes.fromhex(step) for step in proof["path"]]
    if proof["format"] == "secgate-inclusion":
        data, place, new = proof["entry"].encode(), proof["sequence"], proof["head"]
        leaf = sha(b"\x00", data)
        _, root, whole = folded(place, new["size"] - 1, leaf, leaf, path)
        good = whole and 0 <= place < new["size"] and root.hex() == new["root"]
        good = good and json.loads(data)["sequence"] == place
        mine, told = [new], f"entry {place} is one of the {new['size']} with root {new['root']}"
    else:
        old, new = proof["old"], proof["new"]
        mine, told = [old, new], f"the {new['size']} entries with root {new['root']} have grown from {old['size']}"
        if old["size"] == new["size"]:
            good = not path and old["root"] == new["root"]
        else:
            if old["size"] & (old["size"] - 1) == 0:
                path.insert(0, bytes.fromhex(old["root"]))
            place, last = old["size"] - 1, new["size"] - 1
            while place & 1:
                place, last = place >> 1, last >> 1
            first, second, whole = folded(place, last, path[0], path[0], path[1:]) if path else (b"", b"", False)
            good = whole and old["size"] >= 1 and (first.hex(), second.hex()) == (old["root"], new["root"])
    if not good:
        raise Bad(-1, f"{file}: the proof does not hold")
    if heads and not any((one["size"], one["root"]) in heads for one in mine):
        raise Bad(-1, f"{file}: the proof holds, but of no head that a checkpoint has")
    return told


# ------------------------------------------------------------------------------------------------------- the entries


def lines(folder: Path) -> Iterator[bytes]:
    for file in sorted((folder / "entries").glob("*.jsonl")):
        with file.open("rb") as stream:
            yield from stream


class Log:
    """Every entry verified, one after the other; of most nothing is kept but what the checks to come need."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self.ledger_id = ""
        self.roots = [sha()]
        """Over the first 0, 1, 2 ... entries."""
        self.leaves: list[bytes] = []
        self.checkpoints: list[tuple[int, Json]] = []
        self.statements: list[tuple[int, Json]] = []
        self.bindings: list[tuple[int, Json]] = []
        self.sources: dict[str, tuple[str, str, str]] = {}
        """Of each run: repository, commit, tree."""
        self.named: dict[str, int] = {}
        """Digests of blobs, and the first entry that names each."""
        self.counts: dict[str, int] = {}
        self.runs: dict[str, int] = {}
        self.fold = Fold()
        peaks: list[bytes] = []
        last = 0
        for line in lines(folder):
            number = self.size
            if not line.endswith(b"\n"):
                raise Bad(number, "the file is cut off within it")
            data = line[:-1]
            entry = self._read(number, data)
            if entry["previous_root"] != self.roots[-1].hex():
                if not number:
                    raise Bad(number, "it was not written as the first one")
                raise Bad(number - 1, f"it is not what it was when entry {number} was written")
            if entry["at_epoch_s"] < last:
                raise Bad(number, "its time lies before that of the entry before it")
            last = entry["at_epoch_s"]
            self.leaves.append(sha(b"\x00", data))
            grow(peaks, number, self.leaves[-1])
            self.roots.append(root_of(peaks))
            self.size += 1
            self._note(number, entry)

    def _note(self, number: int, entry: Json) -> None:
        kind, body = entry["type"], entry["body"]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "ledger-created":
            self.ledger_id = str(body.get("ledger_id", ""))
        elif kind == "run":
            outcome = body.get("outcome") or "undecided"
            self.runs[outcome] = self.runs.get(outcome, 0) + 1
            self.sources[str(body.get("run_id"))] = tuple(body.get(name) for name in SOURCE)
        elif kind == "checkpoint":
            self.checkpoints.append((number, entry))
        elif kind == "artefact-bound":
            if self.sources.get(str(body.get("run_id"))) != tuple(body.get(name) for name in SOURCE):
                raise Bad(number, "no run before it was of the commit that it binds an artefact to")
            self.bindings.append((number, entry))
        elif kind in SIGNED:
            self.statements.append((number, entry))
        for field in BLOBS:
            if body.get(field):
                self.named.setdefault(body[field], number)
        self.fold.take(number, entry)

    @staticmethod
    def _read(number: int, data: bytes) -> Json:
        try:
            entry: Json = json.loads(data)
            head = f'{{"at_epoch_s":{entry["at_epoch_s"]},"body":{{'
            tail = f'"previous_root":"{entry["previous_root"]}","sequence":{entry["sequence"]},'
            tail = f'}},{tail}"type":"{entry["type"]}","version":{entry["version"]}}}'
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Bad(number, f"it is no entry: {error}") from error
        if sorted(entry) != KEYS or not data.startswith(head.encode()) or not data.endswith(tail.encode()):
            raise Bad(number, "its bytes are not in the form in which entries are written")
        if entry["sequence"] != number:
            raise Bad(number, f"entry {entry['sequence']} stands in its place")
        return entry


def check_manifest(log: Log, folder: Path) -> Json:
    manifest: Json = json.loads((folder / "manifest.json").read_bytes())
    if (manifest["format"], manifest["version"]) != ("secgate-export", 1):
        raise Bad(-1, "manifest.json is of another form than this program reads")
    if log.size != manifest["size"]:
        raise Bad(log.size, f"{log.size} entries are there, and the manifest says {manifest['size']}")
    if (log.roots[-1].hex(), log.ledger_id) != (manifest["root"], manifest["ledger_id"]):
        raise Bad(-1, "the entries are not those that the manifest is of")
    return manifest


def check_earlier(log: Log, folder: Path) -> str:
    """Hold the entries against those of an export that was made before: each must be the same."""
    count = 0
    for number, line in enumerate(lines(folder)):
        if number >= log.size:
            raise Bad(log.size, "it is in the earlier export and is gone")
        if sha(b"\x00", line.rstrip(b"\n")) != log.leaves[number]:
            raise Bad(number, "it is another one in the earlier export")
        count += 1
    return f"{count} entries are those of {folder}"


# --------------------------------------------------------------------------------------- checkpoints and signatures


class Signers:
    """Whose keys count: an allowed_signers file, read for Ed25519 keys; ssh-keygen reads it for itself."""

    def __init__(self, file: Path | None, authorities: Path | None) -> None:
        self.file, self.authorities = file, authorities
        self.keys: list[tuple[str, list[str], bytes, Json]] = []
        for line in file.read_text("utf-8").splitlines() if file else ():
            words = line.split()
            at = next((index for index, word in enumerate(words) if word == "ssh-ed25519"), 0)
            if line.startswith("#") or not at:
                continue
            options = dict(part.split("=", 1) for part in words[1].replace('",', '"\n').split("\n") if "=" in part)
            plain = {name: value.strip('"') for name, value in options.items()}
            blob = base64.b64decode(words[at + 1])
            self.keys.append((words[0], plain.get("namespaces", "").split(","), blob, plain))

    def machine(self, namespace: str, message: bytes, signature: bytes, at_epoch_s: int) -> str:
        """Give whose Ed25519 key made a signature, "" for nobody's that counts for it at that time."""
        at = datetime.fromtimestamp(at_epoch_s, timezone.utc).strftime("%Y%m%d%H%M%S")
        for principal, namespaces, blob, options in self.keys:
            after, before = options.get("valid-after", ""), options.get("valid-before", "9")
            if not any(fits(one, namespace) for one in namespaces) or not after.rstrip("Z") <= at <= before.rstrip("Z"):
                continue
            if openssl_verifies(blob[-32:], message, signature):
                return principal
        return ""

    def person(self, namespace: str, statement: bytes, signature: bytes, at_epoch_s: int) -> str:
        """Give who signed a statement, "" for nobody who counts for it at that time."""
        at = datetime.fromtimestamp(at_epoch_s, timezone.utc).strftime("verify-time=%Y%m%d%H%M%SZ")
        with tempfile.TemporaryDirectory() as folder:
            armour = Path(folder, "signature")
            armour.write_bytes(signature)
            files = ["-f", str(self.file), "-s", str(armour), "-O", at]
            found = run(["ssh-keygen", "-Y", "find-principals", *files], b"")
            who = found.stdout.decode().split()
            if found.returncode or len(who) != 1:
                return ""
            argv = ["ssh-keygen", "-Y", "verify", "-I", who[0], "-n", namespace, *files]
            return "" if run(argv, statement).returncode else who[0]


def fits(pattern: str, namespace: str) -> bool:
    return pattern == namespace or (pattern.endswith("*") and namespace.startswith(pattern[:-1]))


def run(argv: Sequence[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(argv, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        fail(f"{argv[0]} is needed to check signatures and is not there")


def openssl_verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    der = bytes.fromhex("302a300506032b6570032100") + key  # SubjectPublicKeyInfo of Ed25519, RFC 8410
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key", der), ("message", message), ("signature", signature)):
            Path(folder, name).write_bytes(data)
        argv = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", f"{folder}/key"]
        argv += ["-in", f"{folder}/message", "-sigfile", f"{folder}/signature"]
        return run(argv, b"").returncode == 0


def encoded(kind: str, payload: bytes) -> bytes:
    """Give what is signed of a DSSE envelope."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def check_bindings(log: Log, folder: Path, signers: Signers) -> int:
    """Check that each attestation that is here says what its entry says, and who signed it."""
    for number, entry in log.bindings:
        body = entry["body"]
        file = folder / "blobs" / body["statement_digest"][:2] / body["statement_digest"][2:]
        if not file.exists():
            continue
        try:
            envelope = json.loads(file.read_bytes())
            payload = base64.b64decode(envelope["payload"])
            said = json.loads(payload)
            run, (kind, _, value) = said["predicate"], body["artifact"].partition(":")
            told = [run["runId"], run["repository"], run["source"]["commit"], run["source"]["tree"]]
            same = told == [body["run_id"], *(body[name] for name in SOURCE)]
            same = same and any(one["digest"].get(kind) == value for one in said["subject"])
            signatures = [base64.b64decode(one["sig"]) for one in envelope["signatures"]]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise Bad(number, f"the attestation that it rests on does not read: {error!r}") from error
        if not same:
            raise Bad(number, "the attestation that it rests on says something else")
        if signers.file:
            message = encoded(ATTESTATION_TYPE, payload)
            who = [signers.machine("in-toto", message, one, entry["at_epoch_s"]) for one in signatures]
            if envelope.get("payloadType") != ATTESTATION_TYPE or not any(one.startswith("machine:") for one in who):
                raise Bad(number, "nobody who counts for it signed the attestation that it rests on")
    return len(log.bindings)


def check_checkpoint(log: Log, data: bytes, name: str, *, entry: int, signers: Signers) -> Json:
    """Hold the log against one signed head. `entry` is the one that speaks of it, -1 for one that was handed in."""
    try:
        envelope = json.loads(data)
        payload = base64.b64decode(envelope["payload"])
        kept = json.loads(payload)
        size, root, ledger = kept["size"], kept["root"], kept["ledger_id"]
        signatures = [base64.b64decode(one["sig"]) for one in envelope["signatures"]]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise Bad(entry, f"{name}: this is no checkpoint: {error}") from error
    if ledger != log.ledger_id:
        raise Bad(entry, f"{name}: the checkpoint is of another ledger")
    if signers.file:
        message = encoded(CHECKPOINT_TYPE, payload)
        who = [signers.machine("secgate-checkpoint", message, one, kept["at_epoch_s"]) for one in signatures]
        if envelope.get("payloadType") != CHECKPOINT_TYPE or not any(who):
            raise Bad(entry, f"{name}: nobody who counts for it signed this checkpoint")
        kept["signed_by"] = next(filter(None, who))
    if size > log.size:
        raise Bad(log.size, f"{name}: the checkpoint is of {size} entries: the tail was cut off")
    if signers.authorities and not any(stamped(one, signatures[0], signers) for one in envelope.get("timestamps", [])):
        raise Bad(entry, f"{name}: no timestamp of this checkpoint is by an authority that counts")
    if log.roots[size].hex() != root:
        raise Bad(entry, f"{name}: one of the entries 0 to {size - 1} is not what it was when the checkpoint was made")
    return kept  # type: ignore[no-any-return]


def stamped(answer: str, signature: bytes, signers: Signers) -> bool:
    """Ask openssl whether an RFC 3161 answer (base64) is over a signature, by an authority that counts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "answer").write_bytes(base64.b64decode(answer))
        Path(folder, "signature").write_bytes(signature)
        argv = ["openssl", "ts", "-verify", "-in", f"{folder}/answer", "-data", f"{folder}/signature"]
        return run([*argv, "-CAfile", str(signers.authorities)], b"").returncode == 0


def check_checkpoints(log: Log, folder: Path, given: Sequence[Path], signers: Signers) -> list[Json]:
    """Check those that entries speak of, those in the export, and those that were handed in."""
    found: list[Json] = []
    for number, one in log.checkpoints:
        body, file = one["body"], folder / "checkpoints" / f"{number:06}.json"
        if body["size"] > number or log.roots[body["size"]].hex() != body["root"]:
            raise Bad(number, "the head that it says was signed is not that of the entries before it")
        if not file.exists():
            continue
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != body["checkpoint_digest"]:
            raise Bad(number, f"{file.name} is not the checkpoint that it says was put elsewhere: another was put back")
        found.append(check_checkpoint(log, data, file.name, entry=number, signers=signers))
    handed = sorted((folder / "checkpoints").glob("given-*.json"))
    for file in [*handed, *given]:
        kept = check_checkpoint(log, file.read_bytes(), str(file), entry=-1, signers=signers)
        found.append(kept)
    return found


def requests_in(body: Json) -> list[tuple[str, Json]]:
    """Give (id, request) of each that a statement makes; the id is the digest of the request's exact bytes."""
    said = json.loads(body["statement"])
    if "requests" not in said:
        return [(hashlib.sha256(body["statement"].encode()).hexdigest(), said)]
    parts = [
        (json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False), one) for one in said["requests"]
    ]
    return [(hashlib.sha256(text.encode()).hexdigest(), one) for text, one in parts]


def check_statements(log: Log, signers: Signers) -> int:
    """Check who signed what people said, and that nobody approved, or reviewed, what they said themselves."""
    made: dict[str, str] = {}
    for number, one in log.statements:
        namespace, field = SIGNED[one["type"]]
        statement, signature = one["body"]["statement"].encode(), one["body"]["signature"].encode()
        said = requests_in(one["body"])
        who = signers.person(namespace, statement, signature, one["at_epoch_s"])
        if not who or any(part[field] != who for _, part in said):
            raise Bad(number, f"its signature as a {one['type']} is by nobody who counts for it: it may be forged")
        if one["type"] in FIRST:
            made.update((name, who) for name, _ in said)
            continue
        answered = said[0][1].get("request") or said[0][1].get("override")
        if answered not in made:
            raise Bad(number, "it is about something that no entry before it says")
        if not one["type"].endswith("-revoked") and made[answered] == who:
            raise Bad(number, f"{who} answers to what {who} said: a second person must")
    return len(log.statements)


def check_blobs(log: Log, folder: Path) -> tuple[int, int]:
    """Check that each blob is what it is called; give how many there are, and how many that entries name are not."""
    held = set()
    for file in sorted((folder / "blobs").glob("*/*")):
        digest = file.parent.name + file.name
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise Bad(log.named.get(digest, -1), f"the blob {digest} that it names was changed")
        held.add(digest)
    return len(held), len(log.named.keys() - held)


# --------------------------------------------------------------------------------------------------- the figures anew

DUE = ("met", "excepted", "missed", "overdue")
ASIDE = ("dismissed", "not yet due")
"""What becomes of a duty: what counts as due, and what is counted apart."""


class Fold:
    """What became of each finding: its clock, its duties, its end. Keys are (repository, line, fingerprint)."""

    def __init__(self) -> None:
        self.live: dict[tuple[str, str, str], Json] = {}
        self.past: list[Json] = []
        self.waivers: dict[str, Json] = {}
        self.steps: dict[str, Callable[[Json, int], None]] = {
            "finding-opened": self._opened,
            "finding-seen-again": self._again,
            "finding-changed": lambda body, _: self._at(body, body["finding"]["fingerprint"]).update(self._facts(body)),
            "finding-closed": lambda body, at: self._at(body, body["fingerprint"]).update(closed=at),
            "finding-aliased": self._aliased,
            "finding-merged": self._merged,
            "finding-split": self._split,
            "obligation": self._added,
            "obligation-superseded": self._superseded,
            "waiver-requested": self._requested,
            "waivers-requested": self._requested,
            "waiver-approved": lambda body, at: self._said(body).setdefault("from", at),
            "waiver-revoked": lambda body, at: self._said(body).setdefault("revoked", at),
        }

    def take(self, number: int, entry: Json) -> None:
        """Take in the next entry."""
        step = self.steps.get(entry["type"])
        if step is not None and entry["version"] == 1:
            try:
                step(entry["body"], entry["at_epoch_s"])
            except (KeyError, TypeError, ValueError) as error:
                raise Bad(number, f"it cannot follow on the entries before it: {error!r}") from error

    @staticmethod
    def _key(body: Json, fingerprint: str) -> tuple[str, str, str]:
        return body["repository"], body["line"], fingerprint

    def _at(self, body: Json, fingerprint: str) -> Json:
        return self.live[self._key(body, fingerprint)]

    @staticmethod
    def _facts(body: Json) -> Json:
        return {name: body["finding"][name] for name in ("fingerprint", "severity")}

    @staticmethod
    def _duty(body: Json) -> tuple[str, int, int]:
        return body["basis"], body["start_epoch_s"], body["limit_s"]

    def _added(self, body: Json, _: int) -> None:
        self._at(body, body["fingerprint"])["duties"].append((*self._duty(body), True))

    def _opened(self, body: Json, _: int) -> None:
        key = self._key(body, body["finding"]["fingerprint"])
        if key in self.live:
            self.past.append(self.live.pop(key))
        facts = {"repository": body["repository"], "line": body["line"], "start": body["start_epoch_s"]}
        self.live[key] = {**facts, **self._facts(body), "duties": [], "closed": None, "names": []}

    def _again(self, body: Json, _: int) -> None:
        self._at(body, body["finding"]["fingerprint"]).update(self._facts(body), closed=None)

    def _aliased(self, body: Json, _: int) -> None:
        one = self.live.pop(self._key(body, body["former"]["value"]))
        one["names"].append(body["former"]["value"])
        one["fingerprint"] = body["fingerprint"]
        self.live[self._key(body, body["fingerprint"])] = one

    def _merged(self, body: Json, _: int) -> None:
        into, gone = self._at(body, body["fingerprint"]), self.live.pop(self._key(body, body["absorbed"]["value"]))
        into["duties"] += [duty for duty in gone["duties"] if duty not in into["duties"]]
        into["names"] += [*gone["names"], gone["fingerprint"]]

    def _split(self, body: Json, _: int) -> None:
        whole = self._at(body, body["origin"]["value"])
        copied = {"duties": list(whole["duties"]), "names": [body["origin"]["value"]], "closed": None}
        self.live[self._key(body, body["finding"]["fingerprint"])] = {**whole, **self._facts(body), **copied}

    def _superseded(self, body: Json, _: int) -> None:
        one, duty = self._at(body, body["fingerprint"]), self._duty(body)
        one["duties"] = [(*known[:3], known[3] and known[:3] != duty) for known in one["duties"]]

    def _requested(self, body: Json, _: int) -> None:
        for name, said in requests_in(body):
            named = {"finding": said["subject"].get("fingerprint", ""), "until": said["expires_epoch_s"]}
            self.waivers[name] = {**named, "accepts": said["kind"] == "accept"}

    def _said(self, body: Json) -> Json:
        return self.waivers[json.loads(body["statement"])["request"]]

    def duties(self, at_epoch_s: int) -> list[Json]:
        """Give each finding with a duty, when it is due (start + limit, the earliest that stands), and its result."""
        told = []
        for one in [*self.past, *self.live.values()]:
            standing = [start + limit for _, start, limit, stands in one["duties"] if stands]
            if standing:
                due, closed = min(standing), one["closed"]
                row = {name: one[name] for name in ("repository", "line", "fingerprint", "severity", "start", "closed")}
                told.append({**row, "due": due, "result": self._result(one, due, closed, at_epoch_s)})
        return sorted(told, key=lambda row: (row["due"], row["repository"], row["line"], row["fingerprint"]))

    def _result(self, one: Json, due: int, closed: int | None, at_epoch_s: int) -> str:
        end = at_epoch_s if closed is None or closed > at_epoch_s else closed
        is_open = end != closed
        if end <= due:
            return "not yet due" if is_open else "met"
        end += is_open  # What is open at a second is covered only by what holds beyond it.
        names = {one["fingerprint"], *one["names"]}
        if self._is_covered(names, due, end, alone=True):
            return "excepted"
        if self._is_covered(names, due, end, alone=False):
            return "dismissed"
        return "overdue" if is_open else "missed"

    def _is_covered(self, names: set[str], due: int, end: int, *, alone: bool) -> bool:
        """Tell whether waivers approved by the deadline cover the time from it to the end without a gap.

        `alone`: those that accept the risk, without those that call it a false positive or not affected.
        """
        spans = [
            (one["from"], min(one["until"], one.get("revoked", one["until"])))
            for one in self.waivers.values()
            if one["finding"] in names and one.get("from", due + 1) <= due and (one["accepts"] or not alone)
        ]
        at = due
        for start, until in sorted(spans):
            if start <= at < until:
                at = until
        return at >= end


def figures(log: Log, at_epoch_s: int) -> Json:
    """Count entries and runs, and say for each severity how its duties stand; adherence = met / due."""
    duties = log.fold.duties(at_epoch_s)
    table: dict[str, dict[str, int]] = {}
    for row in duties:
        line = table.setdefault(row["severity"], dict.fromkeys((*DUE, *ASIDE), 0))
        line[row["result"]] += 1
    adherence = {}
    for severity, line in table.items():
        due = sum(line[name] for name in DUE)
        adherence[severity] = {**line, "due": due, "adherence": f"{line['met']}/{due}"}
    return {
        "at_epoch_s": at_epoch_s,
        "entries": log.counts,
        "runs": log.runs,
        "severities": adherence,
        "duties": duties,
    }


# ---------------------------------------------------------------------------------------------------------- the call


def fail(what: str) -> NoReturn:
    print(f"verify.py: {what}", file=sys.stderr)
    sys.exit(2)


def moment(text: str) -> int:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        fail(f"{text} is no date: write 2026-03-31, or 2026-03-31T12:00:00Z")
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def verify(given: argparse.Namespace) -> Iterator[str]:
    """Check everything in turn, and say what was checked."""
    folder, signers = Path(given.folder), Signers(given.signers, given.authorities)
    if given.proof:
        heads = [json.loads(base64.b64decode(json.loads(one.read_bytes())["payload"])) for one in given.checkpoint]
        yield "proof        " + check_proof(given.proof, [(one["size"], one["root"]) for one in heads])
        return
    if not (folder / "manifest.json").is_file():
        fail(f"{folder} is no export: manifest.json is not in it")
    log = Log(folder)
    manifest = check_manifest(log, folder)
    yield f"entries      {log.size}, root {log.roots[-1].hex()}"
    if given.earlier:
        yield "earlier      " + check_earlier(log, given.earlier)
    kept = check_checkpoints(log, folder, given.checkpoint, signers)
    newest = max((one["at_epoch_s"] for one in kept), default=0)
    if given.newer_than and newest < moment(given.newer_than):
        raise Bad(-1, "no checkpoint is as new as was asked for: an old one may have been put back")
    largest = max((one["size"] for one in kept), default=0)
    yield f"checkpoints  {len(kept)}, grown from each; the largest is of {largest} entries"
    held, missing = check_blobs(log, folder)
    yield f"blobs        {held}, each what it is called" + (
        f"; {missing} that entries name are not here" if missing else ""
    )
    count = check_bindings(log, folder, signers)
    if count:
        yield f"bindings     {count} artefacts, each to the commit of a run before it"
    if signers.file:
        count = check_statements(log, signers)
        yield f"signatures   {count} statements and {len(kept)} checkpoints, each by somebody who counts for it"
    else:
        yield "signatures   not checked: give --signers, best with a file that you had from elsewhere"
    told = figures(log, moment(given.at) if given.at else manifest["last_epoch_s"])
    yield from report(told)
    if given.json:
        given.json.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")


def report(told: Json) -> Iterator[str]:
    at = datetime.fromtimestamp(told["at_epoch_s"], timezone.utc)
    yield "runs         " + (", ".join(f"{count} {name}" for name, count in sorted(told["runs"].items())) or "none")
    yield f"duties       as of {at:%Y-%m-%d %H:%M} UTC; adherence = met / (met + excepted + missed + overdue)"
    for severity, line in sorted(told["severities"].items()):
        parts = ", ".join(f"{line[name]} {name}" for name in (*DUE, *ASIDE))
        yield f"  {severity:<10} {line['adherence']:>9}   {parts}"


def main() -> int:
    """Read the call, check, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--checkpoint", action="append", type=Path, default=[], help="a signed head that you kept")
    parser.add_argument("--signers", type=Path, help="an allowed_signers file: whose keys count")
    parser.add_argument("--authorities", type=Path, help="certificates (PEM): every checkpoint needs their timestamp")
    parser.add_argument("--earlier", type=Path, help="an export that was made before")
    parser.add_argument("--newer-than", help="the newest checkpoint must be")
    parser.add_argument("--at", help="when duties are judged; by default at the last entry's time")
    parser.add_argument("--json", type=Path, help="write the figures and every duty to a file")
    parser.add_argument("--proof", type=Path, help="check a proof instead of an export")
    try:
        for line in verify(parser.parse_args()):
            print(line)
    except Bad as bad:
        where = f"first bad entry: {bad.entry}\n" if bad.entry >= 0 else ""
        print(f"DOES NOT VERIFY: {bad.what}\n{where}", end="")
        return 1
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        print(f"DOES NOT VERIFY: it cannot be read: {error!r}")
        return 1
    print("holds, as far as the checkpoints that you had from elsewhere reach")
    return 0


if __name__ == "__main__":
    sys.exit(main())
