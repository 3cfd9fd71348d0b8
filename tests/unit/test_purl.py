"""Package URLs."""

from __future__ import annotations

import pytest

from secgate.purl import PackageUrl, parse


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
