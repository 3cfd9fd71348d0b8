"""Verify an export of a secgate ledger with nothing of secgate: entries, tree, checkpoints, blobs, signatures, figures.

    python3 verify.py [DIR] [--checkpoint FILE]... [--signers FILE] [--authorities FILE]
                      [--earlier DIR] [--newer-than DATE] [--from DATE] [--to DATE] [--terms FILE]
                      [--json FILE] [--proof FILE]

Only Python's standard library (3.9 or later) is needed. Signatures are checked where --signers names an allowed_signers
file, by ssh-keygen (OpenSSH 8.9) and openssl (1.1.1). Exit 0: all that was asked for holds. 1: something does not, the
first bad entry is named. 2: the call is wrong, or a program that is needed is not there.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
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
    *("list_digest", "rows_digest", "inventory_digest"),
)
MAX_LINE = 64 * 1024 * 1024
CHECKPOINT_TYPE = "application/vnd.secgate-checkpoint+json"
ATTESTATION_TYPE = "application/vnd.in-toto+json"


UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error)
"""What comes of reading something that is not what it should be."""


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
        if not file.is_file():
            raise ValueError(f"{file} is no file")
        with file.open("rb") as stream:
            while line := stream.readline(MAX_LINE):
                yield line


class Log:
    """Every entry verified, one after the other; of most nothing is kept but what the checks to come need."""

    def __init__(self, folder: Path, *, until_epoch_s: int) -> None:
        """`until_epoch_s`: duties are as the entries before that time left them, 0 for all entries."""
        self.size = 0
        self._until_epoch_s = until_epoch_s
        self.ledger_id = ""
        self.roots = [sha()]
        """Over the first 0, 1, 2 ... entries."""
        self.checkpoints: list[tuple[int, Json]] = []
        self.statements: list[tuple[int, Json, list[tuple[str, Json]]]] = []
        """With what each says: (id, request) of those that it makes, or what it is about."""
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
            grow(peaks, number, sha(b"\x00", data))
            self.roots.append(root_of(peaks))
            self.size += 1
            try:
                self._note(number, entry)
            except UNREADABLE as error:
                raise Bad(number, f"it is not what a {entry['type']} says, or cannot follow: {error!r}") from error

    def _note(self, number: int, entry: Json) -> None:
        kind, body = entry["type"], entry["body"]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "ledger-created":
            self.ledger_id = str(body.get("ledger_id", ""))
        elif kind == "run":
            outcome = body.get("outcome") or "undecided"
            self.runs[outcome] = self.runs.get(outcome, 0) + 1
            self.sources[body["run_id"]] = tuple(body[name] for name in SOURCE)
        elif kind == "checkpoint":
            if not 1 <= body["size"] <= number or self.roots[body["size"]].hex() != body["root"]:
                raise Bad(number, "the head that it says was signed is not that of the entries before it")
            self.checkpoints.append((number, entry))
        elif kind == "artefact-bound":
            if self.sources.get(str(body.get("run_id"))) != tuple(body.get(name) for name in SOURCE):
                raise Bad(number, "no run before it was of the commit that it binds an artefact to")
            self.bindings.append((number, entry))
        elif kind in SIGNED:
            self.statements.append((number, entry, said_in(kind, body)))
        for field in BLOBS:
            # Of another tool's list of known debt nothing is kept but what it lists.
            if body.get(field) and not (field == "statement_digest" and body.get("kind") == "sarif"):
                self.named.setdefault(body[field], number)
        if not self._until_epoch_s or entry["at_epoch_s"] < self._until_epoch_s:
            self.fold.take(number, entry)

    @staticmethod
    def _read(number: int, data: bytes) -> Json:
        try:
            entry: Json = json.loads(data)
            head = f'{{"at_epoch_s":{entry["at_epoch_s"]},"body":{{'
            tail = f'"previous_root":"{entry["previous_root"]}","sequence":{entry["sequence"]},'
            tail = f'}},{tail}"type":"{entry["type"]}","version":{entry["version"]}}}'
        except UNREADABLE as error:
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
        raise Bad(
            min(log.size, manifest["size"]), f"{log.size} entries are there, and the manifest says {manifest['size']}"
        )
    if log.ledger_id != manifest["ledger_id"]:
        raise Bad(0, "it is of another ledger than the manifest")
    if log.roots[-1].hex() != manifest["root"]:
        raise Bad(log.size - 1, "it is not what it was when the manifest was written, or all up to it were made to fit")
    return manifest


def check_earlier(folder: Path, earlier: Path) -> str:
    """Hold the entries against those of an export that was made before: each must be the same."""
    now, count = lines(folder), 0
    for number, line in enumerate(lines(earlier)):
        if next(now, b"") != line:
            raise Bad(number, "it is another one in the earlier export, or is gone")
        count += 1
    return f"{count} entries are those of {earlier}"


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
            if not fits(namespaces, namespace) or not after.rstrip("Z") <= at <= before.rstrip("Z"):
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


def fits(patterns: Sequence[str], namespace: str) -> bool:
    """Match as OpenSSH's pattern lists do: `*` and `?`, and `!` before a pattern that refuses."""
    met = [one for one in patterns if fnmatchcase(namespace, one.lstrip("!").replace("[", "[[]"))]
    return bool(met) and not any(one.startswith("!") for one in met)


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
        except UNREADABLE as error:
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
        if size < 1:
            raise ValueError(f"it is of {size} entries")
    except UNREADABLE as error:
        raise Bad(entry, f"{name}: this is no checkpoint: {error!r}") from error
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
        if not file.exists():
            continue
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != body["checkpoint_digest"]:
            raise Bad(number, f"{file.name} is not the checkpoint that it says was put elsewhere: another was put back")
        found.append(check_checkpoint(log, data, file.name, entry=number, signers=signers))
    handed = sorted((folder / "checkpoints").glob("given-*.json"))
    for file in [*handed, *given]:
        kept = check_checkpoint(log, file.read_bytes(), str(file), entry=-1, signers=signers)
        found.append({**kept, "is_given": file in given})
    return found


