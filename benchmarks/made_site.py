"""A made-up site as a Drupal shows it: listings of ten resources each, the resources' own pages, a robots.txt.

Nothing is fetched or read; the same count gives the same pages. A page has 20 to 40 kB: what a theme prints around any
page, and passages of made-up French. Sentences come out of one pool, and none stands twice on a page, so that a page
by itself, which is what a gzip member holds, compresses about as a real one does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.made_texts import Maker

A_LISTING = 10  # resources that a page of a listing shows
ROBOTS = b"User-agent: *\nDisallow: /admin/\nDisallow: /user/\nDisallow: /search/\nAllow: /core/*.css$\n"
_POOL = 4_000
_TYPES = ("Guide", "Fiche", "Vidéo", "Article", "Compte rendu", "Note")
_MENU_LINKS = 60


def paths(count: int) -> list[str]:
    """The addresses of a site of so many pages, listings first, as a crawl meets them."""
    listings = -(-count // (A_LISTING + 1))
    return [
        *("/centre" if number == 0 else f"/centre?page={number}" for number in range(listings)),
        *(f"/ressource/{number:05}" for number in range(count - listings)),
    ]


def make_site(count: int) -> dict[str, bytes]:
    """Pages by address, robots.txt among them."""
    maker = Maker(7, 2_000)
    pool = [maker.sentence() for _ in range(_POOL)]
    resources = [path for path in paths(count) if path.startswith("/r")]
    listings = [path for path in paths(count) if path.startswith("/c")]
    site = {"/robots.txt": ROBOTS}
    for number, path in enumerate(listings):
        draw = Draw(pool, f"listing {number}")
        shown = resources[number * A_LISTING : (number + 1) * A_LISTING]
        pager = f'<li class="pager__item--next"><a rel="next" href="?page={number + 1}">Page suivante</a></li>'
        more = f'<nav class="pager"><ul>{pager}</ul></nav>' if number + 1 < len(listings) else ""
        body = "".join(_teaser(draw, path) for path in shown)
        site[path] = _page("Centre de ressources", f"<h1>Centre de ressources</h1>{body}{more}")
    for number, path in enumerate(resources):
        draw = Draw(pool, f"resource {number}")
        site[path] = _page(f"Ressource {number}", _own(draw, f"Ressource {number}"))
    return site


class Draw:
    """Takes sentences out of the pool, each once for one page."""

    def __init__(self, pool: list[str], page: str) -> None:
        self._chance = random.Random(page)  # noqa: S311 - texts, not secrets
        self._left: Iterator[str] = iter(self._chance.sample(pool, 400))

    def number(self, least: int, most: int) -> int:
        """A number, both ends possible."""
        return self._chance.randint(least, most)

    def type(self) -> str:
        """The type of a resource."""
        return self._chance.choice(_TYPES)

    def passage(self, chars: int) -> str:
        """A passage of about so many characters."""
        said, length = [], 0
        while length < chars:
            said.append(next(self._left))
            length += len(said[-1]) + 1
        return "".join(("<p>", " ".join(said), "</p>"))


def _teaser(draw: Draw, path: str) -> str:
    title = f"Ressource {int(path[-5:])}"
    return (
        f'<article role="article" class="node node--type-ressource node--view-mode-teaser"><h2 class="node__title">'
        f'<a href="{path}" rel="bookmark"><span class="field field--name-title">{title}</span></a></h2>'
        f'<div class="node__content">{_fields(draw, draw.number(500, 1100))}</div></article>'
    )


def _own(draw: Draw, title: str) -> str:
    more = "".join(draw.passage(700) for _ in range(draw.number(4, 24)))
    return (
        f'<h1><span class="field field--name-title">{title}</span></h1><article role="article" class="node '
        'node--type-ressource node--view-mode-full"><div class="node__content">'
        f"{_fields(draw, 900, more)}</div></article>"
    )


def _fields(draw: Draw, chars: int, more: str = "") -> str:
    given = {"Type de ressource": draw.type(), "Ressource privée": ("Oui", "Non")[draw.number(0, 1)]}
    said = "".join(
        f'<div class="field field--label-inline clearfix"><div class="field__label">{label}</div>'
        f'<div class="field__item">{value}</div></div>'
        for label, value in given.items()
    )
    return (
        f'{said}<div class="clearfix text-formatted field field--name-body">{draw.passage(chars)}{more}</div>'
        f'<div class="field field--label-above"><div class="field__label">Résumé</div><div class="field__item">'
        f"{draw.passage(400)}</div></div>"
    )


def _page(title: str, body: str) -> bytes:
    return (
        f'<!DOCTYPE html>\n<html lang="fr" dir="ltr"><head><meta charset="utf-8" /><title>{title} | Centre</title>'
        f'{_HEAD}</head><body class="path-node page-node-type-ressource"><header role="banner">{_MENU}</header>'
        f'<main role="main">{body}</main><footer role="contentinfo">{_MENU}</footer></body></html>\n'
    ).encode()


_HEAD = "".join(
    f'<link rel="stylesheet" media="all" href="/core/themes/stable/css/part-{part:02}.css?{part * 7919:x}" />\n'
    for part in range(24)
)
_MENU = (
    '<nav role="navigation" class="block block-menu navigation"><ul class="menu">'
    + "".join(
        f'<li class="menu-item menu-item--collapsed"><a href="/rubrique/{link * 131 % 997}" '
        f'data-drupal-link-system-path="taxonomy/term/{link}">Rubrique {link}</a></li>\n'
        for link in range(_MENU_LINKS)
    )
    + "</ul></nav>"
)
