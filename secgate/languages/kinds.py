"""Kinds of a file, from its path and its first bytes.

Where a kind hangs on content, more is claimed rather than less: a file that a lane looks at in vain costs
a moment, one that no lane looks at is a hole. So a NUL byte does not take a language away (`binary` only
takes the place of `text`), and keys are found at any depth and in any style of YAML.
"""

from __future__ import annotations

import re
from itertools import islice

from secgate.languages.kind_names import BY_NAME, BY_PATTERN, BY_SUFFIX

HEAD_BYTES = 8192
"""How much of most files is looked at."""

DOCUMENT_BYTES = 1024 * 1024
"""How much of a YAML or JSON file is looked at: its kind may stand below a long comment."""

_NAMES_PACKAGES = {
    "cargo-manifest": re.compile(rb"dependencies"),
    "composer": re.compile(rb"\"(?:require|packages)"),
    "conda-environment": re.compile(rb"^(?:dependencies|packages?)[ \t]*:|^\[[^\]\n]*dependencies\]", re.MULTILINE),
    "go-mod": re.compile(rb"^require\b", re.MULTILINE),
    "gradle": re.compile(rb"dependencies|libraries|="),
    "npm-manifest": re.compile(rb"\"(?:dependencies|imports)\""),
    "nuget": re.compile(rb"(?i)packagereference|packageversion|<package\b|\"dependencies\"|\bnuget\b"),
    "pipfile": re.compile(rb"packages"),
    "pub-manifest": re.compile(rb"^dependencies\s*:", re.MULTILINE),
    "ruby-manifest": re.compile(rb"\bgem\b|_dependency\b"),
    "setup-cfg": re.compile(rb"_require"),
    "setup-py": re.compile(rb"_require|\*\*"),
}
"""Kinds that a file has only when its first bytes name packages, or may."""

_PROVIDER_LOCK = ".terraform.lock.hcl"
_NPM_PACKAGES = re.compile(rb"\"(?:(?:dev|peer|optional)D|d)ependencies\"\s*:\s*\{\s*\"")
_REQUIREMENTS_FOLDER = re.compile(r"(?:.*/)?requirements?/.+\.(?:txt|in|pip|lock)")
_PIPELINE_FOLDER = re.compile(
    r"(?:.*/)?\.(?:(?:gitea|forgejo)/workflows|circleci|buildkite|woodpecker|semaphore|azure-pipelines)/.+\.ya?ml"
)
_ANSIBLE_FOLDER = re.compile(r"(?:.*/)?(?:tasks|handlers|playbooks)/[^/]+\.ya?ml")
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml", re.IGNORECASE)

_INTERPRETERS = (
    (re.compile(r"python[\d.]*|pypy[\d.]*|uv"), "python"),
    (re.compile(r"node(js)?|deno|bun"), "javascript"),
    (re.compile(r"ts-node|tsx"), "typescript"),
    (re.compile(r"(ba|da|k|z|a)?sh"), "shell"),
    (re.compile(r"ruby[\d.]*"), "ruby"),
    (re.compile(r"php[\d.]*"), "php"),
    (re.compile(r"perl[\d.]*"), "perl"),
    (re.compile(r"pwsh"), "powershell"),
    (re.compile(r"lua[\d.]*"), "lua"),
)

