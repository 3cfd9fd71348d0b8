"""The functions that policies may call: those that every engine has, with the number of their arguments.

regorus looks a function up when it is called and not before, so a misspelt one behind a condition that seldom holds
would deny nothing, in silence, until the day it is needed. OPA refuses it at once. Both refuse it here.

Source: `opa capabilities` of OPA 1.22, each name asked of regorus 0.13; `tests/policies/test_functions.py` asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from secgate.sla import many

_BY_ARGUMENTS: Mapping[int, str] = {
    1: """
        abs array.reverse base64.decode base64.encode base64.is_valid base64url.decode base64url.encode
        base64url.encode_no_pad bits.negate ceil count floor glob.quote_meta hex.decode hex.encode intersection
        is_array is_boolean is_null is_number is_object is_set is_string json.is_valid json.marshal json.unmarshal
        lower max min net.cidr_expand net.cidr_is_valid object.keys object.union_n product regex.is_valid round
        semver.is_valid sort strings.reverse sum time.clock time.date time.format time.parse_duration_ns
        time.parse_rfc3339_ns time.weekday to_number trim_space type_name union units.parse units.parse_bytes upper
        urlquery.decode urlquery.decode_object urlquery.encode urlquery.encode_object uuid.parse yaml.is_valid
        yaml.marshal yaml.unmarshal
    """,
    2: """
        array.concat bits.and bits.lsh bits.or bits.rsh bits.xor concat contains endswith format_int graph.reachable
        graph.reachable_paths indexof indexof_n json.filter json.marshal_with_options json.patch json.remove
        net.cidr_contains numbers.range object.filter object.remove object.subset object.union regex.match
        regex.split semver.compare split sprintf startswith strings.any_prefix_match strings.any_suffix_match
        strings.replace_n time.diff time.parse_ns trim trim_left trim_prefix trim_right trim_suffix
    """,
    3: """
        array.slice glob.match numbers.range_step object.get regex.find_all_string_submatch_n regex.find_n
        regex.replace replace substring
    """,
    4: "regex.template_match time.add_date",
}

FUNCTIONS: Mapping[str, int] = {name: count for count, names in _BY_ARGUMENTS.items() for name in names.split()}
"""Name -> number of arguments. A call may have one more: what the answer is matched with."""


def wrong_call(name: str, given: int) -> tuple[str, str]:
    """Say what is wrong with a call of `name` with so many arguments, and what to do; ("", "") for nothing."""
    wanted = FUNCTIONS.get(name)
    if wanted is None:
        near = get_close_matches(name, sorted(FUNCTIONS), n=1, cutoff=0.8)
        remedy = f"did you mean `{near[0]}`?" if near else "do without it, or write a function of your own"
        return f"there is no function `{name}` that every engine has", remedy
    if given not in (wanted, wanted + 1):
        return f"`{name}` takes {many(wanted, 'argument')}, and {given} are given", "see OPA's own reference"
    return "", ""
