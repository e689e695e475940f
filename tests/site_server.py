"""A real HTTP server on the loopback that answers with the bytes it is given, and small pages to serve from it.

What is promised about the wire can only be shown on a wire: each answer is written out as bytes, pauses and breaks, and
every request is logged as it came.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from schema.sources import Source

# bytes are sent, a number is a pause in seconds, a word ends the connection: in order, or by a reset
Step = bytes | float | Literal["close", "reset"]
Answer = bytes | tuple[Step, ...] | Iterator[Step]
# a list answers one request after the other, its last entry for ever
Script = Answer | list[Answer] | Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came: its target, all its bytes, when (monotonic), on which connection."""

    target: str
    head: bytes
    at: float
    connection: int

    def header(self, name: str) -> str | None:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return next((value.strip() for key, value in pairs if key.lower() == name.lower()), None)


class SiteServer:
    """Serves scripts by request target; 404 for the rest. A context manager."""

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.scripts: dict[str, Script] = dict(scripts or {})
        self.asked: list[Asked] = []
        self.connections = 0
        self.open_at_once = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ends = threading.Event()
        self._guard = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def targets(self) -> list[str]:
        """What was asked, in order."""
        return [asked.target for asked in self.asked]

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ends.is_set():
                connection, _ = self._socket.accept()
                with self._guard:
                    self.connections += 1
                    self._open.add(connection)
                    self.open_at_once = max(self.open_at_once, len(self._open))
                self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while head := self._receive(connection):
                target = head.split(b" ", 2)[1].decode("latin-1")
                with self._guard:
                    self.asked.append(Asked(target, head, time.monotonic(), number))
                if not self._play(connection, self._answer_to(target)):
                    break
        with self._guard:
            self._open.discard(connection)

    def _receive(self, connection: socket.socket) -> bytes:
        """The head of the next request (they have no bodies); empty when the other side is done."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(65536)
            if not data or self._ends.is_set():
                return b""
            head += data
        return head

    def _answer_to(self, target: str) -> Answer:
        script = self.scripts.get(target)
        if script is None:
            return answer("", status="404 Not Found")
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script(target) if callable(script) else script

    def _play(self, connection: socket.socket, steps: Answer) -> bool:
        """Send an answer; whether the connection stays open."""
        for step in (steps,) if isinstance(steps, bytes) else steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == "close":
                return False
            elif step == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                self._ends.wait(float(step))
        return True

    def close(self) -> None:
        self._ends.set()
        # a thread that waits in accept() is not woken by closing the socket under it
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._guard:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- answers --------------------------------------------------------------------------------------------------------


def answer(body: str | bytes, *headers: str, status: str = "200 OK", media_type: str = "text/html") -> bytes:
    """A whole answer with its length."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def redirect(target: str, status: str = "301 Moved Permanently") -> bytes:
    """An answer that sends elsewhere."""
    return answer("", f"Location: {target}", status=status)


def chunk(*parts: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def chunked(*parts: bytes, media_type: str = "text/html") -> bytes:
    """A whole answer in chunks."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunk(
        *parts
    )


# --- pages of a resource centre ---------------------------------------------------------------------------------------


def block(slug: str, title: str | None = None) -> str:
    """One resource as a listing shows it."""
    return (
        f'<article><h2><a href="/{slug}">{title or "Ressource " + slug}</a></h2>'
        f"<div><p>Un texte sur {slug}, écrit pour être lu.</p></div>"
        "<div><div>Type de ressource</div><div>Guide</div></div>"
        "<div><div>Ressource privée</div><div>Non</div></div>"
        f"<div><div>Résumé</div><div><p>Le résumé de {slug}.</p></div></div></article>"
    )


def listing(heading: str, slugs: Iterable[str], further: str | None = None) -> bytes:
    """A page of a listing as an answer; `further` is the address of the page that comes next."""
    pager = f'<nav><a rel="next" href="{further}">Suivant</a></nav>' if further else ""
    return page(f"<h1>{heading}</h1>" + "".join(block(slug) for slug in slugs) + pager)


def resource(slug: str) -> bytes:
    """A resource's own page as an answer."""
    return page(block(slug).replace("<h2>", "<h1>").replace("</h2>", "</h1>"))


def page(body: str, head: str = "") -> bytes:
    """An HTML page as an answer."""
    html = f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return answer(html, media_type="text/html; charset=utf-8")


def make_source(origin: str, listings: Sequence[str] = ("/liste",), **values: Any) -> Source:
    """A source file's content for a server."""
    said = {
        "name": "essai",
        "listings": [origin + path for path in listings],
        "parser": "labelled-blocks",
        "labels": {"type": ["Type de ressource"]},
        "contact": "mailto:essai@example.org",
        "pace": {"delay_s": 0.0},
        **values,
    }
    return Source.model_validate(said)


# --- time -------------------------------------------------------------------------------------------------------------


@dataclass
class Hourglass:
    """A clock that only waiting moves."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def wait(self, pause_s: float) -> None:
        self.waits.append(pause_s)
        self.now += pause_s

    def clock(self) -> float:
        return self.now
