"""The door of this room: a page in, whatever its kind, and all that it states out."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from parsers.caps import find_excess
from parsers.keywords import read_keywords
from parsers.labelled_blocks import MEDIA_TYPES, parse_labelled_blocks
from parsers.labelled_blocks import NAME as HTML_PARSER
from parsers.labelled_blocks import VERSION as HTML_VERSION
from parsers.text_listing import parse_text_listing
from schema.nouns import PageReading, Payload, Record, Reject
from schema.sources import Source


def parse_page(payload: Payload, *, page_url: str, source: Source, is_listing: bool | None) -> PageReading:
    """All that an archived page states.

    Args:
        payload: the page, codings undone.
        page_url: its canonical address.
        source: labels, hosts and the reader of HTML.
        is_listing: True for a listing, False for a resource's own page, None when not known.

    Returns:
        Records and rejects; a page that is neither HTML nor text is one reject, `not_html`.
    """
    if excess := find_excess(payload.content):
        return PageReading(page_url, page_url, rejects=(Reject(page_url, *excess, None, ""),))
    try:
        reading = _parse(payload, page_url, source, is_listing=is_listing)
    except RecursionError:
        message = "elements stand too deep in each other: not read"
        return PageReading(page_url, page_url, rejects=(Reject(page_url, "too_deep", message, None, ""),))
    return replace(reading, records=tuple(_complete(record, payload) for record in reading.records))


def _complete(record: Record, payload: Payload) -> Record:
    """The record with what all readers read alike: keywords, month, digest of its bytes."""
    keywords, month = read_keywords((*record.body, *record.resume))
    digest = sha256(payload.content[record.span.start : record.span.end]).hexdigest()
    return replace(record, keywords=keywords, month=month, block_digest=digest)


def _parse(payload: Payload, page_url: str, source: Source, *, is_listing: bool | None) -> PageReading:
    if payload.media_type == "text/plain" or source.parser == "labelled-text":
        return parse_text_listing(payload, page_url=page_url, labels=source.labels)
    if payload.media_type not in MEDIA_TYPES or b"<" not in payload.content:
        message = f"not HTML but {payload.media_type or 'without any tag'}: not read"
        excerpt = payload.content[:200].decode("utf-8", errors="replace")
        reject = Reject(page_url, "not_html", message, None, excerpt)
        return PageReading(page_url, page_url, rejects=(reject,), parser=HTML_PARSER, parser_version=HTML_VERSION)
    return parse_labelled_blocks(
        payload, page_url=page_url, labels=source.labels, is_listing=is_listing, schemes=source.schemes
    )
