"""Which character coding a page is in: byte-order mark, header, meta, then UTF-8 if it fits, else cp1252.

What is declared is believed as far as the bytes bear it out. Only codings in which ASCII is ASCII are read: tags and
line ends are found in the bytes, and spans count bytes. Whoever turns a page into text asks here, so that what is read,
what is judged and what a trace shows are the same letters.
"""

from __future__ import annotations

import re

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding

from schema.nouns import Payload

# what a byte means in these hangs on those before it
_STATEFUL = ("iso2022", "hz")
# in these any bytes mean something, so that fitting tells nothing
_ONE_BYTE = ("cp125", "iso8859", "latin", "mac")
_ASCII = bytes(range(9, 14)) + bytes(range(32, 127))
_IN_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Undecodable(ValueError):
    """The bytes are in a character coding that we do not read."""


def find_charset(payload: Payload, *, is_markup: bool) -> tuple[str, tuple[str, ...]]:
    """The charset to read a page with, and sentences about what is odd about it.

    Raises:
        Undecodable: a byte-order mark tells of UTF-16 or UTF-32.
    """
    content = payload.content
    marked, _ = read_bom(content)
    if marked and marked != "utf-8":
        raise Undecodable(f"coded in {marked}, which is not read; save or ask for it in UTF-8")
    if marked:
        return marked, () if fits(content, marked) else (f"bytes that are not {marked}, which the page declares",)
    named = payload.charset or (html_body_declared_encoding(content) if is_markup else None)
    known = known_charset(named) if named else None
    if known:
        return _borne_out(content, known, f"{named}")
    notes = (f"charset {named!r} cannot be used",) if named else ()
    if fits(content, "utf-8"):
        return "utf-8", notes
    return "cp1252", (*notes, "no usable charset and not UTF-8: read as cp1252")


def _borne_out(content: bytes, known: str, named: str) -> tuple[str, tuple[str, ...]]:
    """The charset that is declared, or the one that the bytes are in beyond doubt."""
    is_utf8, is_known = fits(content, "utf-8"), fits(content, known)
    # letters beyond ASCII are UTF-8 by accident in no text
    if is_utf8 and known != "utf-8" and (not is_known or (known.startswith(_ONE_BYTE) and not content.isascii())):
        return "utf-8", (f"declared {named}, and is UTF-8: read as such",)
    if is_known:
        return known, ()
    if known == "utf-8" and not _IN_UTF8.search(content) and fits(content, "cp1252"):
        return "cp1252", (f"declared {named}, and nothing in it is: read as cp1252",)
    return known, (f"bytes that are not {named}, which the page declares",)


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