def said_in(kind: str, body: Json) -> list[tuple[str, Json]]:
    """Give (id, request) of each that a statement makes; the id is the digest of the request's exact bytes."""
    said = json.loads(body["statement"])
    parts = [(body["statement"], said)]
    if "requests" in said:
        parts = [
            (json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False), one)
            for one in said["requests"]
        ]
    for _, one in parts:
        if not isinstance(one[SIGNED[kind][1]], str):
            raise TypeError("nobody is named")
        if kind.endswith("-requested"):
            # What is asked of it later is there.
            holds(one["bound"], {"anchor": "", "package": "", "secret_macs": [], "witnesses": [], "severity": "info"})
            one["subject"]["type"], one["expires_epoch_s"] + 0
    return [(sha(text.encode()).hex(), one) for text, one in parts]


def check_statements(log: Log, signers: Signers) -> dict[int, str]:
    """Give who signed each thing that people said, "" for nobody who counts; {} where that is not asked for."""
    found: dict[int, str] = {}
    for number, one, _ in log.statements if signers.file else ():
        statement, signature = one["body"]["statement"].encode(), one["body"]["signature"].encode()
        found[number] = signers.person(SIGNED[one["type"]][0], statement, signature, one["at_epoch_s"])
    return found


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
RANKS = ("info", "low", "medium", "high", "critical")


