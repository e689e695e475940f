"""What tonight's groups were before, by their address, and by their words where they say them to the letter.

A node number alone is no evidence: a migration renumbers, an address is given to something else. What says title, type
and text of one known resource, and is alone in doing so, is that resource wherever it stands; the address where that
stood before tells nothing of it then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from dedup.grouping import Group
from dedup.known import Known
from dedup.likeness import is_another, is_another_after_absence, is_another_led_to
from dedup.verbatim import Verbatim

_SEEN_EMPTY = ("not_found", "gone")


@dataclass(frozen=True, slots=True)
class Addressed:
    """What addresses and exact words tell of tonight's groups, by key of the group.

    known_as: the resource. part_of: where that one is several that became one, which of them. alike: keys of
    several groups that are one resource by this and say the same to the letter.
    """

    known_as: Mapping[str, str]
    part_of: Mapping[str, str]
    alike: tuple[tuple[str, ...], ...] = ()


def know_by_address(groups: Sequence[Group], known: Sequence[Known], joined: Collection[str] = ()) -> Addressed:
    """What the groups are whose address was known, or that say to the letter what one resource said.

    joined are resources that a person called the same as another: of those, an address says what it said before, though
    the row tells the words of another of its parts. An address that was given to something else since tells nothing.

    An address that leads elsewhere tells only where the one it leads to was not known itself.
    """
    owners: dict[str, list[Known]] = {}
    for one in sorted(known, key=lambda k: (k.is_merged, *k.seniority)):
        for name in one.known_by:
            owners.setdefault(name, []).append(one)
    words = Verbatim(groups, known)
    moved = words.moved()
    elsewhere = {part for _, part in moved.values()}
    known_as = {key: name for key, (name, _) in moved.items()}
    part_of = {key: part for key, (_, part) in moved.items()}
    for group in groups:
        for one in owners.get(group.key, ()) if group.key not in known_as else ():
            part = _told(one, group, group.key, elsewhere, is_joined=one.resource_id in joined)
            if part is not None:
                known_as[group.key], part_of[group.key] = one.resource_id, part.resource_id
                break
    taken = {*known_as.values(), *part_of.values()}
    for group in groups:
        led = [(name, one) for name in group.aliases for one in owners.get(name, ()) if not one.is_merged]
        told = [(one, _led(one, group, name, joined)) for name, one in led]
        free = [(one, part) for one, part in told if part is not None and part.resource_id not in taken]
        if group.key not in known_as and free:
            one, part = min(free, key=lambda both: both[0].seniority)
            known_as[group.key], part_of[group.key] = one.resource_id, part.resource_id
    copied = words.copied(known_as)
    known_as |= {key: name for key, (name, _) in copied.items()}
    part_of |= {key: part for key, (_, part) in copied.items()}
    return Addressed(known_as, part_of, words.alike(known_as))


def _told(one: Known, group: Group, name: str, elsewhere: Collection[str], *, is_joined: bool) -> Known | None:
    """Which part of what goes by the address of a group the group is; None where it is another thing by now."""
    going = [part for part in one.parts_at(name) or [one] if part.resource_id not in elsewhere]
    if not going:
        return None
    if is_joined:
        return next((part for part in going if _is_still(part, group, name)), None)
    return going[0] if _is_still(one, group, name) else None


def _led(one: Known, group: Group, name: str, joined: Collection[str]) -> Known | None:
    """The same of an address that leads to that of a group."""
    part = one.parts_at(name)[0] if one.parts and one.resource_id in joined else one
    is_unseen = part.is_away or part.state in _SEEN_EMPTY
    return part if _is_same(part, group, is_another_after_absence if is_unseen else is_another_led_to) else None


def _is_still(one: Known, group: Group, name: str) -> bool:
    """Whether what an address shows tonight is what was known by it, and where that was last found."""
    is_unseen = one.url not in (None, name) or one.is_away or one.state in _SEEN_EMPTY
    return _is_same(one, group, is_another_after_absence if is_unseen else is_another)


def _is_same(one: Known, group: Group, is_changed: Callable[[str, str, str, str], bool]) -> bool:
    return not is_changed(one.title, one.telling, group.best.title, group.telling)
