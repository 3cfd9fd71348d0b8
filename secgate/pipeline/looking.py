"""From a target to findings: view, scan, normalise, correlate. The same composition serves the head and the base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec
from msgspec import Struct

from secgate import registry
from secgate.config import Settings
from secgate.correlate import Correlation, correlate, to_known
from secgate.crosswalk import Crosswalk, load_crosswalk
from secgate.errors import IncompleteTargetError, UsageError
from secgate.fingerprint import Located
from secgate.languages.parse import FileIndex, index_kind
from secgate.model import (
    History,
    KnownFinding,
    Lane,
    Limits,
    Location,
    Rename,
    Scope,
    SourceFile,
    View,
)
from secgate.normalise import Normalised, normalise
from secgate.patterns import PathPattern
from secgate.pipeline.advice import Advice
from secgate.pipeline.imports import imported
from secgate.places.apart import Apart
from secgate.ports import Scanner
from secgate.preparation import Prepared, Workshop, shipped_lanes
from secgate.resources import data_dir, folder_digest
from secgate.scan import Addition, LaneTable, ScannerTask, ScanResult, scan
from secgate.secret_copies import brought, standing
from secgate.view import ViewLimits, make_base_view, make_history_view, make_view, view_files

HEAD_BYTES = 8192


class Looked(NamedTuple):
    """What was seen in one view: each scanner's part, and the results with their places."""

    view: View
    files: tuple[SourceFile, ...]
    scans: tuple[ScanResult, ...]
    normalised: Normalised


class Base(NamedTuple):
    """What was there before: findings to compare with, and where their results were."""

    known: tuple[KnownFinding, ...] = ()
    located: tuple[Located, ...] = ()


def places_apart(shop: Workshop) -> Apart:
    """Give what finds the places of many results in children, as the workshop starts them."""
    return Apart(runner=shop.executor, python=shop.machine.python, directory=shop.scratch)


class Tables(Struct, frozen=True, kw_only=True):
    """Data of rules/ and policies/ that looking needs, read once."""

    lanes: LaneTable
    shipped_lanes: LaneTable
    """The same without what settings add."""
    crosswalk: Crosswalk
    rules_root: str


def load_tables(settings: Settings | None = None) -> Tables:
    """Read lane table and crosswalk; `settings` may have scanners asked about further kinds.

    Raises ConfigError where one is damaged, and for kinds that no lane names.
    """
    rules = data_dir("rules")
    crosswalk = load_crosswalk((rules / "crosswalk.json").read_bytes(), (rules / "severity.json").read_bytes())
    shipped = table = shipped_lanes()
    if settings is not None:
        table = table.with_additions(
            Addition(scanner=name, lanes=registry.scanner(name).lanes, kinds=tuple(own.kinds), covers=own.covers)
            for name, own in settings.scanners.items()
            if own.kinds
        )
    return Tables(lanes=table, shipped_lanes=shipped, crosswalk=crosswalk, rules_root=str(rules))


