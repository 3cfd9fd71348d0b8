"""Write cookbook.md from the recipes below cookbook/: `python docs/cookbook.py`, or `make golden`.

A recipe is a file with its tests beside it: the comment that it begins with is its text here, so a page and a policy
cannot differ.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "cookbook.md"
RECIPES = ROOT / "docs" / "cookbook"

GROUPS = {
    "What blocks": [
        "release_branch",
        "secrets_anywhere",
        "known_exploited",
        "likely_exploited",
        "two_tools_agree",
        "strict_folder",
    ],
    "Old code and deadlines": [
        "legacy_folder",
        "ratchet",
        "nothing_grows_old",
        "internet_facing",
        "critical_has_an_owner",
    ],
    "Infrastructure and pipelines": ["public_storage", "root_container", "pinned_actions"],
    "Waivers": ["waiver_ends_soon", "secrets_are_not_accepted"],
    "The gate itself": ["no_gap_in_infrastructure", "fresh_advisories", "gate_has_reviewers", "freeze"],
}

INTRODUCTION = """# Policy cookbook

Twenty policies to copy, each with tests. `make golden` writes this page anew from the files in `docs/cookbook/`; a test
loads, lints and runs them all. How a policy is written: [policies](policies.md). What it may ask about:
[the input](reference.md#the-input).

Take a recipe's file and its `_test.rego` into `policies/` of your
[enforced layer](configuration.md#the-enforced-layer), its data, where it has some, into `data/`, and try it:

```sh run cookbook
secgate policy lint ../organisation
secgate policy test ../organisation
secgate policy diff current ../organisation       # what recorded runs would have been with it
```

A repository may take those that only `deny` or `warn` and need no data into a folder of its own; `exempt`,
`obligations` and data are the organisation's. Numbers and names in the data are examples.
"""

CONFTEST = """## In Conftest's shape

Files of infrastructure can be asked directly, without a finding of any tool, by
[policies in Conftest's shape](policies.md#policies-in-conftests-shape). Every bucket says whose it is:

```toml
{settings}```

```rego
{policy}```

> {said}
"""
SAID = "main.tf: deny: the bucket logs has no tag `owner` [main.deny]"


def recipe(name: str) -> str:
    """Give the section of one recipe: title and text from its comment, then the rule, then its data."""
    text = (RECIPES / "policies" / f"{name}.rego").read_text(encoding="utf-8")
    comment, _, code = text.partition("\npackage ")
    title, _, words = "\n".join(line.removeprefix("#").strip() for line in comment.split("\n")).partition("\n\n")
    parts = [f"### {title}", words, f"```rego\npackage {code}```"]
    parts += [data(key) for key in sorted(set(re.findall(r"\bdata\.([a-z_]+)", code)) - {"secgate"})]
    parts.append(f"[`{name}.rego`](cookbook/policies/{name}.rego), [tests](cookbook/policies/{name}_test.rego)")
    return "\n\n".join(parts)


def data(key: str) -> str:
    """Give a file of data as it lies there."""
    return f"```json\n{(RECIPES / 'data' / f'{key}.json').read_text(encoding='utf-8')}```"


def page() -> str:
    """Give the whole page."""
    parts = [INTRODUCTION.rstrip("\n")]
    for group, names in GROUPS.items():
        parts += [f"## {group}", *(recipe(name) for name in names)]
    settings = (RECIPES / "enforced.toml").read_text(encoding="utf-8")
    policy = (RECIPES / "conftest" / "buckets" / "buckets.rego").read_text(encoding="utf-8")
    parts.append(CONFTEST.format(settings=f"# enforced.toml\n{settings}", policy=policy, said=SAID))
    return "\n\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
