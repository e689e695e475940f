"""A simulated site through many nights, each judged against the truth: what was promised of ids, states and history."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.catalogue import Catalogue, Former, Moment, make_catalogue
from dedup.history import TRACKED, as_of, as_text
from schema.nouns import Night
from tests.simulated_editors import work
from tests.simulated_site import Site, Weather, harvest, make_site

Row = Mapping[str, Any]
RETIRE_AFTER = 3
_GONE = {"not_found": "not_found", "gone": "gone", "forbidden": "forbidden", "redirected": "moved"}
# what may change on a night on which nothing happened
_RESTLESS = {"first_seen_at", "last_seen_at", "record_count", "best_record_id", "absent_nights"}


@dataclass
class Report:
    """What a simulation came to: events and figures counted, faults in words."""

    events: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def blame(self, kind: str, text: str) -> None:
        """Enter a fault."""
        self.kinds[kind] += 1
        self.faults.append(f"{kind}: {text}")


class Judge:
    """Compares the tables of each night with the truth; it decides by what the promises say, not by our code."""

    def __init__(self, site: Site) -> None:
        self.site, self.report = site, Report()
        self.id_of: dict[int, str] = {}
        self.owner: dict[str, int] = {}
        self.absent: Counter[int] = Counter()
        self.published: dict[int, dict[str, dict[str, str]]] = {}

    def look(self, night: Night, before: Catalogue, now: Catalogue) -> None:
        """Judge one night."""
        ids = {row["resource_id"]: row for row in now.ids}
        named = self._named(now)
        for uid, names in sorted(named.items()):
            self._judge_identity(night.run, uid, names, ids, {row["resource_id"]: row for row in before.ids})
        self._judge_joins(night.run, named)
        self._judge_absences(night, named, before, now)
        self._judge_rows(night, before, now)
        self.published[night.run] = _values(now.resources)
        if as_of(now.history, night.run) != self.published[night.run]:
            self.report.blame("history", f"run {night.run}: as of tonight it is not what tonight's rows are")

    def _named(self, now: Catalogue) -> dict[int, set[str]]:
        """The ids that tonight's records give each resource that somebody read."""
        uids = {node.address: node.uid for node in self.site.live()}
        named: dict[int, set[str]] = {}
        for row in now.records:
            named.setdefault(uids[row["url"]], set()).add(row["resource_id"])
        return named

    def _judge_identity(
        self, run: int, uid: int, names: set[str], ids: Mapping[str, Row], before: Mapping[str, Row]
    ) -> None:
        old = self.id_of.get(uid)
        if len(names) > 1:
            self.report.blame("apart", f"run {run}: {self._words(uid)} has the ids {sorted(names)}")
        if old is not None and old not in names:
            resolved = ids[old]["now"][0] if old in ids else None
            if resolved in names:
                self.report.figures["ids that led on to another"] += 1
            else:
                self.report.blame("lost", f"run {run}: {self._words(uid)} was {old}, is {sorted(names)}")
            old = resolved if resolved in names else None
        self.id_of[uid] = old or min(names)
        for name in names:
            owner = self.owner.setdefault(name, uid)
            if owner != uid and self._may_return(uid, owner, before.get(name)):
                self.owner[name] = uid
            elif owner != uid:
                self.report.blame("re-used", f"run {run}: {name} was {self._words(owner)}, is {self._words(uid)}")

    def _may_return(self, uid: int, owner: int, row: Row | None) -> bool:
        """An id of a copy that had become part of another comes back when that copy is a resource of its own."""
        return self.site.parents.get(uid) == owner and row is not None and row["fate"] == "merged"

    def _judge_joins(self, run: int, named: Mapping[int, set[str]]) -> None:
        uids: dict[str, set[int]] = {}
        for uid, names in named.items():
            for name in names:
                uids.setdefault(name, set()).add(uid)
        for name, several in uids.items():
            if len(several) > 1:
                self.report.blame("joined", f"run {run}: {name} is {[self._words(uid) for uid in sorted(several)]}")

    def _judge_absences(self, night: Night, named: Mapping[int, set[str]], before: Catalogue, now: Catalogue) -> None:
        """A row leaves on the very night on which the evidence is enough, and on no other."""
        visits = {visit.url: visit for visit in night.visits}
        is_whole = all(listing.gap is None for listing in night.listings)
        rows, former = ({row["resource_id"]: row for row in step.resources} for step in (now, before))
        borne = {row["url"] for row in now.records}
        for uid, name in self.id_of.items():
            if uid in named:
                self.absent[uid] = 0
            if name not in former or uid in named:
                continue
            visit = visits.get(former[name]["url"])
            state = _GONE.get(visit.outcome) if visit else None
            if former[name]["url"] in borne:
                state = "not_found"  # another resource stands there
            self.absent[uid] += bool(state) and is_whole
            is_due = self.absent[uid] >= RETIRE_AFTER
            if is_due and name in rows:
                self.report.blame("late", f"run {night.run}: {self._words(uid)} {name} is still there: {rows[name]}")
            elif not is_due and name not in rows:
                self.report.blame("false retirement", f"run {night.run}: {self._words(uid)} {name}")
            elif is_due:
                self.report.figures["retired"] += 1
            elif state and rows[name]["state"] != state:
                self.report.blame(
                    "state", f"run {night.run}: {name} is {rows[name]['state']}, its address says {state}"
                )

    def _judge_rows(self, night: Night, before: Catalogue, now: Catalogue) -> None:
        """No id and no readable address twice; every row is what one page of its resource states."""
        names = [row["resource_id"] for row in now.resources]
        here = [row["url"] for row in now.resources if row["best_record_id"]]
        if len(set(names)) < len(names) or len(set(here)) < len(here):
            self.report.blame("twice", f"run {night.run}: an id or an address stands on two rows")
        former = {row["resource_id"]: row for row in before.resources}
        unread = {theme for theme, listing in zip(self.site.themes, night.listings, strict=True) if listing.gap}
        for row in now.resources:
            node = self.site.at(row["url"]) if row["best_record_id"] else None
            if node is None:
                continue
            if (row["title"], row["type"]) != (node.title, node.type):
                self.report.blame("values", f"run {night.run}: {row['resource_id']} is not what {row['url']} states")
            themes = {theme for copy in self.site.copies(node.uid) for theme in copy.themes}
            was = former.get(row["resource_id"], {"themes": (), "state": "new"})
            # of a listing that was not read it is known only what was known before
            known = {*row["themes"]} - unread == themes - unread and {*was["themes"]} & themes <= {*row["themes"]}
            is_known = known if was["state"] == "listed" or not unread else {*row["themes"]} <= themes
            if not is_known or (row["state"] == "listed") != bool(row["themes"]):
                self.report.blame("themes", f"run {night.run}: {row['resource_id']} {row['state']} {row['themes']}")

    def _words(self, uid: int) -> str:
        titles = [f"{n.title} <{n.address}> {n.status}" for n in self.site.nodes if n.uid == uid]
        return f"#{uid} {titles}"

    def look_back(self, now: Catalogue) -> None:
        """Judge what the last night says of all nights: every id leads somewhere, every night can be had again."""
        ids = {row["resource_id"]: row for row in now.ids}
        rows = {row["resource_id"] for row in now.resources}
        for name in {*self.owner, *self.id_of.values()} | {n for night in self.published.values() for n in night}:
            row = ids.get(name)
            ends = row["now"] if row else []
            if not ends or not all(end in rows or ids[end]["fate"] == "retired" for end in ends):
                self.report.blame("unresolved", f"{name} leads to {ends}")
        for run, values in self.published.items():
            if as_of(now.history, run) != values:
                self.report.blame("history", f"run {run} cannot be had again")
        for found in overlaps(now.history):
            self.report.blame("overlap", found)
        self.report.figures["ids given"] = len(ids)
        self.report.figures["resources on the last night"] = len(rows)


