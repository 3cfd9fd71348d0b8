"""Populations of what was found: episodes with their time, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from msgspec.structs import replace

from secgate import sla
from secgate.assertion_facts import BreachItem, EpisodeItem, PatchItem, SecretItem
from secgate.assertions import Deviation, Period, Population
from secgate.chronicle import Episode
from secgate.controls import Assertion
from secgate.evidence.agreements import refused_notes, unchecked
from secgate.evidence.covering import Cover, Covers, reach
from secgate.evidence.ground import Ground, Read, Said
from secgate.evidence.shipping import notes_of, rows_of
from secgate.let_pass import WORDS
from secgate.masking import clean
from secgate.model import Lane, Severity
from secgate.notification import KnownNotification
from secgate.population import PatchRelease
from secgate.testimony import REVOKED as REVOKED_SECRET
from secgate.testimony import KnownRevocation
from secgate.waivers import DISMISSING, Waiver

_HOUR_S = 3600


def opened_or_due(ground: Ground, assertion: Assertion) -> Population:
    """Give the episodes that were opened in the period, or, for deadlines, that were due or overdue in it."""
    wanted = _due_in if assertion.test == "vuln_sla" else _opened_in
    items: list[EpisodeItem] = []
    for read in ground.ledgers:
        covers = _covers_of(read, ground)
        items += (_item(read, one, ground, covers) for one in read.episodes if wanted(one, ground.period))
    return Population(tuple(items), notes=(*_unchecked_waivers(ground), *ground.overlaps()))


def _unchecked_waivers(ground: Ground) -> list[str]:
    reasons = {read.said.reason for read in ground.ledgers} - {""}
    return [f"waivers could not be checked: {reason}" for reason in sorted(reasons)]


def supersedings(ground: Ground, assertion: Assertion) -> Population:
    """Give each duty that was taken back in the period. Where nobody's word counts, the duties stand."""
    del assertion
    found = [
        (read, replace(one.item, id=read.named(one.item.id, one.recorded.event.repository)), one.untested)
        for read in ground.ledgers
        for one in read.supersedings
        if ground.within(one.recorded.at_epoch_s)
    ]
    reasons = {read.said.reason for read, item, _ in found if item.downgrade}
    return Population(
        tuple(item for _, item, _ in found),
        reason=next(iter(sorted(reasons - {""})), ""),
        untested={item.id: untested for _, item, untested in found if untested},
        notes=ground.overlaps(),
    )


def patches(ground: Ground, assertion: Assertion) -> Population:
    """Give critical findings of components that were open in the period, each with the first patch that came out.

    When one did is told by lists from outside alone: an advisory has the date of its own publishing, and a patch may
    have been out for long by then.
    """
    del assertion
    first = _first_patches(ground)
    told = "no list of patches says when one came out for it" if "patches" in ground.lists else ""
    items, untested = [], {}
    for read, one in _episodes(ground):
        facts = one.known.facts
        is_critical = facts.lane is Lane.DEPENDENCIES and facts.severity is Severity.CRITICAL
        if not is_critical or not _open_in(one, ground.period):
            continue
        package = facts.package.rpartition("@")[0].lower()
        mine = [first[key] for name in facts.advisories if (key := (name.upper(), package)) in first]
        patch = min(mine, key=lambda row: (row.released_epoch_s, row.name), default=None)
        item = PatchItem(id=read.key_of(one), closed_epoch_s=one.closed_epoch_s)
        if patch is None:
            # Counted from no date it would be late by decades.
            untested[item.id] = told or "no list of patches was imported: secgate evidence import patches"
        else:
            item = replace(item, patch=patch.name, released_epoch_s=patch.released_epoch_s)
        items.append(item)
    return Population(
        tuple(items),
        untested=untested,
        facts={"patches.release_dates_known": "patches" in ground.lists},
        notes=(*notes_of(ground, "patches"), *ground.overlaps()),
    )


def _first_patches(ground: Ground) -> dict[tuple[str, str], PatchRelease]:
    """Give the patch that came out first, by advisory and `ecosystem/name` in small letters."""
    found: dict[tuple[str, str], PatchRelease] = {}
    rows = cast("list[PatchRelease]", rows_of(ground, "patches"))
    for row in sorted(rows, key=lambda row: (row.released_epoch_s, row.name)):
        found.setdefault((row.advisory, f"{row.ecosystem}/{row.package}".lower()), row)
    return found


def _open_in(one: Episode, period: Period) -> bool:
    return one.opened_epoch_s < period.to_epoch_s and not 0 < one.closed_epoch_s < period.from_epoch_s


