"""Two transports under one httpx client: the network, and an archive played back.

Both hand out, beside the answer, the very bytes that went over the wire (`extensions["exchange"]`), because what httpx
returns has lost the chunking and cannot be archived byte for byte. Replaying replaces the socket, nothing else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

from harvest.archive import ArchivedBlock, read_blocks
from schema.addresses import canonical_url

TIMEOUT = httpx.Timeout(connect=10.0, read=20.0, write=20.0, pool=10.0)
MAX_RAW_BYTES = 10 * 1024 * 1024
MAX_EXCHANGE_S = 60.0


class NotArchived(httpx.TransportError):
    """The WARC that is replayed holds no answer for this address."""


class ExchangeCut(httpx.TransportError):
    """The answer went over a bound of ours: time or size."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as they went over the wire; request is empty when a replayed archive has none."""

    request: bytes
    response: bytes
    fetched_at: datetime
    elapsed_s: float


class _Tape:
    """What went over the wire since the last rewind."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.received = bytearray()
        self.deadline = 0.0

    def rewind(self) -> None:
        self.sent, self.received = bytearray(), bytearray()
        self.deadline = time.monotonic() + MAX_EXCHANGE_S


class _TapedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, tape: _Tape) -> None:
        self._stream, self._tape = stream, tape

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # httpx has no total timeout: a drip of one byte now and then would last for ever
        left = self._tape.deadline - time.monotonic()
        try:
            data = self._stream.read(max_bytes, min(left, timeout or left)) if left > 0 else None
        except httpcore.ReadTimeout:
            if self._tape.deadline > time.monotonic():
                raise
            data = None
        if data is None:
            raise ExchangeCut(f"no end after {MAX_EXCHANGE_S:g} s")
        self._tape.received += data
        if len(self._tape.received) > MAX_RAW_BYTES:
            raise ExchangeCut(f"more than {MAX_RAW_BYTES} bytes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._tape.sent += buffer
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TapedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._tape)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TapedBackend(httpcore.NetworkBackend):
    def __init__(self, tape: _Tape) -> None:
        self._backend, self._tape = httpcore.SyncBackend(), tape

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _TapedStream(stream, self._tape)


class NetworkTransport(httpx.BaseTransport):
    """The network: one connection at a time, HTTP/1.1, certificates verified, every byte on tape."""

    def __init__(self) -> None:
        self._tape = _Tape()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=1,
            http1=True,
            http2=False,
            network_backend=_TapedBackend(self._tape),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read to its end, with the exchange in `extensions`."""
        self._tape.rewind()
        fetched_at, started = datetime.now(UTC), time.monotonic()
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=b"", extensions=dict(request.extensions)
        )
        try:
            answer = self._pool.handle_request(asked)
            try:
                for _ in answer.iter_stream():
                    pass  # all of it is on the tape
            finally:
                answer.close()
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise httpx.TransportError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        exchange = Exchange(bytes(self._tape.sent), bytes(self._tape.received), fetched_at, time.monotonic() - started)
        return _told(answer.status, exchange)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


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
            places = {"response": self._answers, "request": self._requests}.get(block.kind)
            if places is not None:
                for key in dict.fromkeys(_keys(block.url)):
                    places.setdefault(key, []).append(block)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The archived answer to a request, with the exchange in `extensions`.

        Raises:
            NotArchived: the WARC holds no answer for this address.
        """
        key = next((k for k in _keys(str(request.url)) if k in self._answers), None)
        if key is None:
            raise NotArchived(f"not in the WARC: {request.url}")
        turn = self._asked[key]
        self._asked[key] += 1
        block, requests = self._answers[key][min(turn, len(self._answers[key]) - 1)], self._requests.get(key, [])
        asked = requests[min(turn, len(requests) - 1)].read() if requests else b""
        return _told(200, Exchange(asked, block.read(), block.archived_at, 0.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


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
