"""Whether a host lives: failures in a row may be those of some addresses, and not of the site.

Four broken pages side by side, three tries each, are as many failures as a site that is down. So before the breaker
opens, one page that answered tonight is asked for once more. Where it answers, the addresses failed, and each of those
that come next is asked for once only, until one answers. It must be a page of the kind that fails: a listing may come
out of a cache where no resource can be had. Where there is none, another buys time once, for as many addresses again,
and not from a host that says that it is busy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harvest.limits import Breaker
from schema.nouns import PAGE_OUTCOMES, Visit

_OF_RESOURCES = frozenset({"resource", "known"})
_BUSY = frozenset({429, 503})


@dataclass
class Living:
    """What was seen tonight of each host: its failures in a row, and the pages that answered.

    asked_beside counts the requests for such pages that no visit tells of; put_aside are the addresses of resources
    that kept us waiting to the end of a deadline, to be asked for once more when all else is done.
    """

    breaker: Breaker = field(default_factory=Breaker)
    asked_beside: Counter[str] = field(default_factory=Counter)
    put_aside: dict[str, None] = field(default_factory=dict)
    _answered: dict[tuple[str, bool], Visit] = field(default_factory=dict)
    _last_status: dict[str, int | None] = field(default_factory=dict)
    _has_bought_time: set[str] = field(default_factory=set)

    def note(self, visit: Visit, *, has_failed: bool) -> None:
        """One more exchange."""
        host = urlsplit(visit.url).netloc
        self.breaker.note(host, has_failed=has_failed)
        self._last_status[host] = visit.status
        if visit.outcome in PAGE_OUTCOMES and visit.role in {*_OF_RESOURCES, "listing"}:
            self._answered[host, visit.role in _OF_RESOURCES] = visit

    def note_hung(self, visit: Visit) -> None:
        """An address kept us waiting; a listing is asked again at once, because all else hangs on it."""
        if visit.role in _OF_RESOURCES:
            self.put_aside.setdefault(visit.url)

    def witness(self, asked: Visit) -> Visit | None:
        """The page to ask for before the next failure opens the breaker; None where that is far, or none will do."""
        host, is_resource = urlsplit(asked.url).netloc, asked.role in _OF_RESOURCES
        if not self.breaker.is_about_to_open(host):
            return None
        if found := self._answered.get((host, is_resource)):
            return found
        other = self._answered.get((host, not is_resource))
        if other is None or host in self._has_bought_time or self._last_status.get(host) in _BUSY:
            return None
        self._has_bought_time.add(host)
        return other

    def hear(self, witness: Visit, *, has_failed: bool) -> None:
        """What became of asking for it again."""
        self.asked_beside[witness.url] += 1
        if not has_failed:
            self.breaker.doubt(urlsplit(witness.url).netloc)

    def is_worth_another_try(self, url: str) -> bool:
        """Whether an address that failed may be asked for again at once."""
        return url not in self.put_aside and not self.breaker.is_in_doubt(urlsplit(url).netloc)
