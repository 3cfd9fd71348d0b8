"""Kinds by path and by content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.languages import head_bytes, kinds_of

POD = b"apiVersion: v1\nkind: Pod\n"


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("a/b.py", ("python", "text")),
        ("B.PY", ("python", "text")),
        ("types.pyi", ("python", "text")),
        ("n.ipynb", ("notebook", "json", "text")),
        ("a.jsx", ("javascript", "text")),
        ("a.mts", ("typescript", "text")),
        ("main.tf", ("terraform", "text")),
        ("main.tf.json", ("terraform", "json", "text")),
        ("Dockerfile", ("dockerfile", "text")),
        ("dockerfile.prod", ("dockerfile", "text")),
        ("docker/Dockerfile.slim", ("dockerfile", "text")),
        ("views/page.slim", ("page-template", "text")),
        ("web.Dockerfile", ("dockerfile", "text")),
        ("Dockerfile.dockerignore", ("text",)),
        ("docker-compose.override.yml", ("compose", "yaml", "text")),
        ("compose.yaml", ("compose", "yaml", "text")),
        (".gitlab-ci.yml", ("gitlab-ci", "yaml", "text")),
        (".github/workflows/ci.yml", ("github-workflow", "yaml", "text")),
        ("x/.github/workflows/ci.yml", ("yaml", "text")),
        (".github/workflows/sub/ci.yml", ("yaml", "text")),
        ("tools/action.yaml", ("github-action", "yaml", "text")),
        ("Chart.yaml", ("helm", "yaml", "text")),
        ("requirements.txt", ("pip-requirements", "text")),
        ("requirements-dev.in", ("pip-requirements", "text")),
        ("dev-requirements.txt", ("pip-requirements", "text")),
        ("requirements/base.txt", ("pip-requirements", "text")),
        ("requirements.py", ("python", "text")),
        ("requirements/constraints.txt", ("pip-constraints", "text")),
        ("pylock.dev.toml", ("pylock", "toml", "text")),
        ("pyproject.toml", ("pyproject", "toml", "text")),
        ("poetry.lock", ("poetry-lock", "text")),
        ("uv.lock", ("uv-lock", "text")),
        ("Pipfile.lock", ("pipfile-lock", "text")),
        ("package-lock.json", ("npm-lock", "json", "text")),
        ("pnpm-lock.yaml", ("pnpm-lock", "yaml", "text")),
        ("pom.xml", ("maven-pom", "xml", "text")),
        ("README", ("text",)),
        ("Gemfile", ("ruby", "text")),
        ("Dockerfile-dev", ("dockerfile", "text")),
        ("dev_Dockerfile", ("dockerfile", "text")),
        ("dockerfile-lint.yml", ("yaml", "text")),
        ("requirements.lock", ("pip-requirements", "text")),
        ("requirements/linux/base.pip", ("pip-requirements", "text")),
        ("reqs.txt", ("pip-requirements", "text")),
        ("run.py.lock", ("uv-lock", "text")),
        ("a.ejs", ("page-template", "text")),
        ("terragrunt.hcl", ("hcl", "text")),
        (".terraform.lock.hcl", ("text",)),
        ("lib/a.whl", ("package-archive", "text")),
        (".travis.yml", ("other-ci", "yaml", "text")),
        (".circleci/config.yml", ("other-ci", "yaml", "text")),
        ("ci/azure-pipelines.release.yml", ("other-ci", "yaml", "text")),
        ("Jenkinsfile.release", ("other-ci", "groovy", "text")),
    ],
)
def test_by_path(path: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(path, b"plain") == kinds


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("x.yaml", POD, "kubernetes"),
        ("x.yaml", b"#" * 9000 + b"\n" + POD, "kubernetes"),
        ("x.yaml", b'{apiVersion: v1, "kind": Pod}', "kubernetes"),
        ("x.json", b'{"apiVersion":"v1","kind":"Pod"}', "kubernetes"),
        ("x.yml", b"- apiVersion: v1\n  kind: Pod\n", "kubernetes"),
        ("x.yml", b"AWSTemplateFormatVersion: '2010-09-09'\n", "cloudformation"),
        ("x.template", b'{"Resources":{"b":{"Type":"AWS::S3::Bucket"}}}', "cloudformation"),
        ("x.yml", b"services:\n  web:\n    image: nginx\n", "compose"),
        ("chart/templates/x.yaml", b"apiVersion: v1\nkind: {{ .Values.k }}\n", "helm"),
        ("run", b"#!/usr/bin/env python3\n", "python"),
        ("run", b"#! /usr/bin/env -S FOO=1 node --x\n", "javascript"),
        ("run", b"#!/bin/sh\n", "shell"),
        ("setup.py", b"#" * 9000 + b"\nsetup(install_requires=['a'])\n", "setup-py"),
        ("setup.cfg", b"[options]\ninstall_requires =\n  a\n", "setup-cfg"),
        ("Pipfile", b"[packages]\na = '*'\n", "pipfile"),
        ("package.json", b'{"devDependencies": {"a": "1"}}', "npm-manifest"),
        ("go.mod", b"module x\n\nrequire a v1.0.0\n", "go-mod"),
        ("environment.yml", b"dependencies:\n  - python\n", "conda-environment"),
        ("x.py", b"# /// script\n# dependencies = [\n#   'flask',\n# ]\n# ///\n", "python-script"),
        ("app/x.gemspec", b"s.add_dependency 'rails'", "ruby-manifest"),
        ("bower.json", b'{"dependencies": {}}', "npm-manifest"),
        ("page.html", b"<script nonce=a>\nrun(location.hash)</script>", "html-script"),
        ("page.html", b" " * 9000 + b"<SCRIPT>go()</SCRIPT>", "html-script"),
        (
            "deploy.json",
            b'{"$schema": "https://schema.management.azure.com/x/deploymentTemplate.json#"}',
            "azure-template",
        ),
        ("site.yml", b"- hosts: all\n  tasks:\n  - shell: x\n", "ansible"),
        ("roles/a/tasks/main.yml", b"- name: x\n  shell: y\n", "ansible"),
        ("serverless.yml", b"service: x\n", "serverless"),
        ("Pulumi.yaml", b"name: x\nresources:\n  a: {}\n", "pulumi"),
        ("pod.yaml.j2", POD, "infrastructure-template"),
        ("main.tf.tmpl.j2", b"x", "infrastructure-template"),
        ("stack.cfn", b"AWSTemplateFormatVersion: '2010-09-09'\n", "cloudformation"),
        ("run", b"\xef\xbb\xbf#!/usr/bin/python3\n", "python"),
        ("paket.lock", b"NUGET\n  remote: x\n", "nuget"),
        ("pixi.toml", b"[dependencies]\na = '1'\n", "conda-environment"),
        ("src/App.csproj", b'<PackageReference Include="a" />', "nuget"),
    ],
)
def test_by_content(path: str, head: bytes, kind: str) -> None:
    assert kinds_of(path, head)[0] == kind


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("x.yaml", b"kind: Pod\n", "kubernetes"),
        ("x.yaml", b"Resources:\n  - Type: other\n", "cloudformation"),
        ("services.yaml", b"services:\n  App\\Thing: ~\n", "compose"),
        (".gitlab-ci.yml", b"services:\n  - postgres\nimage: x\n", "compose"),
        ("run", b"#!\n", "python"),
        ("setup.py", b"setup()\n", "setup-py"),
        ("package.json", b'{"type": "module", "dependencies": {}}', "npm-manifest"),
        ("go.mod", b"module x\n", "go-mod"),
        ("x.py", b"# /// script\n# dependencies = []\n# ///\n", "python-script"),
        ("page.html", b"<script src='a.js'></script><script type='application/json'>{}</script>", "html-script"),
        ("notes.yaml", b"hosts: [a]\n", "ansible"),
        ("page.html.j2", b"<p>", "infrastructure-template"),
        ("env.yaml", b"name: production\n", "conda-environment"),
    ],
)
def test_not_by_content(path: str, head: bytes, kind: str) -> None:
    assert kind not in kinds_of(path, head)


def test_a_nul_byte_takes_no_language_away() -> None:
    assert kinds_of("a.js", b"x /* \0 */") == ("javascript", "binary")
    assert kinds_of("a.bin", b"\0") == ("binary",)


def test_wide_text_is_text() -> None:
    assert kinds_of("a.ps1", "Write-Host".encode("utf-16")) == ("powershell", "text")


def test_a_film_is_no_typescript() -> None:
    assert kinds_of("film.ts", (b"G" + b"\0" * 187) * 2) == ("binary",)


def test_more_is_read_of_documents() -> None:
    assert head_bytes("x.yaml") > head_bytes("x.py") == 8192


@given(st.text(min_size=1), st.binary(max_size=300))
def test_total_and_last_is_text_or_binary(path: str, head: bytes) -> None:
    kinds = kinds_of(path, head)
    assert kinds[-1] in ("text", "binary")
    assert len(set(kinds)) == len(kinds)


def test_a_name_of_many_suffixes_is_told_in_time() -> None:
    assert "infrastructure-template" in kinds_of("a.tf" + ".j2" * 1300, b"")
    assert kinds_of("a" * 4000, b"") == ("text",)


@pytest.mark.parametrize("head", [b" -" * 500_000, b"<script" * 140_000, b"hosts" * 200_000, b"hosts:\n" * 140_000])
def test_a_hostile_document_is_told_in_time(head: bytes) -> None:
    assert kinds_of("a.html", head)[-1] == kinds_of("a.yml", head)[-1] == "text"
