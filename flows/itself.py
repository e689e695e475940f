"""Which blocks of a page at a resource's own address are the resource: others may stand beside it, or instead of it.

A page shows others' blocks below ("À lire aussi"); and on a bad night a cache answers with a listing, or with the page
of another resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.taken import Taken
from parsers.sought import key_of
from schema.nouns import PageReading, Record


def itself(
    page: PageReading, taken: Taken, names: frozenset[str], others: frozenset[str], *, may_guess: bool
) -> Iterator[Record]:
    """The records of a page that are the resource at whose address the page was found.

    Args:
        page: as read without knowing of what kind it is.
        taken: addresses and prints of the resource.
        names: keys of titles that the resource has elsewhere.
        others: keys of titles that go with other addresses.
        may_guess: whether a block that stands alone is the resource though nothing names it.
    """
    heading, is_alone = key_of(page.heading or ""), len(page.records) == 1
    for one in page.records:
        title = key_of(one.title)
        is_named = title in names or (title not in others and (title == heading or (may_guess and is_alone)))
        is_placed = one.url is None or one.url in taken.addresses
        if taken.holds_words(one) or (is_placed and is_named) or (one.url in taken.addresses and title not in others):
            yield one


def title_keys(records: Iterable[Record]) -> frozenset[str]:
    """The titles of records, as they are compared."""
    return frozenset(key_of(one.title) for one in records)
