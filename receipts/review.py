"""The pairs on which a person's word is worth most, as text to decide by.

Such are pairs of which the machine is unsure, and pairs that it would join and did not, because something held it back.
What a person said already is not asked again, whether a release has heard it or not.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from receipts.columns import PLAIN, Marks, side_by_side
from receipts.printable import printable
from releases.store import Release
from schema.nouns import Judgement
from schema.sources import Source

Row = Mapping[str, Any]
LEAST_WIDTH, MOST_WIDTH = 80, 200
_PARAGRAPH = "\n\n"
_STATED = ("title", "type", "is_private", "summary")


@dataclass(frozen=True, slots=True)
class Side:
    """One of a pair as a person sees it; names: all that it may be called in a judgement."""

    key: str
    resource_id: str
    title: str
    url: str | None
    type: str | None
    is_private: bool | None
    text: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """A pair that waits for a word: its row of `pairs`, and what stands on both sides."""

    row: Row
    left: Side
    right: Side

    @property
    def is_one(self) -> bool:
        """Whether both are one resource today."""
        return self.left.resource_id == self.right.resource_id

    @property
    def ids(self) -> tuple[str, str]:
        """The names to judge by: of the resources, which last longest; of the records where they are one resource."""
        return (self.left.key, self.right.key) if self.is_one else (self.left.resource_id, self.right.resource_id)


@dataclass(frozen=True, slots=True)
class Look:
    """How to show it: width in cells of the terminal (80 to 200 are used), marks of differences, how many pairs.

    call: the words of the command line that judges, its source and data folder.
    """

    width: int
    marks: Marks = PLAIN
    limit: int | None = 20
    call: tuple[str, ...] = ()


def review(source: Source, release: Release, judgements: Sequence[Judgement], look: Look) -> str:
    """What to decide, as text; its last line tells how much there is.

    Args:
        source: the source.
        release: its newest release.
        judgements: what persons said so far, in order.
        look: how to show it.
    """
    questions = open_questions(release, judgements)
    shown = questions[: look.limit]
    width = min(max(look.width, LEAST_WIDTH), MOST_WIDTH)
    lines = []
    for number, question in enumerate(shown, start=1):
        lines += [*_describe(question, f"{number} of {len(questions)}", width, look), ""]
    return "\n".join([*lines, _verdict(source, release, len(shown), len(questions))])


def open_questions(release: Release, judgements: Sequence[Judgement]) -> list[Question]:
    """The pairs to ask about, the likeliest duplicates first.

    Those that score enough and were held back or left to a person by a rule, the highest score first: how far they are
    from a threshold means nothing. Then the nearest to their threshold, then those with more to read.
    """
    said = _in_force(judgements)
    rows = [row for row in release.rows("pairs") if row["rule"] != "person" and _is_open(row)]
    if not rows:
        return []
    sides = _Sides(release, {row[end] for row in rows for end in ("left", "right")})
    questions = [
        Question(row, sides.of(row["left"], row["left_id"]), sides.of(row["right"], row["right_id"])) for row in rows
    ]
    return sorted((q for q in questions if not _is_said(q, said)), key=_rank)


def _is_open(row: Row) -> bool:
    return row["verdict"] == "unsure" or (row["verdict"] == "same" and row["held"] is not None)


def _rank(question: Question) -> tuple[object, ...]:
    row = question.row
    above = -inf if row["needed"] is None else row["score"] - row["needed"]
    is_stopped = row["held"] is not None or (row["flips_at"] is None and above >= 0)
    order = -row["score"] if is_stopped else abs(above)
    return not is_stopped, order, -len(question.left.text + question.right.text), row["left"], row["right"]


def _in_force(judgements: Iterable[Judgement]) -> set[frozenset[str]]:
    """Pairs of names on which the last word was not taken back."""
    last = {frozenset((word.left, word.right)): word.verdict for word in judgements}
    return {pair for pair, verdict in last.items() if verdict != "withdrawn"}


def _is_said(question: Question, said: Collection[frozenset[str]]) -> bool:
    return any(frozenset((one, two)) in said for one in question.left.names for two in question.right.names)


# --- both sides -----------------------------------------------------------------------------------------------------


class _Sides:
    """What a release holds of records, and of resources that no page states now."""

    def __init__(self, release: Release, wanted: Collection[str]) -> None:
        self._records = {r["record_id"]: r for r in release.rows("records") if r["record_id"] in wanted}
        self._resources = {r["resource_id"]: r for r in release.rows("resources") if r["resource_id"] in wanted}
        self._owners: dict[str, str] = {}
        self._at: dict[str, set[str]] = {}
        for name, owner, url in release.rows("records").columns("record_id", "resource_id", "url"):
            self._owners[name] = owner
            self._at.setdefault(url or name, set()).add(name)
        for row in release.rows("ids"):
            for url in row["known_by"] if row["fate"] == "merged" else ():
                self._at.setdefault(url, set()).add(row["resource_id"])
        self._texts = _texts(release.rows("passages"), wanted)
        self._last = {} if self._records.keys() >= set(wanted) else _last_values(release.rows("history"), wanted)

    def of(self, key: str, resource_id: str) -> Side:
        """The side of a pair: key is a record_id, or a resource_id where no page states it."""
        record = self._records.get(key)
        if record is not None:
            names = self._names(record)
            return _side(key, resource_id, record, self._texts.get(key, ""), names)
        row = self._resources.get(key) or {**dict.fromkeys((*_STATED, "url")), **self._last.get(key, {})}
        return _side(key, resource_id, row, row["summary"] or "", frozenset((key, resource_id)))

    def _names(self, record: Row) -> frozenset[str]:
        """Names of the same address: its resource, the records that stand under it, ids that were merged."""
        other = (
            name
            for name in self._at[record["url"] or record["record_id"]]
            if self._owners.get(name, record["resource_id"]) == record["resource_id"]
        )
        return frozenset((record["record_id"], record["resource_id"], *other))


def _side(key: str, resource_id: str, row: Row, text: str, names: frozenset[str]) -> Side:
    is_private = {"true": True, "false": False}.get(row["is_private"], row["is_private"])
    return Side(key, resource_id, row["title"] or "", row["url"], row["type"], is_private, text, names)


def _texts(passages: Iterable[Row], wanted: Collection[str]) -> dict[str, str]:
    """The collapsed text of some records."""
    kept: dict[str, list[tuple[int, str]]] = {}
    for row in passages:
        if row["is_kept"] and row["record_id"] in wanted:
            kept.setdefault(row["record_id"], []).append((row["summary_position"], row["text"]))
    return {name: _PARAGRAPH.join(text for _, text in sorted(parts)) for name, parts in kept.items()}


def _last_values(history: Iterable[Row], wanted: Collection[str]) -> dict[str, dict[str, Any]]:
    """The last value of each field of some resources."""
    last: dict[str, dict[str, Any]] = {}
    asked = (row for row in history if row["resource_id"] in wanted)
    for row in sorted(asked, key=lambda row: row["place"]):
        last.setdefault(row["resource_id"], {})[row["field"]] = row["value"]
    return last


# --- the text -------------------------------------------------------------------------------------------------------


def _describe(question: Question, place: str, width: int, look: Look) -> Iterator[str]:
    row = question.row
    held = f", held back ({row['held']})" if row["held"] else ""
    yield f"-- {place}: {row['verdict']}{held}, {_today(question)} ".ljust(width, "-")
    yield from _named("left", question.left)
    yield from _named("right", question.right)
    yield f"why    {_reasons(row)}"
    yield ""
    yield from side_by_side(_stated(question.left), _stated(question.right), width, look.marks)
    yield ""
    words = " ".join(shlex.quote(word) for word in ("moisson", "judge", *look.call[:1], *question.ids))
    rest = "".join(f" {shlex.quote(word)}" for word in look.call[1:])
    yield from (f'    {words} {verdict} --why "..."{rest}' for verdict in ("same", "different"))


def _today(question: Question) -> str:
    return "one resource by way of others" if question.is_one else "two resources today"


def _named(end: str, side: Side) -> Iterator[str]:
    record = f" ({side.key})" if side.key != side.resource_id else " (on no page now)"
    yield f"{end:<6} {side.resource_id}{record}  {printable(' '.join(side.title.split()))}"
    yield f"       {printable(side.url) if side.url else 'no address of its own'}"


def _reasons(row: Row) -> str:
    needed = "-" if row["needed"] is None else f"{row['needed']:g}"
    flips = "-" if row["flips_at"] is None else f"{row['flips_at']:g}"
    return f"score {row['score']:g}, needed {needed}, flips_at {flips}; rule {row['rule']}; compared for {row['block']}"


def _stated(side: Side) -> str:
    """What a side states, as paragraphs."""
    private = {True: "private", False: "public", None: "privacy not said"}[side.is_private]
    text = side.text or "(no text)"
    return _PARAGRAPH.join((side.title, f"{side.type or 'no type'}, {private}", text))


def _verdict(source: Source, release: Release, shown: int, total: int) -> str:
    if not total:
        return f"{source.name}: nothing to review in release {release.number}: no pair is unsure or held back"
    more = "" if shown == total else f", {shown} shown; --all shows every one"
    pairs = "pair waits" if total == 1 else "pairs wait"
    return f"{source.name}: {total} {pairs} for a word in release {release.number}{more}"
