"""Records out of the plain-text copy of a listing, where no markup is left.

The lines come from text_lines, the labels that part the fields from text_labels, and where a résumé ends and the next
title begins from text_titles; here they become records, rejects and notes.

Refuses to guess: a record that the copy cuts off is a reject, a value that is not stated is None and noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.text_labels import Block, LabelKind, find_blocks, index_wordings, note_odd_labels
from parsers.text_lines import Line, choose_codec, read_lines
from parsers.text_repeats import find_repeats
from parsers.text_titles import Region, choose_titles, find_tail, part_regions
from schema.charsets import Undecodable
from schema.nouns import PageReading, Passage, Payload, Record, Reject, Span
from schema.sources import Labels

PARSER = "labelled-text"
VERSION = "1"

_LONGEST_EXCERPT = 500
_CLEAR = 20.0  # a title that leads by less gets a note; in the unit of text_repeats
_KINDS: tuple[tuple[LabelKind, str], ...] = (("type", "type"), ("is_private", "privacy"), ("resume", "résumé"))
_TWICE: tuple[tuple[LabelKind, str, str], ...] = (
    ("type", "two_types", "more than one type is stated"),
    ("is_private", "two_privacies", "privacy is stated more than once"),
)


@dataclass(frozen=True, slots=True)
class _Cut:
    """One record cut out of the copy; labels are the lines of its block, title is none where a record has none."""

    region: Region
    title: Sequence[Line]
    body: Sequence[Line]
    labels: Sequence[Line]
    resume: Sequence[Line]

    @property
    def block(self) -> Block:
        return self.region.below


def parse_text_listing(payload: Payload, *, page_url: str, labels: Labels) -> PageReading:
    """All records, rejects and notes of a plain-text copy of a listing.

    Args:
        payload: the copy; schema.charsets tells how it is decoded.
        page_url: the address that the copy was made from; the reading's canonical address too.

    Returns:
        Records without address or links; position is the place among the blocks of the page, unreadable ones counted.
        Rejects: `undecodable`, `no_blocks`, `no_title`, `two_types`, `two_privacies`, `incomplete`.
        Spans are in bytes of the payload.
    """
    try:
        codec, odd = choose_codec(payload)
    except Undecodable as error:
        return PageReading(
            page_url, page_url, rejects=(Reject(page_url, "undecodable", str(error), None, ""),), parser=PARSER
        )
    notes = list(odd)
    lines = read_lines(payload.content, codec)
    wordings = index_wordings(labels)
    blocks = find_blocks(lines, wordings)
    notes += note_odd_labels(lines, blocks, wordings)
    if blocks:
        judged, further = _read_records(lines, blocks, page_url)
        notes += further
    else:
        judged = [_reject(page_url, "no_blocks", "no labels of a record stand on lines of their own", lines)]
    return PageReading(
        page_url=page_url,
        canonical_url=page_url,
        records=tuple(found for found in judged if isinstance(found, Record)),
        rejects=tuple(found for found in judged if isinstance(found, Reject)),
        notes=tuple(notes),
        parser=PARSER,
        parser_version=VERSION,
    )


def _read_records(
    lines: Sequence[Line], blocks: Sequence[Block], page_url: str
) -> tuple[list[Record | Reject], list[str]]:
    """What each block and the tail come to, in order, and notes that name their record."""
    regions = part_regions(lines, blocks)
    titles, leads = choose_titles(regions)
    tail, tail_notes = find_tail(regions[-1], titles[-1])
    ends = [*titles[1:], tail]
    cuts = [_cut_record(region, title, end, lines) for region, title, end in zip(regions, titles, ends, strict=True)]
    judged = [_judge_record(cut, page_url, position) for position, cut in enumerate(cuts)]
    if left := regions[-1].following[tail:]:
        judged.append(_reject(page_url, "incomplete", "the copy ends before the labels of this resource", left))
    found = [_note_record(cut, lead) for cut, lead in zip(cuts, leads, strict=True)]
    found[-1] += tail_notes
    return judged, [
        f"record {position} ({cut.title[0].text[:80] if cut.title else 'no title'}): {note}"
        for position, (cut, notes) in enumerate(zip(cuts, found, strict=True))
        for note in notes
    ]


def _cut_record(region: Region, title: int, end: int, lines: Sequence[Line]) -> _Cut:
    """The record of a region; end is the line of the next region at which its résumé ends."""
    return _Cut(
        region=region,
        title=region.lines[title : title + 1],
        body=region.lines[title + 1 :],
        labels=lines[region.below.first : region.below.after],
        resume=region.following[:end] if region.below.has_resume else [],
    )


def _judge_record(cut: _Cut, page_url: str, position: int) -> Record | Reject:
    """The record, or why it is none."""
    held = [*cut.title, *cut.body, *cut.labels, *cut.resume]
    if fault := _find_fault(cut):
        return _reject(page_url, *fault, held)
    types = cut.block.values["type"]
    return Record(
        page_url=page_url,
        position=position,
        url=None,
        title=cut.title[0].text,
        type=types[0].text if types else None,
        is_private=cut.block.is_private,
        body=_read_passages(cut.body),
        resume=_read_passages(cut.resume),
        links=(),
        span=_span(held),
        part_spans=_span_parts(cut),
    )


def _find_fault(cut: _Cut) -> tuple[str, str] | None:
    """Reason and message where the lines are no record."""
    if cut.region.is_last and not cut.region.following:
        return "incomplete", "the copy ends at the labels of this resource"
    if not cut.title:
        return "no_title", "nothing stands between these labels and the résumé before them"
    for kind, reason, message in _TWICE:
        stated = cut.block.values[kind]
        if cut.block.kinds.count(kind) > 1 or len(stated) > 1:
            return reason, f"{message}: {_quote(stated)}"
    return None


def _quote(lines: Sequence[Line]) -> str:
    return ", ".join(repr(line.text) for line in lines)


def _read_passages(lines: Sequence[Line]) -> tuple[Passage, ...]:
    return tuple(Passage("item" if line.is_item else "paragraph", line.text) for line in lines)


def _span(lines: Sequence[Line]) -> Span:
    return Span(lines[0].start, lines[-1].end)


def _span_parts(cut: _Cut) -> dict[str, Span]:
    values = cut.block.values
    parts = {
        "title": cut.title,
        "type": values["type"],
        "is_private": values["is_private"],
        "body": cut.body,
        "resume": cut.resume,
    }
    return {name: _span(lines) for name, lines in parts.items() if lines}


def _reject(page_url: str, reason: str, message: str, lines: Sequence[Line]) -> Reject:
    words = " ".join(line.text for line in lines)
    excerpt = words if len(words) <= _LONGEST_EXCERPT else words[: _LONGEST_EXCERPT - 1] + "…"
    return Reject(page_url, reason, message, _span(lines) if lines else None, excerpt)


def _note_record(cut: _Cut, lead: float) -> list[str]:
    """What is unusual in a record; lead is that of its title over the next best."""
    notes = [*_note_labels(cut.block), *_note_text(cut)]
    if lead < _CLEAR and cut.title:
        notes.append("where its title stands is not clear: another line would do nearly as well")
    if cut.block.is_private and _shows_body(cut):
        notes.append("it is private, and its résumé repeats the lines above its labels: look at its title")
    above = cut.region.above
    strays = len(cut.region.lines) - len(cut.title) - len(cut.body)
    if strays and above and not above.has_resume:
        notes.append(f"{strays} lines before its title belong to no label and were left out")
    return notes


def _shows_body(cut: _Cut) -> bool:
    """Whether the last two lines above the labels both come again: members see the body of a private resource."""
    last = {line.key for line in cut.region.lines[-2:]}
    return len(cut.region.lines) > 1 and last <= {line.key for line in cut.resume}


def _note_labels(block: Block) -> list[str]:
    notes = [f"no label states its {word}" for kind, word in _KINDS if kind not in block.kinds]
    if "type" in block.kinds and not block.values["type"]:
        notes.append("its type is empty")
    if "is_private" in block.kinds and block.is_private is None:
        notes.append(f"its privacy is neither Oui nor Non: {_quote(block.values['is_private']) or 'nothing'}")
    return notes


def _note_text(cut: _Cut) -> list[str]:
    if cut.block.is_private:
        is_item = any(line.is_item for line in cut.title)
        return ["it is private, and its title looks like an item of a list"] if is_item else []
    notes = [] if cut.body else ["it is not private, and has no body"]
    if cut.block.has_resume and not cut.resume:
        notes.append("its résumé is empty")
    elif cut.body and cut.resume and not find_repeats(cut.body, cut.resume).pairs:
        notes.append("its résumé repeats nothing of its body")
    return notes
