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
    leads_to: that one, else itself. split_into: itself and those that were parted from it, if any were. parts: where
    others became part of it, itself and those as they were by themselves: what the own address of each last said.
    is_away: of such a part, whether nobody stated it any more.
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
    leads_to: str = ""
    split_into: frozenset[str] = frozenset()
    parts: tuple[Known, ...] = ()
    is_away: bool = False

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

    def parts_at(self, name: str) -> list[Known]:
        """The parts that go by a name: what was last found there first, then what is known by the fewest names."""
        going = [part for part in self.parts if name in part.known_by]
        return sorted(
            going, key=lambda part: (part.url != name, len(part.known_by), not part.is_merged, part.seniority)
        )


@dataclass(frozen=True, slots=True)
class Addressed:
    """What addresses tell of tonight's groups, by key of the group.

    known_as: the resource. part_of: where that one is several that became one, which of them.
    """

    known_as: Mapping[str, str]
    part_of: Mapping[str, str]


def know_by_address(groups: Sequence[Group], known: Sequence[Known], joined: Collection[str] = ()) -> Addressed:
    """What the groups are whose address was known.

    joined are resources that a person called the same as another: of those, an address says what it said before, though
    the row tells the words of another of its parts. An address that was given to something else since tells nothing.

    An address that leads elsewhere tells only where the one it leads to was not known itself.
    """
    owners: dict[str, list[Known]] = {}
    for one in sorted(known, key=lambda k: (k.is_merged, *k.seniority)):
        for name in one.known_by:
            owners.setdefault(name, []).append(one)
    known_as: dict[str, str] = {}
    part_of: dict[str, str] = {}
    for group in groups:
        for one in owners.get(group.key, ()):
            part = _told(one, group, group.key, one.resource_id in joined)
            if part is not None:
                known_as[group.key], part_of[group.key] = one.resource_id, part.resource_id
                break
    taken = {*known_as.values(), *part_of.values()}
    for group in groups:
        led = [(name, one) for name in group.aliases for one in owners.get(name, ()) if not one.is_merged]
        told = [(one, _led(one, group, name, joined)) for name, one in led]
        free = [(one, part) for one, part in told if part is not None and part.resource_id not in taken]
        if group.key not in known_as and free:
            one, part = min(free, key=lambda both: both[0].seniority)
            known_as[group.key], part_of[group.key] = one.resource_id, part.resource_id
    return Addressed(known_as, part_of)


def _told(one: Known, group: Group, name: str, is_joined: bool) -> Known | None:  # noqa: FBT001
    """Which part of what goes by the address of a group the group is; None where it is another thing by now."""
    going = one.parts_at(name) or [one]
    if is_joined:
        return next((part for part in going if _is_same(part, group, is_left=part.url not in (None, name))), None)
    return going[0] if _is_same(one, group, is_left=one.url not in (None, name)) else None


def _led(one: Known, group: Group, name: str, joined: Collection[str]) -> Known | None:
    """The same of an address that leads to that of a group."""
    part = one.parts_at(name)[0] if one.parts and one.resource_id in joined else one
    return part if _is_same(part, group) else None


def _is_same(one: Known, group: Group, *, is_left: bool = False) -> bool:
    """Whether what an address shows tonight is what was known by it; is_left: it was last found at another address."""
    is_unseen = is_left or one.is_away or one.state in _SEEN_EMPTY
    is_changed = is_another_after_absence if is_unseen else is_another
    return not is_changed(one.title, one.text, group.best.record.title, group.text)


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
    ids = list(ids)
    rows = {row["resource_id"]: row for row in resources}
    parts: dict[str, list[Known]] = {}
    for row in ids:
        if row["own"]:
            parts.setdefault(_end(row), []).append(_part(row))
    merged = {part.resource_id: part for several in parts.values() for part in several if part.is_merged}
    gone = {row["resource_id"] for row in ids} - rows.keys() - merged.keys()
    last = last_values(row for row in history if row["resource_id"] in gone)
    return [
        merged.get(row["resource_id"])
        or _known(
            row,
            rows.get(row["resource_id"]) or last.get(row["resource_id"], {}),
            parts=tuple(sorted(parts.get(row["resource_id"], ()), key=lambda part: part.seniority)),
        )
        for row in ids
    ]


def _end(row: Mapping[str, Any]) -> str:
    return str(row["now"][0] if row["fate"] == "merged" else row["resource_id"])


def _part(row: Mapping[str, Any]) -> Known:
    """One of several that became one, as it was by itself."""
    own = {field["name"]: field["value"] for field in row["own"]}
    return _known(row, own, is_away=own["state"] != "listed")


def _known(
    row: Mapping[str, Any], values: Mapping[str, Any], *, parts: tuple[Known, ...] = (), is_away: bool = False
) -> Known:
    return Known(
        row["resource_id"],
        values.get("url"),
        values.get("title") or "",
        values.get("type"),
        values.get("summary") or "",
        values.get("state", "not_found"),
        frozenset(row["known_by"]),
        row["minted_run"],
        is_merged=row["fate"] == "merged",
        leads_to=_end(row),
        split_into=frozenset(row["now"]) if row["fate"] == "split" else frozenset(),
        parts=parts,
        is_away=is_away,
    )
