"""What a build starts from: the newest tables that this very code made, or nothing; and the build upon it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from flows.building import BUILT_UPON, NO_NIGHT, Built, build, complete, continue_build, read_steps, steps_between
from flows.damage import damaged_pages
from flows.decisions import read_acceptances, read_judgements
from flows.ledger import Ledger
from flows.manifest import has_heard, is_of, place_of
from flows.register import NOT_OF_A_STEP, promises, read_register
from flows.stages import batches, parse_batch
from releases.store import (
    Release,
    kept_state,
    run_state,
)
from schema.layout import Layout
from schema.nouns import Judgement
from schema.sources import Source

T = TypeVar("T")
Step = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Former:
    """What a build starts from, and what its changes are told against.

    ground: tables of this very code and configuration; None when every run is to be read again. told: the release
    before. up_to: only the steps up to its place are wanted.
    """

    ground: Release | None = None
    told: Release | None = None
    up_to: Release | None = None


def former_tables(source: Source, layout: Layout, release: Release | None) -> Former:
    """The newest tables to build upon: a release, or what a later run without news left."""
    state = kept_state(layout)
    # tables of other code or labels are no ground to build on, nor those that left out what persons said since
    grounds = [r for r in (release, state) if r is not None and is_of(r, source) and has_heard(r, layout)]
    return Former(max(grounds, key=place_of, default=None), release)


def known_addresses(layout: Layout, release: Release | None) -> list[str]:
    """Addresses of the resources known so far, as the newest tables have them."""
    newest = max((r for r in (release, kept_state(layout)) if r is not None), key=place_of, default=None)
    return [row["url"] for row in newest.rows("resources") if row["url"]] if newest else []


def needless(layout: Layout, ground: Release | None) -> set[int]:
    """Runs that a release rests on and that bring no copies: their archives need not be opened to build upon it."""
    if ground is None:
        return set()
    runs = {run for run in layout.runs() if run <= int(ground.manifest["run"]) and run != int(ground.manifest["night"])}
    return {run for run in runs if run_state(layout, run) not in (None, "imported")}


def dispensable(layout: Layout, ground: Release | None) -> set[int]:
    """Runs that a release rests on and that bring no copies: their ledgers only tell what not to ask again."""
    runs = {run for run in layout.runs() if ground is not None and run <= int(ground.manifest["run"])}
    return {run for run in runs if run_state(layout, run) not in (None, "imported")}


def needed_ledgers(layout: Layout, ledgers: Sequence[Ledger], ground: Release | None) -> list[Ledger]:
    """The ledgers of which something is to be read again to build upon a release, or upon nothing."""
    after, night = (int(ground.manifest[key]) if ground else 0 for key in ("run", "night"))
    # a step that is no visit sees the last night once more; without one that night need not be read again
    is_seen_again = ground is not None and _tells_more(ground, ledgers, read_judgements(layout))
    return [
        ledger
        for ledger in ledgers
        if ledger.kind == "import" or ledger.run > after or (ledger.run == night and is_seen_again)
    ]


def build_upon(source: Source, layout: Layout, ledgers: Sequence[Ledger], former: Former, step: Step) -> Built:
    """The tables as of the last of some runs, built upon earlier ones, or from nothing."""
    ground, judgements = former.ground, read_judgements(layout)
    night = int(ground.manifest["night"]) if ground else 0
    needed = needed_ledgers(layout, ledgers, ground)

    def parsed(ledger: Ledger) -> list[Path]:
        return [step("parse", parse_batch, source, layout, batch) for batch in batches(ledger.visits)]

    steps, copies = read_steps(needed, parsed, judgements, read_acceptances(layout), layout.staging)
    last_night = next((s.night for s in steps if s.run == night and s.night), NO_NIGHT)
    wanted = steps_between(steps, ground, former.up_to)
    told, base = former.told, ground.tables(BUILT_UPON) if ground else {}
    known = base["ids"].columns("resource_id", "fate") if base else ()
    published = promises(read_register(layout), {name for name, fate in known if fate not in NOT_OF_A_STEP})
    make = partial(step, "build", partial(build, scratch=layout.staging))
    if told is None or is_of(told, source):
        built: Built = make(source, wanted, copies, base, last_night, published)
    else:
        # other code made the release: what its runs give now, and then what came after
        again = steps_between(wanted, None, told)
        reread: Built = make(source, again, copies, base, last_night, published)
        built = continue_build(reread, told, steps_between(wanted, told), copies, source, published, make)
    met = [reading for one in steps if one.night for reading in one.night.readings]
    damaged = damaged_pages([*met, *(copy for _, copy in copies)])
    last_good = replace(built.last_good, damaged=damaged) if built.last_good else None
    return complete(layout, replace(built, damaged=damaged, last_good=last_good), told)


def _tells_more(ground: Release, ledgers: Sequence[Ledger], judgements: Sequence[Judgement]) -> bool:
    """Whether copies came in, or persons spoke, since some tables."""
    run, heard = place_of(ground)
    return len(judgements) > heard or any(ledger.kind == "import" and ledger.run > run for ledger in ledgers)
