"""What was known before tonight: every resource there ever was, by rows of the step before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from dedup.commonplace import Commonplaces
from dedup.deciding import Verdict
from dedup.grouping import Group
from dedup.likeness import is_another_after_absence
from schema.shelf import Shelf, ShelvedText, shelve_text


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as known before tonight, retired ones too: its last values and what it is known by.

    url: the address of its row. known_by: every name it owns. is_merged: whether it became part of another one.
    leads_to: that one, else itself. split_into: itself and those that were parted from it, if any were. parts: where
    others became part of it, itself and those as they were by themselves: what the own address of each last said.
    is_away: of such a part, whether nobody stated it any more. is_retired: whether it has no row any more. is_common:
    whether its text is one that many resources bear, and so no evidence.
    """

    resource_id: str
    url: str | None
    title: str
    type: str | None
    words: ShelvedText
    state: str
    known_by: frozenset[str]
    minted_run: int
    is_merged: bool = False
    leads_to: str = ""
    split_into: frozenset[str] = frozenset()
    parts: tuple[Known, ...] = ()
    is_away: bool = False
    is_retired: bool = False
    is_common: bool = False

    @property
    def text(self) -> str:
        """Its last text."""
        return self.words.read()

    @property
    def telling(self) -> str:
        """The text as evidence: none where many resources bear it."""
        return "" if self.is_common else self.text

    def marked(self, common: Commonplaces) -> Known:
        """The same with what tells nothing marked, in its parts too."""
        if not common.texts:
            return self
        parts = tuple(part.marked(common) for part in self.parts)
        is_common = common.hold(self.text)
        return replace(self, is_common=is_common, parts=parts) if is_common or parts else self

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


def is_back(one: Known, group: Group, said: Mapping[tuple[str, str], Verdict] = MappingProxyType({})) -> bool:
    """Whether a group may be a resource that nobody states: a title alone is given again, so the text must be alike."""
    left, right = sorted((one.resource_id, group.best.record_id))
    if said.get((left, right)) == "same":
        return True
    return not is_another_after_absence(one.title, one.telling, group.best.title, group.telling)


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
    rows: Mapping[str, Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
    shelf: Shelf,
) -> list[Known]:
    """Every resource ever known, as of the night before.

    Args:
        ids: rows of `ids`, read several times.
        rows: those of `resources`, by resource_id.
        history: those of `history`.
        shelf: where texts are put aside.
    """
    parts: dict[str, list[Known]] = {}
    gone = set()
    for row in ids:
        gone.add(row["resource_id"])
        if row["own"]:
            parts.setdefault(_end(row), []).append(_part(row, shelf))
    merged = {part.resource_id: part for several in parts.values() for part in several if part.is_merged}
    gone -= rows.keys() | merged.keys()
    last = last_values(row for row in history if row["resource_id"] in gone) if gone else {}
    return [
        merged.get(row["resource_id"])
        or _known(
            row,
            rows.get(row["resource_id"]) or last.get(row["resource_id"], {}),
            shelf,
            parts=tuple(sorted(parts.get(row["resource_id"], ()), key=lambda part: part.seniority)),
            is_retired=row["resource_id"] in gone,
        )
        for row in ids
    ]


def _end(row: Mapping[str, Any]) -> str:
    return str(row["now"][0] if row["fate"] == "merged" else row["resource_id"])


def _part(row: Mapping[str, Any], shelf: Shelf) -> Known:
    """One of several that became one, as it was by itself."""
    own = {field["name"]: field["value"] for field in row["own"]}
    return _known(row, own, shelf, is_away=own["state"] != "listed")


def _known(
    row: Mapping[str, Any],
    values: Mapping[str, Any],
    shelf: Shelf,
    *,
    parts: tuple[Known, ...] = (),
    is_away: bool = False,
    is_retired: bool = False,
) -> Known:
    return Known(
        row["resource_id"],
        values.get("url"),
        values.get("title") or "",
        values.get("type"),
        shelve_text(values.get("summary") or "", shelf),
        values.get("state", "not_found"),
        frozenset(row["known_by"]),
        row["minted_run"],
        is_merged=row["fate"] == "merged",
        leads_to=_end(row),
        split_into=frozenset(row["now"]) if row["fate"] == "split" else frozenset(),
        parts=parts,
        is_away=is_away,
        is_retired=is_retired,
    )
