"""Words of a report: times, lengths, numbers and facts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from secgate.sla import length_words, utc_words

_DAY_S = 86400


def moment(epoch_s: int) -> str:
    """Give a time in UTC, "-" for never."""
    return utc_words(epoch_s) if epoch_s else "-"


def stamp(epoch_s: int) -> str:
    """Give a time for machines: RFC 3339 in UTC, "" for never."""
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if epoch_s else ""


def days(seconds: int) -> str:
    """Give a length in days with one decimal, rounded down."""
    return f"{seconds * 10 // _DAY_S / 10:.1f}"


def percent(per_mille: int | None) -> str:
    """Give thousandths as a percentage with one decimal, "-" for none."""
    return "-" if per_mille is None else f"{per_mille // 10}.{per_mille % 10} %"


def facts_of(facts: dict[str, object]) -> list[tuple[str, str]]:
    """Give facts of an item as (name, value) in words; what is empty is left out, null is what nobody knows."""
    told = []
    for name, value in facts.items():
        if value in ("", 0, (), []) and not isinstance(value, bool):
            continue
        if value is None:
            told.append((name.replace("_", " "), "not known"))
        elif name.endswith("_epoch_s") and isinstance(value, int):
            told.append((name.removesuffix("_epoch_s").replace("_", " "), utc_words(value)))
        elif name.endswith("_s") and isinstance(value, int):
            told.append((name.removesuffix("_s").replace("_", " "), length_words(value)))
        elif isinstance(value, bool):
            told.append((name.replace("_", " "), "yes" if value else "no"))
        elif isinstance(value, list):
            told.append((name.replace("_", " "), "; ".join(_one(part) for part in value)))
        else:
            told.append((name.replace("_", " "), str(value)))
    return told


def _one(part: object) -> str:
    if isinstance(part, dict):
        return ", ".join(f"{name} {value}" for name, value in facts_of(part))
    return str(part)
