"""Kinds of a file, from its path and its first bytes.

Where a kind hangs on content, more is claimed rather than less: a file that a lane looks at in vain costs
a moment, one that no lane looks at is a hole. So a NUL byte does not take a language away (`binary` only
takes the place of `text`), and keys are found at any depth and in any style of YAML.
"""

from __future__ import annotations

import re

HEAD_BYTES = 8192
"""How much of most files is looked at."""

DOCUMENT_BYTES = 1024 * 1024
"""How much of a YAML or JSON file is looked at: its kind may stand below a long comment."""

_BY_SUFFIX = {
    ".ascx": "aspnet",
    ".aspx": "aspnet",
    ".astro": "astro",
    ".bash": "shell",
    ".bat": "batch",
    ".bicep": "bicep",
    ".c": "c",
    ".cc": "cpp",
    ".cfm": "coldfusion",
    ".cjs": "javascript",
    ".clj": "clojure",
    ".cljc": "clojure",
    ".cljs": "clojure",
    ".cmd": "batch",
    ".coffee": "coffeescript",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".cshtml": "aspnet",
    ".css": "css",
    ".cts": "typescript",
    ".cxx": "cpp",
    ".dart": "dart",
    ".erb": "erb",
    ".erl": "erlang",
    ".ex": "elixir",
    ".exs": "elixir",
    ".fs": "fsharp",
    ".go": "go",
    ".groovy": "groovy",
    ".h": "c",
    ".hh": "cpp",
    ".hpp": "cpp",
    ".hs": "haskell",
    ".htm": "html",
    ".html": "html",
    ".ipynb": "notebook",
    ".java": "java",
    ".jl": "julia",
    ".js": "javascript",
    ".json": "json",
    ".jsp": "jsp",
    ".jsx": "javascript",
    ".ksh": "shell",
    ".kt": "kotlin",
    ".kts": "kotlin",
    ".lua": "lua",
    ".m": "objective-c",
    ".mjs": "javascript",
    ".ml": "ocaml",
    ".mm": "objective-c",
    ".mts": "typescript",
    ".nim": "nim",
    ".php": "php",
    ".phtml": "php",
    ".pl": "perl",
    ".pm": "perl",
    ".ps1": "powershell",
    ".psm1": "powershell",
    ".py": "python",
    ".pyi": "python",
    ".pyw": "python",
    ".pyx": "cython",
    ".r": "r",
    ".rake": "ruby",
    ".razor": "aspnet",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".sh": "shell",
    ".sol": "solidity",
    ".sql": "sql",
    ".svelte": "svelte",
    ".swift": "swift",
    ".template": "template",
    ".tf": "terraform",
    ".tfvars": "terraform",
    ".tofu": "opentofu",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".vb": "visual-basic",
    ".vue": "vue",
    ".wsgi": "python",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".zig": "zig",
    ".zsh": "shell",
}

_BY_NAME = {
    "bun.lock": "npm-lock",
    "bun.lockb": "npm-lock",
    "cargo.lock": "cargo-lock",
    "cargo.toml": "cargo-manifest",
    "composer.json": "composer",
    "composer.lock": "composer",
    "conda-lock.yml": "conda-environment",
    "deno.lock": "npm-lock",
    "gemfile": "ruby",
    "gemfile.lock": "ruby-lock",
    "go.mod": "go-mod",
    "go.sum": "go-sum",
    "gradle.lockfile": "gradle",
    "jenkinsfile": "groovy",
    "mix.lock": "mix-lock",
    "npm-shrinkwrap.json": "npm-lock",
    "package-lock.json": "npm-lock",
    "package.resolved": "swift-lock",
    "packages.config": "nuget",
    "packages.lock.json": "nuget",
    "pdm.lock": "pdm-lock",
    "pipfile": "pipfile",
    "pipfile.lock": "pipfile-lock",
    "pnpm-lock.yaml": "pnpm-lock",
    "podfile.lock": "cocoapods-lock",
    "poetry.lock": "poetry-lock",
    "pom.xml": "maven-pom",
    "pubspec.lock": "pub-lock",
    "pyproject.toml": "pyproject",
    "rakefile": "ruby",
    "sconscript": "python",
    "sconstruct": "python",
    "setup.cfg": "setup-cfg",
    "setup.py": "setup-py",
    "uv.lock": "uv-lock",
    "wscript": "python",
    "yarn.lock": "yarn-lock",
}

