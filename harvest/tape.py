"""What goes over the wire, kept byte for byte and held to limits while it goes: how long, how slow, how much."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from harvest.reach import Loopbacks, open_checked


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an exchange may take, how slow it may be, how many bytes it may bring (as sent, codings not undone).

    From grace_s seconds after its first byte on, an answer must have come at floor_bytes_per_s in the mean.
    """

    connect_s: float = 10.0
    read_s: float = 20.0
    exchange_s: float = 60.0
    grace_s: float = 10.0
    floor_bytes_per_s: float = 100.0
    page_bytes: int = 10 * 1024 * 1024
    robots_bytes: int = 1024 * 1024


# told how many bytes came, each time some do
Heard = Callable[[int], None]


def unheard(_size_bytes: int = 0) -> None:
    """Count nothing."""


class ExchangeCut(httpx.TransportError):
    """The answer went over a limit of ours: time, speed or size."""


class TooLarge(ExchangeCut):
    """The answer brought more bytes than it may; asking again would bring as many."""


class NotTrusted(httpx.ConnectError):
    """The host's certificate is not its own, or no longer; asking again at once will show the same one."""


class Tape:
    """What went over the wire since the last rewind, and the limits that hold for it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        # whether more came over the open connection than the answer that was asked for
        self.has_surplus = False
        self.rewind(limits.page_bytes, frozenset())

    def rewind(self, max_bytes: int, named: Loopbacks, heard: Heard = unheard) -> None:
        """Begin an exchange that may bring max_bytes, over the loopback hosts named or public ones.

        heard counts what came, that of an exchange that is cut too.
        """
        self.sent, self.received = bytearray(), bytearray()
        self.max_bytes, self.named, self.heard = max_bytes, named, heard
        self.ends_at = time.monotonic() + self.limits.exchange_s
        self.first_at: float | None = None

    def left_s(self, timeout: float | None = None) -> float:
        """Seconds that a step may take; ExchangeCut where none are left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise ExchangeCut(self._overdue())
        return min(left, timeout or left)

    def next_bound(self, timeout: float | None) -> tuple[float, str]:
        """When the next bytes must be here, by the monotonic clock, and what to say if they are not."""
        bounds = [(self.ends_at, self._overdue())]
        if timeout:
            bounds.append((time.monotonic() + timeout, f"deadline: nothing came for {timeout:g} s"))
        if self.first_at is not None:
            limits, count = self.limits, len(self.received)
            allowed_s = max(limits.grace_s, count / limits.floor_bytes_per_s)
            bounds.append((self.first_at + allowed_s, f"deadline: too slow, {count} bytes in {allowed_s:.3g} s"))
        return min(bounds)

    def _overdue(self) -> str:
        return f"deadline: no end after {self.limits.exchange_s:g} s"

    def take(self, data: bytes) -> None:
        """Keep what came."""
        if self.first_at is None:
            self.first_at = time.monotonic()
        self.heard(len(data))
        self.received += data[: self.max_bytes + 1 - len(self.received)]
        if len(self.received) > self.max_bytes:
            del self.received[self.max_bytes :]
            raise TooLarge(f"more than {self.max_bytes} bytes")


class TapedStream(httpcore.NetworkStream):
    """A connection whose bytes, once TLS is undone, go on a tape."""

    def __init__(self, stream: httpcore.NetworkStream, tape: Tape) -> None:
        self._stream, self._tape = stream, tape

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next, empty at the end; ExchangeCut beyond a limit."""
        # httpx has no total timeout, and its own starts anew at each byte: a drip would last for ever
        bound, why = self._tape.next_bound(timeout)
        left_s = bound - time.monotonic()
        try:
            data = self._stream.read(max_bytes, left_s) if left_s > 0 else None
        except httpcore.ReadTimeout:
            data = None
        if data is None:
            raise ExchangeCut(why)
        self._tape.take(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, and keep what was sent."""
        self._tape.sent += buffer
        self._stream.write(buffer, self._tape.left_s(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection under TLS, its certificate verified for the host's name."""
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._tape.left_s(timeout))
        except httpcore.ConnectTimeout:
            raise ExchangeCut(f"deadline: no TLS with {server_hostname} within {timeout:g} s") from None
        except httpcore.ConnectError as error:
            cause = error.__cause__
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise NotTrusted(f"no trusted TLS with {server_hostname}: {cause.verify_message}") from error
            raise httpx.ConnectError(f"no trusted TLS with {server_hostname}: {error}") from error
        return TapedStream(stream, self._tape)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        # httpcore opens another where the one at rest has something to say: so must what h11 has read ahead of us
        if info == "is_readable" and self._tape.has_surplus:
            return True
        return self._stream.get_extra_info(info)


class TapedBackend(httpcore.NetworkBackend):
    """Opens connections to hosts that may be reached, and tapes them."""

    def __init__(self, tape: Tape) -> None:
        self._backend, self._tape = httpcore.SyncBackend(), tape

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A taped connection to a host; NotPublic or Unreachable where there can be none."""

        def connect(address: str, timeout_s: float) -> httpcore.NetworkStream:
            return self._backend.connect_tcp(address, port, timeout_s, local_address, socket_options)

        self._tape.has_surplus = False
        stream = open_checked(host, port, self._tape.named, self._tape.left_s(timeout), connect)
        return TapedStream(stream, self._tape)
