"""Which hosts may be connected to: public ones, and a loopback port that the source file itself names.

A name is looked up once, here; every address it has is judged; the socket is opened to the very address that was
judged. So neither a redirection nor a second answer of the name server leads into the network we run in.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from schema.addresses import canonical_url

Loopbacks = frozenset[tuple[str, int]]
Connect = Callable[[str, float], httpcore.NetworkStream]

_PORTS = {"http": 80, "https": 443}
# what is given out as global unicast; mapped and translated addresses are judged by the IPv4 address within
_UNICAST = ip_network("2000::/3")
_TRANSLATED = ip_network("64:ff9b::/96")
# global by the registries' tables (or by those of an older Python), and yet no web site of anybody
_NO_SITE = tuple(
    ip_network(block)
    for block in (
        "168.63.129.16/32",  # the host of a virtual machine at Azure
        "192.0.0.0/24",  # protocols' own; metadata of Oracle's machines
        "192.88.99.0/24",  # relays of 6to4
        "2001::/32",  # Teredo
        "3fff::/20",  # documentation
    )
)


class NotPublic(httpx.TransportError):
    """The host leads to an address that is not public: it was not connected to, and asking again will not help."""


class Unreachable(httpx.TransportError):
    """The name has no address, or nobody listens there, for now."""


def named_loopbacks(urls: Iterable[str]) -> Loopbacks:
    """Host and port of those addresses that name this machine outright: `localhost`, `127.0.0.1`, `[::1]`."""
    parts = [urlsplit(canonical_url(url)) for url in urls]
    named = ((part.hostname or "", part.port or _PORTS[part.scheme]) for part in parts)
    return frozenset((host, port) for host, port in named if _is_loopback(host))


def lowers(url: str, target: str) -> bool:
    """Whether going from one address to another would leave TLS."""
    return url.startswith("https:") and not target.lower().startswith("https:")


def is_public(address: str) -> bool:
    """Whether a numeric address is one that anybody on the internet would reach by it."""
    try:
        return _is_public(ip_address(address))
    except ValueError:
        return False


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or _translated(address)
        if within is not None:
            return _is_public(within)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in block for block in _NO_SITE)


def _translated(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None


def _is_loopback(host: str) -> bool:
    """Whether a host is `localhost` or a loopback address written in the usual way."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def open_checked(host: str, port: int, named: Loopbacks, timeout_s: float, connect: Connect) -> httpcore.NetworkStream:
    """A connection to one of the addresses of a host, all of which were judged before.

    Args:
        host: name or numeric address, as the URL has it.
        port: its port.
        named: the loopback hosts that may be reached.
        timeout_s: for the look-up and all attempts together.
        connect: opens a socket to a numeric address within some seconds.

    Raises:
        NotPublic: one of the addresses is not public.
        Unreachable: no such name, or no address takes the connection in time.
    """
    ends_at = time.monotonic() + timeout_s
    addresses = look_up(host, port, timeout_s)
    may_be_loopback = (host, port) in named
    for address in addresses:
        if not (is_public(address) or (may_be_loopback and _is_loopback(address))):
            leads = "" if address == host else f" ({host} leads there)"
            raise NotPublic(f"the address is not public: {address}{leads}; nothing was sent")
    why = ""
    for count, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        # an address that keeps silent leaves the others their share of the time
        left_s = max(0.01, (ends_at - time.monotonic()) / count)
        try:
            return connect(address, left_s)
        except httpcore.ConnectTimeout:
            why = f"deadline: no answer within {timeout_s:g} s"
        except httpcore.ConnectError as error:
            why = str(error).partition("] ")[2] or str(error)
    raise Unreachable(f"no connection to {host}:{port}: {why}")


def look_up(host: str, port: int, timeout_s: float) -> list[str]:
    """The numeric addresses of a host, in the order in which to try them.

    Raises:
        Unreachable: it has none, or the name server gave no answer in time.
    """
    told: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            told.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError, OverflowError) as error:
            told.put(error)

    # getaddrinfo knows no timeout: a thread that still waits for it is left behind
    threading.Thread(target=ask, daemon=True).start()
    try:
        found = told.get(timeout=timeout_s)
    except Empty:
        raise Unreachable(f"deadline: the name {host} was not looked up within {timeout_s:g} s") from None
    if isinstance(found, Exception):
        why = found.strerror if isinstance(found, OSError) else found
        raise Unreachable(f"the name {host} has no address: {why}")
    return list(dict.fromkeys(str(place[4][0]) for place in found))