class Terms:
    """How long exceptions may last and who may approve them, as whoever exported the ledger had it; {} for unknown."""

    def __init__(self, said: Json) -> None:
        self.longest: dict[str, dict[str, int]] = {name: said.get(f"{name}s_s", {}) for name in ("waiver", "downgrade")}
        self.people: list[str] | None = said.get("people")
        self.approvers: list[str] | None = said.get("approvers")
        self.revoked: dict[str, int] = said.get("revoked", {})

    def is_revoked(self, key: bytes, at_epoch_s: int) -> bool:
        """Tell whether what a key signed at a time counts for nothing."""
        since = self.revoked.get("SHA256:" + base64.b64encode(sha(key)).decode().rstrip("="))
        return since is not None and at_epoch_s >= since

    def end(self, kind: str, said: Json, approved_epoch_s: int) -> int:
        """Give when an exception ends: at its own time, or after the longest life of its severity."""
        own: int = said["expires_epoch_s"]
        longest = self.longest[kind].get(said["bound"]["severity"])
        return own if longest is None else min(own, approved_epoch_s + longest)


def key_of(signature: str) -> bytes:
    """Give the public key that an SSH signature says it is by, b"" for none. Source: OpenSSH, PROTOCOL.sshsig."""
    try:
        data = base64.b64decode("".join(line for line in signature.splitlines() if not line.startswith("-----")))
    except ValueError:
        return b""
    size = int.from_bytes(data[10:14], "big")
    return data[14 : 14 + size]


def agreements(log: Log, terms: Terms, who: dict[int, str]) -> tuple[dict[str, Json], dict[int, str]]:
    """Give what people agreed on, by id, and which statements count for nothing, with why.

    `who` are those who signed, {} where that was not asked for. Each agreement has kind, request, when it was approved
    (by somebody else, 0 for never) and when it ended.
    """
    made: dict[str, Json] = {}
    vain: dict[int, str] = {}
    for number, entry, said in log.statements:
        kind, at = entry["type"], entry["at_epoch_s"]
        named = {part[SIGNED[kind][1]] for _, part in said}
        asked = made.get(said[0][1].get("request") or said[0][1].get("override") or "")
        why = in_vain(entry, named, asked, who[number] if who else None, terms)
        if why:
            vain[number] = why
        elif kind in FIRST:
            for name, part in said:
                word = "downgrade" if kind.startswith("downgrade") else "waiver"
                made.setdefault(name, {"kind": word, "said": part, "by": min(named), "from": 0, "end": 0})
        elif asked and kind.endswith("-revoked"):
            asked["end"] = asked["end"] and min(asked["end"], at)
        elif asked and kind.endswith("-approved") and not asked["from"]:
            asked.update({"from": at, "end": terms.end(asked["kind"], asked["said"], at)})
    return made, vain


def in_vain(entry: Json, named: set[str], asked: Json | None, signer: str | None, terms: Terms) -> str:
    """Say why a statement counts for nothing, "" where it counts.

    It names `named`, is about `asked`, and `signer` signed it: None where that was not asked for, "" for nobody.
    """
    name, kind = ", ".join(sorted(named)), entry["type"]
    second = kind not in FIRST and not kind.endswith("-revoked")
    wrong = {
        "nobody who counts for it signed it": signer == "",
        "its key was revoked": terms.is_revoked(key_of(entry["body"]["signature"]), entry["at_epoch_s"]),
        f"it names {name}, and {signer or 'one person'} signed it": len(named) != 1 or signer not in (None, *named),
        f"{name} is nobody of the organisation's people": terms.people is not None and not named <= set(terms.people),
        "it is about something that no entry before it says": kind not in FIRST and asked is None,
        f"{name} answers to what {name} said: a second person must": second and asked and named == {asked["by"]},
        f"{name} may not approve it": second and terms.approvers is not None and not named <= set(terms.approvers),
    }
    return next((why for why, is_so in wrong.items() if is_so), "")


def holds(bound: Json, facts: Json) -> bool:
    """Tell whether what an exception was bound to is still what was last recorded of a finding."""
    told = {
        "text": {facts["anchor"]},
        "version": {facts["package"].rpartition("@")[2]},
        "secret": set(facts["secret_macs"]),
    }
    values = told.get(bound["form"], set())
    scanners = {one["scanner"] for one in facts["witnesses"]}
    return (
        RANKS.index(facts["severity"]) <= RANKS.index(bound["severity"])
        and bool(values)
        and values <= set(bound["values"])
        and (not bound["scanners"] or scanners <= set(bound["scanners"]))
    )


