from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.errors import LedgerError
from secgate.merkle import (
    EMPTY_ROOT,
    Tree,
    check_end,
    consistency_proof,
    decode_entry,
    encode_entry,
    extend,
    inclusion_proof,
    leaf_hash,
    tree_of,
    verified,
    verify_consistency,
    verify_inclusion,
)
from secgate.model import Entry, Head, LedgerEntry

# The eight leaves and the roots over the first 1..8 of them that Certificate Transparency implementations share.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(b"%d" % number) for number in range(64)]
HEADS = [tree_of(LEAVES[:size]).head() for size in range(65)]


def test_known_answers() -> None:
    roots = [tree_of(leaf_hash(leaf) for leaf in CT_LEAVES[:size]).root().hex() for size in range(1, 9)]
    assert roots == CT_ROOTS


def test_empty_tree() -> None:
    assert Tree().head() == Head(size=0, root=EMPTY_ROOT)


@pytest.mark.parametrize("size", range(1, 65))
def test_every_leaf_is_included(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        assert verify_inclusion(LEAVES[index], index, HEADS[size], proof)


@pytest.mark.parametrize("size", range(1, 33))
def test_no_other_leaf_or_place_is_accepted(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        wrong = [(leaf, place) for leaf in (index, 63) for place in range(size + 2) if (leaf, place) != (index, index)]
        assert not any(verify_inclusion(LEAVES[leaf], place, HEADS[size], proof) for leaf, place in wrong)


@pytest.mark.parametrize("size", range(1, 65))
def test_every_earlier_tree_is_consistent(size: int) -> None:
    for old in range(1, size + 1):
        assert verify_consistency(HEADS[old], HEADS[size], consistency_proof(LEAVES[:size], old))


@pytest.mark.parametrize("size", range(2, 65))
def test_a_rewritten_past_is_not_consistent(size: int) -> None:
    rewritten = [leaf_hash(b"other"), *LEAVES[1:size]]
    for old in range(1, size):
        assert not verify_consistency(HEADS[old], tree_of(rewritten).head(), consistency_proof(rewritten, old))


@given(st.integers(1, 64), st.integers(0, 63), st.integers(0, 255), st.data())
def test_a_changed_proof_is_refused(size: int, index: int, bit: int, data: st.DataObject) -> None:
    index %= size
    proof = list(inclusion_proof(LEAVES[:size], index))
    if not proof:
        return
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    assert not verify_inclusion(LEAVES[index], index, HEADS[size], proof)


@given(st.integers(2, 64), st.integers(1, 63), st.data())
def test_a_shortened_or_lengthened_proof_is_refused(size: int, old: int, data: st.DataObject) -> None:
    old = 1 + old % (size - 1)
    proof = consistency_proof(LEAVES[:size], old)
    cut = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_consistency(HEADS[old], HEADS[size], proof[:cut])
    assert not verify_consistency(HEADS[old], HEADS[size], (*proof, LEAVES[0]))


@pytest.mark.parametrize(("size", "old"), [(0, 0), (4, 0), (4, 5)])
def test_no_proof_for_what_is_not_there(size: int, old: int) -> None:
    with pytest.raises(LedgerError):
        consistency_proof(LEAVES[:size], old)
    with pytest.raises(LedgerError):
        inclusion_proof(LEAVES[:size], size)


def test_a_tree_goes_on_from_its_peaks() -> None:
    first = tree_of(LEAVES[:37])
    again = Tree(first.size, first.peaks)
    again.append(LEAVES[37])
    assert again.head() == HEADS[38]
    assert first.head() == HEADS[37]


def test_peaks_must_fit_the_size() -> None:
    with pytest.raises(LedgerError, match="do not make a tree"):
        Tree(3, [LEAVES[0]])


# ------------------------------------------------------------------------------------------ entries


def entries(count: int) -> list[LedgerEntry]:
    events = [Entry(type="run", version=1, body=b'{"n":%d}' % number) for number in range(count)]
    return list(extend(Tree(), events, at_epoch_s=1_700_000_000))


def rows(recorded: list[LedgerEntry]) -> list[tuple[bytes, bytes | None]]:
    return [(entry.data, bytes.fromhex(entry.leaf)) for entry in recorded]


def test_the_exact_bytes_of_an_entry() -> None:
    # Final: stored entries are verified over these bytes for as long as there are ledgers.
    data = encode_entry(
        Entry(type="run", version=1, body=b'{"b": 1, "a": 2.50}'), at_epoch_s=5, sequence=3, previous_root=EMPTY_ROOT
    )
    assert data == (
        b'{"at_epoch_s":5,"body":{"b": 1, "a": 2.50},"previous_root":'
        b'"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","sequence":3,"type":"run","version":1}'
    )
    assert bytes(decode_entry(data).body) == b'{"b": 1, "a": 2.50}'


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{}{}", b'{},"sequence":9', b'{"a":1}\n', b'{"a":"\xff"}', b"{"])
def test_only_one_json_object_is_a_body(body: bytes) -> None:
    with pytest.raises(LedgerError):
        encode_entry(Entry(type="run", version=1, body=body), at_epoch_s=0, sequence=0, previous_root=EMPTY_ROOT)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":[{"b":1,"c":2,"\\u0062":1}]}', "b"),
        (b'{"a": 1.50, "b": {"a": 2}, "c": "\\"a\\":1"}', ""),
    ],
)
def test_a_body_gives_no_key_twice(body: bytes, key: str) -> None:
    """However it is written: another reader would take the other one."""
    given = Entry(type="made-up", version=1, body=body)
    if not key:
        assert body in encode_entry(given, at_epoch_s=0, sequence=0, previous_root=EMPTY_ROOT)
        return
    with pytest.raises(LedgerError, match=f"gives the key '{key}' twice"):
        encode_entry(given, at_epoch_s=0, sequence=0, previous_root=EMPTY_ROOT)


@pytest.mark.parametrize(("kind", "version"), [('run","x":"', 1), ("Run", 1), ("", 1), ("run", 0)])
def test_only_a_plain_type_and_version_are_kept(kind: str, version: int) -> None:
    with pytest.raises(LedgerError):
        encode_entry(Entry(type=kind, version=version, body=b"{}"), at_epoch_s=0, sequence=0, previous_root=EMPTY_ROOT)


def test_deep_nesting_is_an_error_of_the_ledger() -> None:
    data = entries(1)[0].data.replace(b'{"n":0}', b'{"n":' * 100_000 + b"0" + b"}" * 100_000)
    with pytest.raises(LedgerError):
        decode_entry(data)


def test_entries_verify() -> None:
    recorded = entries(20)
    tree = Tree()
    assert list(verified(tree, rows(recorded))) == recorded
    check_end(tree, tree_of(bytes.fromhex(entry.leaf) for entry in recorded).head())


@given(st.integers(0, 19), st.data())
def test_any_changed_byte_is_found_at_its_entry(index: int, data: st.DataObject) -> None:
    recorded = entries(20)
    at = data.draw(st.integers(0, len(recorded[index].data) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != recorded[index].data[at]))
    changed = rows(recorded)
    changed[index] = (recorded[index].data[:at] + bytes([byte]) + recorded[index].data[at + 1 :], changed[index][1])
    with pytest.raises(LedgerError, match=f"at entry {index}:"):
        list(verified(Tree(), changed))


@given(st.integers(0, 18))
def test_a_changed_entry_with_its_leaf_is_named_by_the_next(index: int) -> None:
    changed = rows(entries(20))
    data = changed[index][0].replace(b'{"n":', b'{"m":')
    changed[index] = (data, leaf_hash(data))
    with pytest.raises(LedgerError, match=f"at entry {index}: it is not what it was when entry {index + 1}"):
        list(verified(Tree(), changed))


@given(st.permutations(range(8)).filter(lambda order: order != list(range(8))))
def test_another_order_is_found(order: list[int]) -> None:
    recorded = rows(entries(8))
    with pytest.raises(LedgerError, match="does not verify"):
        list(verified(Tree(), [recorded[index] for index in order]))


@given(st.integers(0, 18))
def test_a_missing_entry_is_found(index: int) -> None:
    recorded = rows(entries(20))
    with pytest.raises(LedgerError, match=f"at entry {index}: entry {index + 1} stands in its place"):
        list(verified(Tree(), recorded[:index] + recorded[index + 1 :]))


def test_a_cut_tail_is_found_against_the_head() -> None:
    recorded = entries(20)
    head = tree_of(bytes.fromhex(entry.leaf) for entry in recorded).head()
    tree = Tree()
    list(verified(tree, rows(recorded)[:19]))
    with pytest.raises(LedgerError, match="at entry 19: 19 entries are there, and the head was kept for 20"):
        check_end(tree, head)


def test_time_never_goes_back() -> None:
    tree = Tree()
    event = Entry(type="run", version=1, body=b"{}")
    early = [*extend(tree, [event], at_epoch_s=10), *extend(tree, [event], at_epoch_s=9)]
    with pytest.raises(LedgerError, match=r"entry 1: its time"):
        list(verified(Tree(), rows(early)))
