"""One step in the life of a source: its readings and the catalogue of the step before -> the tables, as plain rows.

readings ─► records ─► collapse in each ─► groups by address ─► clusters by text ─► ids ─► merge ─► rows
                                                 former rows ─► carried with their state ─┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dedup.collapse import collapse
from dedup.commonplace import common_texts
from dedup.grouping import Group, group_records
from dedup.history import extend_history
from dedup.identity import NO_PROMISES, Promises, RecordIds, find_aliases, resolve
from dedup.known import known_resources
from dedup.lineage import Lineage, name_clusters, retire
from dedup.merge import Stated, Told, best_first, differences, merge, tell, with_copies
from dedup.parts import row_of, with_own
from dedup.recognition import Cluster, recognise
from dedup.rows import LazyRows, page_rows, pair_rows, passage_rows, record_row, reject_rows
from dedup.silence import keep_words, with_words
from dedup.states import carry, with_unread
from dedup.unread import find_unread
from dedup.words import judged_apart, told_apart
from schema.folding import text_digest
from schema.nouns import Judgement, Night, Reading, Record
from schema.shelf import MemoryShelf, Shelf, ShelvedRows

Row = dict[str, Any]
RETIRE_AFTER_NIGHTS = 3
_PORTION = 1024


@dataclass(frozen=True, slots=True)
class Former:
    """Rows of `resources`, `ids`, `history` and `records` as of the step before; published: every id that ever was."""

    resources: Iterable[Mapping[str, Any]] = ()
    ids: Iterable[Mapping[str, Any]] = ()
    history: Iterable[Mapping[str, Any]] = ()
    records: Iterable[Mapping[str, Any]] = ()
    published: Promises = NO_PROMISES


@dataclass(frozen=True, slots=True)
class Moment:
    """Which step it is: the run it belongs to, when that began (UTC), whether it visits the site or is a person's word.

    words: how many words of persons are heard in it.

    A step that is no visit (copies came in, a person judged) sees the last visit once more: what that says of the site
    is in the former rows already, and states do not move.
    """

    run: int
    at: datetime
    is_visit: bool = True
    is_judged: bool = False
    words: int = 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tables as of a step as rows; columns are those of schema.tables, each list sorted by its key.

    reshaped: resource_ids whose extent changed because resources were joined or parted. counts: what the matcher
    compared, and what it cut.
    """

    resources: Sequence[Row] = ()
    records: Iterable[Row] = ()
    passages: Iterable[Row] = ()
    pairs: Iterable[Row] = ()
    pages: tuple[Row, ...] = ()
    rejects: tuple[Row, ...] = ()
    history: Iterable[Row] = ()
    ids: tuple[Row, ...] = ()
    reshaped: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)

    def table(self, name: str) -> Iterable[Row]:
        """The rows of a table by its name."""
        rows: Iterable[Row] = getattr(self, name)
        return rows


def make_catalogue(
    source: str,
    moment: Moment,
    night: Night,
    copies: Sequence[Reading],
    former: Former,
    judgements: Sequence[Judgement] = (),
    retire_after_nights: int = RETIRE_AFTER_NIGHTS,
    shelf: Shelf | None = None,
) -> Catalogue:
    """The tables as of a step.

    Args:
        source: short name of the source.
        moment: which step it is.
        night: what the last visit of the site brought.
        copies: readings of all imported copies so far, whatever run brought them.
        former: rows as of the step before.
        judgements: what persons said so far, in order.
        retire_after_nights: complete nights in a row with evidence that it is gone, after which a resource is retired.
        shelf: where that lies which is not looked at in between; memory if it is not given.
    """
    readings = [*night.readings, *_in_force(copies)]
    aliases = find_aliases(night.visits, readings)
    shelf = shelf or MemoryShelf()
    stated = _state(readings, aliases, shelf)
    by_id = ShelvedRows(shelf, "resource_id", former.resources)
    known = known_resources(former.ids, by_id, former.history, shelf)
    common = common_texts(stated, ((one.title, one.text) for one in known if not one.is_merged))
    known = [one.marked(common) for one in known]
    groups = group_records(stated, aliases, judged_apart(judgements), told_apart(judgements, known), common)
    recognition = recognise(groups, known, judgements, is_word=moment.is_judged)
    lineage = name_clusters(source, recognition, known, former.ids, moment.run, moment.at, former.published)
    notes = {group.url: found for group in groups if (found := differences(group.stated))}
    del known, groups  # a hundred thousand weigh as much as the rows that follow
    clusters = dict(zip(lineage.names, recognition.clusters, strict=True))
    parted = [name for pair in recognition.parted.items() for name in pair]
    carried = _resource_rows(night, moment, clusters, lineage, former, by_id, retire_after_nights, parted)
    resources = carried.made.ordered()
    ids = retire(lineage.ids, resources, carried.retired, moment.run, moment.at)
    left = {name: state for name, (state, _) in carried.retired.items()}
    ids = with_own(ids, clusters, recognition, by_id, former.history, night if moment.is_visit else None, left)
    owner = {one.record_id: name for name, c in clusters.items() for group in c.groups for one in group.stated}
    # copies of what is retired state nothing of today
    past = {name for name, resource in owner.items() if resource not in carried.made}
    pairs, counts = recognition.matching.pairs, recognition.matching.counts
    ordered = sorted((one for one in stated if one.record_id not in past), key=lambda one: one.record_id)
    return Catalogue(
        resources=resources,
        records=LazyRows(lambda: (record_row(one, owner[one.record_id]) for one in ordered)),
        passages=LazyRows(lambda: (r for s in ordered for r in _sorted(passage_rows(s), "section", "position"))),
        pairs=LazyRows(lambda: (r for r in pair_rows(pairs, owner) if past.isdisjoint((r["left"], r["right"])))),
        pages=_sorted(page_rows(night, readings, notes), "url"),
        rejects=_sorted(reject_rows(readings), "reject_id"),
        history=LazyRows(lambda: extend_history(former.history, resources, moment.run, moment.at, moment.words)),
        ids=ids,
        reshaped=lineage.reshaped,
        counts=counts,
    )


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


