"""What every form of populations promises. A third party's joins by one line in `FILES`."""

from __future__ import annotations

import json

import pytest

from secgate import registry
from secgate.errors import ConfigError
from secgate.people import People
from secgate.population_records import COLUMNS, Scope, provided, rows_of
from secgate.population_text import MAX_BYTES
from secgate.ports import PopulationReader
from tests.population_files import EXTRACTED, FILES


@pytest.fixture(params=sorted(FILES), ids="-".join)
def given(request: pytest.FixtureRequest) -> tuple[PopulationReader, str, bytes]:
    form, kind = request.param
    return registry.population(form), kind, FILES[(form, kind)]


def test_every_form_and_kind_of_the_table_has_a_file() -> None:
    forms = {name: registry.population(name) for name in registry.names("populations")}
    assert {(name, kind) for name, form in forms.items() for kind in form.kinds} == set(FILES)
    assert all(form.name == name for name, form in forms.items())


def test_records_have_the_columns_of_their_kind_and_say_where_they_stand(
    given: tuple[PopulationReader, str, bytes],
) -> None:
    reader, kind, data = given
    read = reader.read(data, kind, place="f")  # type: ignore[arg-type]
    assert read.records
    assert read.read >= len(read.left_out)
    for record in read.records:
        assert set(record.fields) <= set(COLUMNS[kind].all)  # type: ignore[index]
        assert 1 <= record.line <= data.count(b"\n") + 1


def test_what_it_reads_becomes_rows(given: tuple[PopulationReader, str, bytes]) -> None:
    reader, kind, data = given
    read = provided(reader.read(data, kind, place="f"), ("example.com/shop",))  # type: ignore[arg-type]
    made = rows_of(kind, read, scope=Scope(EXTRACTED), people=People(), provider=reader.provider, place="f")  # type: ignore[arg-type]
    assert made.rows


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf[]", "byte-order mark of UTF-8"),
        ("[]".encode("utf-16"), "byte-order mark of UTF-16"),
        (b"[\n\xe4\n]", "line 2 is not UTF-8"),
        (b"[\0]", "zero byte"),
        (b" " * (MAX_BYTES + 1), "are allowed"),
        (b"[" * 100_000, "f:1: "),
        (b"{}", "f:1: "),
        (b"[[]]", "f:1: "),
        (b"[{},]", "f:1: "),
        (b'\n[{"a": NaN}]', "f:"),
    ],
    ids=range(11),
)
def test_what_is_no_such_file_is_refused_with_its_place(
    given: tuple[PopulationReader, str, bytes], data: bytes, said: str
) -> None:
    reader, kind, _ = given
    with pytest.raises(ConfigError) as caught:
        reader.read(data, kind, place="f")  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert all(remedy for _, _, remedy in caught.value.faults)


def test_it_reads_the_same_twice(given: tuple[PopulationReader, str, bytes]) -> None:
    reader, kind, data = given
    assert reader.read(data, kind, place="f") == reader.read(data, kind, place="f")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["github", "gitlab", "json"])
def test_a_key_that_is_there_twice_is_refused(form: str) -> None:
    reader = registry.population(form)
    for kind in reader.kinds:
        data = FILES[(form, kind)]
        first = next(iter(json.loads(data)[0]))
        broken = data.replace(f'"{first}":'.encode(), f'"{first}": 1, "{first}":'.encode(), 1)
        with pytest.raises(ConfigError, match=f"the key `{first}` is there twice"):
            reader.read(broken, kind, place="f")
