"""What the records of a night lack, or all say alike, that they said before: signs that pages are read otherwise.

An editor changes a few records; a theme changes all of a listing. So the same resources on the same listing are held
against what they stated on the last good night, and only many at once are a sign. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from schema.addresses import same_host, without_page_number
from schema.nouns import ListingVisit

# fewer may be the work of one editor on one day
FEW_CHANGED = 3
_SOME_CHARS = 80  # a shorter text may well become shorter
_LABELLED = ("type", "is_private", "resume")
_LACKING = {
    "type": "have no type any more: was its label renamed?",
    "is_private": "have no is_private any more: was its label renamed?",
    "resume": "have no resume any more: was its label renamed?",
    "body": "have no body any more: did the markup change?",
    "url": "lead nowhere any more: did the markup of their titles change?",
}
_OWN_PAGES = "the resources' own pages"


@dataclass(frozen=True, slots=True)
class _Stated:
    """What one record states, as far as the gate looks at it; chars: of body and résumé together."""

    title: str
    type: str | None
    is_private: bool | None
    resume: bool | None
    body: bool | None
    url: str | None
    chars: int


# what was stated before and what is stated tonight by one resource in one place
_Both = Sequence[tuple[_Stated, _Stated]]


def emptied_fields(former: Iterable[Mapping[str, Any]], records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why a night may not be published for what its records lack: fields that vanished everywhere at once.

    Args:
        former: rows of `records` as of the last good night.
        records: rows of `records` tonight.
    """
    before, after = _filled(former), _filled(records)
    return [
        f"no record has a {field} any more: was its label renamed?" for field in _LABELLED if field in before - after
    ]


def changed_fields(
    former: Iterable[Mapping[str, Any]], records: Iterable[Mapping[str, Any]], listings: Sequence[ListingVisit]
) -> list[str]:
    """Why a night may not be published for what the records of one listing, or of the own pages, lack or all say alike.

    That is half or more of those that stand in both nights' records, and no few: without a field that they had, without
    an address or with one on another host, with texts cut to less than half, with the privacy turned around, with types
    of which none was there before, or all with one title.

    Args:
        former: rows of `records` as of the last good night.
        records: rows of `records` tonight.
        listings: tonight's.
    """
    of_page = {page: listing.url for listing in listings for page in (listing.url, *listing.pages)}
    before, after = _by_place(former, of_page), _by_place(records, of_page)
    places: dict[str, list[tuple[_Stated, _Stated]]] = defaultdict(list)
    for key in before.keys() & after.keys():
        places[key[0]].append((before[key], after[key]))
    return [reason for place in sorted(places) for reason in _reasons(place, places[place])]


def _reasons(place: str, both: _Both) -> Iterator[str]:
    for field, words in _LACKING.items():
        had = [(old, new) for old, new in both if getattr(old, field) is not None]
        lost = sum(getattr(new, field) is None for _, new in had)
        if _is_many(lost, len(had)):
            yield f"{lost} of {len(had)} records on {place} {words}"
    linked = [(old.url, new.url) for old, new in both if old.url and new.url]
    strays = [(old, new) for old, new in linked if not same_host(old, new)]
    if _is_many(len(strays), len(linked)):
        hosts = " to ".join(urlsplit(url).netloc for url in strays[0])
        yield f"{len(strays)} of {len(linked)} records on {place} lead to another host, {hosts}: is it still the site?"
    flipped = [(old, new) for old, new in both if None not in (old.is_private, new.is_private)]
    count = sum(old.is_private is not new.is_private for old, new in flipped)
    if _is_many(count, len(flipped)):
        yield f"{count} of {len(flipped)} records on {place} changed from private to public or back: is that so?"
    texts = [(old.chars, new.chars) for old, new in both if old.chars >= _SOME_CHARS and new.chars]
    count = sum(2 * new < old for old, new in texts)
    if _is_many(count, len(texts)):
        yield f"{count} of {len(texts)} texts on {place} are less than half as long as before: are they cut short?"
    kinds = [(old.type, new.type) for old, new in both if old.type and new.type]
    old_kinds, new_kinds = ({pair[n] for pair in kinds} for n in (0, 1))
    if _is_many(len(kinds), len(both)) and len(old_kinds) > 1 and old_kinds.isdisjoint(new_kinds):
        yield f"no type on {place} is one of those before, {min(map(str, new_kinds))[:80]!r} for one: are they misread?"
    titles = [{pair[n].title for pair in both} for n in (0, 1)]
    if len(both) >= FEW_CHANGED and len(titles[0]) >= FEW_CHANGED and len(titles[1]) == 1:
        yield f"all records on {place} are titled {min(titles[1])[:80]!r}: did the markup change?"


def _is_many(count: int, of: int) -> bool:
    return count >= FEW_CHANGED and 2 * count >= of


def _by_place(rows: Iterable[Mapping[str, Any]], of_page: Mapping[str, str]) -> dict[tuple[str, str], _Stated]:
    """What each resource states in each place; copies state nothing of today."""
    stated: dict[tuple[str, str], _Stated] = {}
    for row in rows:
        if not row["is_copy"]:
            page = row["page_url"]
            place = of_page.get(page) or of_page.get(without_page_number(page)) or _OWN_PAGES
            stated.setdefault((place, row["resource_id"]), _stated(row))
    return stated


def _stated(row: Mapping[str, Any]) -> _Stated:
    body, resume = row["body"], row["resume"]
    chars = len(body or "") + len(resume or "")
    return _Stated(row["title"], row["type"], row["is_private"], resume and True, body and True, row["url"], chars)


def _filled(records: Iterable[Mapping[str, Any]]) -> set[str]:
    return {f for row in records if not row["is_copy"] for f in _LABELLED if row[f] is not None}
