"""What a link does to the number of its page: `/liste` -> `/liste?p=2`, `/liste/page/2` -> `/liste/page/3`. Pure.

How a site counts its pages is its own affair: this tells only which number of an address a link changes, and from what
to what, where that is all that it changes. `?page=0,0,1` (Drupal) holds a number for each pager of a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_MAX_DIGITS = 9
_NAMES = re.compile(r"(?:\w*_)?(?:page|paged|p|pg|start|offset|from|debut\w*|skip)", re.IGNORECASE)
_SUFFIX = re.compile(r"\.[a-z]{2,5}$")
# `/liste/page/2`, `/liste/2`, `/liste-2`, `/liste/page-2`
_NUMBERED = re.compile(r"(.*?)(/pages?|/p)?[/_,-](pages?|p)?[-_,]?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Turn:
    """Which number of an address changes, and from what to what; None where an address has it not.

    is_plain says that the number stands in the path and nothing calls it a page's: `/theme/3` -> `/theme/4`.
    """

    place: str
    before: int | None
    after: int | None
    is_plain: bool = False

    @property
    def is_forward(self) -> bool:
        """Whether it leads to a larger number."""
        return self.after is not None and self.after > (self.before or 0)


def turn_of(here: str, there: str) -> Turn | None:
    """The number that leads from one canonical address to another; None where more differs than one."""
    a, b = urlsplit(here), urlsplit(there)
    if a.path == b.path:
        return _turn_in_query(_values(a.query), _values(b.query))
    return _turn_in_path(a.path, b.path) if a.query == b.query else None


def counted_on(before: str, url: str) -> str | None:
    """The address that comes next after two neighbours; None where their numbers do not tell it."""
    turn = turn_of(before, url)
    if turn is None or turn.after is None or not turn.is_forward:
        return None
    # a first page without a number: the second is 1 or 2, or the address counts resources
    step = turn.after - turn.before if turn.before is not None else (1 if turn.after in (1, 2) else turn.after)
    return _with_number(url, turn, turn.after + step)


def _values(query: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        found[key] = (*found.get(key, ()), value)
    return found


def _turn_in_query(old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]]) -> Turn | None:
    changed = [key for key in new if new[key] != old.get(key)]
    lost = [key for key in old if key not in new]
    if lost:
        turn = _turn_of_value(lost[0], ("",), old[lost[0]])
        return None if changed or len(lost) > 1 or turn is None else Turn(turn.place, turn.after, None)
    turns = {key: turn for key in changed if (turn := _turn_of_value(key, old.get(key), new[key]))}
    told = [key for key in turns if _names_page(key)] if len(changed) > 1 else list(turns)
    # how many to a page, in which order: said anew beside the number, and never changed with it
    if len(told) != 1 or any(key in old for key in changed if key != told[0]):
        return None
    return turns[told[0]]


def _names_page(key: str) -> bool:
    """Whether a parameter is called as pages are; `items_per_page` is not."""
    return bool(_NAMES.fullmatch(key)) and "per" not in key.lower().split("_")


def _turn_of_value(key: str, old: tuple[str, ...] | None, new: tuple[str, ...]) -> Turn | None:
    if len(new) != 1 or (old is not None and len(old) != 1):
        return None
    ours, theirs = _numbers(old[0] if old else ""), _numbers(new[0])
    if ours is None or not theirs:
        return None
    length = max(len(ours), len(theirs))
    a, b = ([*numbers, *[0] * (length - len(numbers))] for numbers in (ours, theirs))
    at = [place for place in range(length) if a[place] != b[place]]
    if len(at) != 1:
        return None
    return Turn(f"{key}[{at[0]}]", None if not old or not old[0] else a[at[0]], b[at[0]])


def _numbers(value: str) -> list[int] | None:
    """The numbers of `1` or `0,0,1`; None where there is anything else."""
    parts = [part.strip() for part in value.split(",")] if value else []
    if not all(part.isascii() and (part.isdecimal() or not part) and len(part) <= _MAX_DIGITS for part in parts):
        return None
    return [int(part or "0") for part in parts]


def _turn_in_path(old: str, new: str) -> Turn | None:
    ours, theirs = _SUFFIX.sub("", old.rstrip("/")), _SUFFIX.sub("", new.rstrip("/"))
    here, there = _NUMBERED.fullmatch(ours), _NUMBERED.fullmatch(theirs)
    if there and there[1] == ours:
        return Turn("/", None, int(there[4]))
    if here and here[1] == theirs:
        return Turn("/", int(here[4]), None)
    if here and there and here[1] == there[1]:
        return Turn("/", int(here[4]), int(there[4]), is_plain=not (there[2] or there[3]))
    return None


def _with_number(url: str, turn: Turn, number: int) -> str | None:
    parts = urlsplit(url)
    if turn.place == "/":
        path = re.sub(r"\d+(?=(\.[a-z]{2,5})?$)", str(number), parts.path)
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    key, _, rest = turn.place.rpartition("[")
    place = int(rest[:-1])
    query = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        numbers = value.split(",")
        if name == key and place < len(numbers):
            numbers[place] = str(number)
        query.append((name, ",".join(numbers)))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