def secrets(ground: Ground, assertion: Assertion) -> Population:
    """Give secrets that were found in the period, or before and nobody had said by then that they were revoked.

    What was done counts from when it was done, as whoever signed for it says; that the ledger was told late is a note.
    """
    items, notes = [], []
    limit_s = int(assertion.params.get("limit_hours", 0)) * _HOUR_S
    for read, one in _episodes(ground):
        if one.known.facts.lane is not Lane.SECRETS or one.opened_epoch_s >= ground.period.to_epoch_s:
            continue
        told = _revocation(read.said, one, ground.period)
        if one.opened_epoch_s < ground.period.from_epoch_s and told and told.at_epoch_s < ground.period.from_epoch_s:
            continue
        revoked = told.said.revoked_epoch_s if told is not None else 0
        known = {"opened_epoch_s": one.opened_epoch_s, "revoked_epoch_s": revoked}
        items.append(SecretItem(id=read.key_of(one), **known, revocation=told.id if told is not None else ""))
        if told is not None:
            due = one.opened_epoch_s + limit_s
            late = "after it was due, " if told.at_epoch_s > due >= revoked else ""
            at = f"{sla.utc_words(revoked)}, told {late}{sla.utc_words(told.at_epoch_s)}"
            notes.append(f"{read.key_of(one)} was revoked {at} by {told.said.by}: {told.said.reference}")
    return Population(
        tuple(items),
        reason=unchecked(ground, REVOKED_SECRET),
        notes=(*notes, *refused_notes(ground, REVOKED_SECRET), *ground.overlaps()),
    )


def _revocation(said: Said, one: Episode, period: Period) -> KnownRevocation | None:
    """Give the first word, of those before the period's end, that this secret was revoked."""
    names = one.known.called
    found = (
        told
        for told in said.testimony.revocations
        if told.said.repository == one.repository
        and told.said.fingerprint in names
        and told.at_epoch_s < period.to_epoch_s
    )
    return min(found, key=lambda told: (told.said.revoked_epoch_s, told.at_epoch_s), default=None)


def breaches(ground: Ground, assertion: Assertion) -> Population:
    """Give what passed its time in the period, or shortly before and nobody had been told, and when somebody was.

    What waivers covered when it was due passes its time when the last of them ends: until then nobody is told that it
    is overdue, and it is not.
    """
    found, limit_s = [], int(assertion.params.get("limit_hours", 0)) * _HOUR_S
    for read in ground.ledgers:
        covers = _covers_of(read, ground)
        for one in read.episodes:
            due = _due(one)
            bites = max(due, covers.until(one, due)) if due else 0
            if not bites or 0 < one.closed_epoch_s <= bites:
                continue
            item = _breach(read, one, bites, ground.period)
            if ground.concerns(bites, bites + limit_s, item.notified_epoch_s):
                found.append(item)
    recorded = any(_notifications(read, ground.period) for read in ground.ledgers)
    reason = "" if recorded else "no notification was recorded; secgate notify does so"
    return Population(tuple(found), reason=reason, notes=(*_unchecked_waivers(ground), *ground.overlaps()))


def _breach(read: Read, one: Episode, bites: int, period: Period) -> BreachItem:
    told = _told(read, one, period)
    item = BreachItem(id=read.key_of(one), due_epoch_s=bites)
    if told is None:
        return item
    return replace(item, notified_epoch_s=told.at_epoch_s, notice=told.event.message_id)


def _notifications(read: Read, period: Period) -> list[KnownNotification]:
    return [one for one in read.chronicle.memory.notifications if one.at_epoch_s < period.to_epoch_s]


def _told(read: Read, one: Episode, period: Period) -> KnownNotification | None:
    """Give the message by which somebody was first told that an episode is overdue, in or before the period."""
    names = one.known.called
    found = (
        sent
        for sent in _notifications(read, period)
        for told in sent.event.told
        if (told.repository, told.line, told.episode) == (one.repository, one.line, one.known.episode)
        and told.fingerprint in names
        and told.stage in ("overdue", "escalation")
    )
    return min(found, key=lambda sent: sent.at_epoch_s, default=None)