def twins(facts: Json) -> str:
    """Give the name of the group of equal statements that a finding is in."""
    alone = facts["fingerprint"] if facts["lane"] in ("secrets", "dependencies") else ""
    parts = [facts["algorithm"], "twins", facts["weakness"], facts["path"], facts["symbol"], facts["anchor"], "", alone]
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Fold:
    """What became of each finding: its clock, its duties, its end. Keys are (repository, line, fingerprint).

    A duty is (basis, start, limit, number of the entry that took it back, -1 for none).
    """

    def __init__(self) -> None:
        self.live: dict[tuple[str, str, str], Json] = {}
        self.past: list[Json] = []
        self.taken: dict[int, Json] = {}
        """What each entry that took a duty back says, with the finding as it was then."""
        self.debts: set[tuple[str, str, int]] = set()
        """Lists of known debt: repository, line, the ledger's time of it."""
        self.steps: dict[str, Callable[[Json, int, int], None]] = {
            "finding-opened": self._opened,
            "finding-seen-again": self._again,
            "finding-changed": self._changed,
            "finding-closed": self._closed,
            "finding-aliased": self._aliased,
            "finding-merged": self._merged,
            "finding-split": self._split,
            "obligation": self._added,
            "obligation-superseded": self._superseded,
            "baseline": self._listed,
        }

    def take(self, number: int, entry: Json) -> None:
        """Take in the next entry."""
        step = self.steps.get(entry["type"])
        if step is not None and entry["version"] == 1:
            step(entry["body"], entry["at_epoch_s"], number)

    @staticmethod
    def _key(body: Json, fingerprint: str) -> tuple[str, str, str]:
        return body["repository"], body["line"], fingerprint

    def _at(self, body: Json, fingerprint: str) -> Json:
        return self.live[self._key(body, fingerprint)]

    @staticmethod
    def _facts(one: Json, body: Json) -> None:
        """Take in what is said of a finding; names that it had before stay with it."""
        one["names"] |= {alias["value"] for alias in (*one["facts"].get("aliases", ()), *body["finding"]["aliases"])}
        one["facts"] = body["finding"]

    def _changed(self, body: Json, _at: int, _number: int) -> None:
        self._facts(self._at(body, body["finding"]["fingerprint"]), body)

    def _closed(self, body: Json, at: int, _number: int) -> None:
        self._at(body, body["fingerprint"])["closed"] = at

    def _listed(self, body: Json, at: int, _number: int) -> None:
        self.debts.add((body["repository"], body["line"], at))

    @staticmethod
    def _duty(body: Json) -> tuple[str, int, int]:
        return body["basis"], body["start_epoch_s"], body["limit_s"]

    def _added(self, body: Json, _at: int, _number: int) -> None:
        self._at(body, body["fingerprint"])["duties"].append((*self._duty(body), -1))

    def _opened(self, body: Json, _at: int, _number: int) -> None:
        key = self._key(body, body["finding"]["fingerprint"])
        before = self.live.pop(key, None)
        if before is not None:
            self.past.append(before)
        one = {"repository": body["repository"], "line": body["line"], "start": body["start_epoch_s"], "facts": {}}
        names = set(before["names"]) if before is not None else set()
        self.live[key] = {**one, "episode": body["episode"], "duties": [], "closed": None, "names": names}
        self._facts(self.live[key], body)

    def _again(self, body: Json, _at: int, _number: int) -> None:
        one = self._at(body, body["finding"]["fingerprint"])
        self._facts(one, body)
        one["closed"] = None

    def _aliased(self, body: Json, _at: int, _number: int) -> None:
        one = self.live.pop(self._key(body, body["former"]["value"]))
        one["names"].add(body["former"]["value"])
        one["facts"] = {**one["facts"], "fingerprint": body["fingerprint"], "algorithm": body["algorithm"]}
        self.live[self._key(body, body["fingerprint"])] = one

    def _merged(self, body: Json, _at: int, _number: int) -> None:
        into, gone = self._at(body, body["fingerprint"]), self.live.pop(self._key(body, body["absorbed"]["value"]))
        into["duties"] += [duty for duty in gone["duties"] if duty not in into["duties"]]
        into["names"] |= {*gone["names"], gone["facts"]["fingerprint"]}

    def _split(self, body: Json, _at: int, _number: int) -> None:
        whole = self._at(body, body["origin"]["value"])
        part: Json = {"duties": list(whole["duties"]), "names": {body["origin"]["value"]}, "closed": None, "facts": {}}
        one = {**whole, **part, "episode": body["episode"]}
        self._facts(one, body)
        self.live[self._key(body, body["finding"]["fingerprint"])] = one

    def _superseded(self, body: Json, at: int, number: int) -> None:
        one, duty = self._at(body, body["fingerprint"]), self._duty(body)
        one["duties"] = [
            (*known[:3], number) if known[3] < 0 and known[:3] == duty else known for known in one["duties"]
        ]
        held = {"facts": one["facts"], "names": set(one["names"]), "duties": list(one["duties"])}
        self.taken[number] = {"body": body, "at": at, **held}


