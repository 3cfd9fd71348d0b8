"""Names to plug-ins: a literal table of the built-in ones, entry points for those of others.

Nothing registers itself on import, nothing is imported before it is asked for, and what is loaded is checked against
its Protocol.
"""

from __future__ import annotations

import importlib
import re
import shutil
import threading
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from msgspec import Struct

from secgate import ports
from secgate.config import EngineSettings, Machine
from secgate.errors import PluginError, UsageError
from secgate.executors.local import LocalExecutor
from secgate.executors.standby import Standby
from secgate.executors.tools import LocalTools
from secgate.foreign import (
    ForeignEngine,
    ForeignNotifier,
    ForeignPartialReporter,
    ForeignPopulation,
    ForeignReporter,
    ForeignScanner,
    ForeignSigner,
    at_fault,
)
from secgate.resources import data_dir

if TYPE_CHECKING:
    from secgate.engines.opa_eval import OpaEvalEngine
    from secgate.signers.timestamps import Timestamps

Kind = Literal["scanners", "engines", "reporters", "signers", "populations", "notifiers"]
Plugin = TypeVar("Plugin")

BUILTIN: Mapping[Kind, Mapping[str, str]] = {
    "scanners": {
        "bandit": "secgate.scanners.bandit:Bandit",
        "checkov": "secgate.scanners.checkov:Checkov",
        "detect-secrets": "secgate.scanners.detect_secrets:DetectSecrets",
        "kingfisher": "secgate.scanners.kingfisher:Kingfisher",
        "pip-audit": "secgate.scanners.pip_audit:PipAudit",
        "secgate-iac": "secgate.scanners.infrastructure:Infrastructure",
        "semgrep": "secgate.scanners.semgrep:Semgrep",
        "zizmor": "secgate.scanners.zizmor:Zizmor",
    },
    "engines": {
        "opa": "secgate.engines.opa:OpaEngine",
        "opa-eval": "secgate.engines.opa_eval:OpaEvalEngine",
        "regorus": "secgate.engines.regorus:RegorusEngine",
    },
    "reporters": {
        "csv": "secgate.reporters.csv:CsvReporter",
        "github": "secgate.reporters.github:GithubReporter",
        "gitlab-codequality": "secgate.reporters.gitlab:GitlabCodequalityReporter",
        "gitlab-dependency": "secgate.reporters.gitlab:GitlabDependencyReporter",
        "gitlab-sast": "secgate.reporters.gitlab:GitlabSastReporter",
        "gitlab-secrets": "secgate.reporters.gitlab:GitlabSecretsReporter",
        "html": "secgate.reporters.html:HtmlReporter",
        "json": "secgate.reporters.json:JsonReporter",
        "junit": "secgate.reporters.junit:JunitReporter",
        "comment": "secgate.reporters.markdown:CommentReporter",
        "log": "secgate.reporters.text:LogReporter",
        "markdown": "secgate.reporters.markdown:MarkdownReporter",
        "markdown-all": "secgate.reporters.markdown:WholeMarkdownReporter",
        "sarif": "secgate.reporters.sarif:SarifReporter",
        "sarif-all": "secgate.reporters.sarif:WholeSarifReporter",
        "sonarqube": "secgate.reporters.sonarqube:SonarqubeReporter",
        "text": "secgate.reporters.text:TextReporter",
    },
    "notifiers": {
        "issues": "secgate.notifiers.issues:IssueNotifier",
        "mail": "secgate.notifiers.mail:MailNotifier",
        "slack": "secgate.notifiers.chat:SlackNotifier",
        "teams": "secgate.notifiers.chat:TeamsNotifier",
        "webhook": "secgate.notifiers.webhook:WebhookNotifier",
    },
    "populations": {
        "csv": "secgate.populations.csv:CsvPopulation",
        "github": "secgate.populations.github:GithubPopulation",
        "gitlab": "secgate.populations.gitlab:GitlabPopulation",
        "json": "secgate.populations.json:JsonPopulation",
    },
    "signers": {
        "dsse": "secgate.signers.dsse:DsseSigner",
        "sshsig": "secgate.signers.sshsig:SshSigner",
    },
}

_PROTOCOLS: Mapping[Kind, type] = {
    "scanners": ports.Scanner,
    "engines": ports.Engine,
    "reporters": ports.Reporter,
    "signers": ports.Signer,
    "populations": ports.PopulationReader,
    "notifiers": ports.Notifier,
}

_AGENT_ENV = ("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY")
"""What signing with a key that an agent holds, or that has a passphrase, needs of the operator's environment."""


def names(kind: Kind) -> tuple[str, ...]:
    """Give the names of a kind, built-in and third-party, sorted. A third party cannot take a built-in name."""
    return tuple(sorted({*BUILTIN[kind], *_third_parties(kind)}))