def sla_metrics(items: Sequence[EpisodeItem], deviations: Sequence[Deviation], period: Period) -> dict[str, int]:
    """Give the numbers of a period's deadlines; adherence is met / due in thousandths.

    Due is met + excepted + missed + overdue and open. What was dismissed stands beside it and in no other number.
    """
    bad = {one.item: one.exception for one in deviations}
    due = [one for one in items if not is_dismissed(one, period)]
    closed = [one for one in due if 0 < one.closed_epoch_s < period.to_epoch_s]
    met = [one for one in closed if one.id not in bad and one.closed_epoch_s <= one.due_epoch_s]
    lengths = sorted(one.closed_epoch_s - one.opened_epoch_s for one in closed)
    still = [period.to_epoch_s - one.opened_epoch_s for one in due if not 0 < one.closed_epoch_s < period.to_epoch_s]
    return {
        "due": len(due),
        "met": len(met),
        "excepted": len(due) - len(met) - len(bad),
        "missed": sum(word == "missed" for word in bad.values()),
        "overdue_open": sum(word == "overdue_open" for word in bad.values()),
        "dismissed": len(items) - len(due),
        **({"adherence_per_mille": 1000 * len(met) // len(due)} if due else {}),
        **({"p50_hours": _rank(lengths, 50), "p90_hours": _rank(lengths, 90)} if lengths else {}),
        **({"oldest_open_hours": max(still) // _HOUR_S} if still else {}),
    }


def is_dismissed(item: EpisodeItem, period: Period) -> bool:
    """Tell whether it is late, or still open, and covered only because somebody called it no weakness.

    Where waivers that accept the risk cover it alone, it is excepted. Source: SLA semantics, rule 12.
    """
    end = item.closed_epoch_s if 0 < item.closed_epoch_s < period.to_epoch_s else period.to_epoch_s
    return item.due_epoch_s < end <= item.covered_until_epoch_s and item.accepted_until_epoch_s < end


def dismissals(items: Sequence[EpisodeItem], ground: Ground) -> Iterator[tuple[EpisodeItem, Waiver]]:
    """Give each item that was dismissed, with every waiver that called it no weakness when it was due."""
    waivers = {read.named(one.id, one.id): one for read in ground.ledgers for one in read.said.waivers}
    for item in items:
        if is_dismissed(item, ground.period):
            for name in item.dismissing:
                yield item, waivers[name]


def dismissal_notes(items: Sequence[EpisodeItem], ground: Ground) -> tuple[str, ...]:
    """Say each dismissal in words: of what, as what, by whom and why."""
    return tuple(_dismissed_note(item, waiver) for item, waiver in dismissals(items, ground))


def _dismissed_note(item: EpisodeItem, waiver: Waiver) -> str:
    asked, who = waiver.request, waiver.approver
    why = clean(asked.reason)
    at = sla.utc_words(waiver.approved_epoch_s)
    return f"{item.id} was dismissed as {WORDS[asked.kind]}, approved by {who} {at} ({waiver.id[:12]}): {why}"


def _rank(lengths: Sequence[int], percent: int) -> int:
    """Give the nearest rank of sorted lengths in whole hours, rounded down."""
    return lengths[-(-len(lengths) * percent // 100) - 1] // _HOUR_S


def _episodes(ground: Ground) -> Iterator[tuple[Read, Episode]]:
    for read in ground.ledgers:
        for one in read.episodes:
            yield read, one


def _due(one: Episode) -> int:
    return sla.due_epoch_s(one.known.obligations) or 0


def _opened_in(one: Episode, period: Period) -> bool:
    return period.from_epoch_s <= one.opened_epoch_s < period.to_epoch_s


def _due_in(one: Episode, period: Period) -> bool:
    """Tell whether it was due in a period, or overdue at any time in it. Source: SLA semantics, rule 15."""
    due = _due(one)
    if not due or due >= period.to_epoch_s:
        return False
    return due >= period.from_epoch_s or not 0 < one.closed_epoch_s <= max(due, period.from_epoch_s)


def _covers_of(read: Read, ground: Ground) -> Covers:
    """Give the waivers of a ledger, to ask which of them covered which of its findings."""
    return Covers(read.said, read.episodes, ground.limits.waivers_s)


def _item(read: Read, one: Episode, ground: Ground, known: Covers) -> EpisodeItem:
    due = _due(one)
    covers = known.of(one, due) if due else ()
    accepting = [cover for cover in covers if cover.waiver.request.kind not in DISMISSING]
    return EpisodeItem(
        id=read.key_of(one),
        severity=one.known.facts.severity.value,
        has_limit=ground.limits.severity_s.of(one.known.facts.severity) > 0,
        opened_epoch_s=one.opened_epoch_s,
        judged_epoch_s=one.judged_epoch_s,
        due_epoch_s=due,
        closed_epoch_s=one.closed_epoch_s,
        covered_until_epoch_s=reach(covers),
        accepted_until_epoch_s=reach(accepting),
        accepting=_ids(read, accepting),
        dismissing=_ids(read, [cover for cover in covers if cover.waiver.request.kind in DISMISSING]),
    )


def _ids(read: Read, covers: Iterable[Cover]) -> tuple[str, ...]:
    return tuple(read.named(cover.waiver.id, cover.waiver.id) for cover in covers)


def as_episodes(items: Sequence[object]) -> Sequence[EpisodeItem]:
    """Give items of the unit `finding_episode` as what they are."""
    return cast("Sequence[EpisodeItem]", items)
