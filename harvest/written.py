"""How the site itself writes the addresses that we ask for: robots.txt speaks of those, and not of our own form.

`Disallow: /b/` denies what a page links as `/b/`, though we ask for `/b`. An address is asked for where robots.txt
allows the form that goes out, and one of those in which the site, or the source file, writes it, where any does. One is
enough: a link to the same page with a campaign in it, which is denied, takes nothing from the one without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

from schema.addresses import canonical_url, same_host
from schema.charsets import Undecodable, find_charset
from schema.nouns import Payload

# of one page, and of one address: more say nothing new
MAX_LINKS = 5000
MAX_FORMS = 20

_MAX_HREF_CHARS = 2048
_HREF = re.compile(
    rb"""\shref\s{0,9}=\s{0,9}(?:"([^"]{1,%d})"|'([^']{1,%d})'|([^\s"'>]{1,%d}))""" % ((_MAX_HREF_CHARS,) * 3),
    re.IGNORECASE,
)
_BASE = re.compile(rb"<base\s[^>]{0,2048}>", re.IGNORECASE)
# what is written alike by everybody
_PLAIN = re.compile(rb"(?:/[A-Za-z0-9_-]+)+")


@dataclass
class Written:
    """The forms in which addresses were met, by canonical address; schemes as for canonical_url."""

    schemes: Mapping[str, str]
    _forms: dict[str, dict[str, None]] = field(default_factory=dict)
    # links whose meaning hangs on no page were looked at once
    _seen: set[tuple[str, bytes]] = field(default_factory=set)

    def note(self, url: str, written: str) -> None:
        """An address was met as it is written."""
        forms = self._forms.setdefault(url, {})
        if len(forms) < MAX_FORMS:
            forms.setdefault(written)

    def forms_of(self, url: str) -> tuple[str, ...]:
        """The forms in which an address was met, in order; none for one that nobody wrote."""
        return tuple(self._forms.get(url, ()))

    def read(self, payload: Payload, url: str) -> None:
        """Note every link of a page that goes by an address."""
        content, base, charset = payload.content, url, None
        if (tag := _BASE.search(content)) and (named := _HREF.search(tag[0])):
            base = _joined(url, _text(_value(named), "latin-1")) or url
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(base))
        for count, found in enumerate(_HREF.finditer(content)):
            href = _value(found)
            key = (origin if href.startswith(b"/") else base, href)
            if count >= MAX_LINKS:
                return
            if key in self._seen or href.startswith(b"#"):
                continue
            self._seen.add(key)
            if base is url and _PLAIN.fullmatch(href):
                self.note(origin + href.decode(), origin + href.decode())
                continue
            charset = charset or ("ascii" if href.isascii() else _charset_of(payload))
            self._note_link(base, _text(href, charset))
            charset = None if charset == "ascii" else charset

    def _note_link(self, base: str, href: str) -> None:
        written = _joined(base, href)
        if written is None:
            return
        try:
            url = canonical_url(written, schemes=self.schemes)
        except ValueError:
            return
        if same_host(url, base):  # nothing else is asked for
            self.note(url, written)


def _value(found: re.Match[bytes]) -> bytes:
    return (found[1] or found[2] or found[3] or b"").strip()


def _text(href: bytes, charset: str) -> str:
    return unescape(href.decode(charset, errors="replace"))


def _charset_of(payload: Payload) -> str:
    try:
        return find_charset(payload, is_markup=True)[0]
    except Undecodable:
        return "latin-1"


def _joined(base: str, href: str) -> str | None:
    """The address that a link leads to, without its fragment; None for one that is none."""
    try:
        return urljoin(base, href.strip()).partition("#")[0]
    except ValueError:
        return None
