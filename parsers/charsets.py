"""Which character coding a page is in: byte-order mark, header, meta, then UTF-8 if it fits, else cp1252.

Only codings in which ASCII is ASCII are read: tags and line ends are found in the bytes, and spans count bytes.
"""

from __future__ import annotations

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding

from schema.nouns import Payload

# what a byte means in these hangs on those before it
_STATEFUL = ("iso2022", "hz")
_ASCII = bytes(range(9, 14)) + bytes(range(32, 127))


class Undecodable(ValueError):
    """The bytes are in a character coding that we do not read."""


def find_charset(payload: Payload, *, is_markup: bool) -> tuple[str, tuple[str, ...]]:
    """The charset to read a page with, and sentences about what is odd about it.

    Raises:
        Undecodable: a byte-order mark tells of UTF-16 or UTF-32.
    """
    marked, _ = read_bom(payload.content)
    if marked and marked != "utf-8":
        raise Undecodable(f"coded in {marked}, which is not read; save or ask for it in UTF-8")
    in_meta = html_body_declared_encoding(payload.content) if is_markup else None
    named = marked or payload.charset or in_meta
    known = known_charset(named) if named else None
    if known:
        is_broken = not fits(payload.content, known)
        return known, (f"bytes that are not {named}, which the page declares",) if is_broken else ()
    notes = (f"charset {named!r} cannot be used",) if named else ()
    if fits(payload.content, "utf-8"):
        return "utf-8", notes
    return "cp1252", (*notes, "no usable charset and not UTF-8: read as cp1252")


def known_charset(name: str) -> str | None:
    """The codec that a charset's name means on the web, None where it is unknown or ASCII is not ASCII in it."""
    try:
        codec = resolve_encoding(name)
        if codec is None or codec.startswith(_STATEFUL):
            return None
        return codec if _ASCII.decode().encode(codec) == _ASCII else None
    except (LookupError, ValueError):
        return None


def fits(content: bytes, charset: str) -> bool:
    """Whether all bytes mean something in a charset."""
    try:
        content.decode(charset)
    except UnicodeDecodeError:
        return False
    return True
