"""One night's readings and the catalogue of the night before -> tonight's tables, as plain rows.

readings ─► records ─► collapse in each ─► groups by the site's identity ─► (matching by text) ─► merge ─► rows
                                                                 former rows ─► carried with their state ┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from dedup.collapse import Collapsed, collapse
from dedup.identity import find_aliases, group_key, mint_id, record_ids, resolve
from dedup.merge import PARAGRAPH_BREAK, Stated, differences, finish, merge, with_copies
from schema.nouns import Night, Passage, Reading, Record, Reject, Visit

Row = dict[str, Any]
_STATE_OF_OUTCOME = {"not_found": "not_found", "gone": "gone", "forbidden": "forbidden"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tables of one night as rows; columns are those of schema.tables, each list sorted by its key."""

    resources: tuple[Row, ...] = ()
    records: tuple[Row, ...] = ()
    passages: tuple[Row, ...] = ()
    pages: tuple[Row, ...] = ()
    rejects: tuple[Row, ...] = ()

    def table(self, name: str) -> tuple[Row, ...]:
        """The rows of a table by its name."""
        rows: tuple[Row, ...] = getattr(self, name)
        return rows


def make_catalogue(
    source: str, night: Night, copies: Sequence[Reading], former: Sequence[Mapping[str, Any]], *, is_visit: bool = True
) -> Catalogue:
    """The tables as of a night.

    Args:
        source: short name of the source.
        night: what the run over the site brought.
        copies: readings of all imported copies so far, whatever run brought them.
        former: rows of `resources` as of the run before.
        is_visit: False when `night` is the last visit seen once more, because copies came in after it: what it says of
            the site is then in `former` already, and states do not move.
    """
    in_force = _in_force(copies)
    readings = [*night.readings, *in_force]
    aliases = find_aliases(night.visits, readings)
    stated = _state(readings, aliases)
    groups: dict[str, list[Stated]] = {}
    for one in stated:
        groups.setdefault(group_key(one.record), []).append(one)
    ids = _name_groups(source, groups, _known_keys(former, aliases), former)
    rows = _resource_rows(night, groups, ids, former, is_visit=is_visit)
    notes = {group[0].record.url: found for group in groups.values() if (found := differences(group))}
    return Catalogue(
        resources=_sorted(rows, "resource_id"),
        records=_sorted((_record_row(s, ids[group_key(s.record)]) for s in stated), "record_id"),
        passages=_sorted((r for s in stated for r in _passage_rows(s)), "record_id", "section", "position"),
        pages=_sorted(_page_rows(night, readings, notes), "url"),
        rejects=_sorted(_reject_rows(readings), "reject_id"),
    )


def _resource_rows(
    night: Night,
    groups: Mapping[str, Sequence[Stated]],
    ids: Mapping[str, str],
    former: Sequence[Mapping[str, Any]],
    *,
    is_visit: bool,
) -> list[Row]:
    """A row for each resource stated tonight, and one for each known from before that no page of the site states.

    A copy tells of a resource that nothing else told of, and of earlier days; never of what the site shows tonight.
    """
    by_id = {row["resource_id"]: row for row in former}
    rows, absent = [], dict(by_id)
    for key, group in groups.items():
        name = ids[key]
        is_live = any(not one.is_copy for one in group)
        if name in by_id and not (is_live and is_visit):
            absent[name] = with_copies(by_id[name], [one for one in group if one.is_copy])
        else:
            absent.pop(name, None)
            rows.append(merge(name, group[0].record.url, group, by_id.get(name)))
    counts = Counter(ids[key] for key, group in groups.items() for _ in group)
    carried = _carry(night, list(absent.values())) if is_visit else [dict(row) for row in absent.values()]
    return [{**row, "record_count": counts[row["resource_id"]]} for row in (*rows, *carried)]


def _sorted(rows: Iterable[Row], *key: str) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: tuple(row[name] for name in key)))


def _in_force(copies: Sequence[Reading]) -> list[Reading]:
    """Of several copies of one page the newest."""
    newest: dict[str, Reading] = {}

    def age(copy: Reading) -> tuple[str, str]:
        return str(copy.visit.fetched_at), copy.visit.pointer.file if copy.visit.pointer else ""

    for copy in sorted(copies, key=age):
        newest[copy.visit.url] = copy
    return [copy for _, copy in sorted(newest.items())]


