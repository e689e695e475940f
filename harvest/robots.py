"""What robots.txt lets us ask, by RFC 9309: 4xx is no rule, 5xx or no answer is everything denied.

Protego compares addresses with rules. Which lines are ours is read here: it takes the group of `mois` for ours, lets
unknown lines end a group, parts lines at characters that end none, and does not say which rule decided.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from protego import Protego

# the standard wants 500 KiB at least
MAX_ROBOTS_BYTES = 512 * 1024
# where Google's reader cuts a line: eight times the longest address that Internet Explorer took
MAX_LINE_CHARS = 2083 * 8
MAX_SHOWN_CHARS = 200

_ASCII = "".join(chr(code) for code in range(0x21, 0x7F))
_LINE_END = re.compile(r"\r\n|\r|\n")
# what no encoding writes otherwise
_PLAIN = re.compile(r"[A-Za-z0-9/]*")
_TOKEN = re.compile(r"[A-Za-z_-]*")
_KEYS = {
    **dict.fromkeys(("user-agent", "useragent", "user agent"), "agent"),
    "allow": "Allow",
    # the misspellings that Google's reader lets pass
    **dict.fromkeys(("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), "Disallow"),
    **dict.fromkeys(("crawl-delay", "crawldelay"), "delay"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line that allows or denies: Allow or Disallow, and the pattern as it is written."""

    kind: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.pattern}"


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one host for us; delay_s is the Crawl-delay in seconds, or 0."""

    rules: tuple[Rule, ...]
    delay_s: float
    matcher: Protego

    def may_fetch(self, url: str) -> bool:
        """Whether the rules let us ask for an address."""
        return bool(self.matcher.can_fetch(url, "*"))

    def refusal(self, url: str) -> str | None:
        """The rule that denies an address, as `robots.txt: Disallow: /private`; None where it may be asked."""
        if self.may_fetch(url):
            return None
        plain = _PLAIN.match(urlsplit(url).path or "/")
        start = plain[0] if plain else ""
        near = (r for r in self.rules if r.kind == "Disallow" and _may_begin(r.pattern, start))
        denying = sorted(near, key=lambda r: len(unquote(r.pattern)), reverse=True)
        decisive = next((rule for rule in denying if not _matcher([rule]).can_fetch(url, "*")), None)
        return f"robots.txt: {decisive}"[:MAX_SHOWN_CHARS] if decisive else "robots.txt"


def read_robots(content: bytes, agent: str) -> Robots:
    """The rules that the bytes of a robots.txt state for a product token; what cannot be read states none."""
    own, general = _Group(), _Group()
    current: set[str] = set()
    has_rules = False
    for key, value in _lines(_text(content)):
        if key == "agent":
            current = set() if has_rules else current
            has_rules = False
            current.add(_agent_of(value))
            own.is_named |= agent.lower() in current
            continue
        has_rules = True
        for group, name in ((own, agent.lower()), (general, "*")):
            if name in current:
                group.add(key, value)
    ours = own if own.is_named else general
    return Robots(tuple(ours.rules), ours.delay_s, _matcher(ours.rules))


class _Group:
    """The rules for one agent, of all groups that name it."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.delay_s = 0.0
        self.is_named = False

    def add(self, key: str, value: str) -> None:
        if key == "delay":
            self.delay_s = max(self.delay_s, _seconds(value))
        elif value:
            self.rules.append(Rule(key, value))


def _text(content: bytes) -> str:
    """The part that is read, as text; bytes that are no UTF-8 are kept as what they are in an address."""
    part = content[:MAX_ROBOTS_BYTES]
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if part.startswith(mark):
            return part[2:].decode(codec, errors="replace")
    for byte in codecs.BOM_UTF8:  # or what an editor left of it
        part = part.removeprefix(bytes([byte]))
    text = part.decode("utf-8", errors="surrogateescape")
    if len(content) > MAX_ROBOTS_BYTES:
        # the line where the cut falls would deny, or allow, more than it says
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    return text


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of each line that we understand, comments and cases undone."""
    for line in _LINE_END.split(text):
        said = line[:MAX_LINE_CHARS].partition("#")[0].strip(" \t")
        key, colon, value = said.partition(":")
        if not colon:
            # people forget the colon; Google's reader puts it in where two words are left
            words = said.split()
            key, value = (words[0], words[1]) if len(words) == 2 else ("", "")
        known = _KEYS.get(key.strip().lower())
        if known:
            yield known, _printable(value.strip())


def _printable(value: str) -> str:
    """A value without bytes or characters that cannot stand in a line: they are written as in an address."""
    return "".join(c if c.isprintable() else quote(c, errors="surrogateescape") for c in value)


def _agent_of(value: str) -> str:
    """The product token of a User-agent line: up to the first character that none can hold; `*` for all."""
    if value == "*" or value.startswith("* "):
        return "*"
    token = _TOKEN.match(value)
    return token[0].lower() if token else ""


def _may_begin(pattern: str, start: str) -> bool:
    """Whether a pattern begins as an address does, as far as no encoding matters: Protego looks at these only."""
    plain = _PLAIN.match(pattern)
    # a pattern that is a whole address is one for Protego to read
    own = plain[0] if plain and pattern.startswith("/") else ""
    return start.startswith(own) or own.startswith(start)


def _seconds(value: str) -> float:
    try:
        delay_s = float(value)
    except ValueError:
        return 0.0
    return delay_s if math.isfinite(delay_s) and delay_s > 0 else 0.0


def _matcher(rules: list[Rule]) -> Protego:
    """A reader of rules for everybody; their patterns are given in ASCII, so that no character ends a line."""
    lines = (f"{rule.kind}: {quote(rule.pattern, safe=_ASCII)}" for rule in rules)
    return Protego.parse("\n".join(["User-agent: *", *lines]))
