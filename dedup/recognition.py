"""Which groups of a night are one resource, and which of those known from before: the matcher's door to a night.

Evidence in this order: a person's word, the site's own identity (addresses), the text. Resources that no page states
tonight are compared too, by their last values, so that one that moved without a trace is found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dedup.grouping import Group
from dedup.items import Item
from dedup.known import Known, is_back, know_by_address
from dedup.matching import Matching, PairTable, match
from dedup.words import Spoken
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

    clusters: of all groups. known_as: resource_id by the key of each group whose address tells. matching: the evidence,
    its keys record_ids and, for what nobody states tonight, resource_ids.
    """

    clusters: tuple[Cluster, ...]
    known_as: Mapping[str, str]
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
    joined = {name for word in judgements if word.verdict == "same" for name in (word.left, word.right)}
    known_as = know_by_address(groups, known, joined)
    present = set(known_as.values())
    absent = [one for one in known if one.is_gone and one.resource_id not in present]
    spoken = Spoken(groups, known_as, known, absent)
    # what a word that is taken back had made of a pair is no evidence on it
    afresh = spoken.junior(judgements[-1]) if is_word and judgements[-1].verdict == "withdrawn" else set()
    items = [_item(group, None if group.best.record_id in afresh else known_as.get(group.key)) for group in groups]
    items += [_absent_item(one) for one in absent]
    said = spoken.verdicts(judgements)
    matching = match(items, judged=said)
    of_key = {group.best.record_id: group for group in groups}
    by_id = {one.resource_id: one for one in absent}
    clusters = []
    for keys in matching.clusters:
        members = [of_key[key] for key in keys if key in of_key]
        if members:
            met = [by_id[key] for key in keys if key not in of_key]
            recognised = tuple(one.resource_id for one in met if any(is_back(one, group, said) for group in members))
            clusters.append(Cluster(tuple(sorted(members, key=lambda group: group.key)), recognised))
    pairs = _held(matching.pairs, of_key, by_id)
    return Recognition(tuple(sorted(clusters, key=lambda c: c.groups[0].key)), known_as, replace(matching, pairs=pairs))


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
    record = group.best.record
    return Item(group.best.record_id, record.title, group.text, type=record.type, url=record.url, known_as=known_as)


def _absent_item(one: Known) -> Item:
    # no address: that it bears none tonight is known already
    return Item(one.resource_id, one.title, one.text, night=_ABSENT, type=one.type, known_as=one.resource_id)