def origin(kind: Kind, name: str) -> str:
    """Say which package brings a plug-in, with its version; "" for what is part of secgate."""
    point = _third_parties(kind).get(name)
    if point is None:
        return ""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def load_builtin(*kinds: Kind) -> None:
    """Import every built-in plug-in of some kinds."""
    for kind in kinds:
        for place in BUILTIN[kind].values():
            importlib.import_module(place.partition(":")[0])


def find(kind: Kind, name: str) -> type:
    """Give the class behind a name, checked to be complete when it is made.

    Raises UsageError for an unknown name, PluginError for a third party's plug-in that cannot be imported.
    """
    if name in BUILTIN[kind]:
        module, _, attribute = BUILTIN[kind][name].partition(":")
        return cast("type", getattr(importlib.import_module(module), attribute))
    point = _third_parties(kind).get(name)
    if point is None:
        raise UsageError(f"unknown {kind.removesuffix('s')} `{name}`", remedy=f"one of: {', '.join(names(kind))}")
    with at_fault(f"`{name}` ({point.value})", "be loaded", place=f"secgate.{kind}"):
        return cast("type", point.load())


def _made(kind: Kind, name: str) -> object:
    """Make a plug-in that needs nothing. Raises PluginError for whatever a third party's raises."""
    made = find(kind, name)
    if name in BUILTIN[kind]:
        return checked(kind, name, made())
    with at_fault(f"`{name}` ({made.__module__})", "be made", place=f"secgate.{kind}"):
        return checked(kind, name, made())


def checked(kind: Kind, name: str, plugin: Plugin) -> Plugin:
    """Give `plugin` when it has every member of its kind's Protocol; raises UsageError otherwise."""
    protocol = _PROTOCOLS[kind]
    if not isinstance(plugin, protocol):
        members = {*vars(protocol), *getattr(protocol, "__annotations__", {})}
        lacking = sorted(m for m in members if not m.startswith("_") and not hasattr(plugin, m))
        raise UsageError(
            f"the {kind.removesuffix('s')} `{name}` lacks {', '.join(lacking)}",
            remedy="see ports.py for what a plug-in must have",
            place=f"secgate.{kind}",
        )
    return plugin


def _told(name: str, made: object) -> str:
    """Name a plug-in of others for people."""
    return f"`{name}` ({type(made).__module__})"


def scanner(name: str) -> ports.Scanner:
    """Make a scanner. Nothing is probed or started."""
    made = cast("ports.Scanner", _made("scanners", name))
    return made if name in BUILTIN["scanners"] else cast("ports.Scanner", ForeignScanner(made, name, _told(name, made)))


def scanner_options(name: str) -> type[Struct]:
    """Give the form of a scanner's options. Raises UsageError for a plug-in that declares something else."""
    form: object = scanner(name).options
    if isinstance(form, type) and issubclass(form, Struct):
        return form
    raise UsageError(
        f"the scanner `{name}` declares options of no form",
        remedy="let `options` be a msgspec Struct, `NoOptions` for none; see ports.py",
        place="secgate.scanners",
    )


def reporter(name: str) -> ports.Reporter:
    """Make a reporter."""
    made = cast("ports.Reporter", _made("reporters", name))
    if name in BUILTIN["reporters"]:
        return made
    kind = ForeignPartialReporter if isinstance(made, ports.PartialReporter) else ForeignReporter
    return kind(made, _told(name, made))


def population(name: str) -> ports.PopulationReader:
    """Make the reader of a form of populations."""
    made = cast("ports.PopulationReader", _made("populations", name))
    return made if name in BUILTIN["populations"] else ForeignPopulation(made, _told(name, made))


def notifier(name: str) -> ports.Notifier:
    """Make what tells a channel. Nothing is sent."""
    made = cast("ports.Notifier", _made("notifiers", name))
    return made if name in BUILTIN["notifiers"] else ForeignNotifier(made, _told(name, made))


def signer(name: str, *, machine: Machine, runner: ports.ProcessRunner, scratch: str) -> ports.Signer:
    """Make a signer. `scratch` is private; where ssh-keygen is not on PATH, the first use of `sshsig` says so."""
    if name != "sshsig":
        other = cast("ports.Signer", _made("signers", name))
        return other if name in BUILTIN["signers"] else ForeignSigner(other, _told(name, other))
    program = shutil.which("ssh-keygen", path=machine.env.get("PATH", "")) or ""
    env = {key: machine.env[key] for key in _AGENT_ENV if key in machine.env}
    made = find("signers", name)(runner=runner, executable=program, directory=scratch, env=env)
    return checked("signers", name, cast("ports.Signer", made))


def timestamps(machine: Machine, *, runner: ports.ProcessRunner, scratch: str) -> Timestamps:
    """Make what asks timestamp authorities; where openssl is not on PATH, its first use says so."""
    from secgate.signers.timestamps import Timestamps

    program = shutil.which("openssl", path=machine.env.get("PATH", "")) or ""
    return Timestamps(runner=runner, executable=program, directory=scratch)