# --- records --------------------------------------------------------------------------------------------------------


def _state(readings: Sequence[Reading], aliases: Mapping[str, str]) -> list[Stated]:
    pairs = [(reading, _resolved(record, aliases)) for reading in readings for record in reading.page.records]
    names = record_ids(record for _, record in pairs)
    # one resource stands on several pages with the same words: collapsed once
    done: dict[tuple[tuple[Passage, ...], tuple[Passage, ...]], Collapsed] = {}
    stated = []
    for (reading, record), name in zip(pairs, names, strict=True):
        texts = (record.body, record.resume)
        if texts not in done:
            done[texts] = collapse(*texts)
        stated.append(_place(reading, record, name, done[texts]))
    return stated


def _resolved(record: Record, aliases: Mapping[str, str]) -> Record:
    return replace(record, url=resolve(record.url, aliases)) if record.url else record


def _place(reading: Reading, record: Record, name: str, collapsed: Collapsed) -> Stated:
    return Stated(
        record=record,
        record_id=name,
        visit=reading.visit,
        collapsed=collapsed,
        theme=reading.page.heading if reading.visit.role == "listing" else None,
        is_copy=reading.visit.role == "copy",
        parser=reading.page.parser,
        parser_version=reading.page.parser_version,
    )


def _record_row(stated: Stated, resource_id: str) -> Row:
    record, visit = stated.record, stated.visit
    spans = {}
    for part in ("title", "type", "is_private", "body", "resume"):
        span = record.part_spans.get(part)
        spans[f"{part}_start"] = span.start if span else None
        spans[f"{part}_end"] = span.end if span else None
    return {
        "record_id": stated.record_id,
        "resource_id": resource_id,
        "page_url": record.page_url,
        "url": record.url,
        "position": record.position,
        "title": record.title,
        "type": record.type,
        "is_private": record.is_private,
        "body": PARAGRAPH_BREAK.join(p.text for p in record.body) or None,
        "resume": PARAGRAPH_BREAK.join(p.text for p in record.resume) or None,
        "links": [asdict(link) for link in record.links],
        "block_start": record.span.start,
        "block_end": record.span.end,
        **spans,
        "block_digest": record.block_digest,
        "is_copy": stated.is_copy,
        "fetched_at": stated.seen_at,
        "warc_file": visit.pointer.file if visit.pointer else None,
        "warc_offset": visit.pointer.offset if visit.pointer else None,
        "payload_digest": visit.payload_digest,
        "parser": stated.parser,
        "parser_version": stated.parser_version,
    }


def _passage_rows(stated: Stated) -> Iterable[Row]:
    texts = {"body": stated.record.body, "resume": stated.record.resume}
    for decision in stated.collapsed.decisions:
        passage = texts[decision.section][decision.position]
        yield {
            "record_id": stated.record_id,
            "section": decision.section,
            "position": decision.position,
            "kind": passage.kind,
            "text": passage.text,
            "is_kept": decision.is_kept,
            "summary_position": decision.summary_position,
            "into_section": decision.into_section,
            "into_positions": list(decision.into_positions),
            "method": decision.method,
            "score": decision.score,
        }


# --- resources ------------------------------------------------------------------------------------------------------


def _known_keys(former: Sequence[Mapping[str, Any]], aliases: Mapping[str, str]) -> dict[str, str]:
    """resource_id by the address, as of tonight, that a resource of the night before went by.

    Where two lead to one address, it is that of the one which was there before, then of the oldest.
    """

    def seniority(row: Mapping[str, Any]) -> tuple[object, ...]:
        return (resolve(row["url"], aliases) != row["url"], row["first_seen_at"], row["resource_id"])

    known: dict[str, str] = {}
    for row in sorted((row for row in former if row["url"]), key=seniority):
        known.setdefault(resolve(row["url"], aliases), row["resource_id"])
    return known