class Looker:
    """Looks at views of one target with the scanners that its lanes ask for."""

    def __init__(self, shop: Workshop, prepared: Prepared, tables: Tables, *, only: Sequence[str]) -> None:
        """`only` are the scanners that were asked for by name, () for all. Raises UsageError for an unknown one."""
        self._shop = shop
        self._prepared = prepared
        self.tables = tables
        self._only = frozenset(only)
        unknown = sorted(self._only - set(registry.names("scanners")))
        if unknown:
            known = ", ".join(registry.names("scanners"))
            raise UsageError(f"unknown scanner `{unknown[0]}`", remedy=f"one of: {known}", place="--scanner")
        self._parallel = prepared.settings.jobs or shop.parallel
        shop.executor.set_parallel(self._parallel)
        self._tools = registry.tools(shop.machine, configured=_configured(prepared.settings), executor=shop.executor)
        self.advice = Advice(prepared.settings, prepared.profile, machine=shop.machine, now=shop.now, stack=shop.stack)
        self.remedies: dict[str, str] = {}
        self.renames: tuple[Rename, ...] = prepared.target.renames
        """What memory and base are read with: the change's, or those since the runs that the ledger remembers."""
        self._codes = prepared.secret_key.codes if prepared.secret_key is not None else None
        self._count = 0

    def offered(self) -> tuple[SourceFile, ...]:
        """Give the files that the run offers to its lanes: all, or those that a change touches.

        Manifests are offered together as soon as one is touched, since one speaks for another.
        """
        target = self._prepared.target
        if target.changed is None:
            return target.files
        touched = set(target.changed)
        manifests = [file for file in target.files if self.tables.lanes.need(Lane.DEPENDENCIES, file)]
        if any(file.path in touched for file in manifests) or any(path in touched for path in target.deleted):
            touched |= {file.path for file in manifests}
        return tuple(file for file in target.files if file.path in touched)

    def head(self) -> Looked:
        """Look at what is judged."""
        prepared = self._prepared
        view = make_view(
            prepared.target,
            self.offered(),
            repository=prepared.repository,
            directory=self._directory("head"),
            limits=ViewLimits(max_file_bytes=prepared.settings.max_file_bytes),
        )
        files = view_files(prepared.target, view)
        # Whoever asks for scanners by name asks for nothing else.
        imports = () if self._only else self._imported(files)
        return self._look(view, files, imports=imports)

    def history(self) -> Looked | None:
        """Look for secrets in what the commits of a change brought and its end no longer holds.

        None without such commits.
        """
        prepared = self._prepared
        if not prepared.target.change_commits or prepared.repository is None:
            return None
        if Lane.SECRETS not in prepared.profile.lanes:
            return None
        view = make_history_view(
            prepared.target,
            repository=prepared.repository,
            directory=self._directory("history"),
            excludes=[PathPattern(text) for text in prepared.settings.exclude],
        )
        if not view.digests and not view.left_out:
            return None
        return self._look(view, view_files(prepared.target, view), lanes=(Lane.SECRETS,))

    def base(self, first: Correlation, *, head: Looked, at: str) -> Base:
        """Look at commit `at` in the files that have findings, with what found them, and give what was there.

        `first` are all findings, `head` is what is judged: a secret that it replaces is not what was there.
        """
        prepared = self._prepared
        if prepared.repository is None:
            return Base()
        self._shop.observer.stage("base", at[:12])
        base = msgspec.structs.replace(prepared.target, base_commit=at, renames=self.renames)
        paths = sorted({finding.location.path for finding in first.findings} | self._left_behind(first))
        manifests = {file.path for file in self.offered() if self.tables.lanes.need(Lane.DEPENDENCIES, file)}
        if any(finding.lane is Lane.DEPENDENCIES for finding in first.findings):
            paths = sorted({*paths, *manifests})
        scanners = {witness.scanner for finding in first.findings for witness in finding.witnesses}
        view = make_base_view(base, paths, repository=prepared.repository, directory=self._directory("base"))
        if not view.digests:
            return Base()
        seen = self._look(view, view_files(prepared.target, view), scanners=scanners)
        failed = [s.invocation for s in seen.scans if s.invocation.status != "completed"]
        if failed:
            raise IncompleteTargetError(
                f"{failed[0].scanner} could not look at the base, so new cannot be told from old: {failed[0].reason}",
                remedy="mend the scanner, or run without --changed-since to judge the whole tree",
            )
        target = msgspec.structs.replace(prepared.target, changed=None, renames=(), base_commit="", change_commits=())
        located = seen.normalised.located
        known = correlate(
            standing(located, head.normalised.located, self.renames),
            target=target,
            crosswalk=self.tables.crosswalk,
            base=None,
            history=None,
            comparable=lambda _: False,
            codes=self._codes,
        )
        return Base(to_known(known.findings), located)

    def _left_behind(self, head: Correlation) -> set[str]:
        """Give what the change touches or deletes and no finding is in any more: one may have been carried from there.

        Only files of a form that has findings, since nothing else is asked of the base.
        """
        target = self._prepared.target
        forms = {PurePosixPath(finding.location.path).suffix for finding in head.findings}
        touched = {*(target.changed or ()), *target.deleted}
        return {path for path in touched if PurePosixPath(path).suffix in forms}

    def correlate(
        self,
        looked: Sequence[Looked],
        *,
        base: Sequence[KnownFinding] | None,
        history: History | None,
        comparable: Callable[[KnownFinding], bool],
        unseen: Callable[[KnownFinding], bool] = lambda _: False,
    ) -> Correlation:
        """Make findings of everything that was seen."""
        return correlate(
            [one for part in looked for one in part.normalised.located],
            target=msgspec.structs.replace(self._prepared.target, renames=self.renames),
            crosswalk=self.tables.crosswalk,
            base=base,
            history=history,
            comparable=comparable,
            codes=self._codes,
            defines=self._defines(looked[0]),
            unseen=unseen,
        )

    def _defines(self, head: Looked) -> Callable[[str, str], bool]:
        """Give what tells whether a file of the change's end has a definition; only a change is held to that."""
        known: dict[str, frozenset[str]] = {}
        read = reader(head)
        kinds = {file.path: file.kinds for file in self._prepared.target.files}

        def defines(path: str, symbol: str) -> bool:
            if self._prepared.target.changed is None or path not in kinds:
                return False
            if path not in known:
                data = read(Location(path=path))
                index = FileIndex(index_kind(kinds[path], path), data) if data is not None else None
                known[path] = index.symbols if index is not None else frozenset()
            return symbol in known[path]

        return defines

    def brought(self, past: Looked, base: Base) -> Looked:
        """Give what a change's commits brought, without the secrets that were in the base's file already."""
        located = brought(past.normalised.located, base.located, self.renames)
        return past._replace(normalised=past.normalised._replace(located=tuple(located)))

    def _imported(self, files: Sequence[SourceFile]) -> tuple[ScanResult, ...]:
        return imported(
            self._prepared, files=files, table=self.tables.lanes, now=self._shop.now, observer=self._shop.observer
        )

    def _look(
        self,
        view: View,
        files: Sequence[SourceFile],
        *,
        lanes: Sequence[Lane] = (),
        scanners: set[str] | None = None,
        imports: Sequence[ScanResult] = (),
    ) -> Looked:
        settings = self._prepared.settings
        tasks = [task for task in self._tasks(files, lanes) if scanners is None or task.scanner.name in scanners]
        scans = scan(
            tasks,
            target=self._prepared.target,
            view=view,
            files=files,
            executor=self._shop.executor,
            services=self.advice.services(),
            rules_root=self.tables.rules_root,
            offline=settings.offline,
            parallel=self._parallel,
            now=self._shop.now,
            observer=self._shop.observer,
            kept=self._shop.kept.outputs if self._shop.kept is not None and self._trusting() else None,
            turn=self._shop.kept.turn if self._shop.kept is not None else None,
        )
        scans = (*(self.advice.noted(one) for one in scans), *imports)
        kinds = {file.path: file.kinds for file in files}
        normalised = normalise(
            scans,
            view=view,
            read=lambda path: _read(view, path),
            kinds=lambda path: kinds.get(path, ()),
            crosswalk=self.tables.crosswalk,
            scores=self.advice.scores,
            apart=places_apart(self._shop),
        )
        told = normalised.masker.told
        scans = tuple(msgspec.structs.replace(one, invocation=told(one.invocation)) for one in scans)
        return Looked(view, tuple(files), scans, normalised)

    def _tasks(self, files: Sequence[SourceFile], lanes: Sequence[Lane]) -> list[ScannerTask]:
        """Give the tasks of the tools that the lanes require for these files, and of no others.

        Without lanes, those that each file is asked for in: a folder may be held to more than the rest.
        """
        settings, asking = self._prepared.settings, self._prepared.asking
        wanted: dict[str, set[str]] = {}
        for file in files:
            asked = self._prepared.profile if lanes else asking.of(file.path)
            for lane in lanes or asked.lanes:
                need = self.tables.lanes.need(lane, file)
                for name in set(need.tools).difference(asked.without_tools) if need is not None else ():
                    wanted.setdefault(name, set()).add(file.path)
        tasks = []
        for name in sorted(wanted):
            own = settings.scanners.get(name)
            if (self._only and name not in self._only) or (own is not None and not own.enabled):
                continue
            scanner = registry.scanner(name)
            tool = self._tools.locate(scanner.spec) if scanner.spec is not None else None
            options = dict(own.options) if own is not None else {}
            tasks.append(
                ScannerTask(
                    scanner=scanner,
                    tool=tool,
                    settings={**self._given(scanner), **options},
                    limits=Limits(time_s=own.timeout_s if own is not None else 600.0),
                    rule_pack=_pack(scanner, self.tables.rules_root)[0],
                    rule_pack_digest=_pack(scanner, self.tables.rules_root)[1],
                    remedy=self._remedy(name),
                    paths=frozenset(wanted[name]) if asking.folders else None,
                    # What options of its own name, further rules for one, has no digest here.
                    keepable=not options,
                )
            )
        return tasks

    def _given(self, scanner: Scanner) -> dict[str, object]:
        """Give what an adapter is told by us: the advisory source, and where compiled rules may be kept."""
        given: dict[str, object] = self.advice.settings(scanner)
        if scanner.name == "kingfisher" and self._trusting():
            # Whoever can write the cache can write rules that find nothing: what counts most compiles its own.
            given["rule_cache"] = f"{self._shop.machine.state}/cache/kingfisher"
        return given

    def _trusting(self) -> bool:
        """Tell whether anything that was made earlier may be used: never in what counts most (threat rule 8)."""
        return self._prepared.target.scope is not Scope.PROTECTED and self._prepared.profile.older_gaps == "warn"

    def _remedy(self, name: str) -> str:
        """Say how a tool is installed, and keep it for coverage."""
        own = (Path(self.tables.rules_root) / "tools" / f"{name}.txt").is_file()
        remedy = f"secgate tools install {name}" if own else f"install {name}: it comes with secgate's own requirements"
        self.remedies[name] = remedy
        return remedy

    def _directory(self, name: str) -> str:
        self._count += 1
        return str(Path(self._shop.scratch) / f"{name}-{self._count}")


def reader(part: Looked) -> Callable[[Location], bytes | None]:
    """Give what reads the bytes that a finding's location speaks of, None for what is not in this view."""
    places = {(origin.path, origin.commit): path for path, origin in part.view.origins.items()}
    plain = {(path, ""): path for path in part.view.digests if path not in part.view.origins}

    where = plain | places

    def read(location: Location) -> bytes | None:
        path = where.get((location.path, location.commit))
        return _read(part.view, path) if path is not None else None

    return read


def _read(view: View, path: str) -> bytes | None:
    if path not in view.digests:
        return None
    # A run may read tens of thousands of files, most of them short.
    with FileIO(f"{view.root}/{path}") as file:
        return file.readall()


def _configured(settings: Settings) -> Mapping[str, str]:
    return {name: own.path for name, own in settings.scanners.items() if own.path}


def _pack(scanner: Scanner, rules_root: str) -> tuple[str, str]:
    folder = {"semgrep": "semgrep", "secgate-iac": "infrastructure"}.get(scanner.name)
    if folder is None:
        return "", ""
    return f"rules/{folder}", folder_digest(Path(rules_root) / folder, ".yaml", ".yml", ".rego", ".json")
