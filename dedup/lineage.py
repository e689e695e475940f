"""resource_id from night to night: given once, carried by evidence and seniority, never given to two.

Where several resources became one, the oldest keeps its id and the others lead to it; where one became several, the
best evidence keeps it, and an id that was merged before comes back with its address. Every id ever given stays in
`ids`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dedup.identity import NO_PROMISES, Promises, mint_id
from dedup.idrows import Register
from dedup.known import Known, is_back
from dedup.likeness import is_text_alike, is_title_alike
from dedup.recognition import Cluster, Recognition
from schema.folding import fold

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lineage:
    """resource_id of each cluster, in their order; the rows of `ids`; ids whose extent changed by merge or split."""

    names: tuple[str, ...]
    ids: tuple[Row, ...]
    reshaped: frozenset[str]


def name_clusters(
    source: str,
    recognition: Recognition,
    known: Sequence[Known],
    ids: Iterable[Mapping[str, Any]],
    run: int,
    at: datetime,
    published: Promises = NO_PROMISES,
) -> Lineage:
    """Give each cluster of a step its resource_id.

    Args:
        source: short name of the source.
        recognition: the clusters, and what tells of their past.
        known: every resource ever known.
        ids: rows of `ids` as of the step before.
        run: the step's run, at: when it began; they date what changes.
        published: every id that was published, by other readings of the archive too.
    """
    by_id = {one.resource_id: one for one in known}
    parts: dict[str, list[Known]] = {}  # what became part of another, by what it goes by
    for one in known:
        for name in one.known_by if one.is_merged else ():
            parts.setdefault(name, []).append(one)
    register = Register(ids, run, at)
    claims, lost = _settle_claims(recognition, by_id)
    for claimed, missed in zip(claims, lost, strict=True):
        missed.update({recognition.parted[name] for name in claimed & recognition.parted.keys()} - claimed)
    evidence = _Evidence(recognition)
    reshaped: set[str] = set()
    merged_into = {row["resource_id"]: row["now"] for row in ids if row["fate"] == "merged"}
    names: list[str] = []
    for cluster, claimed in zip(recognition.clusters, claims, strict=True):
        name = _choose(source, cluster, claimed, by_id, parts, register, published)
        if name in by_id and by_id[name].is_merged:  # what it was part of is less now
            reshaped |= {name, *merged_into[name]}
        others = sorted(claimed - {name})
        for other in others:
            register.say(other, "merged", [name], f"the same resource as {name}: {evidence.of(other, name)}")
            register.own(name, register.rows[other]["known_by"])
        names.append(name)
        reshaped |= {name, *others} if others else set()
    _follow_merged(recognition, names, register)
    reshaped |= _part_by_word(recognition, claims, register)
    for cluster, name, missed in zip(recognition.clusters, names, lost, strict=True):
        for parent in sorted(missed - {name}):
            row = register.rows[parent]
            now = [parent, *sorted({*row["now"][1:], name})] if row["fate"] == "split" else [parent, name]
            register.say(parent, "split", now, f"{name} is a resource of its own: {cluster.groups[0].best.title}")
            reshaped |= {parent, name}
    _share_names(recognition.clusters, names, by_id, register)
    return Lineage(tuple(names), register.settle(), frozenset(reshaped))


def retire(
    ids: Iterable[Mapping[str, Any]],
    resources: Iterable[Mapping[str, Any]],
    retired: Mapping[str, tuple[str, str | None]],
    run: int,
    at: datetime,
) -> tuple[Row, ...]:
    """The rows of `ids` once resources are retired, and with the day on which each was first seen.

    One whose address leads to another resource became that one; what else is gone stays what it was.

    Args:
        ids: rows as the clusters leave them.
        resources: rows of `resources` as of the step.
        retired: resource_id -> its last state, and where its address leads.
        run: the step's run, at: when it began.
    """
    register = Register(ids, run, at)
    owners = register.owners()
    for name, (state, target) in sorted(retired.items()):
        heirs = owners.get(target or "", set()) - {name} - retired.keys()
        if state == "moved" and heirs:
            register.say(name, "merged", [min(heirs)], f"its address leads to {target}")
        else:
            register.say(name, "retired", [name], f"{state}, on enough complete nights in a row")
    for row in resources:
        register.rows[row["resource_id"]]["first_seen_at"] = row["first_seen_at"]
    return register.settle()


def _settle_claims(recognition: Recognition, by_id: Mapping[str, Known]) -> tuple[list[set[str]], list[set[str]]]:
    """For each cluster the known resources that it is, and those that another cluster is with better evidence."""
    claims = [
        {recognition.known_as[g.key] for g in cluster.groups if g.key in recognition.known_as} | set(cluster.recognised)
        for cluster in recognition.clusters
    ]
    lost: list[set[str]] = [set() for _ in claims]
    claimants: dict[str, list[int]] = {}
    for place, claimed in enumerate(claims):
        for name in claimed:
            claimants.setdefault(name, []).append(place)
    for name, places in sorted(claimants.items()):
        if len(places) == 1:
            continue
        best = min(places, key=lambda place: _rank(recognition.clusters[place], by_id[name]))
        for place in places:
            if place != best:
                claims[place].discard(name)
                lost[place].add(name)
    return claims, lost


def _rank(cluster: Cluster, one: Known) -> tuple[object, ...]:
    """How well a cluster fits what a resource was; the least is the best.

    What it says goes before where it stands: of two pages of a resource, one may be given to another.
    """
    keys = {group.key for group in cluster.groups}
    titles = {fold(group.best.title) for group in cluster.groups}
    is_told = any(is_text_alike(group.telling, one.telling) for group in cluster.groups)
    return not is_told, one.url not in keys, fold(one.title) not in titles, -len(keys & one.known_by), min(keys)


def _choose(
    source: str,
    cluster: Cluster,
    claimed: set[str],
    by_id: Mapping[str, Known],
    parts: Mapping[str, Sequence[Known]],
    register: Register,
    published: Promises,
) -> str:
    """The id of a cluster: of the oldest resource that it is, else one that comes back, else a new one."""
    page = cluster.groups[0].best.page_url
    # copies tell of earlier days: they never bring back what is retired
    is_live = any(group.is_live for group in cluster.groups)
    retired = set() if is_live else {name for name in claimed if register.rows[name]["fate"] == "retired"}
    if claimed:
        name = min(claimed - retired or retired, key=lambda name: by_id[name].seniority)
        if register.rows[name]["fate"] != "split" and name not in retired:
            register.say(name, "kept", [name], f"stated again by {page}")
        return name
    keys = {group.key for group in cluster.groups}
    former = [
        one
        for one in {one.resource_id: one for key in keys for one in parts.get(key, ())}.values()
        if any(is_back(one, group) for group in cluster.groups)
    ]
    if former:
        name = min(former, key=lambda one: one.seniority).resource_id
        register.say(name, "kept", [name], f"a resource of its own again, on {page}")
        return name
    name = _promised(cluster, register, published) or mint_id(
        source, cluster.groups[0].key, register.rows, published.names
    )
    register.mint(name, f"first stated by {page}")
    return name


def _promised(cluster: Cluster, register: Register, published: Promises) -> str | None:
    """The id that was published for this very thing, by a reading of the archive that saw more or other nights.

    It went by an address of the cluster, and either was given in this very run, or had such a title: an address alone
    may have been another's. Of several the first that was published.
    """
    lines = [one for group in cluster.groups for one in published.of_name(group.key)]
    free = [one for one in lines if one.resource_id not in register.rows]
    titles = [group.best.title for group in cluster.groups]
    given = (one for one in free if one.minted_run == register.run)
    titled = (one for one in free if any(is_title_alike(one.title, title) for title in titles))
    return next((one.resource_id for one in (*given, *titled)), None)


def _part_by_word(recognition: Recognition, claims: Sequence[set[str]], register: Register) -> set[str]:
    """What a person's word makes a resource of its own again, and what it was part of, where no page states the former.

    Wherever it is, what it goes by is no name of the other any more.
    """
    unstated: set[str] = set()
    for name, whole in recognition.parted.items():
        if not any(name in claimed for claimed in claims):
            register.say(name, "kept", [name], f"a resource of its own again, apart from {whole}: person")
            row = register.rows[whole]
            now = [whole, *sorted({*row["now"][1:], name})] if row["fate"] == "split" else [whole, name]
            register.say(whole, "split", now, f"{name} is a resource of its own: person")
            unstated |= {name, whole}
        for known in register.rows[name]["known_by"] if register.end(name) == name else ():
            register.disown(whole, known)
    return unstated


def _share_names(
    clusters: Sequence[Cluster], names: Sequence[str], by_id: Mapping[str, Known], register: Register
) -> None:
    """Each resource owns the addresses it is stated under, and others that lead there tonight.

    Of those, what another resource was last found under stays with that one: a redirection may be taken back. The rest
    goes over (a migration gives a page the node number of another).
    """
    for cluster, name in zip(clusters, names, strict=True):
        register.own(name, (group.key for group in cluster.groups))
    owners = register.owners()
    for cluster, name in zip(clusters, names, strict=True):
        for group in cluster.groups:
            for other in owners[group.key] - {name}:
                register.disown(other, group.key)
    for cluster, name in zip(clusters, names, strict=True):
        for alias in (alias for group in cluster.groups for alias in group.aliases):
            others = owners.get(alias, set()) - {name}
            if not any(other in by_id and by_id[other].url == alias for other in others):
                register.own(name, [alias])
                for other in others:
                    register.disown(other, alias)


def _follow_merged(recognition: Recognition, names: Sequence[str], register: Register) -> None:
    """One that became part of another goes by the new address of what was its own, should they be parted again.

    Where its page went over to a third resource, by a word on the two, so does it.
    """
    merged: dict[str, list[str]] = {}
    for name, row in register.rows.items():
        for known in row["known_by"] if row["fate"] == "merged" else ():
            merged.setdefault(known, []).append(name)
    for cluster, name in zip(recognition.clusters, names, strict=True):
        for group in cluster.groups:
            others = [other for alias in group.aliases for other in merged.get(alias, ())]
            for other in {*others, recognition.part_of.get(group.key, name)}:
                if register.rows[other]["fate"] == "merged" and register.end(other) == name:
                    register.own(other, [group.key])
            part = recognition.part_of.get(group.key, name)
            if register.rows[part]["fate"] == "merged" and register.end(part) != name:
                register.say(part, "merged", [name], f"its page is one of {name} now")
                register.own(name, register.rows[part]["known_by"])


class _Evidence:
    """Why two known resources are one, in words."""

    def __init__(self, recognition: Recognition) -> None:
        self._of_key = {
            group.best.record_id: recognition.known_as.get(group.key)
            for cluster in recognition.clusters
            for group in cluster.groups
        }
        self._pairs = recognition.matching.pairs
        self._told: dict[frozenset[str | None], str] | None = None

    def of(self, one: str, two: str) -> str:
        """The strongest pair between them."""
        if self._told is None:  # most nights join nothing that was known
            self._told = self._tell()
        return self._told.get(frozenset((one, two)), "by way of a third")

    def _tell(self) -> dict[frozenset[str | None], str]:
        told: dict[frozenset[str | None], str] = {}
        for row in self._pairs.rows():
            if row["verdict"] == "same":
                ends = frozenset(self._of_key.get(row[side], row[side]) for side in ("left", "right"))
                score = f"score {row['score']:g} where {row['needed']:g} was needed"
                told.setdefault(ends, score if row["rule"] == "score" else str(row["rule"]))
        return told
