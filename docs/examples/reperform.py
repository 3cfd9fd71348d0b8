"""Judge a recorded run again with OPA and without secgate: `python3 reperform.py EXPORT SEQUENCE`.

For an auditor who has an export of a ledger, Python, and `opa` from its own project. The facts, the rules and their
data are blobs of the export. Each layer is asked apart; what any of them denies must be what was recorded as denied.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def blob(export: Path, digest: str) -> Any:
    """Read what an entry names by its digest."""
    return json.loads((export / "blobs" / digest[:2] / digest[2:]).read_bytes())


def run_entry(export: Path, sequence: int) -> dict[str, Any]:
    """Give the body of the entry with this number."""
    rows = (line for file in sorted((export / "entries").iterdir()) for line in file.read_bytes().splitlines())
    return next(entry["body"] for entry in map(json.loads, rows) if entry["sequence"] == sequence)


def policies(export: Path, digest: str) -> dict[str, dict[str, str]]:
    """Give, by layer, the files that OPA is to load: a layer's rules beside what every layer is judged with."""
    kept = blob(export, digest)
    layers = {name: blob(export, one)["files"] for name, one in kept["layers"].items()}
    off = {f"package secgate.rules.{name}" for name in kept["disabled_rules"]}
    shipped = {path: text for path, text in layers["shipped"].items() if not off & set(text.splitlines())}
    ground = {path: text for path, text in shipped.items() if not path.startswith("rego/rules/")}
    asked = {"shipped": shipped, **{name: {**ground, **files} for name, files in layers.items() if name != "shipped"}}
    return {name: files | data(layers, name) for name, files in asked.items()}


def data(layers: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    """Give the data of a layer: the shipped one, over it the organisation's, over that its own."""
    merged: dict[str, Any] = {}
    for layer in dict.fromkeys(("shipped", "organisation", name)):
        for path, text in layers.get(layer, {}).items():
            if path.endswith(".json"):
                for key, value in json.loads(text).items():
                    under = merged.get(key)
                    # What a file of the organisation's leaves out is as shipped.
                    merged[key] = under | value if isinstance(under, dict) and isinstance(value, dict) else value
    return {f"data/{key}.json": json.dumps({key: value}) for key, value in merged.items()}


def denied(files: dict[str, str], facts: bytes) -> set[tuple[str, str]]:
    """Ask OPA what the layer denies; its findings do not hold the sentinel, so that one is not asked for here."""
    with tempfile.TemporaryDirectory() as place:
        for path, text in files.items():
            where = Path(place, path)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text, encoding="utf-8")
        rego = [part for path in files for part in ("--data", str(Path(place, path)))]
        argv = ["opa", "eval", "--strict-builtin-errors", "--stdin-input", "--format=raw", *rego]
        said = subprocess.run([*argv, "data.secgate.main.verdicts"], input=facts, capture_output=True, check=True)
    return {(one["subject"], one["id"]) for one in json.loads(said.stdout) if one["word"] == "deny"}


def main() -> int:
    """Compare what OPA denies with what was recorded; 1 where they differ."""
    export, sequence = Path(sys.argv[1]), int(sys.argv[2])
    run = run_entry(export, sequence)
    decision = blob(export, run["document_digest"])["decision"]
    facts = json.dumps(blob(export, decision["input_digest"])).encode()
    layers = policies(export, decision["policies_digest"])
    found = {name: denied(files, facts) for name, files in layers.items()}
    recorded = {(one["subject"], one["id"]) for one in decision["verdicts"] if one["word"] in ("deny", "exempt")}
    again = set().union(*found.values())
    for name, subjects in sorted(found.items()):
        print(f"{name}: OPA denies {len(subjects)}")
    for subject, name in sorted(again ^ recorded):
        print(f"differs: {subject} {name}, {'OPA' if (subject, name) in again else 'the record'} alone denies it")
    print(
        f"entry {sequence}: {decision['outcome']}, {len(recorded)} recorded as denied, {len(again & recorded)} the same"
    )
    return int(again != recorded)


if __name__ == "__main__":
    sys.exit(main())