class Figures:
    """A fold judged as of a time, with what people agreed on."""

    def __init__(self, fold: Fold, agreed: dict[str, Json], from_epoch_s: int, to_epoch_s: int) -> None:
        self.fold, self.agreed = fold, agreed
        self.start, self.end = from_epoch_s, to_epoch_s
        self.unbacked = {number: why for number in fold.taken if (why := self._unbacked(number))}
        """Entries that took a duty back with nobody's word behind them: the duty stands."""

    def _unbacked(self, number: int) -> str:
        """Say why a duty was taken back for nothing, "" where a downgrade or a list of known debt is behind it."""
        taken = self.fold.taken[number]
        body = taken["body"]
        kind, level = body["basis"].split(":")[:2]
        if kind != "severity" or level not in RANKS:
            return "only a duty of a severity is taken back"
        due = body["start_epoch_s"] + body["limit_s"]
        if not body["downgrade"]:
            behind = (
                one[1]
                for one in taken["duties"]
                if one[0].startswith("baseline:")
                and body["start_epoch_s"] <= one[1] <= due
                and RANKS.index(level) <= RANKS.index(one[0].split(":")[1])
            )
            told = any((body["repository"], body["line"], at) in self.fold.debts for at in behind)
            return "" if told else "it names no downgrade, and no list of known debt took its place"
        one = self.agreed.get(body["downgrade"], {"kind": ""})
        if one["kind"] != "downgrade" or not one["from"]:
            return "no second person approved a downgrade of that id"
        said, bound, facts = one["said"], one["said"]["bound"], taken["facts"]
        subject = said["subject"]
        named = subject["fingerprint"] in {facts["fingerprint"], *taken["names"]} or subject["group"] == twins(facts)
        wrong = {
            "the downgrade was approved after the duty was due": one["from"] > due,
            "the downgrade did not hold then": not one["from"] <= taken["at"] < one["end"],
            "the downgrade is of another finding": not named or subject["repository"] != body["repository"],
            "the downgrade was bound to what the finding was no longer": not holds(bound, facts),
            "the downgrade is of no such duty": not (
                RANKS.index(said["severity"]) < RANKS.index(level) <= RANKS.index(bound["severity"])
            ),
        }
        return next((why for why, is_so in wrong.items() if is_so), "")

    def duties(self) -> list[Json]:
        """Give each finding with a duty that was due in the time, or overdue in it, or is not yet due, with its result.

        It is due at start + limit, the earliest that stands.
        """
        told = []
        for one in [*self.fold.past, *self.fold.live.values()]:
            standing = [
                start + limit for _, start, limit, taken in one["duties"] if taken < 0 or taken in self.unbacked
            ]
            if not standing:
                continue
            due, closed = min(standing), one["closed"]
            if due < self.start and closed is not None and closed <= self.start:
                continue
            facts = one["facts"]
            row = {"repository": one["repository"], "line": one["line"], "fingerprint": facts["fingerprint"]}
            row |= {"severity": facts["severity"], "episode": one["episode"], "start": one["start"], "closed": closed}
            told.append({**row, "due": due, "result": self._result(one, due)})
        return sorted(told, key=lambda row: (row["due"], row["repository"], row["line"], row["fingerprint"]))

    def _result(self, one: Json, due: int) -> str:
        closed = one["closed"]
        end = self.end if closed is None else closed
        if due >= self.end:
            return "not yet due"
        if closed is not None and closed <= due:
            return "met"
        holding = [said for said in self.agreed.values() if self._covers(said, one, due)]
        if max((said["end"] for said in holding if said["said"]["kind"] == "accept"), default=0) >= end:
            return "excepted"
        if max((said["end"] for said in holding), default=0) >= end:
            return "dismissed"
        return "overdue" if closed is None else "missed"

    def _covers(self, said: Json, one: Json, due: int) -> bool:
        """Tell whether a waiver is of a finding and was approved by the due time, and holds beyond it."""
        if said["kind"] != "waiver" or not 0 < said["from"] <= due < said["end"]:
            return False
        facts, subject = one["facts"], said["said"]["subject"]
        if subject["type"] == "finding":
            of_it = subject["fingerprint"] in {facts["fingerprint"], *one["names"]}
            of_it = of_it and subject["repository"] == one["repository"]
        elif subject["type"] == "advisory":
            package = f"{subject['ecosystem']}/{subject['package']}@".lower()
            of_it = subject["advisory"].upper() in {name.upper() for name in facts["advisories"]}
            of_it = of_it and facts["package"].lower().startswith(package)
            of_it = of_it and one["repository"] in subject["repositories"]
        else:
            of_it = False
        return of_it and holds(said["said"]["bound"], facts)


