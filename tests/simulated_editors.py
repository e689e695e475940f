"""What the editors of the simulated site do of a night, and what the truth is after it.

Each event is a function of the site that says whether it found something to do. What is edited, moved or closed keeps
its uid; what is new, or becomes another thing, has one of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulated_site import TYPES, Node, Site, Status

Event = Callable[[Site], bool]


def _pick(site: Site, status: Status = "live", *, copies: int = 1) -> Node | None:
    """A page that may be touched, of a resource that stands on so many."""
    entered: dict[int, int] = {}
    for node in site.nodes:
        entered[node.uid] = entered.get(node.uid, 0) + (node.status != "deleted")
    open_to = [
        node
        for node in site.nodes
        if node.status == status and entered[node.uid] == copies and not site.is_resting(node)
    ]
    return site.chance.choice(open_to) if open_to else None


def _move(site: Site, node: Node, title: str, *, is_told: bool) -> None:
    """Give a page the address of a title; the old one leads there, or is not found."""
    before, node.address = node.address, ""
    node.address = site.free_address(title)
    site.redirects.pop(node.address, None)
    if is_told and node.address != before:
        site.redirects[before] = node
    elif node.address != before:
        site.closed.pop(before, None)
        site.unseen.add(before)
    site.rest(node)


def _close(site: Site, node: Node) -> None:
    """Delete a page."""
    node.status, node.ends = "deleted", site.chance.choice((404, 404, 410))
    site.closed[node.address] = node.ends
    site.unseen.add(node.address)


# --- one resource ---------------------------------------------------------------------------------------------------


def edit(site: Site) -> bool:
    """A word of the text becomes another."""
    node = _pick(site)
    if node:
        node.body = site.words.edited(node.body)
        site.rest(node)
    return node is not None


def lengthen(site: Site) -> bool:
    """One sentence more."""
    node = _pick(site)
    if node:
        node.body = site.words.lengthened(node.body)
        site.rest(node)
    return node is not None


def retitle(site: Site) -> bool:
    """Another title; the address stays, or follows and the old one leads there."""
    node = _pick(site)
    if node:
        node.title = site.chance.choice((site.words.reworded(node.title), site.words.title()))
        if site.chance.random() < 0.5:
            _move(site, node, node.title, is_told=True)
        site.rest(node)
    return node is not None


def move(site: Site) -> bool:
    """Another address; the old one leads there, or is not found."""
    node = _pick(site)
    if node:
        _move(site, node, f"{site.words.some(1)[0]} {node.title}", is_told=site.chance.random() < 0.5)
    return node is not None


def rewrite(site: Site) -> bool:
    """Title, address and a word of the text at once, without a trace but the node number, where there is one.

    Without one the title stays: whether another title is another resource is for the text to say, on another night.
    """
    node = _pick(site)
    if node:
        node.title = site.words.title() if site.has_shortlinks else node.title
        node.body = site.words.edited(node.body)
        _move(site, node, f"{site.words.some(1)[0]} {node.title}", is_told=False)
    return node is not None


def retype(site: Site) -> bool:
    """Another type."""
    node = _pick(site)
    if node:
        node.type = site.chance.choice([kind for kind in TYPES if kind != node.type])
        site.rest(node)
    return node is not None


def toggle_privacy(site: Site) -> bool:
    """Private becomes public, public private: the body hides or shows."""
    node = _pick(site)
    if node:
        node.is_private = not node.is_private
        site.rest(node)
    return node is not None


def change_themes(site: Site) -> bool:
    """On one listing more or less; on none it is unlisted, and comes back."""
    node = _pick(site)
    if node:
        node.themes ^= {site.chance.choice(site.themes)}
        site.rest(node)
    return node is not None


def unlist(site: Site) -> bool:
    """On no listing any more."""
    node = _pick(site)
    if node:
        node.themes = set()
        site.rest(node)
    return node is not None


def delete(site: Site) -> bool:
    """A resource goes."""
    node = _pick(site)
    if node:
        _close(site, node)
    return node is not None


def recreate(site: Site) -> bool:
    """What was deleted comes back with the same words, on a page of its own."""
    gone = _deleted(site)
    if not gone:
        return False
    old = site.chance.choice(gone)
    number = site.new_number()
    node = replace(old, number=number, status="live", address=site.free_address(old.title), body=list(old.body))
    node.themes = set(node.themes) or {site.themes[0]}
    site.nodes.remove(old)
    site.nodes.append(node)
    site.redirects.pop(node.address, None)
    site.rest(node)
    return True


def _deleted(site: Site) -> list[Node]:
    """The last pages of resources that are gone, their end seen by all, their title not in use."""
    here = {node.uid for node in site.nodes if node.status != "deleted"}
    titles = {node.title for node in site.nodes if node.status != "deleted" or node.address in site.unseen}
    gone = {node.uid: node for node in site.nodes if node.status == "deleted" and node.uid not in here}
    return [node for node in gone.values() if node.address not in site.unseen and node.title not in titles]


def unpublish(site: Site) -> bool:
    """A page says that it is forbidden."""
    node = _pick(site)
    if node:
        node.status = "forbidden"
    return node is not None


def republish(site: Site) -> bool:
    """It may be read again."""
    node = _pick(site, "forbidden")
    if node:
        node.status = "live"
        site.rest(node)
    return node is not None


# --- several --------------------------------------------------------------------------------------------------------


def enter_new(site: Site) -> bool:
    """A new resource."""
    site.enter(site.new_uid(), site.words.title(), site.words.text())
    return True


def enter_twice(site: Site) -> bool:
    """A resource is entered once more, with the same words or a sentence more."""
    node = _pick(site)
    if node is None:
        return False
    body = list(node.body) if site.chance.random() < 0.5 else site.words.lengthened(node.body)
    copy = site.enter(node.uid, node.title, body)
    copy.type, copy.is_private, copy.shown = node.type, node.is_private, node.shown
    site.rest(node)
    return True


def delete_copy(site: Site) -> bool:
    """One of two pages of a resource goes."""
    node = _pick(site, copies=2)
    if node and all(not site.is_resting(other) for other in site.copies(node.uid)):
        _close(site, node)
        return True
    return False


def part_copies(site: Site) -> bool:
    """One of two pages of a resource becomes another resource: another title and text at the address that it has."""
    node = _pick(site, copies=2)
    if node is None or any(site.is_resting(other) for other in site.copies(node.uid)):
        return False
    node.uid = site.new_uid(parent=node.uid)
    node.title, node.body = site.words.title(), site.words.text()
    node.shown = len(node.body)
    site.rest(node)
    return True


def join(site: Site) -> bool:
    """Two resources are made one: the page of one leads to the other's, or is deleted."""
    kept, gone = _pick(site), _pick(site)
    if kept is None or gone is None or kept is gone:
        return False
    _close(site, gone)
    if site.chance.random() < 0.7:
        site.redirects[gone.address] = kept
    site.rest(kept)
    return True


