"""Where the records of a page stand: found by the words people read, never by class names.

Around each frame of labelled fields the *block* is the smallest run of siblings that also holds the title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.bodies import with_bodies
from parsers.columns import column_blocks, is_head
from parsers.frames import Block, Field, with_unknown
from parsers.joining import find_record_frames
from parsers.labels import describe, find_labels, repeated
from parsers.nodes import (
    ancestors,
    link_in,
    parent_of,
    siblings_after,
    siblings_before,
)
from parsers.passages import HEADINGS, children, seen_text
from parsers.titles import Candidate, Titles, choose_heading, find_titles, heading_look, leads_somewhere
from schema.addresses import join_url, same_host
from schema.folding import fold_label
from schema.sources import Labels

_READ_ON = ("lire la suite", "lire plus", "en savoir plus", "voir la fiche", "voir la ressource", "read more")
_ORNAMENTS = " .…>»›→+[]()"


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands on a page: its blocks in order, and sentences about labels that were nearly, or not, understood.

    unread holds the label words that come again and again on a page without any block, and how often they do.
    """

    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    unread: tuple[str, int] | None = None


def find_blocks(root: LexborNode, labels: Labels, *, is_listing: bool | None) -> Layout:
    """The blocks of a page, or of a slice of one.

    Args:
        root: element below which to look.
        labels: accepted wordings.
        is_listing: True when titles must stand inside the blocks, False for a resource's own page, None to tell by
            what stands there.
    """
    found, near = find_labels(root, labels)
    frames = find_record_frames(found, labels)
    if len(frames) > 1 and is_listing is None:
        is_listing = True
    owners = {frame.mem_id for frame, _ in frames}
    told = [(frame, with_unknown(frame, fields)) for frame, fields in frames]
    titles = [find_titles(frame, fields, owners, is_listing=is_listing) for frame, fields in told]
    usual = Counter(look for t in titles for look in {heading_look(h) for h, _ in t.headings})
    opens_alike = all(t.opening is not None for t in titles)
    blocks: list[Block] = []
    for (frame, fields), (_, known), title in zip(told, frames, titles, strict=True):
        runs = _split_runs(frame, fields)
        if rows := column_blocks(frame, known):
            blocks += rows
        elif is_head(frame):
            continue
        elif len(runs) > 1:
            blocks += [_flat_block(frame, run, end) for run, end in runs]
        else:
            heading = choose_heading(title, usual, is_alone=len(frames) == 1, is_listing=is_listing)
            is_usual = heading is not None and 2 * usual[heading_look(heading[0])] > max(len(frames), 2)
            block = _block_of(
                frame, fields, title, heading, is_listing=is_listing, opens_alike=opens_alike, is_usual=is_usual
            )
            blocks.append(block)
    unread = None if blocks else repeated([*(label for _, label in found), *(node for _, node in near)])
    if is_listing is False:
        blocks = _own_blocks(blocks)
    notes = (*map(describe, near), *_unread_labels(blocks, found))
    return Layout(tuple(with_bodies(blocks)), notes, unread)


def _unread_labels(blocks: list[Block], found: list[tuple[str, LexborNode]]) -> Iterator[str]:
    """Labels that stand in a record as words of its text, though it has no field of their kind."""
    owners = {node.mem_id: block for block in blocks for node in block.nodes}
    for kind, label in found:
        block = next((owners[n.mem_id] for n in (label, *ancestors(label)) if n.mem_id in owners), None)
        if block is not None and not block.is_row and all(field.kind != kind for field in block.fields):
            title = seen_text(block.title)[:80] if block.title is not None else ""
            yield f"{title!r}: {seen_text(label)!r} is read as words of the text, and it has no such field"


def _own_blocks(blocks: list[Block]) -> list[Block]:
    """On a resource's own page the block below its heading; those with titles are teasers of other resources."""
    return [b for b in blocks if b.title is None or b.title.tag == "h1"][:1] or blocks


