"""A transport that goes on with a killed run: what its archive holds is played from there, the rest is asked for.

The site is not asked twice for a page that was finished, and the crawl, which starts anew, comes to the same place by
the same answers. ArchiveWriter.resume knows the played exchanges again and does not write them a second time.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable

import httpx

from harvest.repair import ArchivedExchange, Recovered
from harvest.revisits import answer_bytes, request_bytes
from harvest.wire import Exchange


class ResumingTransport(httpx.BaseTransport):
    """Plays the exchanges of a recovered archive, each once and those of one address in order, before it asks."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        recovered: Recovered,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand before another transport.

        Args:
            inner: the network, or a replayed archive.
            recovered: what the killed run left.
            wait: really waits so many seconds.
            clock: of the pace.
        """
        self._inner, self._part = inner, recovered.part
        self._wait, self._clock, self._not_before = wait, clock, clock()
        self._held: dict[str, deque[ArchivedExchange]] = defaultdict(deque)
        for exchange in recovered.exchanges:
            # httpx may write an address otherwise than the ledger does
            self._held[str(httpx.URL(exchange.url))].append(exchange)
        self.played = 0

    def wait(self, pause_s: float) -> None:
        """Give this to the client's Pace: a pause is kept before the site is asked, not before a played answer."""
        self._not_before = max(self._not_before, self._clock() + pause_s)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The archived answer, else the inner transport's."""
        held = self._held.get(str(request.url))
        if not held:
            if (left := self._not_before - self._clock()) > 0:
                self._wait(left)
            return self._inner.handle_request(request)
        found = held.popleft()
        offset = found.pointer.offset
        answer, asked = answer_bytes(self._part, offset), request_bytes(self._part, offset)
        self.played += 1
        exchange = Exchange(request=asked, response=answer, fetched_at=found.fetched_at, elapsed_s=0.0)
        return httpx.Response(200, extensions={"exchange": exchange})

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()
