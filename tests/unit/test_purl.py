"""Package URLs."""

from __future__ import annotations

import pytest

from secgate.errors import UsageError
from secgate.purl import PackageUrl, named_package, parse


@pytest.mark.parametrize(
    ("text", "ecosystem", "name", "version"),
    [
        ("pkg:pypi/Flask@1.0", "PyPI", "Flask", "1.0"),
        ("pkg:npm/%40angular/core@17.0.0?x=y#sub", "npm", "@angular/core", "17.0.0"),
        ("pkg:npm/@angular/core", "npm", "@angular/core", ""),
        ("pkg:golang/github.com/gin-gonic/gin@v1.9.0", "Go", "github.com/gin-gonic/gin", "v1.9.0"),
        ("pkg:maven/org.apache/commons@1", "Maven", "org.apache:commons", "1"),
        ("pkg:oci/shop@sha256:1", "oci", "shop", "sha256:1"),
        ("pkg:pypi/flask@1%2B2", "PyPI", "flask", "1+2"),
    ],
)
def test_a_package_url_is_taken_apart(text: str, ecosystem: str, name: str, version: str) -> None:
    assert parse(text) == PackageUrl(ecosystem=ecosystem, name=name, version=version)


@pytest.mark.parametrize("text", ["", "flask", "pkg:", "pkg:pypi", "pkg:pypi/", "pkg:pypi/" + "a" * 1000])
def test_what_is_none_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Flask", ("PyPI", "Flask")),
        ("pypi/Flask", ("PyPI", "Flask")),
        ("npm/@angular/core", ("npm", "@angular/core")),
        ("go/github.com/gin-gonic/gin", ("Go", "github.com/gin-gonic/gin")),
        ("crates.io/serde", ("crates.io", "serde")),
        ("Debian:12/openssl", ("Debian:12", "openssl")),
    ],
)
def test_a_package_named_with_its_ecosystem(text: str, named: tuple[str, str]) -> None:
    assert named_package(text) == named


@pytest.mark.parametrize("text", ["", " ", "npm/", "/flask", "@angular/core", "github.com/gin-gonic/gin"])
def test_a_package_without_its_ecosystem_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="names no package"):
        named_package(text)