def _block_of(
    frame: LexborNode,
    fields: list[Field],
    titles: Titles,
    found: Candidate | None,
    *,
    is_listing: bool | None,
    opens_alike: bool,
    is_usual: bool,
) -> Block:
    """The smallest element around a frame that holds its title too; the frame's own article where there is none.

    opens_alike tells whether every frame of the page opens with a link: such links are titles, one here and there is
    a body of one link. A heading that leads somewhere, or that most frames have, is a title all the same.
    """
    if titles.opening is not None and (found is None or (opens_alike and not is_usual and not leads_somewhere(*found))):
        found = titles.opening
    if found is not None and not (found[0].tag == "h1" and is_listing is not True and link_in(found[0]) is None):
        return Block((found[1],), frame, tuple(fields), found[0])
    return Block((_article_of(frame, titles.highest) or frame,), frame, tuple(fields), None)


def _article_of(frame: LexborNode, highest: LexborNode) -> LexborNode | None:
    node = frame
    while node.mem_id != highest.mem_id and node.tag != "article":
        node = parent_of(node)
    if node.tag == "article":
        return node
    # the parser adds the body of a table where the page leaves it out
    return next((n for n in (frame, *ancestors(frame)) if n.tag not in ("tr", "tbody", "thead")), None)


def title_url(block: Block, base: str) -> str | None:
    """The absolute address that a block's title leads to.

    Else the one its outermost element is `about`, else that of the only link that says to read on.
    """
    link = link_in(block.title) if block.title is not None else None
    href = link.attributes.get("href") if link is not None else None
    href = href or next((n.attributes.get("about") for n in block.nodes if n.is_element_node), None)
    url = join_url(base, href) if href else _url_to_read_on(block, base)
    return url if url and url.startswith(("http://", "https://")) else None


def _url_to_read_on(block: Block, base: str) -> str | None:
    """Where the links of this site lead that say to read on, if that is one place: a text may have some of its own."""
    links = [link for n in block.nodes if n.is_element_node for link in n.css("a[href]") if _says_to_read_on(link)]
    urls = {url for link in links if (url := join_url(base, link.attributes.get("href"))) and same_host(url, base)}
    return urls.pop() if len(urls) == 1 else None


def _says_to_read_on(link: LexborNode) -> bool:
    if "bookmark" in (link.attributes.get("rel") or "").lower().split():
        return True
    words = fold_label(seen_text(link)).strip(_ORNAMENTS)
    return any(words == said or words.startswith(f"{said} ") for said in _READ_ON)


def _split_runs(frame: LexborNode, fields: list[Field]) -> list[tuple[list[Field], LexborNode | None]]:
    """Fields of one frame cut into records where a title stands between them; with the node that ends each record."""
    branches = {f.branch.mem_id: f for f in fields}
    runs: list[tuple[list[Field], LexborNode | None]] = []
    current: list[Field] = []
    for child in children(frame):
        field = branches.get(child.mem_id)
        if field is not None:
            current.append(field)
        elif current and child.is_element_node and child.tag in HEADINGS and _starts_record(child, current, branches):
            runs.append((current, child))
            current = []
    return [*runs, (current, None)] if current else runs


def _starts_record(heading: LexborNode, current: list[Field], branches: dict[int, Field]) -> bool:
    """Whether a heading between fields opens the next record: fields follow it, and it is not shaped like a label."""
    if any(f.label.tag == heading.tag for f in current):
        return False
    following = [branches[n.mem_id] for n in siblings_after(heading) if n.mem_id in branches]
    kinds = {f.kind for f in current}
    return bool(following) and following[0].kind in kinds


def _flat_block(frame: LexborNode, fields: list[Field], end: LexborNode | None) -> Block:
    title = next((n for n in siblings_before(fields[0].branch) if n.is_element_node and n.tag in HEADINGS), None)
    start = title if title is not None else fields[0].branch
    nodes = [start]
    for node in siblings_after(start):
        if end is not None and node.mem_id == end.mem_id:
            break
        nodes.append(node)
    while len(nodes) > 1 and not nodes[-1].is_element_node:
        nodes.pop()
    return Block(tuple(nodes), frame, tuple(fields), title)
