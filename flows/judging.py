"""What persons are asked, and what they say: the jobs behind `review` and `judge`."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.decisions import add_judgement, one_line, read_judgements
from flows.jobs import Outcome
from flows.lock import locked
from receipts.review import Look
from receipts.review import review as show_questions
from releases.store import Release, latest_release
from schema.errors import UsageError
from schema.layout import Layout
from schema.nouns import JudgedAs, Judgement, Side
from schema.sources import Source

Row = Mapping[str, Any]


def judge(source: Source, data: Path, pair: tuple[str, str], verdict: JudgedAs, why: str, author: str) -> Outcome:
    """Keep what a person says of two things; the next rebuild or refresh brings it in.

    Args:
        source: the source.
        data: the data folder.
        pair: two names, each a resource_id or a record_id of the newest release; merged ids too; to take a word back,
            the names that it was said of, wherever they are by now.
        verdict: what they are; `withdrawn` takes the last word on the pair back.
        why: the reason, kept with it.
        author: who says so.

    Raises:
        UsageError: nothing is published, a name is not known, both are one thing, no reason, or nothing to withdraw.
        AlreadyRunning: a run holds the source.
        DamagedArchive: what was said before cannot be read.
    """
    layout = Layout(data, source.name)
    said = {"--why": one_line(why, "--why", "the reason"), "--author": one_line(author, "--author", "who says so")}
    _require_release(layout)
    with locked(layout):
        release, before = _require_release(layout), read_judgements(layout)
        known = _Known(release)
        meant = {name: known.meaning_of(name) for name in pair}
        if verdict == "withdrawn":
            known.require_names(pair, {name for word in before for name in (word.left, word.right)})
            # what was meant then is what is taken back, whatever bears the names by now
            meant |= {side.name: side for side in _require_word(source, pair, before).sides if side.url}
        else:
            known.require_two(pair)
        run, now = layout.runs()[-1], datetime.now(UTC)
        left, right = (meant[name] for name in pair)
        told = (left.url, right.url, left.resource_id, right.resource_id)
        judgement = Judgement(*pair, verdict, said["--why"], said["--author"], now, run, *told)
        add_judgement(layout, judgement)
    what = f"the word on {pair[0]} and {pair[1]} is withdrawn" if verdict == "withdrawn" else f"{_in_words(judgement)}"
    later = f"`moisson rebuild {source.name}` or the next refresh brings it in"
    return Outcome(f"{source.name}: {what}, said by {judgement.author} after run {run}; {later}")


def review(source: Source, data: Path, look: Look) -> str:
    """The pairs that wait for a person's word, as text.

    Raises:
        UsageError: nothing is published.
        DamagedArchive: the release, or what was said, cannot be read.
    """
    layout = Layout(data, source.name)
    return show_questions(source, _require_release(layout), read_judgements(layout), look)


def author_here() -> str:
    """Who works on this machine, as user@host.

    Raises:
        UsageError: the machine knows no name.
    """
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):
        raise UsageError("who says so? this machine has no name for its user: give --author NAME") from None


def _in_words(judgement: Judgement) -> str:
    words = {"same": "are one resource", "different": "are two resources", "unsure": "are left as two, unsure"}
    return f"{judgement.left} and {judgement.right} {words[judgement.verdict]}"


def _require_release(layout: Layout) -> Release:
    release = latest_release(layout)
    if release is None:
        raise UsageError(f"{layout.clean}: nothing published yet; `moisson refresh {layout.source}` comes first")
    return release


class _Known:
    """The names that a release knows, and what each stands for."""

    def __init__(self, release: Release) -> None:
        self._release = release
        told = release.rows("records").columns("record_id", "url", "resource_id")
        self._records: dict[str, Row] = {
            name: {"record_id": name, "url": url, "resource_id": owner} for name, url, owner in told
        }
        urls = release.rows("resources").columns("resource_id", "url")
        self._resources: dict[str, Row] = {name: {"url": url} for name, url in urls}
        self._ids = {row["resource_id"]: row for row in release.rows("ids")}

    def require_names(self, pair: tuple[str, str], judged: Collection[str] = ()) -> None:
        """Refuse names that neither the release knows nor, `judged`, words said before."""
        for name in pair:
            if name not in self._records.keys() | self._resources.keys() | self._ids.keys() | set(judged):
                raise UsageError(
                    f"{name}: no resource_id or record_id of release {self._release.number}; `moisson review` shows "
                    "pairs with their ids, `moisson trace` finds those of an address"
                )

    def require_two(self, pair: tuple[str, str]) -> None:
        """Refuse names that are not known, or that stand for the same."""
        self.require_names(pair)
        left, right = pair
        if left == right:
            raise UsageError(f"{left} is given twice; a judgement is on two")
        # two ids are two however they came to lead to one resource, and so are two records
        is_mixed = (left in self._records) != (right in self._records)
        if is_mixed and self._stand_for(left) == self._stand_for(right):
            raise UsageError(
                f"{left} and {right} stand for the same records; to part records, give two record_ids of them "
                f"(`moisson trace SOURCE {left}` shows them)"
            )

    def meaning_of(self, name: str) -> Side:
        """What a name means: the address it stands under, its own where it is part of another; of a record its id."""
        row = self._records.get(name) or self._resources.get(name)
        if row is None and name in self._ids:
            row = {field["name"]: field["value"] for field in self._ids[name]["own"]}
        url, record = row.get("url") if row else None, self._records.get(name)
        return Side(name, url, record["resource_id"] if record else None)

    def _stand_for(self, name: str) -> frozenset[str]:
        """The addresses, or records without one, that a name stands for tonight; itself where there are none."""
        if name in self._records:
            rows: Iterable[Row] = [self._records[name]]
        else:
            known_by = self._ids[name]["known_by"] if name in self._ids else ()
            is_merged = name in self._ids and self._ids[name]["fate"] == "merged"
            rows = [
                row
                for row in self._records.values()
                if (row["url"] in known_by if is_merged else row["resource_id"] == name)
            ]
        return frozenset(row["url"] or row["record_id"] for row in rows) or frozenset((name,))


def _require_word(source: Source, pair: Collection[str], before: Sequence[Judgement]) -> Judgement:
    """The word that is taken back; refuse what was not said on these very names."""
    words = [word for word in before if {word.left, word.right} == set(pair)]
    if words and words[-1].verdict != "withdrawn":
        return words[-1]
    one, two = pair
    told = "was withdrawn already" if words else "was never said"
    others = {
        f"`moisson judge {source.name} {w.left} {w.right} withdrawn`" for w in before if {w.left, w.right} & set(pair)
    }
    hint = f"; say it of the names that were judged: {' or '.join(sorted(others))}" if others and not words else ""
    raise UsageError(f"{one} and {two}: nothing to withdraw, a word on them {told}{hint}")
