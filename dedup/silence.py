"""A page that gave no answer tonight still says what it said.

A resource's own page says more than the listings do. Where it fails for a night, the row keeps its words, as long as a
listing says of the resource what it said the night before: a busy server is no editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dedup.merge import PARAGRAPH_BREAK, Stated, finish
from schema.nouns import PAGE_OUTCOMES, Night, Visit

Row = dict[str, Any]
_WORDS = ("title", "type", "is_private", "summary", "keywords", "published_month", "links")
# what an answer says of a page, be it that it is not there
_ANSWERS = PAGE_OUTCOMES | {"not_found", "gone", "forbidden", "redirected"}


def keep_words(
    stated: Mapping[str, Sequence[Stated]],
    former: Mapping[str, Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    night: Night,
) -> frozenset[str]:
    """Which resources stated tonight keep their words of the step before: those of silent pages, by resource_id.

    Args:
        stated: tonight's records of each, the best first.
        former: rows of `resources` as of the step before, by resource_id.
        records: rows of `records` as of the step before; read only where the best record of a resource is missing.
        night: what was asked tonight, and how it was answered.
    """
    doubtful = {name: row for name in stated if (row := former.get(name)) and _lacks_best(row, stated[name])}
    if not doubtful:
        return frozenset()
    visits = {visit.url: visit for visit in night.visits}
    told: dict[str, list[Mapping[str, Any]]] = {name: [] for name in doubtful}
    for row in records:
        if row["resource_id"] in told:
            told[row["resource_id"]].append(row)
    return frozenset(
        name
        for name, row in doubtful.items()
        if _is_silent(row, told[name], visits) and _is_told(stated[name][0], told[name])
    )


def _lacks_best(former: Mapping[str, Any], stated: Sequence[Stated]) -> bool:
    return former["best_record_id"] not in {one.record_id for one in stated}


def _is_silent(former: Mapping[str, Any], records: Sequence[Mapping[str, Any]], visits: Mapping[str, Visit]) -> bool:
    """Whether the page that gave the row its words was asked tonight and gave no answer."""
    best = former["best_record_id"]
    page = former["url"] if best is None else next((r["page_url"] for r in records if r["record_id"] == best), None)
    visit = visits.get(page or "")
    return visit is not None and visit.outcome not in _ANSWERS


def _is_told(one: Stated, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some record said the same the step before."""
    record = one.record
    body, resume = (PARAGRAPH_BREAK.join(p.text for p in part) or None for part in (record.body, record.resume))
    said = (record.title, record.type, record.is_private, body, resume)
    return any(said == tuple(r[name] for name in ("title", "type", "is_private", "body", "resume")) for r in records)


def with_words(row: Row, former: Mapping[str, Any]) -> Row:
    """The row of a resource with its words of the step before."""
    kept = {**row, **{name: former[name] for name in _WORDS}, "best_record_id": None}
    return finish(kept, former, changed_at=row["last_seen_at"])
