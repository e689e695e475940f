"""A person's word that a held run tells the truth: the job behind `accept`.

A gate cannot tell a catalogue that really shrank from one that was read badly, so it holds both, night after night. The
word is an input like the pages: every rebuild reads it again and comes to the same tables.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.decisions import Acceptance, add_acceptance, one_line, read_acceptances
from flows.grounds import Former, build_upon, former_tables
from flows.jobs import Outcome, bring_in
from flows.ledger import read_ledgers
from flows.lock import locked
from flows.publishing import at_once
from releases.store import latest_release, run_state, sweep, write_run
from releases.tables import read_rows
from schema.errors import UsageError
from schema.layout import Layout
from schema.sources import Source
from schema.tables import PAGES


def accept(source: Source, data: Path, why: str, author: str, run: int | None = None) -> Outcome:
    """Publish the newest run that a gate held, on a person's word; later nights are compared with it.

    Args:
        source: the source.
        data: the data folder.
        why: the reason, kept with it.
        author: who says so.
        run: the run that was looked at; None for the newest held one, whichever it is.

    Raises:
        UsageError: no run is held, another one than `run` is, a later one is good, it was accepted already, no reason.
        AlreadyRunning: a run holds the source.
        DamagedArchive: an archive, or what was said before, cannot be read.
    """
    layout = Layout(data, source.name)
    said = one_line(why, "--why", "the reason"), one_line(author, "--author", "who says so")
    with locked(layout):
        sweep(layout)
        held = _newest_held(layout)
        if run not in (None, held):
            raise UsageError(f"run {run} is not the newest held one, which is run {held}: look at {layout.held(held)}")
        if before := read_acceptances(layout).get(held):
            raise UsageError(
                f"run {held} was accepted already, by {before.author}; `moisson rebuild {source.name}` brings it in"
            )
        word = Acceptance(held, *said, datetime.now(UTC))
        add_acceptance(layout, word)
        return _published(source, layout, word)


def _newest_held(layout: Layout) -> int:
    """The newest held run, if no later one was good: its tables would be older than those published."""
    for run in reversed(layout.runs()):
        report = _report(layout, run)
        state = None if report.get("is_dry") else report.get("state")
        if state == "held":
            return run
        if state in ("published", "unchanged"):
            raise UsageError(f"no run of {layout.source} waits: run {run}, the newest good one, is {state}")
    raise UsageError(f"no run of {layout.source} is held; `moisson refresh {layout.source}` makes one")


def _published(source: Source, layout: Layout, word: Acceptance) -> Outcome:
    release = latest_release(layout)
    ground = former_tables(source, layout, release).ground
    ledgers = [ledger for ledger in read_ledgers(layout) if ledger.kind != "dry"]
    built = build_upon(source, layout, ledgers, Former(ground, release), at_once)
    outcome = bring_in(source, layout, built, release, f"run {word.run} accepted by {word.author}", at_once)
    report = {**_report(layout, word.run), "state": "published", "verdict": outcome.verdict, "exit_code": 0}
    accepted = {"accepted_by": word.author, "accepted_at": word.said_at, "accepted_why": word.why}
    pages = read_rows(PAGES, layout.run(word.run) / "pages.parquet")
    write_run(layout, word.run, {**report, **accepted}, pages)
    return outcome


def _report(layout: Layout, run: int) -> dict[str, Any]:
    """The report of a run; empty where there is none."""
    if run_state(layout, run) is None:
        return {}
    report: dict[str, Any] = json.loads((layout.run(run) / "run.json").read_text(encoding="utf-8"))
    return report