def figures(log: Log, found: Figures) -> Json:
    """Count entries and runs, and say for each severity how its duties stand; adherence = met / due."""
    duties = found.duties()
    table: dict[str, dict[str, int]] = {}
    for row in duties:
        line = table.setdefault(row["severity"], dict.fromkeys((*DUE, *ASIDE), 0))
        line[row["result"]] += 1
    adherence = {}
    for severity, line in table.items():
        due = sum(line[name] for name in DUE)
        adherence[severity] = {**line, "due": due, "adherence": f"{line['met']}/{due}"}
    return {
        "from_epoch_s": found.start,
        "to_epoch_s": found.end,
        "entries": log.counts,
        "runs": log.runs,
        "severities": adherence,
        "duties": duties,
        "taken_back": len(found.fold.taken),
        "taken_back_for_nothing": {str(number): why for number, why in found.unbacked.items()},
    }


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
        fail(f"{text} is no date: write 2026-03-31, or 2026-03-31T12:00:00Z")
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def period(given: argparse.Namespace) -> tuple[int, int]:
    """Give from when until when duties are judged, 0 for what was not said."""
    start, until = (moment(text) if text else 0 for text in (getattr(given, "from"), given.to))
    if until and start >= until:
        fail("the time ends before it begins: give a later --to")
    return start, until


