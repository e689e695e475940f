"""Why a value changed: the site, our reading of it, the collapse, the recognition of resources, or a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dedup.history import Cause, find_changes

# what a record states of each field of a resource; the others hang on which records there are
_STATED_AS = {
    "title": ("title",),
    "url": ("url",),
    "type": ("type",),
    "is_private": ("is_private",),
    "summary": ("body", "resume"),
    "keywords": ("body", "resume"),
    "published_month": ("body", "resume"),
    "links": ("links",),
}
_COLLAPSED = ("is_kept", "summary_position", "into_section", "into_positions")


def step_causes(
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
    reshaped: Collection[str],
    *,
    is_judged: bool,
) -> dict[tuple[str, str], Cause]:
    """Why fields of `resources` changed in one step, by resource_id and field.

    Args:
        before: rows of `resources` as of the step before.
        after: rows as of the step.
        reshaped: resources that were joined or parted in it.
        is_judged: whether the step is a person's word.
    """

    def cause(name: str) -> Cause:
        if is_judged:
            return "person"
        return "dedup" if name in reshaped else "source"

    return {(row["resource_id"], row["field"]): cause(row["resource_id"]) for row in find_changes(before, after, {})}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of an archive: its rows of `resources`, `records` and `passages`."""

    resources: Sequence[Mapping[str, Any]]
    records: Sequence[Mapping[str, Any]]
    passages: Sequence[Mapping[str, Any]]


def rereading_causes(before: Reading, after: Reading) -> dict[tuple[str, str], Cause]:
    """Why fields differ between two readings of the same archive, by other code or labels.

    What a record of the resource states otherwise is the parser's doing; the same records collapsed otherwise the
    collapse's; all else is for what was recognised as one.
    """
    owned = _owned(before), _owned(after)
    kept = _decisions(before), _decisions(after)
    causes: dict[tuple[str, str], Cause] = {}
    for row in find_changes(before.resources, after.resources, {}):
        name, field = row["resource_id"], row["field"]
        records = owned[0].get(name, frozenset()) | owned[1].get(name, frozenset())
        columns = _STATED_AS.get(field, ())
        was, now = (_stated(reading, records, columns) for reading in (before, after))
        if was != now:
            causes[name, field] = "parser"
        elif field == "summary" and any(kept[0].get(record) != kept[1].get(record) for record in records):
            causes[name, field] = "collapse"
        else:
            causes[name, field] = "dedup"
    return causes


def _owned(reading: Reading) -> dict[str, frozenset[str]]:
    """record_ids of each resource."""
    owned: dict[str, set[str]] = {}
    for row in reading.records:
        owned.setdefault(row["resource_id"], set()).add(row["record_id"])
    return {name: frozenset(records) for name, records in owned.items()}


def _stated(reading: Reading, records: Collection[str], columns: Sequence[str]) -> dict[str, list[str]]:
    """What a reading has some records state, those that it does not know left out."""
    return {
        row["record_id"]: [repr(row[column]) for column in columns]
        for row in reading.records
        if row["record_id"] in records
    }


def _decisions(reading: Reading) -> dict[str, list[str]]:
    """How each record was collapsed."""
    decisions: dict[str, list[str]] = {}
    for row in reading.passages:
        decisions.setdefault(row["record_id"], []).append(
            repr([row["section"], row["position"], *(row[column] for column in _COLLAPSED)])
        )
    return decisions
