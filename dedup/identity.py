"""Which records are one resource by the site's own word (one canonical address), and the names things are given.

Matching by text comes after this and before the merge: it may join the groups made here, and never splits one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations

from dedup.likeness import is_title_kept
from schema.folding import fold
from schema.nouns import Reading, Record, Visit
from schema.shelf import heads

OPENING_CHARS = 200
ID_CHARS = 16
MAX_ALIAS_HOPS = 8
_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Promise:
    """What an id was published for: a title, names it was known by, the run that gave it (None: not known)."""

    resource_id: str
    title: str
    known_by: frozenset[str]
    minted_run: int | None = None


@dataclass(frozen=True, slots=True)
class Promises:
    """Every id that was published, whatever reading of the archive gave it: names, and promises by what it went by."""

    names: frozenset[str] = frozenset()
    by_name: Mapping[str, Sequence[Promise]] = field(default_factory=dict)

    @classmethod
    def of(cls, promises: Iterable[Promise]) -> Promises:
        """Promises in the order in which they were made."""
        by_name: dict[str, list[Promise]] = {}
        names = set()
        for promise in promises:
            names.add(promise.resource_id)
            for name in promise.known_by:
                by_name.setdefault(name, []).append(promise)
        return cls(frozenset(names), by_name)

    def of_name(self, name: str) -> list[Promise]:
        """What was promised of a name, or of it under the other scheme: a site that turns to https is the same."""
        return [*self.by_name.get(name, ()), *self.by_name.get(other_scheme(name), ())]


NO_PROMISES = Promises()


def other_scheme(url: str) -> str:
    """The same address under https where it is http, and the other way round; a name that is no address as it is."""
    for one, other in (_SCHEMES, _SCHEMES[::-1]):
        if url.startswith(one):
            return other + url.removeprefix(one)
    return url


def find_aliases(visits: Iterable[Visit], readings: Iterable[Reading]) -> dict[str, str]:
    """Addresses that lead to another one by the site's own word: redirections, `canonical` links, shortlinks.

    A copy is of another day: it tells only of addresses of which the site itself said nothing tonight.
    """
    visits, readings = list(visits), list(readings)
    # a resource that leads to a listing has left: the listing is not it
    no_resources = {v.url for v in visits if v.role in ("listing", "robots", "sitemap")}
    live = [reading for reading in readings if reading.visit.role != "copy"]
    # nor is the page where one joins, or logs in: it was read, and states none
    no_resources |= {name for r in live if not r.page.records for name in (r.visit.url, r.page.canonical_url)}
    aliases = {v.url: v.redirect_url for v in visits if v.redirect_url and v.redirect_url not in no_resources}
    for reading in live:
        aliases |= _other_names(reading)
    told = {reading.page.canonical_url for reading in live}.union(aliases, (visit.url for visit in visits))
    for reading in readings:
        if reading.visit.role == "copy":
            aliases |= {name: url for name, url in _other_names(reading).items() if name not in told}
    strays = _strays(live, aliases)
    return {name: url for name, url in aliases.items() if name not in strays}


def _strays(readings: Sequence[Reading], aliases: Mapping[str, str]) -> set[str]:
    """Addresses that lead where something else stands: what one page shows under two titles is two, wherever it leads.

    Of such, that one is another name of where it leads whose title that page bears.
    """
    several = []
    for reading in readings:
        led: dict[str, dict[str, str]] = {}
        for url, title in heads(reading.page.records):
            if url is not None:
                led.setdefault(resolve(url, aliases), {})[url] = title
        several += [
            (end, shown)
            for end, shown in led.items()
            if any(not is_title_kept(*two) for two in combinations(shown.values(), 2))
        ]
    there: dict[str, list[str]] = {end: [] for end, _ in several}
    for reading in readings if several else ():
        for url, title in heads(reading.page.records):
            if url in there and url not in aliases:
                there[url].append(title)
    return {
        url
        for end, shown in several
        for url, title in shown.items()
        if not any(is_title_kept(title, other) for other in there[end])
    }


def _other_names(reading: Reading) -> dict[str, str]:
    page, names = reading.page, (reading.visit.url, *reading.page.also_known_as)
    return {name: page.canonical_url for name in names if name != page.canonical_url}


def resolve(url: str, aliases: Mapping[str, str]) -> str:
    """The address that an address leads to in the end; itself where the chain is a loop."""
    current = url
    for _ in range(MAX_ALIAS_HOPS):
        if current not in aliases:
            return current
        current = aliases[current]
    return url


def group_key(record: Record) -> str:
    """What the site itself knows a record by: its address, else page, title, type and opening words."""
    if record.url is not None:
        return record.url
    words = fold(" ".join(p.text for p in (record.body or record.resume)))[:OPENING_CHARS]
    return "\n".join(("", record.page_url, fold(record.title), record.type or "", words))


def mint_id(source: str, key: str, *taken: Collection[str]) -> str:
    """A resource_id from what a resource is first known by; with a counter where that was given before."""
    count = 0
    while True:
        name = _named("r", source, key, str(count) if count else "")
        if not any(name in names for names in taken):
            return name
        count += 1


class RecordIds:
    """Gives each record its record_id: the same for the same resource on the same page address, whatever its place."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def next(self, record: Record) -> str:
        """The record_id of a record; they are given in the order of the pages."""
        key = (record.page_url, group_key(record))
        self._counts[key] = count = self._counts.get(key, -1) + 1
        return _named("m", *key, str(count) if count else "")


def _named(prefix: str, *parts: str) -> str:
    return prefix + sha256("\n".join(parts).encode()).hexdigest()[:ID_CHARS]
