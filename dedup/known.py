"""What was known before tonight: every resource there ever was, by rows of the step before, and by address tonight."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dedup.deciding import Verdict
from dedup.grouping import Group, is_another, is_another_after_absence

_SEEN_EMPTY = ("not_found", "gone")


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as known before tonight, retired ones too: its last values and what it is known by.

    url: the address of its row. known_by: every name it owns. is_merged: whether it became part of another one.
    """

    resource_id: str
    url: str | None
    title: str
    type: str | None
    text: str
    state: str
    known_by: frozenset[str]
    minted_run: int
    is_merged: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it may come back by its text where nobody states it.

        One that became part of another says what that one says; one whose address led to another says its own.
        """
        return not self.is_merged or self.state == "moved"

    @property
    def seniority(self) -> tuple[int, str]:
        """The older goes first."""
        return self.minted_run, self.resource_id


def know_by_address(groups: Sequence[Group], known: Sequence[Known], joined: Collection[str] = ()) -> dict[str, str]:
    """resource_id by key of the groups whose address was known.

    joined are resources that a person called the same as another: of those, a second address says what it said before,
    though the row tells the words of the first.

    An address that leads elsewhere tells only where the one it leads to was not known itself.
    """
    owners: dict[str, list[Known]] = {}
    for one in sorted(known, key=lambda k: (k.is_merged, *k.seniority)):
        for name in one.known_by:
            owners.setdefault(name, []).append(one)
    known_as: dict[str, str] = {}
    for group in groups:
        for one in owners.get(group.key, ()):
            is_left = one.url not in (None, group.key)
            if (is_left and one.resource_id in joined) or _is_same(one, group, is_left=is_left):
                known_as[group.key] = one.resource_id
                break
    taken = set(known_as.values())
    for group in groups:
        led = [one for name in group.aliases for one in owners.get(name, ()) if not one.is_merged]
        free = [one for one in led if one.resource_id not in taken and _is_same(one, group)]
        if group.key not in known_as and free:
            known_as[group.key] = min(free, key=lambda k: k.seniority).resource_id
    return known_as


def _is_same(one: Known, group: Group, *, is_left: bool = False) -> bool:
    """Whether what an address shows tonight is what was known by it; is_left: it was last found at another address."""
    is_changed = is_another_after_absence if is_left or one.is_merged or one.state in _SEEN_EMPTY else is_another
    title, text = group.best.record.title, group.text
    return not is_changed(one.title, one.text, title, text)


def is_back(one: Known, group: Group, said: Mapping[tuple[str, str], Verdict] = MappingProxyType({})) -> bool:
    """Whether a group may be a resource that nobody states: a title alone is given again, so the text must be alike."""
    left, right = sorted((one.resource_id, group.best.record_id))
    if said.get((left, right)) == "same":
        return True
    return not is_another_after_absence(one.title, one.text, group.best.record.title, group.text)


def last_values(history: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The newest value of each field of each resource, by resource_id, then by field."""
    values: dict[str, dict[str, str]] = {}
    newest: dict[tuple[str, str], int] = {}
    for row in history:
        key = (row["resource_id"], row["field"])
        if row["place"] >= newest.get(key, -1):
            newest[key] = row["place"]
            values.setdefault(row["resource_id"], {})[row["field"]] = row["value"]
    return values


def known_resources(
    ids: Iterable[Mapping[str, Any]],
    resources: Iterable[Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
) -> list[Known]:
    """Every resource ever known, from rows of `ids`, `resources` and `history` as of the night before."""
    rows = {row["resource_id"]: row for row in resources}
    gone = {row["resource_id"] for row in ids} - rows.keys()
    last = last_values(row for row in history if row["resource_id"] in gone)
    found = []
    for row in ids:
        name = row["resource_id"]
        values = rows.get(name) or {"url": None, "type": None, "state": "not_found", **last.get(name, {})}
        found.append(
            Known(
                name,
                values.get("url"),
                values.get("title") or "",
                values.get("type"),
                values.get("summary") or "",
                values["state"],
                frozenset(row["known_by"]),
                row["minted_run"],
                is_merged=row["fate"] == "merged",
            )
        )
    return found