_BY_PATTERN = (
    (re.compile(r"pylock(\.[^.]+)?\.toml"), "pylock"),
    (re.compile(r"(.*[-_.])?requirements?([-_.].*)?\.(txt|in)"), "pip-requirements"),
    (re.compile(r"(.*[-_.])?constraints?([-_.].*)?\.(txt|in)"), "pip-constraints"),
    (re.compile(r"(docker|container)file(\..+)?|.+\.(docker|container)file"), "dockerfile"),
    (re.compile(r"(docker-)?compose([-_.].+)?\.ya?ml"), "compose"),
    (re.compile(r"(.+\.)?\.?gitlab-ci(\..+)?\.ya?ml"), "gitlab-ci"),
    (re.compile(r"action\.ya?ml"), "github-action"),
    (re.compile(r"chart\.ya?ml"), "helm"),
    (re.compile(r".+\.tf(vars)?\.json"), "terraform"),
    (re.compile(r".+\.tofu\.json"), "opentofu"),
    (re.compile(r"(conda[-_.])?env(ironment)?([-_.].+)?\.ya?ml"), "conda-environment"),
    (re.compile(r".+\.(cs|fs|vb)proj|directory\.packages\.props"), "nuget"),
    (re.compile(r"build\.gradle(\.kts)?|libs\.versions\.toml"), "gradle"),
)
"""File names in lower case; each that fits adds its kind, in this order."""

_NAMES_PACKAGES = {
    "cargo-manifest": re.compile(rb"dependencies"),
    "composer": re.compile(rb"\"(?:require|packages)"),
    "conda-environment": re.compile(rb"^(?:dependencies|package)\s*:", re.MULTILINE),
    "go-mod": re.compile(rb"^require\b", re.MULTILINE),
    "gradle": re.compile(rb"dependencies|libraries|="),
    "nuget": re.compile(rb"(?i)packagereference|packageversion|<package\b|\"dependencies\""),
    "pipfile": re.compile(rb"packages"),
    "setup-cfg": re.compile(rb"_require"),
    "setup-py": re.compile(rb"_require|\*\*"),
}
"""Kinds that a file has only when its first bytes name packages, or may."""

_NPM_PACKAGES = re.compile(rb"\"(?:(?:dev|peer|optional)D|d)ependencies\"\s*:\s*\{\s*\"")
_REQUIREMENTS_FOLDER = re.compile(r"(?:.*/)?requirements?/[^/]+\.(?:txt|in)")
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
_IMAGE = re.compile(rb"[\"']?(?:image|build)[\"']?[ \t]*:")


def _suffix(name: str) -> str:
    """Give the last suffix with its dot, "" for none; a leading dot begins none."""
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem.strip(".") else ""


def head_bytes(path: str) -> int:
    """Give how many of a file's first bytes `kinds_of` wants to see."""
    name = path.rpartition("/")[2].lower()
    whole = _suffix(name) in (".yaml", ".yml", ".json", ".template") or _BY_NAME.get(name) in _NAMES_PACKAGES
    return DOCUMENT_BYTES if whole else HEAD_BYTES


def kinds_of(path: str, head: bytes) -> tuple[str, ...]:
    """Give a file's kinds, most special first, ending in `text` or `binary`.

    `path` is relative to the repository's root, since a workflow is one only in its place. `head` are the
    file's first `head_bytes(path)` bytes.
    """
    name = path.rpartition("/")[2].lower()
    suffix = _suffix(name)
    language = _BY_SUFFIX.get(suffix, "")
    found = [kind for kind in _by_path(path, name) if _may_name_packages(kind, head)]
    if language in ("yaml", "json", "template"):
        found += _by_content(path, name, head, found)
    if not language and head.startswith(b"#!"):
        found += _by_interpreter(head)
    if language == "typescript" and _is_transport_stream(head):
        language = ""
    if language and language != "template":
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
    if name in _BY_NAME:
        found.append(_BY_NAME[name])
    for pattern, kind in _BY_PATTERN:
        if pattern.fullmatch(name) and not name.endswith(_OTHER_FORMS):
            found.append(kind)
    if _REQUIREMENTS_FOLDER.fullmatch(path.lower()) and "pip-constraints" not in found:
        found.append("pip-requirements")
    return found


def _may_name_packages(kind: str, head: bytes) -> bool:
    """An empty head is that of a file nobody could read: its name alone counts."""
    wanted = _NAMES_PACKAGES.get(kind)
    return wanted is None or not head or wanted.search(head) is not None


def _by_content(path: str, name: str, head: bytes, by_path: list[str]) -> list[str]:
    found = []
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