def reuse_title(site: Site) -> bool:
    """A new resource with the title, and mostly the address, of one that was deleted."""
    gone = _deleted(site)
    if gone:
        site.enter(site.new_uid(), site.chance.choice(gone).title, site.words.text())
    return bool(gone)


def reuse_address(site: Site) -> bool:
    """A new resource, nothing alike, at the address of one that is gone or moved, or goes this very night."""
    node = _pick(site)
    if node is None:
        return False
    address = node.address
    if site.chance.random() < 0.5:
        _close(site, node)
    else:
        _move(site, node, f"{site.words.some(1)[0]} {node.title}", is_told=False)
    site.enter(site.new_uid(), site.words.title(), site.words.text(), address)
    site.unseen.discard(address)
    return True


def enter_look_alike(site: Site) -> bool:
    """A new one that differs in a number, a year or a place; the older one stays or goes the same night."""
    node = _pick(site)
    title = site.words.look_alike(node.title) if node else None
    if node is None or title is None or title in {other.title for other in site.nodes}:
        return False
    site.enter(site.new_uid(), title, [*site.words.text()[:3], node.body[0]])
    if site.chance.random() < 0.5:
        _close(site, node)
    else:
        site.rest(node)
    return True


def renumber(site: Site) -> bool:
    """A migration gives a tenth of the pages the node numbers of others."""
    moved = [node for node in site.nodes if node.status == "live" and not site.is_resting(node)]
    moved = site.chance.sample(moved, len(moved) // 10)
    numbers = [node.number for node in moved]
    for node, number in zip(moved, numbers[1:] + numbers[:1], strict=True):
        node.number = number
        site.rest(node)
    return len(moved) > 1


# how often each happens, against the others
EVENTS: dict[Event, int] = {
    edit: 8, lengthen: 5, retitle: 6, move: 6, rewrite: 5, retype: 3, toggle_privacy: 6, change_themes: 4, unlist: 3,
    delete: 6, recreate: 6, unpublish: 4, republish: 4, enter_new: 4, enter_twice: 5, delete_copy: 3, part_copies: 3,
    join: 3, reuse_title: 4, reuse_address: 4, enter_look_alike: 5, renumber: 1,
}  # fmt: skip


def work(site: Site, count: int) -> list[str]:
    """Let the editors do so many things; their names."""
    wanted = site.chance.choices(list(EVENTS), weights=list(EVENTS.values()), k=count)
    return [event.__name__ for event in wanted if event(site)]
