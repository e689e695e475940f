"""A server that misbehaves, on real sockets: each misdeed is one small function that gives a script.

How to use it:

    with HostileServer({"/a": drip(b"x", pause_s=1.0), "/b": cut_at(answer("hello"), 30)}) as site:
        ... ask for f"{site.origin}/a" ...
        site.targets()       # what was asked, in order
        site.connections     # how many connections were accepted
        site.scripts["/c"] = busy(retry_after="120")

A script is what tests/site_server.py knows: bytes, or steps (bytes to send, seconds to wait, "close" or "reset"), or a
list of these for one request after the other, or a function of the request target. With `tls=` (see `Authority`) the
server speaks TLS. `Trap` counts who comes to a port where nobody should come; `PRIVATE_FORMS` are the ways to write the
address of a private host.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.site_server import Answer, Script, SiteServer, Step, answer, redirect

FOREVER_S = 3600.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


class HostileServer(SiteServer):
    """A SiteServer that may speak TLS; `handshakes` counts those that succeeded."""

    def __init__(self, scripts: Mapping[str, Script] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.handshakes = 0
        super().__init__(scripts)
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket, number: int) -> None:
        if self._tls is not None:
            try:
                spoken = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # an ssl.SSLError is one: the client would not have us
                connection.close()
                return
            with self._guard:
                self.handshakes += 1
                self._open.discard(connection)
                self._open.add(spoken)
            connection = spoken
        super()._serve(connection, number)


# --- time -------------------------------------------------------------------------------------------------------------


def hang() -> Answer:
    """Accepts, and never answers."""
    return (FOREVER_S,)


def hang_after(sent: bytes) -> Answer:
    """Sends some bytes, and then nothing."""
    return (sent, FOREVER_S)


def drip(byte: bytes = b"x", pause_s: float = 1.0, head: bytes = HEAD + b"\r\n") -> Script:
    """A head, then one byte after each pause, for ever."""

    def steps() -> Iterator[Step]:
        yield head
        while True:
            yield byte
            yield pause_s

    return lambda _: steps()


# --- halves -----------------------------------------------------------------------------------------------------------


def cut_at(whole: bytes, count: int) -> Answer:
    """The first bytes of an answer, then the connection ends in order."""
    return (whole[:count], "close")


def reset_at(whole: bytes, count: int, pause_s: float = 0.02) -> Answer:
    """The first bytes of an answer, a pause in which they arrive, then a reset."""
    return (whole[:count], pause_s, "reset")


def unannounced(body: bytes) -> Answer:
    """A body that ends with the connection: no length, no chunks."""
    return (HEAD + b"Connection: close\r\n\r\n" + body, "close")


def gzip_clipped(content: bytes, count: int | None = None) -> bytes:
    """A gzip body cut after count bytes (None: whole), announced with the length of the cut."""
    return answer(gzip.compress(content, mtime=0)[:count], "Content-Encoding: gzip")


# --- size -------------------------------------------------------------------------------------------------------------


@lru_cache
def zeros_zipped(size_bytes: int) -> bytes:
    """So many zero bytes as one gzip member, a thousandth of their size."""
    deflate = zlib.compressobj(9, wbits=31)
    step = 1_000_000
    parts = [deflate.compress(bytes(min(step, size_bytes - done))) for done in range(0, size_bytes, step)]
    return b"".join([*parts, deflate.flush()])


def bomb(size_bytes: int = 200_000_000, status: str = "200 OK") -> bytes:
    """A small answer that becomes so many bytes once decoded."""
    return answer(zeros_zipped(size_bytes), "Content-Encoding: gzip", status=status)


def coded(body: bytes, *codings: str) -> bytes:
    """A body under content codings that it may or may not be in."""
    return answer(body, f"Content-Encoding: {', '.join(codings)}")


def endless(piece: bytes = b"x" * 65536, head: bytes = HEAD + b"\r\n") -> Script:
    """A head, then the same piece as fast as it is taken, for ever."""

    def steps() -> Iterator[Step]:
        yield head
        while True:
            yield piece

    return lambda _: steps()


def endless_head() -> Script:
    """Header lines without end."""
    return endless(b"X-More: " + b"a" * 8000 + b"\r\n", HEAD)


def huge_header(size_bytes: int) -> bytes:
    """An answer one of whose headers is so long."""
    return answer("<p>a</p>", "X-Huge: " + "a" * size_bytes)


BAD_HEAD_LINES = (
    b"no colon",
    b": no name",
    b"X Y: a blank in the name",
    b"X\x00Y: a zero in the name",
    b"X: a\x00b",
    b"Content-Length: many",
    b"Content-Length: -5",
    b"Content-Length: 3\r\nContent-Length: 4",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, chunked",
)


def bad_head(line: bytes) -> Answer:
    """An answer with a line among its headers that is none."""
    return (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + line + b"\r\n\r\n<p>a</p></html>", "close")


# --- status -----------------------------------------------------------------------------------------------------------


def busy(status: str = "503 Service Unavailable", retry_after: str | None = None) -> bytes:
    """A refusal for now, which may say for how long (seconds, or an HTTP date)."""
    headers = [f"Retry-After: {retry_after}"] if retry_after is not None else []
    return answer("busy", *headers, status=status)


def storm(failures: int, then: Answer, status: str = "500 Internal Server Error") -> list[Answer]:
    """So many failures, then an answer for ever."""
    return [*([busy(status)] * failures), then]


def chain(length: int, end: bytes = b"") -> dict[str, Script]:
    """Scripts for /hop0 to /hop<length - 1>, each sending to the next; the last sends to /hop<length>, which is end."""
    hops: dict[str, Script] = {f"/hop{n}": redirect(f"/hop{n + 1}") for n in range(length)}
    return hops | {f"/hop{length}": end or answer("<p>end</p>")}


def loop(*targets: str) -> dict[str, Script]:
    """Scripts that send from each target to the next, and from the last to the first."""
    return {a: redirect(b) for a, b in zip(targets, [*targets[1:], targets[0]], strict=True)}


def send_to(target: str) -> bytes:
    """A redirection whose target may hold any characters; they go out as UTF-8."""
    return redirect(target.encode().decode("latin-1"))


# --- where nobody should come -----------------------------------------------------------------------------------------

# the ways to write a host that is not public; {port} is that of a Trap
PRIVATE_FORMS = (
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[fd00::1]:{port}/",
    "http://[fd00:ec2::254]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://rtes.example@127.0.0.1:{port}/",
    "http://rtes.example:80@127.0.0.1:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://100.64.0.1:{port}/",
    "http://169.254.169.254:{port}/",
    "http://100.100.100.200:{port}/",
    "http://168.63.129.16:{port}/",
    "http://192.0.0.192:{port}/",
    "http://198.18.0.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
)
FOREIGN_SCHEMES = (
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/a",
    "gopher://127.0.0.1:{port}/_a",
    "data:text/html,<p>a</p>",
    "javascript:alert(1)",
    "ws://127.0.0.1:{port}/",
    "wss://127.0.0.1:{port}/",
    "unix:///run/docker.sock",
)


class Trap:
    """Listens on one port of 127.0.0.1 and, where there is one, of ::1; `accepted` counts who came."""

    def __init__(self) -> None:
        self.accepted = 0
        first = socket.create_server(("127.0.0.1", 0))
        self.port: int = first.getsockname()[1]
        self._sockets = [first]
        with suppress(OSError):
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self._threads = [threading.Thread(target=self._accept, args=(s,), daemon=True) for s in self._sockets]
        for thread in self._threads:
            thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self.accepted += 1
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for listening in self._sockets:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self._threads:
            thread.join(5.0)


# --- certificates -----------------------------------------------------------------------------------------------------


class Authority:
    """Signs certificates for tests; `path` is the file a client would have to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "essai")])
        self._own = self._sign(self._key, self._name, [], (-1, 1), is_authority=True)
        self.path = folder / f"authority-{self._own.serial_number:x}.pem"
        self.path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def certify(self, names: Sequence[str] = ("127.0.0.1",), days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """What a server needs to say that it bears some names from one day to another, counted from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._context(key, self._sign(key, self._subject(), names, days))

    def certify_self(self, names: Sequence[str] = ("127.0.0.1",)) -> ssl.SSLContext:
        """The same, signed by nobody but itself."""
        key, name = ec.generate_private_key(ec.SECP256R1()), self._subject()
        return self._context(key, self._sign(key, name, names, (-1, 1), signer=(key, name)))

    def certify_old(self) -> ssl.SSLContext:
        """A good certificate on a server that knows no TLS newer than 1.1."""
        context = self.certify()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def _subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])

    def _sign(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: x509.Name,
        names: Sequence[str],
        days: tuple[int, int],
        signer: tuple[ec.EllipticCurvePrivateKey, x509.Name] | None = None,
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        signing_key, issuer = signer or (self._key, self._name)
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_named(n) for n in names]), critical=False)
        return builder.sign(signing_key, hashes.SHA256())

    def _context(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
        path = self._folder / f"{certificate.serial_number:x}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