def _values(resources: Sequence[Row]) -> dict[str, dict[str, str]]:
    """What rows say, as history writes it."""
    texts = {row["resource_id"]: {name: as_text(row[name]) for name in TRACKED} for row in resources}
    return {name: {f: v for f, v in values.items() if v is not None} for name, values in texts.items()}


def overlaps(history: Sequence[Row]) -> list[str]:
    """Intervals of one field that overlap, are turned round, or stay open before another."""
    found = []
    ends: dict[tuple[str, str], int | None] = {}
    for row in sorted(history, key=lambda row: (row["resource_id"], row["field"], row["place"])):
        key = (row["resource_id"], row["field"])
        end = ends.get(key, 0)
        if end is None or row["from_run"] < end or (row["to_run"] or row["from_run"] + 1) <= row["from_run"]:
            found.append(f"{key} {row['from_run']}..{row['to_run']}")
        ends[key] = row["to_run"]
    return found


def _timeless(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows without what may differ between two nights on which the site is the same."""
    return [{name: value for name, value in row.items() if name not in _RESTLESS} for row in rows]


def _unequal(left: Sequence[Row], right: Sequence[Row]) -> list[str]:
    """Which values of two lists of rows differ."""
    others = {row["resource_id"]: row for row in right}
    return [
        f"{row['resource_id']} {name}: {row[name]} / {others.get(row['resource_id'], {}).get(name)}"
        for row in left
        for name in row
        if row[name] != others.get(row["resource_id"], {}).get(name)
    ]


class Year:
    """A site, its catalogue night after night, and the judge."""

    def __init__(self, seed: int, size: int, events: float, *, has_shortlinks: bool = True) -> None:
        self.site = make_site(seed, size, has_shortlinks=has_shortlinks)
        self.chance = random.Random(seed + 1)  # noqa: S311  # the same weather on every run
        self.events = events
        self.judge = Judge(self.site)
        self.now = Catalogue()

    def live(self, nights: int) -> Report:
        """So many nights, and the report."""
        for run in range(1, nights + 1):
            self.spend(run)
        self.judge.look_back(self.now)
        return self.judge.report

    def spend(self, run: int) -> None:
        """One day of editors and the night after it; sometimes nobody works, or the site is down."""
        report, is_quiet = self.judge.report, run > 1 and self.chance.random() < 0.1
        if run > 1 and not is_quiet:
            count = int(self.events * 2 * self.chance.random() + 0.5)
            report.events.update(work(self.site, count))
        if run > 1 and self.chance.random() < 0.04:
            report.figures["nights the site was down"] += 1
            return
        weather = Weather() if run == 1 or is_quiet else self._weather()
        known = [row["url"] for row in self.now.resources if row["url"]]
        night = harvest(self.site, run, known, weather)
        before, self.now = self.now, step(night, self.now)
        report.figures["nights"] += 1
        self.judge.look(night, before, self.now)
        if is_quiet:
            self._repeat(run, night)

    def _repeat(self, run: int, night: Night) -> None:
        """The same site once more: nothing but times may differ, unless an absence counts on."""
        known = [row["url"] for row in self.now.resources if row["url"]]
        counting = {
            row["resource_id"] for row in self.now.resources if row["absent_nights"] or row["best_record_id"] is None
        }
        again = step(harvest(self.site, run, known), self.now)
        self.judge.report.figures["nights of noise only"] += 1
        rows = [_timeless([r for r in c.resources if r["resource_id"] not in counting]) for c in (self.now, again)]
        if rows[0] != rows[1]:
            self.judge.report.blame("noise", f"run {run}: the same site gave other rows: {_unequal(*rows)}")
        if not counting and (_timeless(self.now.ids), self.now.history) != (_timeless(again.ids), again.history):
            self.judge.report.blame("noise", f"run {run}: the same site gave other ids or history")

    def _weather(self) -> Weather:
        """Now and then a listing that ends early or is missing, and some pages that do not answer."""
        cut = {}
        if self.chance.random() < 0.12:
            cut = {self.chance.choice(self.site.themes): self.chance.choice((0, 1, 1, 2))}
        share = self.chance.choice((0, 0, 0, 0.02, 0.1))
        # what was touched since it was last read answers: else nothing tells what happened to it
        calm = [node for node in self.site.nodes if not self.site.is_resting(node)]
        silent = {node.address for node in calm if self.chance.random() < share}
        return Weather(cut, frozenset(silent))


def step(night: Night, before: Catalogue) -> Catalogue:
    """The catalogue a night later."""
    former = Former(before.resources, before.ids, before.history)
    moment = Moment(night.run, night.started_at)
    return make_catalogue("simulated", moment, night, (), former, retire_after_nights=RETIRE_AFTER)
