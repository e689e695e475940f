"""How a site writes addresses that it wants otherwise than we do: `/a/` for `/a`.

We know a page by one address; a site may send that on to another spelling of it. Which one it wants is learned from
its redirection, kept in the ledger, and asked for at once on the nights after: one request instead of two. A spelling
is asked for only where robots.txt lets it be, and one of an earlier night decides nothing: where it leads to no page,
the address is asked for as we write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from schema.nouns import PAGE_OUTCOMES, Visit

# an answer that may be of the spelling only, and not of the page
_NO_PAGE = frozenset({"not_found", "gone", "forbidden", "http_error"})


# the rule of robots.txt that denies a canonical address as the site writes it, None where it may be asked
Refusal = Callable[[str, str], str | None]


def nothing_refused(_url: str, _written: str) -> None:
    """Refuse nothing: there is no robots.txt yet."""


class Spellings:
    """The spelling to ask for, by canonical address; begins with those of earlier nights.

    refusal: asked of every spelling before it is asked for.
    """

    def __init__(self, recalled: Mapping[str, str] | None = None) -> None:
        self._written = dict(recalled or {})
        self._recalled = set(self._written)
        self.refusal: Refusal = nothing_refused

    def of(self, url: str) -> str:
        """How to ask for an address."""
        written = self._written.get(url, url)
        return url if written != url and self.refusal(url, written) else written

    def learn(self, url: str, written: str) -> str | None:
        """The site sends an address on to a spelling of it: the rule that denies it, None where it may be asked for."""
        if written != url and (rule := self.refusal(url, written)):
            return rule
        self._written[url] = written
        return None

    def drop_misspelt(self, visit: Visit) -> bool:
        """Forget the spelling of an earlier night that led to no page; whether it did."""
        is_trouble = visit.status == 429 or (visit.status or 0) >= 500
        is_recalled = visit.written_url is not None and visit.url in self._recalled
        if not is_recalled or visit.outcome not in _NO_PAGE or is_trouble:
            return False
        self._recalled.discard(visit.url)
        del self._written[visit.url]
        return True


def written_of(nights: Iterable[Iterable[Visit]]) -> dict[str, str]:
    """Spellings by canonical address.

    Args:
        nights: the visits of former runs, oldest first; how the last page that an address showed was asked for counts.
    """
    found: dict[str, str] = {}
    for visits in nights:
        for visit in visits:
            if visit.outcome not in PAGE_OUTCOMES:
                continue
            if visit.written_url is None:
                found.pop(visit.url, None)
            else:
                found[visit.url] = visit.written_url
    return found