_MARKS_OF_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class _Key:
    """A mapping's key in block YAML, flow YAML or JSON."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._expression = re.compile(rb"(?:^|[\s{,\-?])[\"']?" + name + rb"[\"']?[ \t]*:", re.MULTILINE)

    def is_in(self, head: bytes) -> bool:
        # Most documents do not have the word at all, and finding that out is fast.
        return self._name in head and self._expression.search(head) is not None


_API_VERSION = _Key(b"apiVersion")
_KIND = _Key(b"kind")
_TEMPLATE_VERSION = _Key(b"AWSTemplateFormatVersion")
_RESOURCES = _Key(b"Resources")
_AWS_TYPE = re.compile(rb"Type[\"']?\s*:\s*[\"']?(?:AWS|Alexa)::")
_SERVICES = re.compile(rb"^(?:\{\s*)?[\"']?services[\"']?[ \t]*:", re.MULTILINE)
_SCRIPT_PACKAGES = re.compile(rb"^# /// script[ \t\r]*$", re.MULTILINE)
_SCRIPT_LIST = re.compile(rb"^#[ \t]*dependencies[ \t]*=(?![ \t]*\[[ \t]*\])", re.MULTILINE)
"""A Python script that names its packages. Source: PEP 723."""
_SCRIPT = re.compile(rb"<script\b", re.IGNORECASE)
_SCRIPT_IS_CODE = re.compile(
    rb"(?![^>]*(?:\bsrc\s*=|type\s*=\s*[\"']?(?:application|text/(?:template|html|x-)|importmap)))[^>]*>\s*[^\s<]",
    re.IGNORECASE,
)
"""A tag's rest and what follows: a reference to a file is no code in the page, nor is data."""
_TAG_BYTES = 400
_MOST_TAGS = 1000
_RESOURCES_OF_PULUMI = re.compile(rb"^resources\s*:", re.MULTILINE)
_AZURE_HOST = b"schema.management.azure.com"
_AZURE_TEMPLATE = re.compile(rb"schema\.management\.azure\.com/[^\"\n]{0,100}deploymentTemplate\.json")
_HOSTS = re.compile(rb"^[ \t]{0,40}-?[ \t]{0,40}hosts[ \t]*:", re.MULTILINE)
_TASKS = re.compile(rb"^[ \t]{0,40}-?[ \t]{0,40}(?:tasks|roles)[ \t]*:", re.MULTILINE)
_TASK = re.compile(rb"^- (?:name|include_tasks|import_tasks|block)[ \t]*:", re.MULTILINE)
_RENDERED = re.compile(r"(.+?)(?:\.(?:j2|jinja2?|tmpl|tpl|gotmpl|erb|mustache))+", re.IGNORECASE | re.DOTALL)
_RENDERED_KINDS = frozenset({"terraform", "cloudformation", "kubernetes", "compose", "opentofu", "bicep"})
_IMAGE = re.compile(rb"[\"']?(?:image|build)[\"']?[ \t]*:")


def _suffix(name: str) -> str:
    """Give the last suffix with its dot, "" for none; a leading dot begins none."""
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem.strip(".") else ""


def head_bytes(path: str) -> int:
    """Give how many of a file's first bytes `kinds_of` wants to see."""
    name = path.rpartition("/")[2].lower()
    whole = (
        _suffix(name) in (".yaml", ".yml", ".json", ".template", ".html", ".htm", ".xhtml", ".cfn", ".cft")
        or BY_NAME.get(name) in _NAMES_PACKAGES
    )
    return DOCUMENT_BYTES if whole else HEAD_BYTES


def kinds_of(path: str, head: bytes) -> tuple[str, ...]:
    """Give a file's kinds, most special first, ending in `text` or `binary`.

    `path` is relative to the repository's root, since a workflow is one only in its place. `head` are the
    file's first `head_bytes(path)` bytes.
    """
    name = path.rpartition("/")[2].lower()
    suffix = _suffix(name)
    language = BY_SUFFIX.get(suffix, "")
    found = [kind for kind in _by_path(path, name) if _may_name_packages(kind, head)]
    if language in ("yaml", "json", "template"):
        found += _by_content(path, name, head, found)
    if not language and _without_mark(head).startswith(b"#!"):
        found += _by_interpreter(_without_mark(head))
    if language == "html" and _holds_script(head):
        found.append("html-script")
    if "python" in (language, *found) and _SCRIPT_PACKAGES.search(head) and _SCRIPT_LIST.search(head):
        found.append("python-script")
    if (inner := _RENDERED.fullmatch(path)) and _RENDERED_KINDS.intersection(kinds_of(inner[1], head)):
        found.append("infrastructure-template")
    if language == "typescript" and _is_transport_stream(head):
        language = ""
    if language == "page-template" and "dockerfile" in found:
        # `Dockerfile.slim` is for a slim image, not for the template engine.
        language = ""
    if language and language != "template" and name != _PROVIDER_LOCK:
        found.append(language)
    if language == "notebook":
        found.append("json")
    if name == "pyproject.toml" or "pylock" in found:
        found.append("toml")
    wide = head.startswith(_MARKS_OF_WIDE_TEXT)
    found.append("binary" if b"\0" in head and not wide else "text")
    return tuple(dict.fromkeys(found))


