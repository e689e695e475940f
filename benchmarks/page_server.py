"""Serves a made-up site on the loopback, as fast as one process of Python can, as a Drupal behind Apache sends it.

    page_server.py PAGES

Prints its port and serves until its standard input is closed. HTTP/1.1, kept alive; pages in chunks, never compressed;
304 to the validators of a page, both of them and to the letter, as Drupal wants them. Every answer stands ready in
memory, so that what a contender waits for is its own work.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made_site import make_site

ETAG, LAST_MODIFIED = b'"1795404700"', b"Sun, 22 Nov 2026 01:00:00 GMT"
CHUNK_BYTES = 8_192
_HEAD = (
    b"HTTP/1.1 %s\r\nDate: Mon, 23 Nov 2026 02:00:01 GMT\r\nServer: Apache\r\nCache-Control: max-age=900, public\r\n"
    b"X-Drupal-Dynamic-Cache: MISS\r\nContent-Language: fr\r\nX-Content-Type-Options: nosniff\r\n"
    b"X-Generator: Drupal 10 (https://www.drupal.org)\r\nX-Drupal-Cache: HIT\r\n%s\r\n"
)
_VALIDATED = b"ETag: %s\r\nLast-Modified: %s\r\n" % (ETAG, LAST_MODIFIED)
_NOT_MODIFIED = _HEAD % (b"304 Not Modified", b"")
_MISSING = _HEAD % (b"404 Not Found", b"Content-Type: text/html\r\nContent-Length: 0\r\n")
_ASKED = re.compile(rb"GET ([^ ]+) HTTP/1\.[01]\r\n(?:[^\r\n]+\r\n)*\r\n")
_TAG = re.compile(rb"(?im)^if-none-match: *([^\r\n]*)")
_SINCE = re.compile(rb"(?im)^if-modified-since: *([^\r\n]*)")


def answer_of(path: str, body: bytes) -> bytes:
    """The whole answer that brings a body: a page in chunks, a file with its length."""
    if path == "/robots.txt":
        return _HEAD % (b"200 OK", b"Content-Type: text/plain\r\nContent-Length: %d\r\n" % len(body)) + body
    parts = (body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES))
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    said = b"Transfer-Encoding: chunked\r\nContent-Type: text/html; charset=UTF-8\r\n"
    return _HEAD % (b"200 OK", _VALIDATED + said) + framed


class Connection(asyncio.Protocol):
    """One connection; requests may come in pieces or several at once."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers, self._pending = answers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what was asked for in full."""
        self._pending += data
        while asked := _ASKED.match(self._pending):
            self._pending = self._pending[asked.end() :]
            self._transport.write(self.answer(asked[1], asked[0]))

    def answer(self, path: bytes, head: bytes) -> bytes:
        """The answer to a request."""
        tag, since = _TAG.search(head), _SINCE.search(head)
        if tag and since and (tag[1], since[1]) == (ETAG, LAST_MODIFIED):
            return _NOT_MODIFIED
        return self._answers.get(path, _MISSING)


async def serve(answers: Mapping[bytes, bytes]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve({path.encode(): answer_of(path, body) for path, body in make_site(int(sys.argv[1])).items()}))