def verify(given: argparse.Namespace) -> Iterator[str]:
    """Check everything in turn, and say what was checked."""
    folder, signers = Path(given.folder), Signers(given.signers, given.authorities)
    if given.proof:
        heads = [json.loads(base64.b64decode(json.loads(one.read_bytes())["payload"])) for one in given.checkpoint]
        yield "proof        " + check_proof(given.proof, [(one["size"], one["root"]) for one in heads])
        yield "holds, and one of its heads is a checkpoint's" if heads else "holds, and is worth as much as its head"
        return
    for place in filter(None, (folder, given.earlier)):
        if not (place / "manifest.json").is_file():
            fail(f"{place} is no export: manifest.json is not in it")
    start, until = period(given)
    if given.earlier:
        # First, since it alone can tell where a past that was made to fit begins.
        yield "earlier      " + check_earlier(folder, given.earlier)
    log = Log(folder, until_epoch_s=until)
    manifest = check_manifest(log, folder)
    yield f"entries      {log.size}, root {log.roots[-1].hex()}"
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
        yield f"bindings     {count} artefact{'s' * (count > 1)}, each to the commit of a run before it"
    who = check_statements(log, signers)
    forged = [number for number, name in who.items() if not name]
    if signers.file and not forged:
        yield f"signatures   {len(who)} statements and {len(kept)} checkpoints, each by somebody who counts for it"
    elif not signers.file:
        yield "signatures   not checked: give --signers, best with a file that you had from elsewhere"
    terms = given.terms or folder / "terms.json"
    said = json.loads(terms.read_bytes()) if given.terms or terms.exists() else {}
    yield f"terms        {terms}" if said else "terms        none: exceptions last as long as they say"
    agreed, vain = agreements(log, Terms(said), who)
    kinds = {number: entry["type"] for number, entry, _ in log.statements}
    for number, why in vain.items():
        yield f"  entry {number}, {kinds[number]}, counts for nothing: {why}"
    told = figures(log, Figures(log.fold, agreed, start, until or manifest["last_epoch_s"] + 1))
    yield from report(told)
    if given.json:
        given.json.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")
    for number in forged:
        raise Bad(number, f"its signature as a {kinds[number]} is by nobody who counts for it: it may be forged")
    reach = max((one["size"] for one in kept if one.get("is_given")), default=0)
    rest = f"; nothing but itself vouches for the {log.size - reach} behind them" if reach < log.size else ""
    yield f"holds: {reach} of its {log.size} entries are those that a checkpoint from elsewhere is of{rest}"


def report(told: Json) -> Iterator[str]:
    start, end = (datetime.fromtimestamp(told[name], timezone.utc) for name in ("from_epoch_s", "to_epoch_s"))
    yield "runs         " + (", ".join(f"{count} {name}" for name, count in sorted(told["runs"].items())) or "none")
    since = f"{start:%Y-%m-%d %H:%M} to " if told["from_epoch_s"] else "until "
    yield f"duties       {since}{end:%Y-%m-%d %H:%M} UTC; adherence = met / (met + excepted + missed + overdue)"
    for number, why in told["taken_back_for_nothing"].items():
        yield f"  entry {number} took a duty back for nothing, and it stands: {why}"
    for severity, line in sorted(told["severities"].items()):
        parts = ", ".join(f"{line[name]} {name}" for name in (*DUE, *ASIDE))
        yield f"  {severity:<10} {line['adherence']:>9}   {parts}"


def main() -> int:
    """Read the call, check, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--checkpoint", action="append", type=existing, default=[], help="a signed head that you kept")
    parser.add_argument("--signers", type=existing, help="an allowed_signers file: whose keys count")
    parser.add_argument(
        "--authorities", type=existing, help="certificates (PEM): every checkpoint needs their timestamp"
    )
    parser.add_argument("--earlier", type=Path, help="an export that was made before")
    parser.add_argument("--newer-than", help="the newest checkpoint must be")
    parser.add_argument("--from", help="judge what was due since, or overdue since; by default everything")
    parser.add_argument("--to", help="judge duties as of then, by the entries before; by default by all entries")
    parser.add_argument("--terms", type=existing, help="longest lives and approvers; by default those of the export")
    parser.add_argument("--json", type=Path, help="write the figures and every duty to a file")
    parser.add_argument("--proof", type=existing, help="check a proof instead of an export")
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
