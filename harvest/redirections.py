"""Where an answer sends us: the address as we know it, learned on the way how the site writes it (`/a/` for `/a`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urljoin

from harvest.reach import lowers
from harvest.spellings import Spellings
from schema.addresses import canonical_url
from schema.nouns import Visit

_ASCII = "".join(map(chr, range(0x80)))


def follow(visit: Visit, target: str, schemes: Mapping[str, str], spellings: Spellings) -> Visit:
    """A visit that was redirected, with where to; a spelling that robots.txt denies is refused by its rule.

    Args:
        visit: the address that was asked for.
        target: its Location, as the header has it.
        schemes: of our hosts, as for canonical_url.
        spellings: learns how the site writes an address that it sends on to itself.
    """
    target = _as_sent(target)
    try:
        url = canonical_url(target, visit.url, schemes)
    except ValueError as error:
        return replace(visit, outcome="failed", reason=f"redirected to {error}")
    written = urljoin(visit.url, target.partition("#")[0])
    if lowers(url, written):  # a server behind a proxy may not know that it is asked by https
        written = "https:" + written.partition(":")[2]
    if url != visit.url:
        spellings.refusal(url, written)  # which hears how the site writes it, and judges when it is asked for
    elif rule := spellings.learn(url, written):
        return replace(visit, outcome="refused_by_robots", reason=rule)
    return replace(visit, outcome="redirected", redirect_url=url)


def _as_sent(target: str) -> str:
    """An address out of a header that was read as Latin-1: UTF-8 where its bytes are that, else the very bytes."""
    sent = target.encode("latin-1", errors="replace")
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return quote(sent, safe=_ASCII)
