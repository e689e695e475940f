"""Rows of `ids` as they change within one step: what is said of an id, what it goes by, where chains of ids end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]
_MAX_CHAIN = 100


class Register:
    """Rows of `ids` as they change within one step."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], run: int, at: datetime) -> None:
        self.rows: dict[str, Row] = {row["resource_id"]: dict(row) for row in rows}
        self.run, self.at = run, at

    def say(self, name: str, fate: str, now: Sequence[str], why: str) -> None:
        """What became of an id; nothing where that is known."""
        row = self.rows[name]
        if (row["fate"], row["now"]) != (fate, list(now)):
            since = {"since_run": self.run, "since_at": self.at}
            self.rows[name] = {**row, "fate": fate, "now": list(now), "why": why, **since}

    def mint(self, name: str, why: str) -> None:
        """Enter a new id."""
        self.rows[name] = {
            "resource_id": name,
            "now": [name],
            "fate": "kept",
            "why": why,
            "known_by": [],
            "own": [],
            "minted_run": self.run,
            "first_seen_at": None,
            "since_run": self.run,
            "since_at": self.at,
        }

    def own(self, name: str, names: Iterable[str]) -> None:
        """Let an id be known by more."""
        row = self.rows[name]
        row["known_by"] = sorted({*row["known_by"], *names})

    def disown(self, name: str, known: str) -> None:
        """Take one of its names from an id."""
        row = self.rows[name]
        row["known_by"] = [other for other in row["known_by"] if other != known]

    def owners(self) -> dict[str, set[str]]:
        """The ids that go by each name, those that became part of another left out."""
        owners: dict[str, set[str]] = {}
        for name, row in self.rows.items():
            if row["fate"] != "merged":
                for known in row["known_by"]:
                    owners.setdefault(known, set()).add(name)
        return owners

    def settle(self) -> tuple[Row, ...]:
        """The rows with every chain followed to its end, sorted."""
        for row in self.rows.values():
            if row["fate"] == "merged":
                row["now"] = [self.end(row["now"][0])]
        for name, row in self.rows.items():
            if row["fate"] == "split":
                parted = sorted({*row["now"]} - {name})
                rest = sorted({self.end(other) for other in parted} - {name})
                back = ", ".join(other for other in parted if self.end(other) == name)
                self.say(
                    name,
                    "split" if rest else "kept",
                    [name, *rest],
                    f"part of it again: {back}" if back else row["why"],
                )
        return tuple(self.rows[name] for name in sorted(self.rows))

    def end(self, name: str) -> str:
        """What an id leads to."""
        for _ in range(_MAX_CHAIN):
            row = self.rows[name]
            if row["fate"] != "merged" or row["now"][0] == name:
                break
            name = row["now"][0]
        return name
