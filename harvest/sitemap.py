"""The addresses a sitemap names: a second witness beside the listings, never crawled."""

from __future__ import annotations

import re
from html import unescape

_LOCATION = re.compile(rb"<(?:\w+:)?loc>\s*(?:<!\[CDATA\[)?\s*(.{1,2048}?)\s*(?:\]\]>)?\s*</(?:\w+:)?loc>", re.DOTALL)
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex[\s>]")


def read_sitemap(content: bytes) -> tuple[list[str], list[str]]:
    """Addresses of pages, and addresses of further sitemaps, as the bytes of a sitemap name them.

    A pattern and not an XML parser: a broken sitemap still names most of its pages, and no entity is expanded.
    """
    found = [unescape(m.decode("utf-8", errors="replace")) for m in _LOCATION.findall(content)]
    return ([], found) if _INDEX.search(content) else (found, [])
