"""An HTML page -> records: the reader `labelled-blocks`, for listing pages and a resource's own page alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.blocks import Layout, find_blocks, title_url
from parsers.frames import Block
from parsers.markup import Document, ending_of, parse_slice, read_document, span_of, start_of, top_of
from parsers.pagers import Pager, read_pager
from parsers.passages import children, read_links, read_passages, seen_text, tidy
from parsers.transplant import transplant
from parsers.values import value_nodes, without_colon
from schema.addresses import canonical_url, join_url, same_host, trusted_canonical
from schema.charsets import Undecodable
from schema.folding import fold_label
from schema.nouns import PageReading, Passage, Payload, Record, Reject, Span
from schema.sources import Labels

NAME = "labelled-blocks"
VERSION = "1"
MEDIA_TYPES = frozenset({"text/html", "application/xhtml+xml", ""})
EXCERPT_CHARS = 2000

# asks that a sign be shown in colour
_EMOJI = "\ufe0f"
# also as Drupal's formats of a yes-or-no field say it
_TRUE = frozenset({"oui", "yes", "vrai", "true", "1", "on", "activé", "enabled", "✔", "✓", "☑"})
_FALSE = frozenset({"non", "no", "faux", "false", "0", "off", "désactivé", "disabled", "✖", "✗", "✘", "☐"})


@dataclass(frozen=True, slots=True)
class _Page:
    """What the records of a page have in common; notes gathers what is unusual."""

    url: str
    canonical: str
    base: str
    heading: LexborNode | None
    is_listing: bool | None
    labels: Labels
    schemes: Mapping[str, str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a block is no record."""

    reason: str
    message: str


def parse_labelled_blocks(
    payload: Payload, *, page_url: str, labels: Labels, is_listing: bool | None, schemes: Mapping[str, str]
) -> PageReading:
    """All that an HTML page states.

    Args:
        payload: the archived page.
        page_url: its canonical address.
        labels: accepted wordings of the labels.
        is_listing: True for a listing, False for a resource's own page, None when not known.
        schemes: scheme by host (schema.sources.Source.schemes).
    """
    try:
        document = read_document(payload)
    except Undecodable as error:
        reject = Reject(page_url, "undecodable", str(error), None, "")
        return PageReading(page_url, page_url, rejects=(reject,), parser=NAME, parser_version=VERSION)
    page = _read_page(document, page_url, labels, schemes, is_listing=is_listing)
    root = document.top
    layout = find_blocks(root, labels, is_listing=is_listing)
    pager = Pager() if is_listing is False else _read_pager(document, page, layout.blocks)
    page = replace(page, heading=_find_heading(document, layout.blocks))
    page.notes.extend((*document.notes, *layout.notes))
    if "\ufffd" in root.text():
        page.notes.append("holds U+FFFD: characters that were lost")
    records, rejects = _read_blocks(document, page, layout.blocks)
    if not layout.blocks:
        if is_listing is False or layout.unread:
            rejects.append(_reject(page, _no_blocks(layout), None, seen_text(root)))
        else:
            page.notes.append("no block with labelled fields stands on it")
    return PageReading(
        page_url=page_url,
        canonical_url=page.canonical,
        also_known_as=_shortlinks(document, page),
        heading=_heading_words(document, page),
        next_urls=pager.next_urls,
        records=tuple(records),
        rejects=tuple(rejects),
        notes=tuple(dict.fromkeys(page.notes)),
        parser=NAME,
        parser_version=VERSION,
        last_number=pager.last_number,
        named_urls=pager.named_urls,
        has_pager=pager.has_pager,
        doubtful_urls=pager.doubtful_urls,
        ending=ending_of(payload.content),
    )


def _no_blocks(layout: Layout) -> _Fault:
    """Why a page of resources holds none."""
    if layout.unread is None:
        told = "no block with labelled fields; see whether the page changed, or its labels in the source file"
        return _Fault("no_blocks", told)
    words, count = layout.unread
    return _Fault(
        "no_blocks",
        f"{words!r} stands on it {count} times and no block with labelled fields: were labels renamed or left out? "
        "see the page, then `labels` in the source file",
    )


def _read_page(
    document: Document, page_url: str, labels: Labels, schemes: Mapping[str, str], *, is_listing: bool | None
) -> _Page:
    tree = document.tree
    base = tree.css_first("base[href]")
    link = tree.css_first("link[rel~=canonical][href]")
    base_url = (join_url(page_url, base.attributes.get("href")) if base is not None else None) or page_url
    named = join_url(base_url, link.attributes.get("href")) if link is not None else None
    canonical = trusted_canonical(page_url, named, schemes)
    return _Page(page_url, canonical, base_url, None, is_listing, labels, schemes, [])


def _find_heading(document: Document, blocks: tuple[Block, ...]) -> LexborNode | None:
    """The page's heading: the last h1 before its first record (a site may give its own name an h1 too)."""
    headings = [h for h in document.tree.css("h1") if seen_text(h)]
    titles = {block.title.mem_id for block in blocks if block.title is not None}
    starts = [start for block in blocks if (start := start_of(block.frame)) is not None]
    before = [h for h in headings if h.mem_id not in titles and (not starts or (start_of(h) or 0) < min(starts))]
    return next(reversed(before or headings), None)


def _heading_words(document: Document, page: _Page) -> str | None:
    """The words of the page's heading; where the theme shows none, those of its title before the site's name."""
    if page.heading is not None:
        return seen_text(page.heading)
    title = document.tree.css_first("title")
    words = tidy(title.text().split(" | ")[0]) if title is not None else ""
    return words or None


