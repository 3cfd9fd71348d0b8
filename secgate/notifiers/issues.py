"""Issues: a file of Markdown for each finding, in a folder from which whoever may file issues does so.

An issue is as public as its repository. So a finding is named only where CI says that the repository is private; else
one file says how many there are, and nothing of where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from secgate.errors import NotificationError, UsageError
from secgate.escape import json_text, markdown_text
from secgate.model import Message, Notice, encode
from secgate.notices import STAGES, headline, standing
from secgate.replacing import replace_file
from secgate.sla import utc_words

_REMEDY = "see that the folder can be written, then run it again"
_FINDING_COMMANDS = "`secgate explain {0}` says why and what to do, `secgate history {0}` what happened so far."


class IssueNotifier:
    """Writes issues as files; the address is a folder of this machine."""

    name = "issues"
    needs_secret = False

    def body(self, message: Message) -> bytes:
        """See Notifier. Names of files and their text, as JSON."""
        files = dict(_named(message)) if message.visibility == "private" else dict([_counted(message)])
        return json_text(msgspec.json.encode(files, order="sorted"))

    def check(self, *, address: str, secret: str) -> None:
        """See Notifier."""
        del secret
        if not address.isprintable() or not Path(address).is_absolute() or ".." in Path(address).parts:
            raise UsageError(
                "where issues are written is an absolute path of a folder", remedy="give /PATH/OF/A/FOLDER"
            )

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """See Notifier."""
        del at
        parts = [f"{address or '***'}/{name}\n\n{text}" for name, text in _files(body)]
        return "\n".join(parts)

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """See Notifier. A file of the same finding and stage is written over: who comes again doubles nothing."""
        del at
        self.check(address=address, secret=secret)
        folder = Path(address)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in _files(body):
                replace_file(folder / name, text.encode("utf-8"), mode=0o600)
        except OSError as error:
            # The path may say more of a machine than a report should.
            raise NotificationError(f"the issues could not be written: {error.strerror}", remedy=_REMEDY) from error


def _files(body: bytes) -> list[tuple[str, str]]:
    return sorted(msgspec.json.decode(body, type=dict[str, str]).items())


def _named(message: Message) -> Iterator[tuple[str, str]]:
    for one in message.notices:
        key = sha256(encode([one.repository, one.line, one.fingerprint, one.episode, one.stage])).hexdigest()[:16]
        yield f"secgate-{key}.md", _issue(one, key)


def _issue(one: Notice, key: str) -> str:
    """Give an issue. Its first line is the title, its last one a mark by which it is found again."""
    what = markdown_text(one.weakness or one.package or one.lane.value)
    place = f"{one.path}:{one.start_line}" if one.start_line else one.path
    facts = {
        "place": place,
        "severity": one.severity.value,
        "due": utc_words(one.due_epoch_s) if one.due_epoch_s is not None else "",
        "why": one.why,
        "package": one.package,
        "advisories": ", ".join(one.advisories),
        "owner": one.owner,
        "repository": f"{one.repository}, line {one.line}" if one.line else one.repository,
        "finding": one.fingerprint,
    }
    lines = [f"# secgate: {one.severity.value} {what} {standing(one.stage)} ({one.fingerprint[:12]})", ""]
    lines += [f"- {name}: {markdown_text(fact)}" for name, fact in facts.items() if fact]
    lines += ["", _FINDING_COMMANDS.format(one.fingerprint[:12]), "", f"<!-- secgate-issue {key} -->", ""]
    return "\n".join(lines)


def _counted(message: Message) -> tuple[str, str]:
    """Give how many there are by stage and severity: all that a place may hear which others read."""
    key = message.id[:16]
    counts = Counter((one.stage, one.severity.value) for one in message.notices)
    ranks = {stage: at for at, stage in enumerate(STAGES)}
    rows = sorted(counts.items(), key=lambda one: (-ranks[one[0][0]], one[0][1]))
    lines = [f"# {headline(message)}", ""]
    lines += [f"- {count:,} {severity} {standing(stage, count)}" for (stage, severity), count in rows]
    lines += ["", "Which they are is for those who read the ledger: `secgate sla` lists them."]
    lines += ["", f"<!-- secgate-issue {key} -->", ""]
    return f"secgate-{key}.md", "\n".join(lines)