_OTHER_FORMS = (".dockerignore", ".md", ".rst", ".py", ".js", ".ts", ".go", ".rs", ".rb", ".java", ".sh", ".rego")
"""`Dockerfile.dockerignore` lists names, and `dockerfile.py` and `requirements.py` are modules."""


def _by_path(path: str, name: str) -> list[str]:
    found = ["github-workflow"] if _WORKFLOW.fullmatch(path) else []
    if name in BY_NAME:
        found.append(BY_NAME[name])
    for pattern, kind in BY_PATTERN:
        if pattern.fullmatch(name) and not name.endswith(_OTHER_FORMS):
            found.append(kind)
    if _PIPELINE_FOLDER.fullmatch(path.lower()):
        found.append("other-ci")
    if _REQUIREMENTS_FOLDER.fullmatch(path.lower()) and "pip-constraints" not in found:
        found.append("pip-requirements")
    return found


def _may_name_packages(kind: str, head: bytes) -> bool:
    """An empty head is that of a file nobody could read: its name alone counts."""
    wanted = _NAMES_PACKAGES.get(kind)
    return wanted is None or not head or wanted.search(head) is not None


def _by_content(path: str, name: str, head: bytes, by_path: list[str]) -> list[str]:
    found = []
    if _AZURE_HOST in head and _AZURE_TEMPLATE.search(head):
        found.append("azure-template")
    if _is_ansible(path, head):
        found.append("ansible")
    if name.startswith("pulumi.") and _RESOURCES_OF_PULUMI.search(head):
        found.append("pulumi")
    if name in ("deno.json", "deno.jsonc", "import_map.json") and b'"imports"' in head:
        found.append("npm-manifest")
    if name == "package.json" and _NPM_PACKAGES.search(head):
        found.append("npm-manifest")
    if _TEMPLATE_VERSION.is_in(head) or (_RESOURCES.is_in(head) and _AWS_TYPE.search(head)):
        found.append("cloudformation")
    if "templates/" in path and b"{{" in head:
        # A chart's template is no YAML until it is rendered.
        found.append("helm")
    elif _API_VERSION.is_in(head) and _KIND.is_in(head) and "helm" not in by_path:
        found.append("kubernetes")
    owner = {"github-workflow", "github-action", "gitlab-ci", "compose"} & set(by_path)
    if (
        not owner
        and b"services" in head
        and _SERVICES.search(head)
        and _IMAGE.search(head)
        and not name.endswith(".json")
    ):
        found.append("compose")
    return found


def _holds_script(page: bytes) -> bool:
    tags = list(islice(_SCRIPT.finditer(page), _MOST_TAGS))
    return len(tags) == _MOST_TAGS or any(_SCRIPT_IS_CODE.match(page[t.end() : t.end() + _TAG_BYTES]) for t in tags)


def _is_ansible(path: str, head: bytes) -> bool:
    if b"hosts" in head and _HOSTS.search(head) and _TASKS.search(head):
        return True
    return _ANSIBLE_FOLDER.fullmatch(path) is not None and _TASK.search(head) is not None


def _without_mark(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf")


def _by_interpreter(head: bytes) -> list[str]:
    line = head[2:].split(b"\n", 1)[0].decode("utf-8", "replace")
    for word in line.split():
        program = word.rpartition("/")[2]
        if program == "env" or program.startswith("-") or "=" in program:
            continue
        return [kind for pattern, kind in _INTERPRETERS if pattern.fullmatch(program)]
    return []


def _is_transport_stream(head: bytes) -> bool:
    """Tell a film from TypeScript: both are called `.ts`. Source: ISO/IEC 13818-1, 2.4.3.2 sync_byte."""
    return len(head) > 188 and head[0] == head[188] == 0x47 and b"\0" in head