def _shortlinks(document: Document, page: _Page) -> tuple[str, ...]:
    links = document.tree.css("link[rel~=shortlink][href]")
    urls = (_canonical(link.attributes.get("href") or "", page) for link in links)
    return tuple(dict.fromkeys(u for u in urls if u and u != page.canonical and same_host(u, page.canonical)))


def _canonical(href: str, page: _Page) -> str | None:
    try:
        return canonical_url(href, page.base, page.schemes)
    except ValueError:
        return None


def _read_pager(document: Document, page: _Page, blocks: tuple[Block, ...]) -> Pager:
    links = document.tree.css("a[href], link[rel~=next][href], link[rel~=prev][href]")
    nodes = {node.mem_id for block in blocks for node in block.nodes}
    return read_pager(links, page.url, lambda href: _canonical(href, page), nodes, len(blocks))


def _read_blocks(document: Document, page: _Page, blocks: tuple[Block, ...]) -> tuple[list[Record], list[Reject]]:
    records: list[Record] = []
    rejects: list[Reject] = []
    for block in blocks:
        span = span_of(document, block.nodes)
        position = len(records) + len(rejects)
        outcome = _read_proven(document, page, block, span, is_alone=len(blocks) == 1)
        if isinstance(outcome, Record):
            records.append(replace(outcome, position=position))
        else:
            rejects.append(
                _reject(page, outcome, span, " ".join(seen_text(n) for n in block.nodes if n.is_element_node))
            )
    if any(reject.reason == "span_mismatch" for reject in rejects):
        records = []
    return records, rejects


def _reject(page: _Page, fault: _Fault, span: Span | None, words: str) -> Reject:
    return Reject(page.url, fault.reason, fault.message, span, words[:EXCERPT_CHARS])


def _read_proven(
    document: Document, page: _Page, block: Block, span: Span | None, *, is_alone: bool
) -> Record | _Fault:
    """The record of a block, read from its own bytes alone, and the same as in the whole page."""
    whole = _read_record(page, block, span or Span(0, 0), is_alone=is_alone)
    if isinstance(whole, _Fault):
        return whole
    first_tag = block.nodes[0].tag or ""
    if span is not None:
        tree = parse_slice(document, span, first_tag)
        twin = transplant(block, _roots(tree, first_tag))
        alone = _read_record(replace(page, notes=[]), twin, span, is_alone=is_alone) if twin else None
        if alone == whole:
            heading = page.heading
            if block.title is None and heading is not None and (title_span := span_of(document, (heading,))):
                return replace(whole, part_spans={"title": title_span})
            return whole
    return _Fault("span_mismatch", "its bytes read alone do not give what the page gave; the page is left out")


def _roots(tree: LexborHTMLParser, first_tag: str) -> list[LexborNode]:
    """The nodes of a slice's tree that stand for the block's own."""
    first = tree.css_first(first_tag) if first_tag in ("tr", "tbody", "thead", "td", "th") else None
    return [first] if first is not None else list(children(top_of(tree)))


def _read_record(page: _Page, block: Block, span: Span, *, is_alone: bool) -> Record | _Fault:
    title = (
        block.title if block.title is not None else (page.heading if _is_own_page(page, is_alone=is_alone) else None)
    )
    words = seen_text(title) if title is not None else ""
    if not words:
        return _Fault("no_title", "a block with labelled fields and no title")
    fault = _find_doubles(block)
    if fault:
        return fault
    fields = {field.kind: value_nodes(block, field) for field in block.fields}
    values = {kind: without_colon(read_passages(nodes)) for kind, nodes in fields.items()}
    types = [p.text for p in values.get("type", ())]
    if len(types) > 1:
        return _Fault("two_types", f"{len(types)} values of the type: {'; '.join(types)[:200]}")
    body = list(block.body)
    unknown = [seen_text(f.label) for f in block.fields if f.kind is None and not block.is_row]
    page.notes.extend(f"{words[:80]!r}: unknown label {label!r}, its field is left out" for label in unknown)
    if not types:
        page.notes.append(f"{words[:80]!r}: no type")
    summary = fields.get("summary", [])
    return Record(
        page_url=page.url,
        position=0,
        url=_own_url(page, block),
        title=words,
        type=types[0] if types else None,
        is_private=_read_privacy(page, words, values.get("private", ())),
        body=read_passages(body),
        resume=values.get("summary", ()),
        links=read_links([*body, *summary], page.base),
        span=span,
    )


def _is_own_page(page: _Page, *, is_alone: bool) -> bool:
    return page.is_listing is not True and is_alone


def _own_url(page: _Page, block: Block) -> str | None:
    if block.title is None or (page.is_listing is False and block.title.tag == "h1"):
        return page.canonical
    url = title_url(block, page.base)
    return _canonical(url, page) if url else (page.canonical if page.is_listing is False else None)


def _find_doubles(block: Block) -> _Fault | None:
    for kind, reason in (("type", "two_types"), ("private", "two_privacies"), ("summary", "two_summaries")):
        count = sum(field.kind == kind for field in block.fields)
        if count > 1:
            return _Fault(reason, f"the label of its {kind} stands {count} times in one block")
    return None


def _read_privacy(page: _Page, title: str, value: tuple[Passage, ...]) -> bool | None:
    words = " ".join(p.text for p in value)
    if not words:
        return None
    folded = fold_label(words).removesuffix(_EMOJI)
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    page.notes.append(f"{title[:80]!r}: unknown value of the privacy: {words[:80]!r}")
    return None
