"""Which groups of a night are one resource, and which of those known from before: the matcher's door to a night.

Evidence in this order: a person's word, the site's own identity (addresses), the text. Resources that no page states
tonight are compared too, by their last values, so that one that moved without a trace is found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from dedup.addressed import Addressed, know_by_address
from dedup.deciding import Verdict
from dedup.grouping import Group
from dedup.items import Item
from dedup.known import Known, is_back
from dedup.matching import Matching, PairTable, match
from dedup.words import Spoken, joined_by_word, parted_by_word
from schema.nouns import Judgement

_ABSENT = "before"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Groups that are one resource tonight, the best first, and known resources that it was recognised as by text."""

    groups: tuple[Group, ...]
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised.

    clusters: of all groups. known_as: resource_id by the key of each group whose address tells, part_of: where that one
    is several that became one, which of them. parted: what a person's word makes a resource of its own again in this
    step, and what it was part of. matching: the evidence, its keys record_ids and, for what nobody states tonight,
    resource_ids.
    """

    clusters: tuple[Cluster, ...]
    known_as: Mapping[str, str]
    part_of: Mapping[str, str]
    parted: Mapping[str, str]
    matching: Matching


def recognise(
    groups: Sequence[Group], known: Sequence[Known], judgements: Sequence[Judgement] = (), *, is_word: bool = False
) -> Recognition:
    """Tell which groups are one resource, and what they were before.

    Args:
        groups: of the night, keys unique.
        known: every resource ever known.
        judgements: what persons said, in order; the last word on a pair counts.
        is_word: whether the step is the last of these words itself.
    """
    joined = joined_by_word(judgements, known)
    told = know_by_address(groups, known, joined)
    told = _with_moved(groups, known, told, joined, judgements)
    parted = parted_by_word(judgements[-1], known) if is_word else {}
    if parted:
        known, told = _apart(known, told, parted)
    known_as = told.known_as
    present = set(known_as.values())
    absent = [one for one in known if one.is_gone and one.resource_id not in present]
    spoken = Spoken(groups, told, known, absent)
    # what a word that is taken back had made of a pair is no evidence on it
    afresh = spoken.junior(judgements[-1]) if is_word and judgements[-1].verdict == "withdrawn" else set()
    afresh |= {group.best.record_id for group in groups if known_as.get(group.key) in parted} | parted.keys()
    here = (_item(group, None if group.best.record_id in afresh else known_as.get(group.key)) for group in groups)
    away = (_absent_item(one, None if one.resource_id in afresh else one.resource_id) for one in absent)
    said = spoken.verdicts(judgements)
    matching = match(chain(here, away), judged=said)
    of_key = {group.best.record_id: group for group in groups}
    by_id = {one.resource_id: one for one in absent}
    clusters = []
    for keys in _joined(matching.clusters, _by_record(told, groups), said):
        members = [of_key[key] for key in keys if key in of_key]
        if members:
            met = [by_id[key] for key in keys if key not in of_key]
            recognised = tuple(one.resource_id for one in met if any(is_back(one, group, said) for group in members))
            clusters.append(Cluster(tuple(sorted(members, key=lambda group: group.key)), recognised))
    matching = replace(matching, pairs=_held(matching.pairs, of_key, by_id))
    ordered = tuple(sorted(clusters, key=lambda c: c.groups[0].key))
    return Recognition(ordered, known_as, told.part_of, parted, matching)


def _with_moved(
    groups: Sequence[Group],
    known: Sequence[Known],
    told: Addressed,
    joined: Collection[str],
    judgements: Sequence[Judgement],
) -> Addressed:
    """What addresses tell, and where parts that a person joined are found by their text that no address tells of.

    The words that joined them are left out: what a part is joined to says something else, and a group that is the one
    is not the other. The matcher is asked only where a new group says about what such a part said.
    """
    lost = {p.resource_id: (one, p) for one in known if one.resource_id in joined for p in one.parts}
    lost = {name: both for name, both in lost.items() if name not in told.part_of.values()}
    new = {group.best.record_id: group for group in groups if group.key not in told.known_as}
    if not any(is_back(part, group) for _, part in lost.values() for group in new.values()):
        return told
    present = {*told.known_as.values(), *lost}
    absent = [one for one in known if one.is_gone and one.resource_id not in present]
    said = Spoken(groups, told, known, absent).verdicts(judgements)
    items = [_item(group, told.known_as.get(group.key)) for group in groups]
    items += [_absent_item(one, one.resource_id) for one in (*absent, *(part for _, part in lost.values()))]
    known_as, part_of = dict(told.known_as), dict(told.part_of)
    for keys in match(items, judged={pair: word for pair, word in said.items() if word != "same"}).clusters:
        for one, part in (lost[key] for key in keys if key in lost):
            for group in (new[key] for key in keys if key in new and is_back(part, new[key])):
                known_as[group.key], part_of[group.key] = one.resource_id, part.resource_id
    return Addressed(known_as, part_of, told.alike)


def _by_record(told: Addressed, groups: Sequence[Group]) -> list[list[str]]:
    keys = {group.key: group.best.record_id for group in groups}
    return [[keys[name] for name in alike] for alike in told.alike]


def _joined(
    clusters: Sequence[Sequence[str]], alike: Iterable[Sequence[str]], said: Mapping[tuple[str, str], Verdict]
) -> list[Sequence[str]]:
    """The clusters, those made one that say the same and are one resource by the site's word, if no person parts them.

    Where there is no text the matcher leaves such to a person; here the words found the resource again.
    """
    found: dict[int, Sequence[str]] = dict(enumerate(clusters))
    home = {key: place for place, cluster in found.items() for key in cluster}
    apart = {pair for pair, verdict in said.items() if verdict != "same"}
    for keys in alike:
        met = sorted({home[key] for key in keys})
        whole = sorted(key for place in met for key in found[place])
        if len(met) > 1 and not any(pair in apart for pair in combinations(whole, 2)):
            for place in met:
                del found[place]
            found[met[0]] = whole
            home |= dict.fromkeys(whole, met[0])
    return list(found.values())


def _apart(known: Sequence[Known], told: Addressed, parted: Mapping[str, str]) -> tuple[Sequence[Known], Addressed]:
    """What is known, with parts as resources of their own again, and what they were part of as it was by itself."""
    by_itself = {part.resource_id: part for one in known for part in one.parts}
    heads = set(parted.values())
    apart = [
        replace(by_itself[one.resource_id], is_merged=False, leads_to=one.resource_id, parts=one.parts)
        if one.resource_id in heads | parted.keys()
        else one
        for one in known
    ]
    known_as = {key: part if (part := told.part_of[key]) in parted else name for key, name in told.known_as.items()}
    return apart, Addressed(known_as, told.part_of)


def _held(pairs: PairTable, of_key: Mapping[str, Group], absent: Mapping[str, Known]) -> PairTable:
    """The pairs, those told that would be one resource if their texts were alike."""
    held = dict(pairs.held)
    clashes = pairs.features["clash"]
    for place, ends in enumerate(zip(pairs.left, pairs.right, strict=True)):
        one = next((absent[end] for end in ends if end in absent), None)
        group = next((of_key[end] for end in ends if end in of_key), None)
        is_near = pairs.scores[place] >= pairs.needed[place] and not clashes[place] and place not in pairs.judged
        if is_near and one and group and not is_back(one, group):
            held[place] = "other text"
    return replace(pairs, held=held)


def _item(group: Group, known_as: str | None) -> Item:
    best = group.best
    pages = tuple(dict.fromkeys(f"{one.page_url} {one.seen_at}" for one in group.stated))
    # an address that several share joins none of them
    name, kind, url = best.record_id, best.type, group.key if group.is_shared else best.url
    return Item(name, best.title, best.told.text or "", type=kind, url=url, known_as=known_as, pages=pages)


def _absent_item(one: Known, known_as: str | None) -> Item:
    # no address: that it bears none tonight is known already
    name, kind = one.resource_id, one.type
    return Item(name, one.title, one.words, night=_ABSENT, type=kind, known_as=known_as, was_at=one.url)
