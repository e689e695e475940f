"""The polite client: paces, follows redirections hop by hop, archives every answer, and reads back what it archived."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self
from urllib.parse import urljoin

import httpx

from harvest.answers import BrokenAnswer, read_answer
from harvest.archive import ArchiveWriter, read_block
from harvest.payloads import read_payload
from harvest.reach import NotPublic, lowers, named_loopbacks
from harvest.wire import TIMEOUT, Exchange, NotArchived
from schema.addresses import canonical_url, same_host
from schema.nouns import Payload, Pointer, Visit
from schema.sources import Source

AGENT = "moisson"
VERSION = "0.1.0"
MAX_HOPS = 5
MAX_ATTEMPTS = 3
RETRY_PAUSE_S = 5.0

_OUTCOME_OF_STATUS = {404: "not_found", 410: "gone", 401: "forbidden", 403: "forbidden"}
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Pace:
    """When to ask: at least delay_s seconds after the end of the former answer. A replay does not really wait."""

    delay_s: float
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Client:
    """Fetches and archives; one connection, one request at a time. Close it by leaving its `with` block."""

    def __init__(self, source: Source, transport: httpx.BaseTransport, archive: ArchiveWriter, pace: Pace) -> None:
        contact = f" (+{source.contact})" if source.contact else ""
        self.user_agent = f"{AGENT}/{VERSION}{contact}"
        self._source, self._archive, self._pace = source, archive, pace
        self._loopbacks = named_loopbacks([*source.listings, *([source.sitemap] if source.sitemap else [])])
        self._free_at = 0.0
        # how the site writes addresses that it wants otherwise than we do (`/a/` for `/a`)
        self._written: dict[str, str] = {}
        # no proxies, netrc or certificates from the environment; no cookies kept; each hop is ours to see
        self._http = httpx.Client(
            transport=transport,
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={
                "User-Agent": self.user_agent,
                "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
                "Accept-Language": "fr",
                # Drupal answers 304 only to validators it gave to an uncompressed request
                "Accept-Encoding": "identity",
            },
        )

    def slow_down(self, delay_s: float) -> None:
        """Keep at least delay_s between requests from now on (robots.txt's Crawl-delay)."""
        self._pace = replace(self._pace, delay_s=max(self._pace.delay_s, delay_s))

    def fetch(
        self, url: str, role: str, via: str | None = None, may_follow: Callable[[str], bool] = lambda _: True
    ) -> list[Visit]:
        """Ask for an address and follow where it sends us: one visit a hop, the last one final.

        A hop to another host, from https to http, or one that may_follow refuses, is not followed: it is ledgered as
        the redirection it is.
        """
        visits: list[Visit] = []
        while len(visits) <= MAX_HOPS:
            visit = self._visit(url, role, via)
            visits.append(visit)
            target = visit.redirect_url
            if target is None or target in {v.url for v in visits}:
                return visits
            if lowers(url, target) or not (self._is_ours(target) and may_follow(target)):
                return visits
            url, via = target, visit.url
        visits[-1] = replace(visits[-1], outcome="failed", reason=f"more than {MAX_HOPS} redirections")
        return visits

    def _is_ours(self, url: str) -> bool:
        return any(same_host(url, canonical_url(listing)) for listing in self._source.listings)

    def _visit(self, url: str, role: str, via: str | None) -> Visit:
        asked = Visit(url=url, role=role, outcome="failed", via=via)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            self._pace.wait(max(0.0, self._free_at - self._pace.clock()))
            visit = replace(self._attempt(asked), attempts=attempt)
            if visit.outcome == "not_asked":
                return replace(visit, attempts=0)
            self._free_at = self._pace.clock() + self._pace.delay_s
            if visit.redirect_url == url and url in self._written and attempt == 1:
                continue
            if visit.outcome != "failed" and (visit.status or 0) < 500:
                break
            if attempt < MAX_ATTEMPTS:
                self._pace.wait(RETRY_PAUSE_S * attempt)
        return visit

    def _attempt(self, visit: Visit) -> Visit:
        try:
            said = {"role": visit.role, "loopbacks": self._loopbacks}
            with self._http.stream("GET", self._written.get(visit.url, visit.url), extensions=said) as response:
                exchange: Exchange = response.extensions["exchange"]
        except NotArchived:
            return replace(visit, outcome="not_archived", reason="the WARC that is replayed does not hold it")
        except NotPublic as error:
            return replace(visit, outcome="not_asked", reason=f"{error}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return replace(visit, outcome="failed", reason=f"{error}"[:300])
        address = self._written.get(visit.url, visit.url)
        pointer = self._archive.add_exchange(address, exchange.request, exchange.response, exchange.fetched_at)
        visit = replace(visit, fetched_at=exchange.fetched_at, elapsed_s=round(exchange.elapsed_s, 6), pointer=pointer)
        return self._judge(visit, pointer)

    def _judge(self, visit: Visit, pointer: Pointer) -> Visit:
        """Complete a visit with what the archive now holds: what is parsed is what is archived."""
        try:
            answer = read_answer(read_block(self._archive.path, pointer.offset)[1])
        except BrokenAnswer as error:
            return replace(visit, outcome="failed", reason=str(error))
        visit = replace(
            visit,
            status=answer.status,
            media_type=answer.media_type or None,
            size_bytes=len(answer.content),
            payload_digest=sha256(answer.content).hexdigest(),
        )
        if answer.status in _REDIRECTIONS and (target := answer.header("location")):
            return self._redirected(visit, target)
        if answer.status == 200:  # the one status that is a page
            return replace(visit, outcome="fetched")
        return replace(visit, outcome=_OUTCOME_OF_STATUS.get(answer.status, "http_error"))

    def _redirected(self, visit: Visit, target: str) -> Visit:
        try:
            url = canonical_url(target, visit.url, self._source.schemes)
        except ValueError as error:
            return replace(visit, outcome="failed", reason=f"redirected to {error}")
        asked, written = self._written.get(url, url), urljoin(visit.url, target.partition("#")[0])
        if lowers(url, written):  # a server behind a proxy may not know that it is asked by https
            written = "https:" + written.partition(":")[2]
        if url == visit.url and written != asked:
            self._written[url] = written
        return replace(visit, outcome="redirected", redirect_url=url)

    def read(self, visit: Visit) -> Payload:
        """The payload of a fetched page, from the archive."""
        if visit.pointer is None:
            raise ValueError(f"{visit.url} was not archived")
        return read_payload(self._archive.path, visit.pointer.offset)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
