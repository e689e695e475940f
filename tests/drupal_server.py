"""A real HTTP server whose validators are Drupal's: a page is 304 only to both of them, as they were received.

Measured on Drupal 10.1 behind Apache: `If-None-Match` or `If-Modified-Since` alone, a weak form, a later date, or the
validators of a compressed answer give 200. Files (robots.txt) answer 304 to either one alone. A 404 has validators too,
and is confirmed with 304.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_BORN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


class DrupalServer:
    """Serves bodies by path; `renew` gives every page new validators, as any edit does. A context manager.

    With `has_length` its 304 say the length of the page that they do not send, as some servers do.
    """

    def __init__(self, pages: Mapping[str, bytes], *, has_length: bool = False) -> None:
        self.pages, self.has_length = dict(pages), has_length
        self.statuses: list[tuple[str, int]] = []
        self.bytes_sent = 0
        self._version = 1_795_404_700
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def renew(self) -> None:
        """Give every page new validators."""
        self._version += 60

    @property
    def validators(self) -> tuple[str, str]:
        """ETag and Last-Modified of every page."""
        when = _BORN + timedelta(seconds=self._version - 1_795_404_700)
        return f'"{self._version}"', format_datetime(when, usegmt=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


def _handler(site: DrupalServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body leave together: in two parts the second waits 40 ms for the first

        def do_GET(self) -> None:
            body, is_file = site.pages.get(self.path), self.path == "/robots.txt"
            etag, last_modified = site.validators
            if body is None:  # another rendering than that of a page which stood there
                etag = f'{etag[:-1]}0"'
            sent = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
            is_same = [mine == theirs for mine, theirs in zip((etag, last_modified), sent, strict=True)]
            status = 200
            if body is None:
                status, body = 404, b"<!DOCTYPE html><html><body><h1>Page introuvable</h1></body></html>"
            if any(is_same) if is_file else all(is_same):
                status = 304
            site.statuses.append((self.path, status))
            self.send_response(status)
            self.send_header("Cache-Control", "max-age=900, public")
            if status != 304:
                # Drupal's 304 do not repeat them
                self.send_header("ETag", etag)
                self.send_header("Last-Modified", last_modified)
                self.send_header("Content-Type", "text/plain" if is_file else "text/html; charset=UTF-8")
            if status != 304 or site.has_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)
                site.bytes_sent += len(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler


def body_of(answer: bytes) -> bytes:
    """The body of a scripted answer of tests/site_server.py."""
    return re.split(rb"\r\n\r\n", answer, maxsplit=1)[1]
