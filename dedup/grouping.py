"""Records -> groups that the site itself holds for one resource: one canonical address, a word of a person aside.

A group may be joined to others by its text afterwards. It is split only where its own address is no evidence: a copy
of another time under an address that was re-used since, and records that a person called different.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from dedup.identity import group_key, resolve
from dedup.merge import Stated, best_first
from schema.folding import fold, strip_accents

LEAST_TITLE = 0.7
LEAST_RUNS = 0.15
LEAST_WORDS = 0.5
_TELLING_CHARS = 4
_URN = "urn:moisson:"

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Records that are one resource by the site's word.

    key: what it is known by: its canonical address, or a urn made from page and words where it has none of its own.
    aliases: other addresses that lead there tonight. stated: its records, the best first.
    """

    key: str
    aliases: tuple[str, ...]
    stated: tuple[Stated, ...]

    @property
    def best(self) -> Stated:
        """The record whose values count."""
        return self.stated[0]

    @property
    def url(self) -> str | None:
        """The canonical address; None where the records have none."""
        return self.best.record.url

    @property
    def text(self) -> str:
        """The collapsed text of the best record."""
        return self.best.summary or ""


def group_records(
    stated: Sequence[Stated],
    aliases: Mapping[str, str],
    apart: Collection[frozenset[str]] = (),
    told_apart: Mapping[str, Sequence[Words]] = MappingProxyType({}),
) -> list[Group]:
    """The groups of a night, sorted by key.

    Args:
        stated: all records, their addresses resolved.
        aliases: addresses that lead to others tonight.
        apart: pairs of record_id that a person called different.
        told_apart: by address of which a person parted the records, title and text of each that they were parted into.
    """
    by_key: dict[str, list[Stated]] = {}
    for one in stated:
        by_key.setdefault(group_key(one.record), []).append(one)
    leading: dict[str, list[str]] = {}
    for other in sorted(aliases):
        leading.setdefault(resolve(other, aliases), []).append(other)
    groups = []
    for key, members in by_key.items():
        led = tuple(leading.get(key, ()))
        several = next((told_apart[name] for name in (key, *led) if name in told_apart), ())
        for number, part in enumerate(_parts(best_first(members), apart, several)):
            is_site = number == 0 and part[0].record.url is not None
            known = led if is_site else ()
            groups.append(Group(key if is_site else _urn(key, part[0], number), known, tuple(part)))
    return sorted(groups, key=lambda group: group.key)


def _parts(
    members: Sequence[Stated], apart: Collection[frozenset[str]], several: Sequence[Words]
) -> list[list[Stated]]:
    """The records of one address, the best first, in as many parts as there are resources; nearly always one."""
    parts: list[list[Stated]] = []
    for one in members:
        home = next((part for part in parts if _belongs(one, part, apart, several)), None)
        if home is None:
            parts.append([one])
        else:
            home.append(one)
    return parts


def _belongs(one: Stated, part: Sequence[Stated], apart: Collection[frozenset[str]], several: Sequence[Words]) -> bool:
    if any(frozenset((one.record_id, other.record_id)) in apart for other in part):
        return False
    if None not in (said := {_said_before(v, several) for v in (one, part[0])}) and len(said) > 1:
        return False
    is_of_another_time = one.is_copy and any(v.seen_at != one.seen_at for v in part)
    best = part[0]
    return not (
        is_of_another_time and is_another(best.record.title, best.summary or "", one.record.title, one.summary or "")
    )


def _said_before(one: Stated, several: Sequence[Words]) -> int | None:
    """Which of several things a record says again; None where that is not clear."""
    title, text = fold(one.record.title), one.summary or ""
    marks = [
        (other == text, fold(name) == title, bool(text and other) and is_text_alike(text, other))
        for name, other in several
    ]
    best = max(marks, default=(False, False, False))
    return marks.index(best) if any(best) and marks.count(best) == 1 else None


def _urn(key: str, best: Stated, number: int) -> str:
    """A name for what has no address of its own."""
    words = key if number == 0 else f"{key}\n{fold(best.record.title)}\n{number}"
    return _URN + sha256(words.encode()).hexdigest()[:24]


def names_apart(group: Group) -> set[str]:
    """What records of a group were known by if a person ever held them for another resource."""
    return {_urn(group.key, one, number) for one in group.stated for number in range(1, len(group.stated))}


def is_another(title: str, text: str, other_title: str, other_text: str) -> bool:
    """Whether what stands at one address at two times is two resources: neither title nor text is alike.

    Where one of them has no text, nothing can be said against the address.
    """
    if not text or not other_text:
        return False
    return not is_title_alike(title, other_title) and not is_text_alike(text, other_text)


def is_another_after_absence(title: str, text: str, other_title: str, other_text: str) -> bool:
    """The same of what was not seen in between: where both have a text, the text must be alike."""
    if text and other_text:
        return not is_text_alike(text, other_text)
    return not is_title_alike(title, other_title)


def is_title_alike(left: str, right: str) -> bool:
    """Whether two titles share most words of the shorter."""
    one, two = frozenset(_telling(left)), frozenset(_telling(right))
    return len(one & two) >= LEAST_TITLE * max(1, min(len(one), len(two)))


def is_text_alike(left: str, right: str) -> bool:
    """Whether two texts share runs of words, or most of their words.

    Runs are three neighbouring words that tell (of four letters or more; all where there are none): two French texts
    share up to half of the words of the shorter, and hardly a run. Measured on real listings.
    """
    one, two = _telling(left), _telling(right)
    runs, others = (set(zip(words, words[1:], words[2:], strict=False)) for words in (one, two))
    if len(runs & others) >= LEAST_RUNS * max(1, min(len(runs), len(others))):
        return True
    words, more = frozenset(one), frozenset(two)
    return len(words & more) >= LEAST_WORDS * max(1, len(words), len(more))


def _telling(text: str) -> list[str]:
    words = list(_words(text))
    return [word for word in words if len(word) >= _TELLING_CHARS] or words


def _words(text: str) -> Iterable[str]:
    plain = strip_accents(fold(text)).casefold()
    return "".join(c if c.isalnum() else " " for c in plain).split()
