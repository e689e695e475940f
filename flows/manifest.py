"""What release.json says beside its tables, and what two sets of tables say of each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from typing import Any, Protocol

from flows.decisions import Takedown, accepted_up_to, judgements_digest, read_judgements, read_takedowns
from flows.versions import code_digest, versions
from releases.store import Release, news_digest
from schema.layout import Layout
from schema.sources import Source

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
# before any page
EVER = datetime.min.replace(tzinfo=UTC)


class Reached(Protocol):
    """Tables as built: the run they are as of, the visit they rest upon, the words they heard, their former release."""

    @property
    def run(self) -> int:
        """Number of the run."""

    @property
    def night(self) -> int:
        """Number of the run that visited the site."""

    @property
    def judgements(self) -> int:
        """How many words of persons."""

    @property
    def told(self) -> int | None:
        """Number of the release that changes are told against; None for the first."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What the matcher compared, and what it cut."""


def place_of(release: Release) -> tuple[int, int]:
    """How far tables reach: their run, and how many words of persons they heard."""
    return int(release.manifest["run"]), int(release.manifest["judgements"])


def release_facts(source: Source, layout: Layout, built: Reached, cause: str) -> dict[str, Any]:
    """What release.json says beside its tables: night is the visit of the site that they rest upon.

    told is the release that changes are told against: not always the one before, that may be damaged.
    """
    takedowns = read_takedowns(layout)
    return {
        "source": source.name,
        "title": source.title,
        "run": built.run,
        "night": built.night,
        "told": built.told,
        "cause": cause,
        "published_at": datetime.now(UTC),
        "versions": versions(),
        "matching": dict(built.counts),
        "judgements": built.judgements,
        "judgements_digest": judgements_digest(read_judgements(layout)[: built.judgements]),
        "accepted": accepted_up_to(layout, built.run),
        "takedowns": [takedown_entry(said) for said in takedowns],
        "takedowns_heard": len(takedowns),
        "code_digest": code_digest(),
        "configuration_digest": configuration_digest(source),
        "inputs": inputs(layout, built.run),
    }


def takedown_entry(said: Takedown) -> dict[str, Any]:
    """What a release says of a takedown."""
    named = {"url": said.url, "addresses": list(said.addresses), "resource_ids": list(said.resource_ids)}
    return {**named, "why": said.why, "at": said.said_at}


def has_heard(release: Release, layout: Layout) -> bool:
    """Whether tables were built with every takedown in force, and every acceptance of a run that they rest on."""
    heard, accepted = release.manifest.get("takedowns_heard", 0), list(release.manifest.get("accepted", []))
    return heard == len(read_takedowns(layout)) and accepted == accepted_up_to(layout, int(release.manifest["run"]))


def configuration_digest(source: Source) -> str:
    """sha256 over what a source file says about reading (what to ask and how fast stays out)."""
    told = {"name", "parser", "labels", "retire_after_nights", "max_vanished_share"}
    said = {**source.model_dump(include=told), "schemes": source.schemes}
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def inputs(layout: Layout, run: int) -> list[dict[str, Any]]:
    """The archives up to a run, each with its sha256."""
    described = []
    for number in layout.runs():
        path = layout.archive(number)
        if number <= run:
            with path.open("rb") as stream:
                described.append({"file": path.name, "sha256": file_digest(stream, "sha256").hexdigest()})
    return described


def is_news(tables: Rows, release: Release | None) -> bool:
    """Whether tables say something that the latest release does not: other values, or copies of earlier days."""
    return release is None or news_digest(tables) != release.manifest["news_digest"] or _reach_back(tables, release)


def _reach_back(tables: Rows, release: Release) -> bool:
    """Whether a resource was first seen earlier than the release knows; no night of the site can say so."""
    known = {row["resource_id"]: row["first_seen_at"] for row in release.rows("resources")}
    return any(row["first_seen_at"] < known.get(row["resource_id"], EVER) for row in tables["resources"])


def is_of(release: Release, source: Source) -> bool:
    """Whether a release was made by this code under this configuration, so that the next night may start from it."""
    made_by = (release.manifest["code_digest"], release.manifest["configuration_digest"])
    return made_by == (code_digest(), configuration_digest(source))
