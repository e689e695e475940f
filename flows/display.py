"""What a person sees while a run goes on: a progress line on a terminal, nothing when piped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.stages import silent
from harvest.crawl import Progress as Told

_STAGES = {
    "robots": "robots.txt",
    "sitemap": "sitemap",
    "listing": "listings",
    "resource": "resources",
    "known": "earlier addresses",
}


@contextmanager
def progress_on_terminal(title: str) -> Iterator[Told]:
    """A function to tell progress to; draws on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task(title, total=None)

        def tell(stage: str, done: int, wanted: int) -> None:
            bar.update(
                line, description=f"{title}: {_STAGES.get(stage, stage)}", completed=done, total=max(wanted, done)
            )

        yield tell
