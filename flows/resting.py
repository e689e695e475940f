"""The rest that a site asked for (Retry-After) holds for the runs that come after, too.

<data>/clean/<source>/not-before.json       when the site may be asked again, and what it said; may be deleted
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from harvest.retrying import MAX_REST, RestAsked
from schema.errors import MoissonError, SiteUnreachable
from schema.layout import Layout
from schema.sources import Source

NAME = "not-before.json"


def note_rest(source: Source, layout: Layout, error: MoissonError) -> None:
    """Remember until when the site wants to be left alone, where that is what ended a run; a WARC wants nothing."""
    if not isinstance(error, RestAsked) or error.not_before is None or source.replay_path is not None:
        return
    said = {"not_before": error.not_before.astimezone(UTC).isoformat(), "verdict": str(error)}
    path = _path(layout)
    with suppress(OSError):  # the report of the run is written next, and says what the disk lacks
        fresh = path.with_name(f"{NAME}.new")
        with fresh.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(said, ensure_ascii=False))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)


def require_rested(source: Source, layout: Layout, now: datetime) -> None:
    """Refuse to ask a site before the time that it named.

    Args:
        source: one that is replayed from a WARC asks nobody.
        layout: its folders.
        now: UTC; a time further away than a rest may be was written by a clock that was wrong.

    Raises:
        SiteUnreachable: it is not that time yet.
    """
    path = _path(layout)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        not_before, verdict = datetime.fromisoformat(said["not_before"]), str(said["verdict"])
        is_early = now < not_before <= now + MAX_REST
    except (OSError, ValueError, KeyError, TypeError):
        return
    if is_early and source.replay_path is None:
        raise SiteUnreachable(f"{verdict} (to ask before that time all the same, remove {path})")


def _path(layout: Layout) -> Path:
    return layout.clean / NAME
