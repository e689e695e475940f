"""What a page states, without what persons had taken down: the site may go on showing it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from schema.nouns import PageReading

NOTE = "taken down: its content is neither kept nor published"


def without_taken(page: PageReading, taken: AbstractSet[str]) -> PageReading:
    """The reading without records of addresses that were taken down; of such an address's own page nothing is left.

    Positions of the other records stay: they tell the place on the page.
    """
    if not taken:
        return page
    if page.page_url in taken or page.canonical_url in taken:
        return PageReading(
            page.page_url, page.page_url, notes=(NOTE,), parser=page.parser, parser_version=page.parser_version
        )
    records = tuple(record for record in page.records if record.url not in taken)
    return replace(page, records=records) if len(records) < len(page.records) else page
