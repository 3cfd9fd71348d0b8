"""What is wrong with a policy, told with its place before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from secgate.errors import PolicyError


class Fault(Struct, frozen=True):
    """One thing wrong with a module.

    `binds_replay`: it is refused in what a ledger kept too, since it would be judged by more than its input, or by whom
    it may not be.
    """

    place: str
    what: str
    remedy: str = ""
    binds_replay: bool = False


def raise_faults(faults: Sequence[Fault], *, layer: str) -> None:
    """Raise one PolicyError that shows the first fault by its place and counts the rest; nothing for no fault."""
    if faults:
        ordered = sorted(set(faults), key=place_order)
        first, more = ordered[0], len(ordered) - 1
        lines = "".join(f"; {fault.place}: {fault.what}" for fault in ordered[1:5])
        raise PolicyError(
            f"{first.what} ({layer} layer{f', and {more} more' if more else ''}{lines})",
            remedy=first.remedy or "correct the policy; `policies/schema/input.json` lists what there is",
            place=first.place,
            faults=[(fault.place, fault.what, fault.remedy) for fault in ordered],
        )


def place_order(fault: Fault) -> tuple[str, list[int], str]:
    """Give the order of faults: by file, line and column."""
    file, *position = fault.place.split(":")
    return file, [int(number) for number in position if number.isdecimal()], fault.what
