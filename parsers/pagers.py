"""Where a listing goes on: the links of a page to its further pages, told from all the others. Pure.

Surely a pager: what `rel=next` names; `?page=N` of this very address, as Drupal counts; a link that says «next» and
turns this address by one page; a run of links whose words are numbers counting up from here, each turning this address
as far as its words do. Filters by year, calendars, A-Z lists, «Lire la suite »» and what stands inside a record are
none. What looks like a pager all the same, where the page has no other, is told of by its address: nobody follows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.nodes import ancestors
from parsers.page_runs import MONTH, PagerLink, find_runs, is_beyond, is_pager, said_number
from parsers.passages import seen_text
from schema.addresses import page_number, same_host, without_page_number
from schema.folding import strip_accents
from schema.turns import Turn, turn_of

_ARROWS_ON, _ARROWS_BACK = "›»>→▶⟩❯", "‹«<←◀⟨❮"
_AROUND = f" \u00a0…|{_ARROWS_ON}{_ARROWS_BACK}"
_GO = r"(?:(?:aller|passer|acceder) a la |go to (?:the )?|voir la |la )?"
_NEXT = re.compile(_GO + r"(?:(pages?) )?(?:suivante?s?|next)(?: (pages?))?")
_BACK = re.compile(_GO + r"(?:pages? )?(?:precedente?s?|previous|prev|premiere?|first)(?: pages?)?")
_LAST = re.compile(_GO + r"(?:pages? )?(?:derniere?|last|fin)(?: pages?)?")
_NUMBER = re.compile(_GO + r"(?:page )?(?:courante |actuelle )?(\d{1,5})")
_CLASS_NEXT = re.compile(r"(?:^|[-_])(?:next|suivante?)(?:$|[-_])")
_CLASS_BACK = re.compile(r"(?:^|[-_])(?:prev|previous|precedente?)(?:$|[-_])")
_PAGER = re.compile(r"pager|paginat")
_CALENDAR = re.compile(r"calend|agenda|month|mois|datepicker")
# a pager names the pages around this one, and the first and last ones
_MAX_WORDS = 60
_MAX_BOX = 300
_LEVELS = 5
_MAX_LINKS = 1000


@dataclass(frozen=True, slots=True)
class Pager:
    """What a page says of the pages of its listing.

    next_urls are the pages that come next, last_number the largest `?page=N` named beyond this one; named_urls are all
    further pages that its pager names; has_pager says that it names any page, be it an earlier one; doubtful_urls look
    like further pages and are not surely such.
    """

    next_urls: tuple[str, ...] = ()
    last_number: int | None = None
    named_urls: tuple[str, ...] = ()
    has_pager: bool = False
    doubtful_urls: tuple[str, ...] = ()


def read_pager(
    links: Iterable[LexborNode],
    page_url: str,
    address_of: Callable[[str], str | None],
    blocks: set[int],
    block_count: int,
) -> Pager:
    """Where a page leads.

    Args:
        links: its elements `a` and `link` with an address, in page order.
        page_url: its canonical address.
        address_of: an address as it is written -> its canonical form, None for one that is none.
        blocks: mem_ids of the nodes that hold its records: what stands in them is no pager, but for `rel=next`.
        block_count: how many records it shows.
    """
    related: dict[str, None] = {}
    numbered: dict[str, int] = {}
    told: list[PagerLink] = []
    own, here = without_page_number(page_url), page_number(page_url)
    has_back = False
    for node in links:
        url = address_of(node.attributes.get("href") or "")
        if url is None or not same_host(url, page_url):
            continue
        rel = (node.attributes.get("rel") or "").lower().split()
        has_back |= "prev" in rel
        if "next" in rel and url != page_url:
            related.setdefault(url)
        if without_page_number(url) == own and url != page_url:
            has_back |= page_number(url) < here
            if page_number(url) > here:
                numbered.setdefault(url, page_number(url))
        link = _read_link(node, url, page_url) if node.tag == "a" and len(told) < _MAX_LINKS else None
        if link is not None and (link.is_in_pager or not _is_within(node, blocks)):
            told.append(link)
    runs = [run for run in find_runs(told) if is_pager(run, block_count)]
    firsts = {link.url for run in runs for link in run if link.number == 1}
    numbered = {url: number for url, number in numbered.items() if url not in firsts}
    nexts = [link.url for link in told if link.url != page_url and _leads_on(link, block_count)]
    further = [link for run in runs for link in run if is_beyond(link)]
    nearest = [min((link for link in run if is_beyond(link)), key=said_number, default=None) for run in runs]
    next_urls = (*related, *nexts, *(link.url for link in nearest if link), *_nearest(page_url, numbered))
    places = {link.turn.place for link in told if link.turn and link.url in next_urls}
    last = [link.url for link in told if link.says == "last" and link.turn and link.turn.place in places]
    has_back |= any(_names_earlier(link, page_url) for link in told)
    has_pager = bool(next_urls or runs or has_back or numbered)
    return Pager(
        next_urls=tuple(dict.fromkeys(next_urls)),
        last_number=_last_number(page_url, numbered),
        named_urls=tuple(dict.fromkeys((*next_urls, *(link.url for link in further), *last))),
        has_pager=has_pager,
        doubtful_urls=()
        if has_pager
        else tuple(dict.fromkeys(link.url for link in told if _is_doubtful(link, page_url))),
    )


# --- one link ---------------------------------------------------------------------------------------------------------


def _read_link(node: LexborNode, url: str, page_url: str) -> PagerLink | None:
    """A link that says a number, «next», «back» or «last»; None for any other."""
    title, label = (_plain(node.attributes.get(name) or "") for name in ("title", "aria-label"))
    words = _plain(_words(node))
    number = next((found for said in (words, label, title) if (found := _NUMBER.fullmatch(said.strip(_AROUND)))), None)
    around = _classes(node.parent) if node.parent is not None else ""
    says, is_worded = _says(words, (label, title), f"{_classes(node)} {around}")
    if number is None and not says:
        return None
    boxes = [_classes(box) for box, _ in zip(ancestors(node), range(_LEVELS), strict=False)]
    is_in_pager = any(_PAGER.search(named) for named in (*boxes, _classes(node))) or _is_row_of_numbers(node)
    table = any(box.tag == "table" for box in ancestors(node))
    is_in_calendar = (table and not is_in_pager) or any(_CALENDAR.search(named) for named in boxes)
    turn = turn_of(page_url, url)
    return PagerLink(url, turn, int(number[1]) if number else None, says, is_worded, is_in_pager, is_in_calendar)


def _words(node: LexborNode) -> str:
    text = node.text()
    return seen_text(node) if len(text) <= _MAX_WORDS * 4 else ""


def _plain(text: str) -> str:
    return " ".join(strip_accents(text).casefold().split()) if len(text) <= _MAX_WORDS * 4 else ""


def _classes(node: LexborNode) -> str:
    """What the code of an element calls it."""
    said = (node.attributes.get(name) or "" for name in ("class", "id", "aria-label", "role"))
    return strip_accents(" ".join(said)).casefold()


def _says(words: str, told: Iterable[str], classes: str) -> tuple[str, bool]:
    """What a link says of where it leads, and whether by calling it a page."""
    for said in (words, *told):
        core = said.strip(_AROUND)
        if found := _NEXT.fullmatch(core):
            return "next", bool(found[1] or found[2])
        if _BACK.fullmatch(core):
            return "back", True
        if _LAST.fullmatch(core):
            return "last", True
    tokens = classes.split() if len(words) <= _MAX_WORDS else []
    # the class alone is the theme's word, not the page's: what it names is looked at as an arrow is
    if _is_made_of(words, _ARROWS_ON) or any(_CLASS_NEXT.search(token) for token in tokens):
        return "arrow", False
    is_back = _is_made_of(words, _ARROWS_BACK) or any(_CLASS_BACK.search(token) for token in tokens)
    return "back" if is_back else "", False


def _is_made_of(words: str, signs: str) -> bool:
    """Whether the words are an arrow, or two."""
    return len(words) in (1, 2) and all(sign in signs for sign in words)


def _is_row_of_numbers(node: LexborNode) -> bool:
    """Whether a link stands in a row that counts from 1 on and holds nothing else: `1 2 3 … suivant`."""
    row = next((box for box in ancestors(node) if box.tag in ("ul", "ol", "nav", "p", "div", "td")), None)
    if row is None or len(row.text()) > _MAX_BOX:
        return False
    tokens = _plain(seen_text(row)).split()
    numbers = [int(token) for token in tokens if token.isdecimal()]
    others = {token.strip(_AROUND) for token in tokens if not token.isdecimal()}
    is_only = others <= {"", "page", "pages", "suivant", "suivante", "next", "precedent", "precedente", "previous", ":"}
    is_month = len(numbers) in MONTH and numbers[-1] == len(numbers)
    return is_only and numbers[:2] == [1, 2] and numbers == sorted(set(numbers)) and not is_month


def _is_within(node: LexborNode, blocks: set[int]) -> bool:
    return any(box.mem_id in blocks for box in (node, *ancestors(node)))


def _leads_on(link: PagerLink, block_count: int) -> bool:
    """Whether a link surely leads to the page that comes next."""
    if link.says not in ("next", "arrow") or link.is_in_calendar or link.turn is None or not link.turn.is_forward:
        return False
    if link.says == "next" and (link.is_in_pager or (link.is_worded and not link.turn.is_plain)):
        return True
    return _is_one_page(link.turn, block_count) and (link.is_in_pager or not link.turn.is_plain)


def _is_one_page(turn: Turn, block_count: int) -> bool:
    if turn.before is None:
        return turn.after in (1, 2, block_count)
    return turn.after is not None and turn.after - turn.before in (1, block_count)


def _names_earlier(link: PagerLink, page_url: str) -> bool:
    """Whether a link leads back to an earlier page."""
    if link.url == page_url:
        return False
    if link.number == 1:
        return link.is_in_pager
    return link.says == "back" and (link.is_in_pager or (link.turn is not None and not link.turn.is_forward))


def _is_doubtful(link: PagerLink, page_url: str) -> bool:
    """Whether a link looks like one to a further page, though it is not known to be one."""
    if link.url == page_url or link.is_in_calendar:
        return False
    says_next = link.says == "next" and (link.is_in_pager or link.is_worded or _is_same_path(link.url, page_url))
    return says_next or (link.is_in_pager and link.number == 2)


def _is_same_path(a: str, b: str) -> bool:
    return a.partition("?")[0] == b.partition("?")[0]


# --- `?page=N` --------------------------------------------------------------------------------------------------------


def _nearest(page_url: str, numbered: dict[str, int]) -> list[str]:
    """For each pager of this address the next larger number."""
    nearest: dict[str, str] = {}
    for url in sorted(numbered, key=lambda url: (numbered[url], url)):
        turn = turn_of(page_url, url)
        nearest.setdefault(turn.place if turn else "", url)
    return list(nearest.values())


def _last_number(page_url: str, numbered: dict[str, int]) -> int | None:
    """The largest number of the first pager; of another where the page has no first one, and no third."""
    by_place: dict[str, list[int]] = {}
    for url, number in numbered.items():
        turn = turn_of(page_url, url)
        by_place.setdefault(turn.place if turn else "", []).append(number)
    if "page[0]" in by_place or len(by_place) == 1:
        return max(by_place.get("page[0]") or next(iter(by_place.values())))
    return None
