"""The polite client: paces, follows redirections hop by hop, archives every answer, and reads back what it archived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

import httpx

from harvest.answers import Answer, BrokenAnswer, TooLong, read_answer
from harvest.archive import ArchiveWriter
from harvest.beginnings import archived_robots, is_beginning, read_robots_answer
from harvest.courtesy import Meter, Receipt
from harvest.limits import Budget
from harvest.living import Living
from harvest.pace import Pace, Turns
from harvest.payloads import read_payload
from harvest.reach import NotPublic, lowers, named_loopbacks
from harvest.redirections import follow
from harvest.retrying import asked_pause, backoff_s, is_to_be_tried_again, tells_of_trouble
from harvest.revisits import answer_bytes
from harvest.spellings import Refusal, Spellings
from harvest.tape import ExchangeCut, NotTrusted, TooLarge
from harvest.validators import Validators, confirms, held_answer, is_absence, is_not_modified, kept_validators
from harvest.wire import Exchange, NotArchived, http_client
from schema.addresses import canonical_url, same_host
from schema.nouns import Payload, Visit
from schema.sources import Source

__all__ = ["AGENT", "MAX_ATTEMPTS", "MAX_HOPS", "RETRY_PAUSE_S", "VERSION", "Client", "Pace"]

AGENT = "moisson"
VERSION = "0.1.0"
MAX_HOPS = 5
MAX_ATTEMPTS = 3
RETRY_PAUSE_S = 5.0

_OUTCOME_OF_STATUS = {404: "not_found", 410: "gone", 401: "forbidden", 403: "forbidden"}
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})


class Client:
    """Fetches and archives; one connection, one request at a time. Close it by leaving its `with` block."""

    def __init__(
        self,
        source: Source,
        transport: httpx.BaseTransport,
        archive: ArchiveWriter,
        pace: Pace,
        validators: Mapping[str, Validators] | None = None,
        written: Mapping[str, str] | None = None,
    ) -> None:
        """Make a client that asks nothing yet.

        Args:
            source: listings, contact, pace and budget.
            transport: the network, or an archive in its place.
            archive: where every answer goes; the former answers that validators name lie beside it.
            pace: how to wait.
            validators: by canonical address, what former nights left (harvest.validators); none for a replay.
            written: by canonical address, how former nights asked for it (harvest.spellings); none for a replay.
        """
        contact = f" (+{source.contact})" if source.contact else ""
        self.user_agent = f"{AGENT}/{VERSION}{contact}"
        self._source, self._archive, self._pace = source, archive, pace
        self._turns, self._living, self._budget, self._meter = Turns(pace), Living(), Budget(source.pace), Meter()
        self._loopbacks = named_loopbacks([*source.listings, *([source.sitemap] if source.sitemap else [])])
        self._validators = dict(validators or {})
        self._spellings = Spellings(written)
        # addresses whose last failure would be the same at once again
        self._futile: set[str] = set()
        self._http = http_client(transport, self.user_agent)

    def slow_down(self, delay_s: float) -> None:
        """Keep at least delay_s between requests from now on (robots.txt's Crawl-delay).

        Raises:
            SiteUnreachable: more than a night has room for.
        """
        self._turns.slow_down(delay_s)

    def heed(self, refusal: Refusal) -> None:
        """Ask for no spelling of an address that robots.txt denies: refusal names its rule."""
        self._spellings.refusal = refusal

    def fetch(
        self, url: str, role: str, via: str | None = None, may_follow: Callable[[str], bool] = lambda _: True
    ) -> list[Visit]:
        """Ask for an address and follow where it sends us: one visit a hop, the last one final.

        A hop to another host (robots.txt may lead there, says the standard), from https to http, or that may_follow
        refuses, is not followed: it is ledgered as the redirection it is. Beyond the budget of the run the visit is
        `not_asked`.

        Raises:
            SiteUnreachable: the host fails again and again, or asks us to come back another time.
        """
        asked_url, visits = url, list[Visit]()
        while len(visits) <= MAX_HOPS:
            visit = self._visit(url, role, via)
            visits.append(visit)
            target = visit.redirect_url
            if target is None or target in {v.url for v in visits} or lowers(url, target):
                break
            if not ((role == "robots" or self._is_ours(target)) and may_follow(target)):
                break
            url, via = target, visit.url
        else:
            visits[-1] = replace(visits[-1], outcome="failed", reason=f"more than {MAX_HOPS} redirections")
        if role == "robots":
            self._meter.note_robots(asked_url, visits[-1])
        return visits

    def _is_ours(self, url: str) -> bool:
        return any(same_host(url, canonical_url(listing)) for listing in self._source.listings)

    # --- one address ------------------------------------------------------------------------------------------------

    def _visit(self, url: str, role: str, via: str | None) -> Visit:
        visit = Visit(url, role, "not_asked", via=via)
        self._futile.discard(url)
        self._living.put_aside.pop(url, None)
        misspelt: Visit | None = None
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if why := self._budget.refusal():
                return visit if visit.attempts else replace(visit, reason=why)
            was_validated, address = url in self._validators, self._spellings.of(url)
            visit = replace(self._exchange(Visit(url, role, "failed", via=via)), attempts=attempt)
            if visit.outcome == "not_asked":
                return replace(visit, attempts=0)
            self._meter.retries += attempt > 1
            if self._spellings.drop_misspelt(visit):
                misspelt = visit
                continue
            wanted = self._spellings.of(url)
            if misspelt is not None and wanted == misspelt.written_url:  # it wants it so, and has nothing there
                return replace(misspelt, attempts=attempt)
            if visit.redirect_url == url and wanted != address and (attempt == 1 or misspelt is not None):
                continue
            is_of_validators = was_validated and visit.status == 304
            if not self._is_worth_another_try(visit, is_of_validators=is_of_validators):
                break
            if attempt < MAX_ATTEMPTS and not is_of_validators:
                self._turns.pause(backoff_s(RETRY_PAUSE_S, attempt, self._pace.chance()))
        return visit

    def _is_worth_another_try(self, visit: Visit, *, is_of_validators: bool) -> bool:
        if visit.url in self._futile or not is_to_be_tried_again(visit):
            return False
        return is_of_validators or self._living.is_worth_another_try(visit.url)

    def _exchange(self, asked: Visit) -> Visit:
        """Ask once, in our turn; before that, where the host is about to be given up, for what shows that it lives."""
        witness = self._living.witness(asked) if self._budget.has_room_for(2) else None
        if witness is not None:
            again = self._in_turn(Visit(witness.url, witness.role, "failed", via=witness.via))
            self._living.hear(witness, has_failed=is_to_be_tried_again(again))
        self._living.breaker.require_closed(urlsplit(asked.url).netloc)
        return self._in_turn(asked)

    def _in_turn(self, asked: Visit) -> Visit:
        self._turns.begin()
        self._budget.requests += 1
        try:
            return self._attempt(asked)
        finally:
            self._turns.end()

    def _attempt(self, visit: Visit) -> Visit:
        address, validators = self._spellings.of(visit.url), self._validators.get(visit.url)
        headers = validators.headers() if validators else {}
        received_bytes = self._budget.received_bytes
        told = {"heard": self._budget.hear, "leaves": self._turns.leave}
        said = {"role": visit.role, "loopbacks": self._loopbacks, **told}
        try:
            with self._http.stream("GET", address, headers=headers, extensions=said) as response:
                exchange: Exchange = response.extensions["exchange"]
        except NotArchived:
            return replace(visit, outcome="not_archived", reason="the WARC that is replayed does not hold it")
        except NotPublic as error:
            return replace(visit, outcome="not_asked", reason=f"{error}")
        except (httpx.InvalidURL, UnicodeError) as error:  # a host that no IDNA name is, `xn--` say
            return replace(visit, reason=f"{error}"[:300])
        except httpx.HTTPError as error:
            self._living.note(visit, has_failed=True)
            if isinstance(error, (TooLarge, NotTrusted)):
                self._futile.add(visit.url)
            elif isinstance(error, ExchangeCut):
                self._living.note_hung(visit)
            return replace(visit, reason=f"{error}"[:300])
        # what is played from an archive went over no wire
        self._budget.received_bytes = max(self._budget.received_bytes, received_bytes + len(exchange.response))
        self._meter.answers += 1
        visit = replace(visit, fetched_at=exchange.fetched_at, elapsed_s=round(exchange.elapsed_s, 6))
        visit = replace(visit, written_url=None if address == visit.url else address)
        try:
            visit = self._archived(visit, address, exchange, validators)
        except BrokenAnswer as error:  # without even a head there is nothing to archive
            visit = replace(visit, reason=str(error))
        self._living.note(visit, has_failed=tells_of_trouble(visit))
        return visit

    def _archived(self, visit: Visit, address: str, exchange: Exchange, validators: Validators | None) -> Visit:
        if is_not_modified(exchange.response):
            return self._unchanged(visit, address, exchange, validators)
        is_cut = visit.role == "robots" and is_beginning(exchange.response)
        told = (address, exchange.request, exchange.response, exchange.fetched_at)
        pointer = self._archive.add_exchange(*told, is_cut=is_cut)
        return self._judge(replace(visit, pointer=pointer), exchange, pointer.offset)

    def _unchanged(self, visit: Visit, address: str, exchange: Exchange, validators: Validators | None) -> Visit:
        """A 304: the page is the one archived before, where we asked so and can show it; else a failed attempt."""
        visit = replace(visit, status=304)
        held = held_answer(self._archive.path.parent, validators.original) if validators else None
        is_of_another = validators is not None and not confirms(exchange.response, validators.etag)
        if validators is None or held is None or is_of_another:
            self._validators.pop(visit.url, None)
            pointer = self._archive.add_exchange(address, exchange.request, exchange.response, exchange.fetched_at)
            why = "304 for a page that is no longer archived" if validators else "304 without being asked for it"
            why = "304 of another page: its ETag is not the one that was sent" if is_of_another else why
            return replace(visit, pointer=pointer, reason=why)
        original, (record, payload) = validators.original, held
        # what was not there the last time still is not
        outcome = "not_modified" if validators.absence is None else validators.absence
        said = (address, exchange.request, exchange.response, exchange.fetched_at)
        pointer = self._archive.add_revisit(*said, original, record)
        self._meter.not_modified += 1
        return replace(
            visit,
            outcome=outcome,
            pointer=pointer,
            original=original,
            media_type=payload.media_type or None,
            size_bytes=len(payload.content),
            payload_digest=original.payload_digest,
            etag=validators.etag,
            last_modified=validators.last_modified,
        )

    def _judge(self, visit: Visit, exchange: Exchange, offset: int) -> Visit:
        """Complete a visit with what the archive now holds: what is parsed is what is archived."""
        try:
            block = answer_bytes(self._archive.path, offset)
            answer, is_cut = read_robots_answer(block) if visit.role == "robots" else (read_answer(block), False)
        except BrokenAnswer as error:
            if isinstance(error, TooLong):
                self._futile.add(visit.url)
            return replace(visit, reason=str(error))
        visit = replace(
            visit,
            status=answer.status,
            media_type=answer.media_type or None,
            size_bytes=len(answer.content),
            payload_digest=sha256(answer.content).hexdigest(),
        )
        self._heed(visit, answer, exchange)
        if answer.status in _REDIRECTIONS and (target := answer.header("location")):
            return follow(visit, target, self._source.schemes, self._spellings)
        # the one status that is a page; a robots.txt without content has no rule
        if answer.status == 200 or (answer.status == 204 and visit.role == "robots"):
            etag, last_modified = (None, None) if is_cut else kept_validators(answer)
            return replace(visit, outcome="fetched", etag=etag, last_modified=last_modified)
        visit = replace(visit, outcome=_OUTCOME_OF_STATUS.get(answer.status, "http_error"))
        if is_absence(visit):
            etag, last_modified = kept_validators(answer)
            visit = replace(visit, etag=etag, last_modified=last_modified)
        return visit

    def _heed(self, visit: Visit, answer: Answer, exchange: Exchange) -> None:
        """Leave the host alone for as long as it asks."""
        answered_at = exchange.fetched_at + timedelta(seconds=exchange.elapsed_s)
        pause = asked_pause(visit.url, answer, answered_at, self._meter.pauses)
        if pause is not None:
            self._turns.pause(pause.pause_s)
            self._meter.pauses.append(pause)

    # --- afterwards -------------------------------------------------------------------------------------------------

    def read(self, visit: Visit) -> Payload:
        """The payload of a page, from the archive; of one that was not modified, the payload archived before."""
        if visit.pointer is None:
            raise ValueError(f"{visit.url} was not archived")
        return read_payload(self._archive.path, visit.pointer.offset)

    def read_robots(self, visit: Visit) -> bytes:
        """The payload of a robots.txt as far as it came."""
        if visit.pointer is None:
            raise ValueError(f"{visit.url} was not archived")
        return archived_robots(self._archive.path, visit.pointer.offset)

    def receipt(self, visits: Iterable[Visit] = ()) -> Receipt:
        """The load placed so far; visits is the ledger, which knows what robots.txt denied."""
        return self._meter.receipt(self.user_agent, self._budget, self._turns, visits)

    def put_aside(self) -> tuple[str, ...]:
        """The addresses of resources that kept us waiting, in order."""
        return tuple(self._living.put_aside)

    def asked_beside(self) -> dict[str, int]:
        """By address, the requests that no visit tells of: what was asked again to see whether a host lives."""
        return dict(self._living.asked_beside)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