def _name_groups(
    source: str, groups: Mapping[str, Sequence[Stated]], known: Mapping[str, str], former: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """resource_id of each group: the one it had, else a new one. Order of groups does not matter."""
    ids: dict[str, str] = {}
    taken = {row["resource_id"] for row in former}
    for key in sorted(groups):
        minted = mint_id(source, key, ())
        if key in known:
            ids[key] = known[key]
        elif groups[key][0].record.url is None and minted in taken:
            # a text copy has no address: the same words on the same page are the same resource
            ids[key] = minted
        else:
            ids[key] = mint_id(source, key, taken)
        taken.add(ids[key])
    return ids


def _carry(night: Night, absent: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of resources that no page states tonight: their last values, with the state that the evidence gives."""
    visits = {visit.url: visit for visit in night.visits}
    is_complete = bool(night.listings) and all(listing.gap is None for listing in night.listings)
    states = [_state_now(former, visits, is_complete=is_complete) for former in absent]
    return [
        finish({**former, "state": state}, former, changed_at=night.started_at)
        for former, state in zip(absent, states, strict=True)
    ]


def _state_now(former: Mapping[str, Any], visits: Mapping[str, Visit], *, is_complete: bool) -> str:
    visit = visits.get(former["url"] or "")
    if visit is not None and visit.outcome in _STATE_OF_OUTCOME:
        return _STATE_OF_OUTCOME[visit.outcome]
    if visit is not None and visit.redirect_url:
        return "moved"
    if former["state"] == "listed" and is_complete:
        return "unlisted"
    return str(former["state"])


# --- pages and rejects ----------------------------------------------------------------------------------------------


def _page_rows(night: Night, readings: Sequence[Reading], differ: Mapping[str | None, list[str]]) -> list[Row]:
    # a copy of a page that was visited too: the visit is the row
    read = {reading.visit.url: reading for reading in reversed(readings)}
    visits = {reading.visit.url: reading.visit for reading in readings} | {v.url: v for v in night.visits}
    listings = {listing.url: listing for listing in night.listings}
    rows = []
    for url, visit in visits.items():
        reading = read.get(url)
        gap = listings[url].gap if url in listings else None
        notes = [*(reading.page.notes if reading else ()), *differ.get(url, ())]
        rows.append(_page_row(visit, reading, [*notes, *([f"listing incomplete: {gap}"] if gap else [])]))
    return rows


def _page_row(visit: Visit, reading: Reading | None, notes: list[str]) -> Row:
    page = reading.page if reading else None
    return {
        "url": visit.url,
        "role": visit.role,
        "outcome": visit.outcome,
        "status": visit.status,
        "reason": visit.reason,
        "via": visit.via,
        "canonical_url": page.canonical_url if page else None,
        "redirect_url": visit.redirect_url,
        "attempts": visit.attempts,
        "record_count": len(page.records) if page else 0,
        "reject_count": len(page.rejects) if page else 0,
        "notes": notes,
        "media_type": visit.media_type,
        "size_bytes": visit.size_bytes,
        "payload_digest": visit.payload_digest,
        "fetched_at": visit.fetched_at,
        "elapsed_s": visit.elapsed_s,
        "warc_file": visit.pointer.file if visit.pointer else None,
        "warc_offset": visit.pointer.offset if visit.pointer else None,
        "warc_length": visit.pointer.length if visit.pointer else None,
    }


def _reject_rows(readings: Sequence[Reading]) -> Iterable[Row]:
    """A row for each reject; equal ones on one page are told apart by a counter, not by their place."""
    counts: Counter[tuple[str, ...]] = Counter()
    for reading in readings:
        for reject in reading.page.rejects:
            words = (reject.page_url, reject.reason, reject.excerpt[:200])
            yield _reject_row(reading, reject, "\n".join((*words, str(counts[words]))))
            counts[words] += 1


def _reject_row(reading: Reading, reject: Reject, words: str) -> Row:
    span, pointer = reject.span, reading.visit.pointer
    return {
        "reject_id": "x" + sha256(words.encode()).hexdigest()[:16],
        "page_url": reject.page_url,
        "reason": reject.reason,
        "message": reject.message,
        "start": span.start if span else None,
        "end": span.end if span else None,
        "excerpt": reject.excerpt,
        "fetched_at": reading.visit.fetched_at,
        "warc_file": pointer.file if pointer else None,
        "warc_offset": pointer.offset if pointer else None,
    }