def executor(
    machine: Machine,
    *,
    scratch: str,
    parallel: int,
    cancelled: threading.Event | None = None,
    standby: Standby | None = None,
    standby_for: str = "",
) -> LocalExecutor:
    """Make the executor of this machine: both the ProcessRunner and the Executor.

    `scratch` is a private folder; `cancelled` ends every child once it is set; `standby` holds children that wait
    for the jobs of `standby_for`.
    """
    return LocalExecutor(
        environment=machine.env,
        scratch=scratch,
        python=machine.python,
        parallel=parallel,
        cancelled=cancelled,
        standby=standby,
        standby_for=standby_for,
    )


def standby(machine: Machine) -> Standby:
    """Make what has scanners of this machine wait for their turn."""
    return Standby(environment=machine.env, python=machine.python)


def tools(machine: Machine, *, configured: Mapping[str, str], executor: LocalExecutor) -> LocalTools:
    """Make the tool locator and installer of this machine."""
    return LocalTools(
        runner=executor,
        prefix=machine.prefix,
        interpreter=machine.python,
        tools_root=f"{machine.state}/tools",
        locks=str(data_dir("rules") / "tools"),
        path=machine.env.get("PATH", ""),
        configured=configured,
    )


def engine(
    settings: EngineSettings, *, machine: Machine, runner: ports.ProcessRunner, scratch: str
) -> tuple[ports.Engine, ports.Engine]:
    """Make the engine that judges: for what is ours and small, and one that can be stopped for all else.

    Raises UsageError for an unknown name, an address that cannot be used, and a program that is not here.
    """
    match settings.name:
        case "regorus":
            from secgate.engines.regorus import RegorusChild, RegorusEngine

            return RegorusEngine(), RegorusChild(runner=runner, python=machine.python, directory=scratch)
        case "opa":
            made: ports.Engine | None = _opa(settings, machine)
        case "opa-eval":
            made = _opa_eval(machine=machine, runner=runner, scratch=scratch)
        case name:
            other = cast("ports.Engine", _made("engines", name))
            made = ForeignEngine(other, _told(name, other))
    if made is None:
        raise UsageError(
            "there is no opa on PATH to judge with", place="engine.name", remedy="install it, or choose `regorus`"
        )
    return (checked("engines", settings.name, made),) * 2


def reference_engine(
    name: str, *, settings: EngineSettings, machine: Machine, runner: ports.ProcessRunner, scratch: str
) -> ports.Engine | None:
    """Give an engine that judges again; None where its program, or a server to ask, is not named or not here."""
    if name == settings.name:
        return None
    if name == "opa-eval":
        return _opa_eval(machine=machine, runner=runner, scratch=scratch)
    return _opa(settings, machine) if name == "opa" and settings.address else None


def policy_checker(*, machine: Machine, runner: ports.ProcessRunner, scratch: str) -> ports.PolicyChecker | None:
    """Give the compiler that looks over a policy beside us; None where there is no `opa` on PATH."""
    return _opa_eval(machine=machine, runner=runner, scratch=scratch)


def _opa(settings: EngineSettings, machine: Machine) -> ports.Engine:
    env = machine.env
    made = find("engines", "opa")(
        address=settings.address,
        token=env.get("SECGATE_OPA_TOKEN", ""),
        ca=settings.ca,
        certificate=settings.certificate,
        key=settings.key,
        proxy=env.get("HTTPS_PROXY", "") or env.get("https_proxy", ""),
    )
    return checked("engines", "opa", cast("ports.Engine", made))


def _opa_eval(*, machine: Machine, runner: ports.ProcessRunner, scratch: str) -> OpaEvalEngine | None:
    spec = ports.ToolSpec(name="opa", executable="opa", version_argv=("version",), version_pattern=r"Version: (\S+)")
    found = shutil.which("opa", path=machine.env.get("PATH", ""))
    if found is None:
        return None
    from secgate.engines.opa_eval import OpaEvalEngine

    output = runner.run((found, *spec.version_argv), cwd=scratch)
    match = re.search(spec.version_pattern, output.stdout.decode("utf-8", "replace"))
    return OpaEvalEngine(runner=runner, executable=found, version=match.group(1) if match else "", directory=scratch)


def _third_parties(kind: Kind) -> dict[str, metadata.EntryPoint]:
    found: dict[str, metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=f"secgate.{kind}"):
        if point.name in BUILTIN[kind] or point.name in found:
            raise PluginError(
                f"two plug-ins are called `{point.name}`: {point.value} and another",
                remedy="remove one of the packages that bring them",
                place=f"secgate.{kind}",
            )
        found[point.name] = point
    return found