def _state(readings: Sequence[Reading], aliases: Mapping[str, str], shelf: Shelf) -> list[Stated]:
    ids, collapses, stated = RecordIds(), _Collapses(shelf), []
    for reading in readings:
        for number, record in enumerate(reading.page.records):
            url = resolve(record.url, aliases) if record.url else None
            is_own = url is not None and url == resolve(record.page_url, aliases)
            one = replace(record, url=url) if url != record.url else record
            stated.append(Stated.of(reading, number, one, ids.next(one), collapses.of(one), is_own=is_own))
    return stated


class _Collapses:
    """What records say, collapsed: the same words on several pages once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._done: dict[bytes, Told] = {}

    def of(self, record: Record) -> Told:
        """What a record says, collapsed."""
        texts = [[(p.kind, p.text) for p in section] for section in (record.body, record.resume)]
        key = text_digest(repr(texts))
        if key not in self._done:
            self._done[key] = tell(collapse(record.body, record.resume), self._shelf)
        return self._done[key]


# --- resources ------------------------------------------------------------------------------------------------------


def _resource_rows(
    night: Night,
    moment: Moment,
    clusters: Mapping[str, Cluster],
    lineage: Lineage,
    former: Former,
    by_id: ShelvedRows,
    retire_after_nights: int,
    parted: Iterable[str],
) -> _Rows:
    """A row for each resource stated tonight, and one for each known from before that no page of the site states.

    A copy tells of a resource that nothing else told of, and of earlier days; never of what the site shows tonight.
    by_id: rows of `resources` as of the step before, by resource_id.
    """
    fates = {row["resource_id"]: row for row in lineage.ids}
    apart = [name for name in parted if fates[name]["fate"] != "merged" and fates[name]["own"]]
    absent = {name for name in by_id if fates[name]["fate"] != "merged"}.union(apart)
    # of what is absent, rows that are not those of the step before
    other: dict[str, Row] = {name: row_of(fates[name], moment.at) for name in apart}
    told: dict[str, list[Stated]] = {}
    for name, cluster in clusters.items():
        before = by_id.get(name)
        stated = _in_order(cluster, before)
        is_live = any(not one.is_copy for one in stated)
        is_settled = before is not None and name not in lineage.reshaped
        if before is not None and (not is_live or (is_settled and not moment.is_visit)):
            other[name] = with_copies(before, [one for one in stated if one.is_copy])
        elif is_live or fates[name]["fate"] != "retired":
            absent.discard(name)
            told[name] = stated
    counts = Counter(name for name, cluster in clusters.items() for group in cluster.groups for _ in group.stated)
    rows = _Rows(ShelvedRows(by_id.shelf, "resource_id"), {}, counts)
    unread = find_unread(by_id.values(), night)
    kept = keep_words(told, by_id, former.records, night) if moment.is_visit else frozenset()
    seen = _first_seen(lineage.ids)
    for name, stated in told.items():
        before = by_id.get(name)
        row = merge(name, _url_of(stated), stated, before, seen.get(name))
        row = with_words(row, before) if before is not None and name in kept else row
        rows.add([with_unread(row, before, night, unread.get(name, ())) if moment.is_visit else row])
    borne = {one.url for c in clusters.values() for g in c.groups for one in g.stated if not one.is_copy}
    names = sorted(absent)
    for start in range(0, len(names), _PORTION):
        portion = [other.get(name) or by_id[name] for name in names[start : start + _PORTION]]
        ousted = {row["resource_id"] for row in portion if row["url"] not in fates[row["resource_id"]]["known_by"]}
        carried = carry(night, portion, retire_after_nights, borne, ousted, unread) if moment.is_visit else None
        rows.add(carried.rows if carried else portion)
        rows.retired.update(carried.retired if carried else {})
    return rows


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of `resources` as they are made, those retired (see Carried), and how many records each has."""

    made: ShelvedRows
    retired: dict[str, tuple[str, str | None]]
    counts: Mapping[str, int]

    def add(self, rows: Iterable[Row]) -> None:
        """Put rows aside."""
        for row in rows:
            self.made.add({**row, "record_count": self.counts[row["resource_id"]]})


def _in_order(cluster: Cluster, former: Mapping[str, Any] | None) -> list[Stated]:
    """The records of a resource, the best first: those of the address that it had before go before its others."""
    url = former["url"] if former else None

    def rank(group: Group) -> tuple[bool, bool]:
        return all(one.is_copy for one in group.stated), group.key != url

    best = best_first(group.best for group in cluster.groups)
    places = {one.record_id: place for place, one in enumerate(best)}
    ordered = sorted(cluster.groups, key=lambda group: (*rank(group), places[group.best.record_id]))
    lead, rest = ordered[0], best_first(one for group in ordered[1:] for one in group.stated)
    return [*lead.stated, *rest]


def _url_of(stated: Sequence[Stated]) -> str | None:
    return next((one.url for one in stated if one.url), None)


def _first_seen(ids: Iterable[Mapping[str, Any]]) -> dict[str, datetime]:
    """When each resource, or one that became part of it, was first seen, by resource_id."""
    seen: dict[str, datetime] = {}
    for row in ids:
        name, when = row["now"][0] if row["fate"] == "merged" else row["resource_id"], row["first_seen_at"]
        if when is not None:
            seen[name] = min(when, seen.get(name, when))
    return seen
