"""Which changed paths judge the change itself (threat rule 2): they are reported, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from secgate.patterns import PathPattern, first_fit

GATE_PATTERNS = tuple(
    PathPattern(text)
    for text in (
        "secgate.toml",
        "pyproject.toml",
        ".secgate/",
        "allowed_signers",
        ".github/workflows/",
        ".github/actions/",
        ".github/CODEOWNERS",
        "CODEOWNERS",
        "action.yml",
        "action.yaml",
        ".gitlab-ci.yml",
        "azure-pipelines.y*ml",
        "bitbucket-pipelines.yml",
        "/Jenkinsfile",
        ".pre-commit-config.y*ml",
        ".semgrepignore",
        ".semgrep/",
        ".semgrep.y*ml",
        ".bandit",
        ".checkov.y*ml",
        ".checkov.baseline",
        ".secrets.baseline",
        ".kingfisher*",
        ".gitleaks.toml",
        ".gitleaksignore",
        "zizmor.y*ml",
        ".zizmor.y*ml",
        ".trivyignore*",
        ".snyk",
        ".gitmodules",
        ".gitattributes",
        ".gitignore",
    )
)
"""Configuration, workflows, signers, and what tools or git would take as an order to look away."""


def gate_changes(paths: Iterable[str], further: Sequence[PathPattern] = ()) -> tuple[str, ...]:
    """Give those of the changed `paths` that judge the change, sorted; `further` come from settings."""
    patterns = (*GATE_PATTERNS, *further)
    return tuple(sorted({path for path in paths if first_fit(patterns, path)}))
