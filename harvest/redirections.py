"""Where an answer sends us, and how a site writes the addresses that it wants otherwise than we do (`/a/` for `/a`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote, urljoin

from harvest.reach import lowers
from schema.addresses import canonical_url
from schema.nouns import Visit

_ASCII = "".join(map(chr, range(0x80)))

# the rule of robots.txt that denies a canonical address as the site writes it, None where it may be asked
Refusal = Callable[[str, str], str | None]


def nothing_refused(_url: str, _written: str) -> None:
    """Refuse nothing: there is no robots.txt yet."""


class Redirections:
    """Reads redirections; remembers, for a run, how the site writes an address that led to itself."""

    def __init__(self, schemes: Mapping[str, str]) -> None:
        """Know of no spelling yet; schemes is by host, as for canonical_url."""
        self._schemes = schemes
        self._written: dict[str, str] = {}
        self.refusal: Refusal = nothing_refused

    def written(self, url: str) -> str:
        """How to ask for a canonical address."""
        return self._written.get(url, url)

    def is_rewritten(self, url: str) -> bool:
        """Whether the site writes an address otherwise than we do."""
        return url in self._written

    def follow(self, visit: Visit, target: str) -> Visit:
        """A visit that was redirected, with where to; a spelling that robots.txt denies is refused by its rule."""
        target = _as_sent(target)
        try:
            url = canonical_url(target, visit.url, self._schemes)
        except ValueError as error:
            return replace(visit, outcome="failed", reason=f"redirected to {error}")
        written = urljoin(visit.url, target.partition("#")[0])
        if lowers(url, written):  # a server behind a proxy may not know that it is asked by https
            written = "https:" + written.partition(":")[2]
        if url == visit.url and written != self.written(url):
            if rule := self.refusal(url, written):
                return replace(visit, outcome="refused_by_robots", reason=rule)
            self._written[url] = written
        return replace(visit, outcome="redirected", redirect_url=url)


def _as_sent(target: str) -> str:
    """An address out of a header that was read as Latin-1: UTF-8 where its bytes are that, else the very bytes."""
    sent = target.encode("latin-1", errors="replace")
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return quote(sent, safe=_ASCII)
