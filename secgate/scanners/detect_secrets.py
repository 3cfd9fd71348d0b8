"""Scanner `detect-secrets`: keywords, entropy and token forms; better recall than precise patterns, 27 times slower.

It therefore runs only on texts that `candidates` marks. Measured on 600 files of installed packages: 79 candidates, the
same 35 results as on all of them, 23 s and 4 s for the pass instead of 94 s. Files without a candidate are covered by
the pass, and their reading says so.

What is known of the tool (1.5) and how it is met here:

- Verification over the network is off (`--no-verify`), no baseline is given, inline `pragma: allowlist secret` does not
  hide (its filter is off), nor does `swagger` in a path.
- Files that are not UTF-8 are passed over without a word, and so are about forty extensions (`.css`, `.svg`, `.lock`):
  those texts are given to it as UTF-8 copies under a neutral name.
- In lock files the entropy detectors see nothing but checksums: they are off there, the others run.
- It lists nothing it has looked at: evidence is `inferred`.
- It gives the SHA-1 of the secret, and a line without columns: normalise finds the text on that line by its hash, so
  that what is marked for its key or its entropy can be judged (`secret_likeness`). Else the whole line is masked.
- It takes a second and more for a megabyte of words: a large text is a job of its own, so that one which runs into
  the time limit takes no other file along.
- Public IP addresses are not secrets: that detector is off.

Settings: none.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from msgspec import Struct

from secgate.model import (
    Confidence,
    EvidenceBasis,
    FileReading,
    Job,
    Lane,
    Output,
    RawResult,
    Reading,
    Region,
    Rule,
    ScanStatus,
    Severity,
    Slot,
    SourceFile,
)
from secgate.ports import NoOptions, PlanRequest, ToolSpec
from secgate.scanners.candidates import may_hold_secrets
from secgate.scanners.outputs import argument, chunks, covered, crashed, decode, standing_by, view_path

MOST_FILES = 400
_FEWEST_FILES = 40
LARGE_BYTES = 1024 * 1024
_HARD_CODED = 798
"""CWE-798, use of hard-coded credentials."""
_LET_GO = "the candidate pass found nothing that a detector needs"
_LOCK_KINDS = frozenset(
    {
        *("pylock", "poetry-lock", "uv-lock", "pipfile-lock", "npm-lock", "yarn-lock", "pnpm-lock"),
        *("go-sum", "cargo-lock", "ruby-lock"),
    }
)
# The tool's own lists: files by these extensions are passed over, lock files by these names.
_IGNORED_SUFFIXES = frozenset(
    {
        *(".7z", ".bin", ".bmp", ".bz2", ".class", ".css", ".dmg", ".doc", ".eot", ".exe", ".gif", ".gz", ".ico"),
        *(".iml", ".ipr", ".iws", ".jar", ".jpg", ".jpeg", ".lock", ".map", ".mo", ".pdf", ".png", ".prefs", ".psd"),
        *(".rar", ".realm", ".s7z", ".sum", ".svg", ".tar", ".tif", ".tiff", ".ttf", ".webp", ".woff", ".xls"),
        *(".xlsx", ".zip"),
    }
)
_LOCK_NAMES = frozenset(
    {
        *("Brewfile.lock.json", "Cartfile.resolved", "composer.lock", "Gemfile.lock", "Package.resolved"),
        *("package-lock.json", "Podfile.lock", "yarn.lock", "Pipfile.lock", "poetry.lock", "Cargo.lock"),
        "packages.lock.json",
    }
)
_FILTERS_OFF = ("allowlist.is_line_allowlisted", "heuristic.is_lock_file", "heuristic.is_swagger_file")
_ENTROPY = {"Base64 High Entropy String", "Hex High Entropy String"}
_CERTAIN_IN_FORM = frozenset(
    {
        *("AWS Access Key", "Azure Storage Account access key", "Discord Bot Token", "GitHub Token", "GitLab Token"),
        *("Mailchimp Access Key", "NPM tokens", "OpenAI Token", "Private Key", "PyPI Token", "PyPI upload token"),
        *("SendGrid API Key", "Slack Token", "Square OAuth Secret", "Stripe Access Key", "Telegram Bot Token"),
    }
)


class _Found(Struct):
    type: str
    filename: str
    line_number: int
    hashed_secret: str = ""


class _Report(Struct):
    version: str
    results: dict[str, list[_Found]]


class DetectSecrets:
    """Adapter of detect-secrets; see the module's text."""

    name = "detect-secrets"
    lanes: tuple[Lane, ...] = (Lane.SECRETS,)
    spec: ToolSpec | None = ToolSpec(
        name="detect-secrets",
        executable="detect-secrets",
        package="detect-secrets",
        tested=">=1.5,<2",
        needs_interpreter=True,
    )
    services: tuple[str, ...] = ()
    ignore_comments = r"pragma: ?(?:allowlist|whitelist) (?:next ?line )?secret"
    outgoing = "tries found credentials at their providers (--no-verify)"
    options: type[Struct] = NoOptions

    def supports(self, file: SourceFile) -> bool:
        """Every text."""
        return "binary" not in file.kinds

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """Read every file once; jobs for plain candidates, for lock files and for texts that need a copy."""
        plain: list[str] = []
        large: list[str] = []
        locks: list[str] = []
        copies: list[tuple[str, bytes]] = []
        rest: list[str] = []
        for file in request.files:
            text, is_utf8 = _text(request.read(file.path))
            path = PurePosixPath(file.path)
            if not may_hold_secrets(file.path, text):
                rest.append(file.path)
            elif path.name in _LOCK_NAMES or _LOCK_KINDS.intersection(file.kinds):
                # Under a neutral name, since most lock files have an extension that is passed over.
                locks.append(file.path)
            elif is_utf8 and path.suffix not in _IGNORED_SUFFIXES:
                (large if file.size_bytes > LARGE_BYTES else plain).append(file.path)
            else:
                copies.append((file.path, text.encode("utf-8", "replace")))
        return (
            *self._over_view(request, plain, rest, large),
            *self._over_copies(request, "copies", copies, ()),
            *self._over_copies(request, "locks", [(path, _copy(request, path)) for path in locks], _NO_ENTROPY),
        )

    def _over_view(self, request: PlanRequest, candidates: list[str], rest: list[str], large: list[str]) -> list[Job]:
        """Jobs over files in the view; the first also answers for those that the pass let go.

        Each of the `large` ones comes last and alone.
        """
        share = -(-len(candidates) // max(request.parallel, 1))
        parts = list(chunks(candidates, min(MOST_FILES, max(_FEWEST_FILES, share))))
        if rest and not parts:
            parts.append(())  # the tool still has to be there and to work: it is shown an empty folder
        parts += [(path,) for path in large]
        jobs = []
        for number, part in enumerate(parts, 1):
            also = tuple(rest) if number == 1 else ()
            targets: tuple[str | Slot, ...] = tuple(map(argument, part)) or (Slot(name="work"),)
            argv = (*_COMMAND, *targets)
            jobs.append(
                Job(
                    scanner=self.name,
                    name=f"detect-secrets:{number}",
                    argv=argv,
                    compared=_COMPARED,
                    standby=standing_by(argv, imports=_IMPORTS),
                    files=(*part, *also),
                    limits=request.limits,
                    grain="file",
                )
            )
        return jobs

    def _over_copies(
        self, request: PlanRequest, name: str, copies: list[tuple[str, bytes]], options: tuple[str, ...]
    ) -> list[Job]:
        if not copies:
            return []
        blobs = {_copy_name(number): data for number, (_, data) in enumerate(copies)}
        job = Job(
            scanner=self.name,
            name=f"detect-secrets:{name}",
            argv=(*_COMMAND, *options, *map(argument, blobs)),
            compared=_COMPARED,
            files=tuple(path for path, _ in copies),
            blobs=blobs,
            cwd="work",
            limits=request.limits,
            grain="file",
        )
        return [job]

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner. Exit 0 with and without results."""
        if output.exit_code != 0:
            return crashed(self.name, output)
        report = decode(output.stdout, _Report, tool=self.name)
        names = {_copy_name(number): path for number, path in enumerate(job.files)} if job.blobs else {}
        asked = set(job.files)
        results = []
        for found in (found for group in report.results.values() for found in group):
            path = names.get(view_path(found.filename), view_path(found.filename))
            if path in asked:
                results.append(_raw(found, path))
        results.sort(key=lambda result: (result.path, result.region.start_line, result.rule))
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=tuple(
                Rule(id=name, name=name, short=f"{name} in the source", cwes=(_HARD_CODED,))
                for name in sorted({result.rule for result in results})
            ),
            results=tuple(results),
            files=_readings(job),
        )


_COMMAND: tuple[str | Slot, ...] = (
    *(Slot(name="python"), "-I", "-m", "detect_secrets", "scan", "--all-files", "--no-verify"),
    *("--disable-plugin", "IPPublicDetector"),
    *(part for name in _FILTERS_OFF for part in ("--disable-filter", f"detect_secrets.filters.{name}")),
)
_IMPORTS = "detect_secrets.main detect_secrets.core.plugins.util"
_NO_ENTROPY = ("--disable-plugin", "Base64HighEntropyString", "--disable-plugin", "HexHighEntropyString")
_COMPARED = (*_COMMAND, *_NO_ENTROPY)


def _text(data: bytes) -> tuple[str, bool]:
    """Give a file's text and whether it is UTF-8; other bytes are read so that every line and every letter stays."""
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    return data.decode("latin-1"), False


def _copy(request: PlanRequest, path: str) -> bytes:
    return _text(request.read(path))[0].encode("utf-8", "replace")


def _copy_name(number: int) -> str:
    return f"{number:06d}.txt"


def _readings(job: Job) -> tuple[FileReading, ...]:
    given = set(job.files) if job.blobs else {path for path in job.files if argument(path) in set(job.argv)}
    readings = [*covered(given, EvidenceBasis.INFERRED)]
    readings += covered((path for path in job.files if path not in given), EvidenceBasis.INFERRED, reason=_LET_GO)
    return tuple(sorted(readings, key=lambda reading: reading.path))


def _raw(found: _Found, path: str) -> RawResult:
    line = Region(start_line=found.line_number, end_line=found.line_number)
    certain = found.type in _CERTAIN_IN_FORM
    return RawResult(
        rule=found.type,
        message=f"{found.type} in the source",
        path=path,
        region=line,
        severity=Severity.HIGH if certain or found.type not in _ENTROPY else Severity.MEDIUM,
        severity_basis="scanner: a committed credential" if certain else "scanner: looks like a credential",
        confidence=Confidence.HIGH if certain else Confidence.LOW if found.type in _ENTROPY else Confidence.MEDIUM,
        cwes=(_HARD_CODED,),
        secret_spans=(line,),
        secret_sha1=found.hashed_secret,
    )
