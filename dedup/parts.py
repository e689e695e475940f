"""What each of several that became one last said by itself: kept in `ids`, so that the night after can tell them apart.

The row of a resource gives the values of one of its parts. Those of the others would be nowhere once they are joined:
an address given to something else could not be told from its own, a page that moved could not be found again, and a
word taken back would find nothing to come back to. Of a part that nobody states the last values stay, with
the day on which it was last seen: that of what it is part of, as of the step before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dedup.history import TRACKED, as_text, as_value
from dedup.known import last_values
from dedup.merge import Stated, best_first, finish, merge
from dedup.recognition import Cluster, Recognition
from dedup.states import is_complete, state_unstated
from schema.nouns import Night, Visit

Row = dict[str, Any]
_SEEN = "last_seen_at"


def with_own(
    ids: Sequence[Row],
    clusters: Mapping[str, Cluster],
    recognition: Recognition,
    former: Mapping[str, Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
    night: Night | None,
    left: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Row, ...]:
    """The rows of `ids` with what each part said by itself.

    Args:
        ids: rows as of the step, `own` as of the one before.
        clusters: what is stated tonight, by resource_id.
        recognition: what tonight's addresses tell.
        former: rows of `resources` as of the step before, by resource_id.
        history: intervals as of the step before.
        night: the visit; None for a step that is no visit, in which states do not move.
        left: by resource_id the last state of what leaves `resources` in this step.
    """
    ends = {row["resource_id"]: row["now"][0] for row in ids if row["fate"] == "merged"}
    parts = ends.keys() | set(ends.values())
    stated = _stated(clusters, recognition, ends)
    visits = {visit.url: visit for visit in night.visits} if night else {}
    is_whole = night is not None and is_complete(night)
    bare = {row["resource_id"] for row in ids if row["resource_id"] in parts and not row["own"]}
    gone = bare - stated.keys() - former.keys()
    last = last_values(row for row in history if row["resource_id"] in gone) if gone else {}
    rows = []
    for row in ids:
        name = row["resource_id"]
        own: Mapping[str, str] = {}
        if name in stated and name in parts:
            own = _merged(name, stated[name], as_fields(row["own"]).get("url"))
        elif name in parts:
            held = as_fields(row["own"]) or (_own(former[name]) if name in former else last.get(name, {}))
            if name in left:  # the state of the night on which it left stands in no row
                held = {**held, "state": left[name]}
            seen_with = former.get(name) or former.get(str(ends.get(name)))
            own = _unstated(held, seen_with, visits, is_whole=is_whole)
        told = [{"name": field, "value": own[field]} for field in sorted(own)]
        rows.append(row if told == row["own"] else {**row, "own": told})
    return tuple(rows)


def as_fields(own: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What a part said, by field."""
    return {field["name"]: field["value"] for field in own}


def row_of(ids_row: Mapping[str, Any], at: datetime) -> Row:
    """The row of `resources` of a part that is a resource of its own again and that nobody states; at: of the step."""
    own = as_fields(ids_row["own"])
    seen = datetime.fromisoformat(own[_SEEN]) if _SEEN in own else at
    values = {name: as_value(name, own[name]) if name in own else None for name in TRACKED}
    blank: Row = {name: [] for name in ("themes", "keywords", "links") if values[name] is None}
    row = {
        "resource_id": ids_row["resource_id"],
        **values,
        **blank,
        "title": own.get("title", ""),
        "record_count": 0,
        "best_record_id": None,
        "absent_nights": 0,
        "first_seen_at": ids_row["first_seen_at"] or seen,
        "last_seen_at": seen,
    }
    return finish(row, None, changed_at=seen)


def _stated(
    clusters: Mapping[str, Cluster], recognition: Recognition, ends: Mapping[str, str]
) -> dict[str, list[Sequence[Stated]]]:
    """What the site states of each part tonight, address by address."""
    stated: dict[str, list[Sequence[Stated]]] = {}
    for name, cluster in clusters.items():
        for group in cluster.groups:
            told = (recognition.part_of.get(group.key), recognition.known_as.get(group.key))
            part = next((one for one in told if one is not None and ends.get(one) == name), name)
            if live := [one for one in group.stated if not one.is_copy]:
                stated.setdefault(part, []).append(live)
    return stated


def _merged(name: str, stated: Iterable[Sequence[Stated]], url: str | None) -> dict[str, str]:
    """The values of a part, by the address that gave them before if it is among those that state it."""

    def rank(group: Sequence[Stated]) -> tuple[object, ...]:
        best = group[0]
        return best.url != url, not best.is_own, best.page_url

    ordered = [one for group in sorted(stated, key=rank) for one in best_first(group)]
    return _own(merge(name, next((one.url for one in ordered if one.url), None), ordered, None))


def _unstated(
    held: Mapping[str, str], seen_with: Mapping[str, Any] | None, visits: Mapping[str, Visit], *, is_whole: bool
) -> dict[str, str]:
    """The values of a part that no page states; seen_with: the row, as of the step before, that it was last seen in."""
    seen = {_SEEN: seen_with[_SEEN].isoformat()} if seen_with else {}
    own = {"state": "not_found", **seen, **held}
    if own["state"] == "moved":  # it left by that, and whatever its address says by now is not of it
        return own
    return own | {"state": state_unstated(own["state"], visits.get(own.get("url", "")), is_whole=is_whole)}


def _own(row: Mapping[str, Any]) -> dict[str, str]:
    values = {name: as_text(row[name]) for name in TRACKED}
    return {name: value for name, value in values.items() if value is not None}
