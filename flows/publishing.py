"""From tables as built to a release: what every job that publishes does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from flows.building import Built
from flows.manifest import release_facts
from flows.register import enter
from releases.store import Release, drop_states, publish
from schema.layout import Layout
from schema.sources import Source
from schema.tables import TABLES

T = TypeVar("T")
Step = Callable[..., Any]


def at_once(_name: str, stage: Callable[..., T], *arguments: Any) -> T:  # Step's shape
    """Run a stage here and now: the step of `--direct`."""
    return stage(*arguments)


def publish_built(
    source: Source, layout: Layout, built: Built, cause: str, step: Step = at_once, *, may_be_empty: bool = False
) -> Release:
    """Publish tables, the promise of the new ids first; kept tables of runs without news are of no more use.

    may_be_empty: whether no resource may be left of those published, as when the only one is taken down.
    """
    titles = {row["resource_id"]: row["title"] for row in built.tables["resources"]}
    facts = release_facts(source, layout, built, cause)
    enter(layout, built.tables["ids"], titles, built.run, facts["published_at"])
    published: Release = step("publish", partial(publish, may_be_empty=may_be_empty), layout, built.tables, facts)
    drop_states(layout)
    return published


def as_it_was(told: Release, built: Built) -> Built:
    """The tables of a release, to be published once more where damage lets the archive give less; built is that."""
    facts = told.manifest
    return replace(
        built,
        run=int(facts["run"]),
        night=int(facts["night"]),
        judgements=int(facts["judgements"]),
        tables=told.tables(table.name for table in TABLES),
        told=facts["told"],
        counts=facts["matching"],
    )
