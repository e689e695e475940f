"""Resources in blocks that could not be read tonight: the page shows them, so nothing says that they left it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from schema.folding import fold
from schema.nouns import Night

# a shorter title may stand in the text of any block
MIN_TITLE_CHARS = 10


def find_unread(resources: Iterable[Mapping[str, Any]], night: Night) -> dict[str, frozenset[str | None]]:
    """Headings of the listings on which a block that could not be read bears the title of a resource, by resource_id.

    Args:
        resources: rows as of the step before.
        night: what was read of the site.
    """
    blocks = [
        (reading.page.heading, f" {_plain(reject.excerpt)} ")
        for reading in night.readings
        if reading.visit.role == "listing"
        for reject in reading.page.rejects
    ]
    found: dict[str, set[str | None]] = defaultdict(set)
    for row in resources if blocks else ():
        title = _plain(row["title"])
        if len(title) >= MIN_TITLE_CHARS:
            shown = {heading for heading, words in blocks if f" {title} " in words}
            if shown:
                found[row["resource_id"]] |= shown
    return {name: frozenset(headings) for name, headings in found.items()}


def _plain(text: str) -> str:
    return " ".join(fold(text).casefold().split())
