"""Two transports under one httpx client: the network, and an archive played back.

Both hand out, beside the answer, the very bytes that went over the wire (`extensions["exchange"]`), because what httpx
returns has lost the chunking and cannot be archived byte for byte. Replaying replaces the socket, nothing else.
"""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpcore
import httpx

from harvest.answers import ends_exactly
from harvest.archive import ArchivedBlock, read_blocks
from harvest.revisits import answer_bytes, effective_answer, request_bytes
from harvest.tape import Limits, Tape, TapedBackend, TooLarge, unheard
from schema.addresses import canonical_url
from schema.errors import DamagedArchive

LIMITS = Limits()
TIMEOUT = httpx.Timeout(connect=LIMITS.connect_s, read=LIMITS.read_s, write=LIMITS.read_s, pool=LIMITS.connect_s)

# whatever httpx makes of an address with a name in it, or a caller of its headers: these never leave
_NEVER_SENT = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"referer"})


# Python reads no number of 4301 digits
_MAX_LENGTH_DIGITS = 20
_BODILESS = (204, 304)


class NotArchived(httpx.TransportError):
    """The WARC that is replayed holds no answer for this address."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as they went over the wire; request is empty when a replayed archive has none."""

    request: bytes
    response: bytes
    fetched_at: datetime
    elapsed_s: float


class NetworkTransport(httpx.BaseTransport):
    """The network: public hosts, one connection at a time, HTTP/1.1, certificates verified, every byte on tape.

    A request may carry, in its `extensions`, `role` (a `robots` may bring fewer bytes than a page, and ends there where
    it is longer), `loopbacks` (the loopback hosts and ports that may be reached, see `harvest.reach.named_loopbacks`;
    without it none may), `heard` (told how many bytes came, whatever becomes of them) and `leaves` (called when the
    request goes out).
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits, self._tape = limits, Tape(limits)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls_context(),
            max_connections=1,
            http1=True,
            http2=False,
            network_backend=TapedBackend(self._tape),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read to its end, with the exchange in `extensions`.

        Raises:
            NotPublic: the host is not public; asking again will not help.
            ExchangeCut: a limit was passed.
            httpx.TransportError: no connection, or an answer that is cut or no HTTP.
        """
        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"not an http(s) address: {str(request.url)[:200]!r}")
        said = request.extensions
        max_bytes = self._limits.robots_bytes if said.get("role") == "robots" else self._limits.page_bytes
        self._tape.rewind(max_bytes, said.get("loopbacks", frozenset()), said.get("heard", unheard))
        said.get("leaves", unheard)()
        fetched_at, started = datetime.now(UTC), time.monotonic()
        try:
            answer = self._pool.handle_request(self._asked(request))
            try:
                if said.get("role") != "robots":
                    _require_short(answer, max_bytes)
                for _ in answer.iter_stream():
                    pass  # all of it is on the tape
            except TooLarge:
                if said.get("role") != "robots":  # of which the beginning is enough
                    raise
            finally:
                answer.close()
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise httpx.TransportError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        # what stands behind an answer is nobody's: the next request would have it for its own
        received, elapsed_s = bytes(self._tape.received), time.monotonic() - started
        self._tape.has_surplus = not ends_exactly(received)
        exchange = Exchange(bytes(self._tape.sent), received, fetched_at, elapsed_s)
        return _told(answer.status, exchange)

    def _asked(self, request: httpx.Request) -> httpcore.Request:
        """The request as it is sent; its own timeouts may be shorter than the limits, never longer."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        limits, wished = self._limits, request.extensions.get("timeout", {})
        longest = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s, "pool": limits.connect_s}
        timeouts = {step: min(bound, wished.get(step) or bound) for step, bound in longest.items()}
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _NEVER_SENT]
        return httpcore.Request(request.method, url, headers=headers, content=b"", extensions={"timeout": timeouts})

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


def _require_short(answer: httpcore.Response, max_bytes: int) -> None:
    """Refuse a body that is too large by its own account before it comes: the connection is closed under it."""
    said = {name.lower(): value for name, value in answer.headers}
    if answer.status in _BODILESS or b"transfer-encoding" in said:  # a 304 tells the length of what is not sent
        return
    stated = said.get(b"content-length", b"")
    if stated.isdigit() and int(stated[:_MAX_LENGTH_DIGITS]) > max_bytes:
        raise TooLarge(f"more than {max_bytes} bytes: {stated.decode()[:_MAX_LENGTH_DIGITS]} are announced")


def _tls_context() -> ssl.SSLContext:
    """Certificates are verified, by name and by chain, whatever the environment says; no TLS before 1.2."""
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class ReplayTransport(httpx.BaseTransport):
    """A WARC instead of the network. Never opens a socket; keeps places, not pages, in memory."""

    def __init__(self, warc: Path) -> None:
        """Index the answers of a WARC by their addresses; of several for one address each is played in its turn.

        Raises:
            DamagedArchive: not a WARC, or damaged.
        """
        self._answers: dict[str, list[ArchivedBlock]] = {}
        self._requests: dict[str, list[ArchivedBlock]] = {}
        self._asked: Counter[str] = Counter()
        for block in read_blocks(warc):
            # a revisit plays the page that it confirms: the site said 304 to validators that a replay does not send
            places = {"response": self._answers, "revisit": self._answers, "request": self._requests}.get(block.kind)
            if places is not None:
                for key in dict.fromkeys(_keys(block.url)):
                    places.setdefault(key, []).append(block)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The archived answer to a request, with the exchange in `extensions`.

        Raises:
            NotArchived: the WARC holds no answer for this address, or one whose page lies in a file that is not there.
        """
        request.extensions.get("leaves", unheard)()
        key = next((k for k in _keys(str(request.url)) if k in self._answers), None)
        if key is None:
            raise NotArchived(f"not in the WARC: {request.url}")
        turn = self._asked[key]
        self._asked[key] += 1
        block, requests = self._answers[key][min(turn, len(self._answers[key]) - 1)], self._requests.get(key, [])
        if block.kind == "revisit":
            return _told(200, _confirmed(block))
        asked = requests[min(turn, len(requests) - 1)].read() if requests else b""
        return _told(200, Exchange(asked, answer_bytes(block.path, block.offset), block.archived_at, 0.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


def _confirmed(revisit: ArchivedBlock) -> Exchange:
    """The exchange of a night on which the page was as before, with the page."""
    try:
        answer = effective_answer(revisit.path, revisit.offset)
        asked = request_bytes(revisit.path, revisit.offset)
    except DamagedArchive as error:
        raise NotArchived(str(error)) from None
    return Exchange(asked, answer, revisit.archived_at, 0.0)


def http_client(transport: httpx.BaseTransport, user_agent: str) -> httpx.Client:
    """What asks over a transport: nothing from the environment (proxies, netrc), no cookies, each hop ours to see."""
    return httpx.Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "Accept-Language": "fr",
            # Drupal answers 304 only to validators it gave to an uncompressed request
            "Accept-Encoding": "identity",
        },
    )


def _told(status: int, exchange: Exchange) -> httpx.Response:
    """An answer to httpx without headers or body: it would keep cookies, follow and decode by rules of its own."""
    return httpx.Response(status, extensions={"exchange": exchange})


def _keys(url: str) -> Iterator[str]:
    """The address as it is written, then its canonical form: `?page=0` was perhaps archived beside the bare one."""
    yield url
    try:
        canonical = canonical_url(url)
    except ValueError:
        return
    yield canonical
    yield canonical.replace("https://", "http://", 1) if canonical.startswith("https") else canonical
