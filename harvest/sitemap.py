"""The addresses a sitemap names: a second witness beside the listings, never crawled."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from itertools import islice

# of a site in all: as many as the protocol allows one file
MAX_ADDRESSES = 50_000
MAX_SITEMAPS = 50
# longer than any address may be (the protocol: 2,048 characters); what is longer is none
MAX_ADDRESS_BYTES = 4096

# `image:loc` and `video:loc` name no pages. No address holds a `<`: each step ends at the next one, and what a CDATA
# took is not given back, so that no broken sitemap is read twice over
_LOCATION = re.compile(
    rb"<(?!image:|video:)(?:\w{1,20}:)?loc>([^<]*(?:<!\[CDATA\[(?>[^<]*\]\]>)[^<]*)?)</(?:\w{1,20}:)?loc>"
)
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex[\s>]")


@dataclass
class Witness:
    """What the sitemaps of a site name: addresses as they stand there, at most MAX_ADDRESSES, and further sitemaps."""

    further: list[str]
    addresses: list[str] = field(default_factory=list)
    asked: int = 0
    is_cut: bool = False

    def wants_more(self) -> bool:
        """Whether there is a sitemap to ask for, and room for what it names."""
        return bool(self.further) and self.asked < MAX_SITEMAPS and len(self.addresses) < MAX_ADDRESSES

    def add(self, content: bytes) -> None:
        """One more sitemap was asked for and read."""
        room = MAX_ADDRESSES - len(self.addresses)
        pages, further = read_sitemap(content, at_most=max(room, MAX_SITEMAPS) + 1)
        self.is_cut |= len(pages) > room or len(further) > MAX_SITEMAPS
        self.addresses += pages[:room]
        self.further += further[:MAX_SITEMAPS]

    def gap(self) -> str | None:
        """Why the addresses are not all, once no more is asked."""
        too_many = f"the sitemap names more than {MAX_ADDRESSES} addresses or {MAX_SITEMAPS} sitemaps"
        return f"{too_many}: the others were not compared" if self.is_cut or self.further else None


def read_sitemap(content: bytes, at_most: int = MAX_ADDRESSES) -> tuple[list[str], list[str]]:
    """Addresses of pages, and addresses of further sitemaps, as the bytes of a sitemap name them; the first at_most.

    A pattern and not an XML parser: a broken sitemap still names most of its pages, and no entity is expanded.
    """
    named = (_CDATA.sub(rb"\1", found[1]).strip() for found in _LOCATION.finditer(content))
    kept = islice((name for name in named if 0 < len(name) <= MAX_ADDRESS_BYTES), at_most)
    found = [unescape(name.decode("utf-8", errors="replace")) for name in kept]
    return ([], found) if _INDEX.search(content) else (found, [])
