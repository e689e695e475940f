"""The addresses a sitemap names: a second witness beside the listings, never crawled."""

from __future__ import annotations

import re
from html import unescape

# longer than any address may be (the protocol: 2,048 characters); what is longer is none
MAX_ADDRESS_BYTES = 4096

# `image:loc` and `video:loc` name no pages. No address holds a `<`: each step ends at the next one, and what a CDATA
# took is not given back, so that no broken sitemap is read twice over
_LOCATION = re.compile(
    rb"<(?!image:|video:)(?:\w{1,20}:)?loc>([^<]*(?:<!\[CDATA\[(?>[^<]*\]\]>)[^<]*)?)</(?:\w{1,20}:)?loc>"
)
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex[\s>]")


def read_sitemap(content: bytes) -> tuple[list[str], list[str]]:
    """Addresses of pages, and addresses of further sitemaps, as the bytes of a sitemap name them.

    A pattern and not an XML parser: a broken sitemap still names most of its pages, and no entity is expanded.
    """
    named = (_CDATA.sub(rb"\1", found).strip() for found in _LOCATION.findall(content))
    found = [unescape(name.decode("utf-8", errors="replace")) for name in named if 0 < len(name) <= MAX_ADDRESS_BYTES]
    return ([], found) if _INDEX.search(content) else (found, [])
