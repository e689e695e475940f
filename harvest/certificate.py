"""When a listing that moves while it is read has been read whole. Pure: looks in, proof out.

A listing of several pages is never seen at once. Between two answers a resource may be added, removed or moved, and
where the sort key has ties each answer may order them anew; then what stands on page 3 slips to page 2 after that one
was read, and no page shows it. That nothing looks odd proves nothing: a resource removed from page 2 between the
readings of pages 2 and 3 leaves no repeat and no change on page 1, and hides another one.

**What proves it.** The answer that is the last page (nothing after it, all before it full) tells how many resources
the site holds at that *moment*: the slots of the pages before it and its own. A resource that was shown at or before
that moment, and again at it or after, was there at that moment. When there are as many of those as there are slots,
they are all that was there; and whatever was on the listing during the whole reading was there at that moment too, so
it was read. No assumption is made on the order, on ties, or on how many changes there were.

What it costs: the pages before the last are asked a second time. One page needs no second look, two pages need one.
Where the count falls short the listing is read on: first towards seeing as many resources as there are slots, by the
pages that showed a repeat (what moved away from one of them is on the other), then a new moment, then the pages of
those resources that were not seen since. A second look at the first page alone would be cheaper, and would certify the
listing with the resource removed from page 2.

A resource that is pinned to the top of each page is one, however many pages show it: it is known by standing at the
same place of every page at every look, where each page showed the same twice in a row. What only slips from one page to
the next does not.

What it rests on: no resource is taken off and put back between two looks; each answer is of the moment it is given;
the pager tells where the end is. The last is checked: see `harvest/listings.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

# a page that answered so often and never otherwise will not: what it lacks then is not lacking by chance
_ENOUGH = 4


@dataclass(frozen=True, slots=True)
class Look:
    """One answer: the how-manieth it was, of which page, and what it showed (no id twice)."""

    at: int
    page: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """The look that was the last page, which one, how many resources stood on it and the pages before it, on how many.

    `slots` counts as often as it is shown what several pages show; `pages` are those that show any.
    """

    at: int
    page: str
    slots: int
    pages: int


@dataclass
class Evidence:
    """All looks at one listing, and what follows from them; `order` holds its pages as far as they still are."""

    looks: list[Look] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    _latest: dict[str, Look] = field(default_factory=dict)
    _first_at: dict[str, int] = field(default_factory=dict)
    _last_at: dict[str, int] = field(default_factory=dict)
    _times: Counter[str] = field(default_factory=Counter)
    _is_changed: bool = False

    def add(self, page: str, ids: Iterable[str]) -> None:
        """Take note of an answer; a page not met before comes after those that were.

        What was taken for the end and shows something now may have been none: its moments count no more.
        """
        names = tuple(numbered(ids))
        self._is_changed |= page in self._latest and self._latest[page].ids != names
        self._times[page] += 1
        if page in self._latest and not self._latest[page].ids:
            self.moments = [moment for moment in self.moments if moment.page != page]
        look = Look(len(self.looks) + 1, page, names)
        self.looks.append(look)
        if page not in self.order:
            self.order.append(page)
        self._latest[page] = look
        for name in look.ids:
            self._first_at.setdefault(name, look.at)
            self._last_at[name] = look.at

    def end(self) -> None:
        """Take note that the page looked at last is the listing's last: those after it are no more.

        It tells how many there are unless a page before it is hollow: that one failed, and is not full. That a page is
        empty tells it where the page before is full; a short one tells it itself, but its look must be just before.
        """
        look = self.looks[-1]
        del self.order[self.order.index(look.page) + 1 :]
        while len(self.order) > 2 and not any(self._latest[page].ids for page in self.order[-2:]):
            self.order.pop()
        if self.hollow:
            return
        if look.ids or len(self.order) == 1:
            self.moments.append(self._moment(look.at, look.page))
            return
        is_just_before = self.looks[-2].page == self.order[-2]
        sizes = [len(self._latest[page].ids) for page in self.order[:-1]]
        if sizes[-1] < max(sizes) and is_just_before:
            self.moments.append(self._moment(look.at - 1, self.order[-1]))
        elif sizes[-1] == max(sizes) and (is_just_before or len(sizes) > 1):
            self.moments.append(self._moment(look.at, self.order[-1]))

    def _moment(self, at: int, page: str) -> Moment:
        shown = [len(self._latest[page].ids) for page in self.order]
        return Moment(at, page, sum(shown), sum(map(bool, shown)))

    @property
    def hollow(self) -> list[str]:
        """Pages before the last that show nothing."""
        return [page for page in self.order[:-1] if not self._latest[page].ids]

    @property
    def slots(self) -> int:
        """How many resources the latest answers of the pages show."""
        return sum(len(self._latest[page].ids) for page in self.order)

    @property
    def held(self) -> int:
        """How many resources that may be: what is pinned to each page is one."""
        pages = sum(bool(self._latest[page].ids) for page in self.order)
        return self.slots - len(self.pinned) * max(pages - 1, 0)

    @property
    def ids(self) -> tuple[str, ...]:
        """All that was ever shown, in order of first showing."""
        return tuple(self._first_at)

    @property
    def count(self) -> int:
        """How many resources were ever shown."""
        return len(self._first_at)

    @property
    def pinned(self) -> frozenset[str]:
        """What stands at one place of every page at every look, counted from the top, where the pages rest.

        They rest where each showed the same twice in a row. What ties let slip over the edge of two pages stands last
        on one and first on the other; counted from the end those may be one place.
        """
        shown = [look.ids for look in self.looks if look.ids]
        everywhere = set(shown[0]) if shown else set()
        for ids in shown:
            everywhere.intersection_update(ids)
            if not everywhere:
                return frozenset()
        latest: dict[str, list[tuple[str, ...]]] = {}
        for look in self.looks:
            if look.ids:
                latest[look.page] = [*latest.get(look.page, ())[-1:], look.ids]
        if len(latest) < 2 or any(len(ids) < 2 or ids[0] != ids[1] for ids in latest.values()):
            return frozenset()
        return frozenset(name for name in everywhere if len({ids.index(name) for ids in shown}) == 1)

    def needed(self, moment: Moment) -> int:
        """How many resources there were at a moment: what is pinned to each page is one."""
        return moment.slots - len(self.pinned) * max(moment.pages - 1, 0)

    @property
    def proof(self) -> Moment | None:
        """A moment at which all that was there is known to have been read."""
        return next((moment for moment in reversed(self.moments) if self.stayed(moment) == self.needed(moment)), None)

    @property
    def rests(self) -> bool:
        """Whether no page ever changed, all were looked at twice, and _ENOUGH times those that show what another does.

        Where there are none such, it is the end of the listing that is looked at so often.
        """
        if self._is_changed or max(self._times.values(), default=0) < _ENOUGH:
            return False
        shared = {page for pages in self.repeated(1).values() for page in pages}
        are_seen = all(self._times[page] > 1 for page in self.order)
        return are_seen and all(self._times[page] >= _ENOUGH for page in shared or self.order[-2:])

    def stayed(self, moment: Moment) -> int:
        """How many resources were shown both before or at a moment, and at it or after."""
        return sum(at <= moment.at <= self._last_at[name] for name, at in self._first_at.items())

    def shown_since(self, at: int) -> int:
        """How many resources were shown at a look or after it."""
        return sum(last >= at for last in self._last_at.values())

    def repeated(self, since: int, until: int | None = None) -> dict[str, list[str]]:
        """What several pages showed between two looks: by id, the pages."""
        pages: dict[str, dict[str, None]] = {}
        for look in self.looks[since - 1 : until]:
            for name in look.ids:
                pages.setdefault(name, {})[look.page] = None
        return {name: list(found) for name, found in pages.items() if len(found) > 1}

    def page_to_look_for_unseen(self, since: int) -> str:
        """Where to look for what must be there and was not shown: a hollow page, else one with a repeat."""
        if self.hollow:
            return self._least_asked(self.hollow, since)
        there = [page for pages in self.repeated(since).values() for page in pages if page in self.order]
        return self._least_asked(there or self.order, since)

    def page_to_look_for_absent(self, since: int) -> str | None:
        """Where to look for what was shown before the latest moment and not since; None when there is no such thing."""
        if not self.moments:
            return None
        moment = self.moments[-1]
        absent = {name for name, at in self._last_at.items() if since <= at < moment.at}
        near: set[str] = set()
        for look in self.looks[since - 1 :]:
            if look.page in self.order and not absent.isdisjoint(look.ids):
                place = self.order.index(look.page)
                near.update(self.order[max(0, place - 1) : place + 2])
        return self._least_asked([page for page in self.order if page in near], moment.at) if near else None

    def _least_asked(self, pages: Iterable[str], since: int) -> str:
        asked = Counter(look.page for look in self.looks[since - 1 :])
        return min(pages, key=lambda page: (asked[page], self.order.index(page)))

    @property
    def second_look(self) -> Literal["same", "changed", "none"]:
        """Whether the pages that were asked again showed the same."""
        shown: dict[str, list[frozenset[str]]] = {}
        for look in self.looks:
            shown.setdefault(look.page, []).append(frozenset(look.ids))
        if all(len(answers) == 1 for answers in shown.values()):
            return "none"
        return "same" if all(len(set(answers)) == 1 for answers in shown.values()) else "changed"


def numbered(ids: Iterable[str]) -> Iterable[str]:
    """Ids told apart on their page: a list shown by one answer is of one moment, what it shows twice it holds twice."""
    count: Counter[str] = Counter()
    for name in ids:
        count[name] += 1
        yield name if count[name] == 1 else f"{name} ({count[name]})"
