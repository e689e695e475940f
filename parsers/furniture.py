"""Furniture: what stands around a text and is none of it: lines of authors and dates, links to read on, to comment.

It is told from a text by what it says, by where its links lead, and by its saying the same in most records of the page.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from selectolax.lexbor import LexborNode

from parsers.frames import Block
from parsers.nodes import has_text, link_in, looks, siblings_before
from parsers.passages import HEADINGS, read_passages, seen_text
from schema.folding import strip_accents

# tag and class of a box and, for what says the same everywhere, its words
Look = tuple[tuple[str, str], str]

_MAX_LINE_CHARS = 160
_MAX_FEW_CHARS = 60
_MAX_FURNITURE_CHARS = 1500
_AUTHOR_LINE = re.compile(
    r"(?:(?:soumis|publie|poste|ajoute|mis en ligne|redige|ecrit|cree|modifie|submitted|posted|published"
    r"|par|by|le|on)\b|(?:lun|mar|mer|jeu|ven|sam|dim)[a-z]*[.,]* |\d{1,4}[-/.]).{0,140}\d",
    re.DOTALL,
)
# an address in the query of another one: the page to come back to, to send, to share
_CARRIED = re.compile(r"[?&][^=&#]+=[^&#]*(/|%2f|%23|:)", re.IGNORECASE)


def is_author_line(node: LexborNode) -> bool:
    """Whether a box holds one line about who wrote when, and nothing more."""
    if len(node.text()) > _MAX_FURNITURE_CHARS:
        return False
    lines = [strip_accents(passage.text.casefold()) for passage in read_passages([node])]
    return len(lines) == 1 and len(lines[0]) <= _MAX_LINE_CHARS and _AUTHOR_LINE.match(lines[0]) is not None


def without_furniture(blocks: list[Block], found: list[list[LexborNode]]) -> list[list[LexborNode]]:
    """The nodes found in each block without links about the record and what says the same in most records."""
    texts = [[n for n in nodes if has_text(n)] for nodes in found]
    told = [
        {n.mem_id: _look(block, n) for n in nodes if _is_short(n)} for block, nodes in zip(blocks, texts, strict=True)
    ]
    common, only = _common(texts, told), _only_texts(texts, told)
    kept = []
    for block, nodes, own in zip(blocks, found, told, strict=True):
        # what is all that a record says is kept though others say the same: `Réservé aux adhérents`
        has_summary = any(field.kind == "summary" for field in block.fields)
        left_out = {
            mem_id
            for mem_id, look in own.items()
            if look in common and not (look in only and (only[look] or not has_summary))
        }
        left_out |= {n.mem_id for n in nodes if n.mem_id in own and _is_about_record(block, n)}
        kept.append([n for n in nodes if n.mem_id not in left_out])
    return [nodes if any(has_text(n) for n in nodes) else [] for nodes in kept]


def _only_texts(texts: list[list[LexborNode]], told: list[dict[int, Look]]) -> dict[Look, bool]:
    """What stands alone in every record that says it; True where the same box says other things in other records."""
    said: dict[tuple[str, str], set[Look]] = defaultdict(set)
    alone: dict[Look, bool] = {}
    for nodes, own in zip(texts, told, strict=True):
        for look in own.values():
            said[look[0]].add(look)
            alone[look] = alone.get(look, True) and len(nodes) == 1
    return {look: len(said[look[0]]) > 1 for look, is_alone in alone.items() if is_alone}


def _is_short(node: LexborNode) -> bool:
    """Whether an element may be furniture: it has few words."""
    return node.is_element_node and len(node.text()) <= _MAX_FURNITURE_CHARS


def _common(texts: list[list[LexborNode]], told: list[dict[int, Look]]) -> set[Look]:
    """What most records of a page say alike, but for title and numbers; two are enough for a link or a line."""
    count: Counter[Look] = Counter()
    opens: dict[Look, bool] = defaultdict(bool)
    for nodes, own in zip(texts, told, strict=True):
        looked = {own[n.mem_id]: n for n in nodes if n.mem_id in own}
        count.update(looked.keys())
        for look, node in looked.items():
            opens[look] |= _opens_with_link(node) or _is_line_among(node, nodes)
    return {look for look, n in count.items() if 2 * n > len(texts) and n > (1 if opens[look] else 2)}


def _is_line_among(node: LexborNode, texts: list[LexborNode]) -> bool:
    """Whether a node is a line of a few words and no sentence, built otherwise than the text that it stands beside."""
    words = seen_text(node)
    is_line = (
        len(words) <= _MAX_FEW_CHARS and not words.endswith((".", "!", "?", "…", ":")) and node.tag not in HEADINGS
    )
    return (
        is_line
        and len(texts) > 1
        and all(n.mem_id == node.mem_id or (n.is_element_node and looks(n) != looks(node)) for n in texts)
    )


def _look(block: Block, node: LexborNode) -> Look:
    title = seen_text(block.title) if block.title is not None else ""
    words = seen_text(node)
    return looks(node), re.sub(r"\d+", "0", words.replace(title, "") if title else words)


def _is_about_record(block: Block, node: LexborNode) -> bool:
    """Whether a node holds a form, or opens with a link to the record itself or to what sends, prints, comments it."""
    if node.css_first("form") is not None or _is_sharing(node):
        return True
    if not _opens_with_link(node):
        return False
    if _is_bare_link(node) and is_past_fields(node, block):
        return True
    own, link = _own_address(block), node if node.tag == "a" else node.css_first("a[href]")
    href = (link.attributes.get("href") or "") if link is not None else ""
    return (own != "" and _bare(href) == own) or _CARRIED.search(href) is not None


def _is_sharing(node: LexborNode) -> bool:
    """Whether a line holds links that send the page's address elsewhere, and no other link."""
    links = node.css("a[href]")
    carried = [link for link in links if _CARRIED.search(link.attributes.get("href") or "")]
    return bool(links) and len(carried) == len(links) and len(seen_text(node)) <= _MAX_LINE_CHARS


def _is_bare_link(node: LexborNode) -> bool:
    """Whether all words of a box are one link, in no paragraph or list as those of a text are."""
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and seen_text(link) == seen_text(node) and node.css_first("p, li, td") is None


def _own_address(block: Block) -> str:
    link = link_in(block.title) if block.title is not None else None
    return _bare((link.attributes.get("href") or "") if link is not None else "")


def _bare(href: str) -> str:
    return href.partition("#")[0].partition("?")[0]


def _opens_with_link(node: LexborNode) -> bool:
    link = node if node.tag == "a" else node.css_first("a[href]")
    return link is not None and bool(seen_text(link)) and seen_text(node).startswith(seen_text(link))


def is_past_fields(node: LexborNode, block: Block) -> bool:
    """Whether a node stands behind a field of its record, in the same box."""
    return any(f.branch.mem_id == before.mem_id for before in siblings_before(node) for f in block.fields)
