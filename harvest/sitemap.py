"""The addresses a sitemap names: a second witness beside the listings, never crawled."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from html import unescape
from itertools import islice

# of a site in all: as many as the protocol allows one file
MAX_ADDRESSES = 50_000
MAX_SITEMAPS = 50
# longer than any address may be (the protocol: 2,048 characters); what is longer is none
MAX_ADDRESS_BYTES = 4096
# unpacked, as the protocol allows
MAX_SITEMAP_BYTES = 50 * 1024 * 1024
_NAMED_GAPS = 3
_GZIP = b"\x1f\x8b"

# `image:loc` and `video:loc` name no pages. No address holds a `<`: each step ends at the next one, and what a CDATA
# took is not given back, so that no broken sitemap is read twice over
_LOCATION = re.compile(
    rb"<(?!image:|video:)(?:\w{1,20}:)?loc>([^<]*(?:<!\[CDATA\[(?>[^<]*\]\]>)[^<]*)?)</(?:\w{1,20}:)?loc>"
)
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex[\s>]")
_SITEMAP = re.compile(rb"<(?:\w+:)?(?:sitemapindex|urlset)[\s/>]")


@dataclass
class Witness:
    """What the sitemaps of a site name: addresses as they stand there, at most MAX_ADDRESSES, and further sitemaps.

    unread are the sitemaps that could not be read, each with the reason.
    """

    further: list[str]
    addresses: list[str] = field(default_factory=list)
    asked: int = 0
    is_cut: bool = False
    unread: list[str] = field(default_factory=list)

    def wants_more(self) -> bool:
        """Whether there is a sitemap to ask for, and room for what it names."""
        return bool(self.further) and self.asked < MAX_SITEMAPS and len(self.addresses) < MAX_ADDRESSES

    def lack(self, url: str, why: str) -> None:
        """One more sitemap was asked for, and cannot be read."""
        self.unread.append(f"{url}: {why}")

    def add(self, url: str, content: bytes) -> None:
        """One more sitemap was asked for and came."""
        try:
            content = open_sitemap(content)
        except ValueError as error:
            self.lack(url, str(error))
            return
        room = MAX_ADDRESSES - len(self.addresses)
        pages, further = read_sitemap(content, at_most=max(room, MAX_SITEMAPS) + 1)
        self.is_cut |= len(pages) > room or len(further) > MAX_SITEMAPS
        self.addresses += pages[:room]
        self.further += further[:MAX_SITEMAPS]

    def gap(self) -> str | None:
        """Why the addresses are not all, once no more is asked."""
        gaps = self.unread[:_NAMED_GAPS]
        if len(self.unread) > _NAMED_GAPS:
            gaps.append(f"{len(self.unread) - _NAMED_GAPS} more sitemaps were not read")
        if self.is_cut or self.further:
            too_many = f"the sitemap names more than {MAX_ADDRESSES} addresses or {MAX_SITEMAPS} sitemaps"
            gaps.append(f"{too_many}: the others were not compared")
        return "; ".join(gaps) or None


def open_sitemap(content: bytes) -> bytes:
    """The bytes of a sitemap, unpacked where it is a gzip file, in UTF-8 where it is in UTF-16.

    Raises:
        ValueError: it is a broken or too large gzip file, or no sitemap.
    """
    if content.startswith(_GZIP):
        content = _unpacked(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", errors="replace").encode()
    if not _SITEMAP.search(content) and not _LOCATION.search(content):
        raise ValueError("is no sitemap")
    return content


def _unpacked(content: bytes) -> bytes:
    parts, size = [], 0
    while content.startswith(_GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(content, MAX_SITEMAP_BYTES - size + 1))
        except zlib.error as error:
            raise ValueError(f"is a broken gzip file: {error}") from None
        size += len(parts[-1])
        if size > MAX_SITEMAP_BYTES:
            raise ValueError(f"holds more than {MAX_SITEMAP_BYTES} bytes unpacked: not read")
        if not member.eof:
            raise ValueError("is a gzip file that is cut short")
        content = member.unused_data
    return b"".join(parts)


def read_sitemap(content: bytes, at_most: int = MAX_ADDRESSES) -> tuple[list[str], list[str]]:
    """Addresses of pages, and addresses of further sitemaps, as the bytes of a sitemap name them; the first at_most.

    A pattern and not an XML parser: a broken sitemap still names most of its pages, and no entity is expanded.
    """
    named = (_CDATA.sub(rb"\1", found[1]).strip() for found in _LOCATION.finditer(content))
    kept = islice((name for name in named if 0 < len(name) <= MAX_ADDRESS_BYTES), at_most)
    found = [unescape(name.decode("utf-8", errors="replace")) for name in kept]
    return ([], found) if _INDEX.search(content) else (found, [])
