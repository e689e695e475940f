"""The sample site in the clothes of other themes: its resources, and odder ones, as Drupal 7 and Drupal 10 show them.

Each shape is put together from what the templates of a theme print: page, pager, node, field. A body is written as
editors leave it, with the same words and other tags each time. Everything is settled by the address of a resource and
the name of the shape: no chance, no clock.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HERE = Path(__file__).parent
HOST = "https://rtes.example"
A_PAGE = 10
LABELS = {"type": "Type de ressource", "private": "Ressource privée", "summary": "Résumé"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource as entered; a section is its passages, each with the kind of its element; html where it is fixed."""

    ident: str
    url: str
    title: str
    type: str
    is_private: bool
    themes: tuple[str, ...]
    body: tuple[tuple[str, str], ...] = ()
    summary: tuple[tuple[str, str], ...] = ()
    body_html: str | None = None
    summary_html: str | None = None
    hidden: tuple[str, ...] = ()
    group: str | None = None

    @property
    def path(self) -> str:
        return self.url.removeprefix(HOST)


# --- what was entered -------------------------------------------------------------------------------------------------


def sample_entries(night: str = "night1") -> list[Entry]:
    """The published resources of a night of the sample site."""
    entered = json.loads((HERE / "truth" / "sample.json").read_text(encoding="utf-8"))[night]
    kinds = json.loads((HERE / "truth" / "sample-kinds.json").read_text(encoding="utf-8"))[night]
    none: dict[str, list[str]] = {"body": [], "summary": []}

    def section(row: dict[str, Any], name: str) -> tuple[tuple[str, str], ...]:
        return tuple(zip(kinds.get(row["id"], none)[name], row[name], strict=True))

    return [
        Entry(
            row["id"], row["url"], row["title"], row["type"], row["private"], tuple(row["themes"]),
            section(row, "body"), section(row, "summary"), hidden=tuple(row["hidden_body"]),
            group=row["duplicate_group"],
        )
        for row in entered
        if row["published"]
    ]  # fmt: skip


def _texts(*texts: str) -> tuple[tuple[str, str], ...]:
    return tuple(("p", text) for text in texts)


def odd_entries() -> list[Entry]:
    """Resources whose markup is the point: what editors paste, and words that look like the page's own."""
    theme = ("Mobilités solidaires",)

    def entry(ident: str, title: str, **more: Any) -> Entry:
        base = Entry(ident, f"{HOST}/essai-{ident}", title, "Documents", is_private=False, themes=theme)
        return replace(base, **more)

    return [
        entry(
            "o1", "Essai 🚲 <balise> & esperluette &amp; « guillemets »",
            body=_texts("Si 3 < 5 & 7 > 2, alors… 🎉", "Un sous-titre", "un", "un bis", "deux", "dernier paragraphe"),
            body_html="<p>Si 3 &lt; 5 &amp; 7 &gt; 2, alors&hellip; 🎉</p><p>&nbsp;</p><h2>Un sous-titre</h2>"
            "<ul><li>un<ul><li>un bis</li></ul></li><li><p>deux</p></li></ul><p>dernier<br />\nparagraphe</p><p></p>",
            summary=_texts("Six fois sept."), summary_html="Six fois sept.",
        ),
        entry(
            "o2", "Tableau, figure et citation",
            body=_texts("Prix", "Poste", "Montant", "Local", "1 200 €", "Une citation.", "L’auteure", "La légende"),
            body_html='<table border="1"><caption>Prix</caption><thead><tr><th>Poste</th><th>Montant</th></tr></thead>'
            "<tbody><tr><td><p>Local</p></td><td>1&nbsp;200&nbsp;€</td></tr></tbody></table>\n<blockquote><p>Une "
            "citation.</p><p>L’auteure</p></blockquote><figure role='group'><img src='/a.png' alt='Vue'>"
            "<figcaption>La légende</figcaption></figure>",
        ),
        entry(
            "o3", "Vidéo à revoir",
            body=_texts("Revoir la rencontre.", "La suite."),
            body_html='<p>Revoir la <a href="/revoir">rencontre</a>.</p><p><iframe src="https://www.youtube.com/embed/x"'
            ' width="560" title="Vidéo"></iframe></p><div class="media"><img src="/b.png" alt=""></div><p>La '
            'suite.</p>',
            summary=_texts("Revoir la rencontre."),
            summary_html='<div><span style="font-size:12px">Revoir la rencontre.</span></div>',
        ),
        entry(
            "o4", "Un seul lien pour tout corps",
            body=_texts("Télécharger le guide"),
            body_html='<p><a href="/sites/default/files/guide.pdf">Télécharger le guide</a></p>',
            summary=_texts("Le guide", "Sa version courte"),
            summary_html='<ul><li><a href="/g">Le guide</a></li><li><a href="/c">Sa version courte</a></li></ul>',
        ),
        entry(
            "o5", "Un corps qui s’ouvre par un titre",
            body=_texts("Le contexte", "Trois communes.", "Résumé", "Elles ont signé.", "Le 3 mai 2021, tout change."),
            body_html="<h2>Le contexte</h2><p>Trois communes.</p><h3>Résumé</h3><p>Elles ont signé.</p>"
            "<p>Le 3 mai 2021, tout change.</p>",
            summary=_texts("Le contexte", "Trois communes ont signé."),
            summary_html="<h3>Le contexte</h3><p>Trois communes ont signé.</p>",
        ),
        entry(
            "o6", "Un corps sans aucune balise", type="Ressources externes",
            body=_texts("Un texte saisi sans balise, du 12 mai 2020."),
            body_html="Un texte saisi sans balise, du 12 mai 2020.",
            summary=_texts("Un texte", "sur deux lignes"), summary_html="<p>Un texte</p>\n\n<p>sur deux lignes</p>",
        ),
        entry(
            "o7", "Publié le 4 mai 2020",
            body=_texts("Publié le 4 mai 2020 par la Ville, ce bilan tient en une page.", "Le bilan"),
            body_html="<p>Publié le 4 mai 2020 par la Ville, ce bilan tient en une page.</p><h4>Le bilan</h4>",
        ),
        entry(
            "o8", "Connectez-vous", is_private=True, type="Ressources adhérents",
            summary=_texts("Réservé aux adhérents.", "Connectez-vous"),
            summary_html='<p>Réservé aux adhérents.</p><p><a href="/user/login">Connectez-vous</a></p>',
        ),
        entry("o9", "Un titre, et rien d’autre", is_private=True, type="Ressources adhérents"),
    ]  # fmt: skip


# --- bodies as editors leave them -------------------------------------------------------------------------------------


def _paragraph(text: str, dice: random.Random) -> str:
    """A paragraph with the same words: whatever an editor or a text processor put around them."""
    words = escape(text, quote=dice.random() < 0.5)
    head, space, tail = words.partition(" ")
    spaced = words.replace(" :", "&nbsp;:").replace(" €", "&nbsp;€")
    return dice.choice(
        (
            f"<p>{words}</p>",
            f'<p><span style="font-size:11pt"><span lang="FR">{words}</span></span></p>',
            f'<p><a href="/sites/default/files/{crc32(text.encode())}.pdf" target="_blank">{words}</a></p>',
            f"<p><strong>{head}</strong>{space}{tail}</p>",
            f"<p>{head}<br />\n{tail}</p>" if space else f"<p>{words}<br /></p>",
            f"<div>{words}</div>",
            f"<blockquote><p>{words}</p></blockquote>",
            f"<p>{words}</p><p>&nbsp;</p>\n<p></p>",
            f'<p>{words}</p><p><iframe src="https://www.youtube.com/embed/a1" width="560" height="315"></iframe></p>',
            f"<p>{spaced}&nbsp;</p>",
            f"<p>{words}</p><!--break-->\n<p><img alt='' src='/sites/default/files/x.png' /></p>",
            f'<p class="MsoNormal" style="text-align:justify">{words}<o:p></o:p></p>',
            f"<p>{head}{'&nbsp;' if space else ''}{tail}</p>",
        )
    )


def _list(items: Sequence[str], dice: random.Random) -> str:
    tag, shown = dice.choice(("ul", "ol")), [escape(item) for item in items]
    style = dice.randrange(3)
    if style == 0 and len(shown) > 1:
        inner = "".join(f"<li>{item}</li>\n\t" for item in shown[1:])
        return f"<{tag}><li>{shown[0]}\n\t<ul>{inner}</ul></li></{tag}>"
    wrapped = [f"<p>{item}</p>" for item in shown] if style == 1 else shown
    return f"<{tag}>" + "".join(f"<li>{item}</li>\n\t" for item in wrapped) + f"</{tag}>"


def _table(cells: Sequence[str]) -> str:
    wide = 2 if len(cells) % 2 == 0 else 1
    rows = [cells[i : i + wide] for i in range(0, len(cells), wide)]
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table border="0" cellpadding="1"><tbody>{lines}</tbody></table>'


def rich(passages: Iterable[tuple[str, str]], dice: random.Random) -> str:
    """Passages as an editor's markup."""
    parts: list[str] = []
    for kind, group in groupby(passages, key=lambda passage: passage[0]):
        texts = [text for _, text in group]
        if kind == "li":
            parts.append(_list(texts, dice))
        elif kind == "cell":
            parts.append(_table(texts))
        elif kind == "caption":
            figure = (
                '<figure role="group" class="caption"><img src="/i.png" alt=""><figcaption>{}</figcaption></figure>'
            )
            parts += [figure.format(escape(text)) for text in texts]
        elif kind == "p":
            parts += [_paragraph(text, dice) for text in texts]
        else:
            parts += [f"<{kind}>{escape(text)}</{kind}>" for text in texts]
    return dice.choice(("\n", "\n\n", "")).join(parts)


def section_html(entry: Entry, name: str, shape: str) -> str:
    """The markup of a section, settled by address and shape."""
    fixed = entry.body_html if name == "body" else entry.summary_html
    if fixed is not None:
        return fixed
    passages = entry.body if name == "body" else entry.summary
    return rich(passages, random.Random(f"{entry.url} {name} {shape}"))  # noqa: S311


# --- fields -----------------------------------------------------------------------------------------------------------

# name, label (empty for none), value -> markup
Field = Callable[[str, str, str], str]


def d7_field(name: str, label: str, value: str, *, inline: bool = False) -> str:
    """theme_field() of Drupal 7."""
    kind = {"body": "text-with-summary", "summary": "text-long", "private": "list-boolean"}.get(name, "list-text")
    place = "hidden" if not label else "inline clearfix" if inline else "above"
    head = f'<div class="field-label">{label}:&nbsp;</div>' if label else ""
    rdf = ' property="content:encoded"' if name == "body" else ""
    return (
        f'<div class="field field-name-field-{name} field-type-{kind} field-label-{place}">{head}'
        f'<div class="field-items"><div class="field-item even"{rdf}>{value}</div></div></div>'
    )


def d7_bartik_field(name: str, label: str, value: str) -> str:
    """bartik_field__taxonomy_term_reference(): a term has its label in a heading and itself in a list."""
    if name != "type":
        return d7_field(name, label, value)
    return (
        f'<div class="field field-name-field-type field-type-taxonomy-term-reference field-label-above clearfix"><h3 '
        f'class="field-label">{label}: </h3><ul class="links"><li class="taxonomy-term-reference-0"><a href="/type/1" '
        f'typeof="skos:Concept" property="rdfs:label skos:prefLabel" datatype="">{value}</a></li></ul></div>'
    )


def d10_bartik_field(name: str, label: str, value: str) -> str:
    """field--taxonomy-term-reference.html.twig of Bartik 8 and later."""
    if name != "type":
        return d10_field(name, label, value)
    return (
        '\n<div class="field field--name-field-type field--type-entity-reference field--label-above clearfix">\n      '
        f"<h3 class=\"field__label\">{label}</h3>\n    <ul class='links field__items'>\n          <li><a "
        'href="/type/1" '
        f'hreflang="fr">{value}</a></li>\n      </ul>\n</div>\n'
    )


def layout_field(name: str, label: str, value: str) -> str:
    """A field in a block of its own, as the layout builder places it."""
    return (
        f'\n<div class="block block-layout-builder block-field-blocknode{name}">{d10_field(name, label, value)}</div>'
    )


def d10_field(name: str, label: str, value: str, *, inline: bool = False) -> str:
    """field.html.twig and field--text.html.twig of Classy, starterkit, Claro, Umami and Olivero."""
    text = "clearfix text-formatted " if name in ("body", "summary") else ""
    if not label:
        return (
            f'\n            <div class="{text}field field--name-{name} field--type-text-with-summary '
            f'field--label-hidden field__item">{value}</div>\n      '
        )
    place = "inline clearfix" if inline else "above"
    return (
        f'\n  <div class="{text}field field--name-field-{name} field--type-string field--label-{place}">\n'
        f'    <div class="field__label">{label}</div>\n              <div class="field__item">{value}</div>\n'
        "          </div>\n"
    )


def stark_field(name: str, label: str, value: str) -> str:
    """field.html.twig of the system module: no class at all."""
    if not label:
        return f"\n            <div>{value}</div>\n      "
    return f"\n  <div>\n    <div>{label}</div>\n              <div>{value}</div>\n          </div>\n"


def d7_views_field(name: str, label: str, value: str, *, label_tag: str = "span") -> str:
    """views-view-fields.tpl.php with the default markup."""
    tag = "div" if name in ("body", "summary") else "span"
    head = f'<{label_tag} class="views-label views-label-field-{name}">{label}: </{label_tag}>' if label else ""
    return (
        f'\n  <div class="views-field views-field-field-{name}">    {head}    '
        f'<{tag} class="field-content">{value}</{tag}>  </div>'
    )


def d10_views_field(name: str, label: str, value: str) -> str:
    """views-view-fields.html.twig."""
    head = f'<span class="views-label views-label-field-{name}">{label}: </span>' if label else ""
    return f'<div class="views-field views-field-field-{name}">{head}<div class="field-content">{value}</div></div>'


def line_field(name: str, label: str, value: str) -> str:
    """Label and value in one line, as sites rewrite a field by hand."""
    if not label:
        return f'<div class="texte">{value}</div>'
    if name == "summary":
        return f'<div class="resume"><p><strong>{label} :</strong></p>{value}</div>'
    return f'<p class="ligne"><strong>{label} :</strong> {value}</p>'


def span_field(name: str, label: str, value: str) -> str:
    """The same with spans, the colon outside the label."""
    if not label:
        return f'<div class="texte">{value}</div>'
    tag = "div" if name == "summary" else "span"
    return f'<div class="info"><span class="label">{label}</span>&nbsp;: <{tag}>{value}</{tag}></div>'


def heading_field(name: str, label: str, value: str) -> str:
    """A label as a small heading in a section."""
    if not label:
        return f'<div class="field field-body">{value}</div>'
    return f'<section class="field field-{name}"><h3 class="field-label">{label}&nbsp;</h3>{value}</section>'


# --- nodes ------------------------------------------------------------------------------------------------------------

# the entry, its fields, whether it stands on its own page -> markup
Node = Callable[..., str]

_READ_MORE = (
    '<li class="node-readmore first"><a href="{path}" rel="tag" title="{title}">Lire la suite<span '
    'class="element-invisible"> de {title}</span></a></li>\n'
)
_LOG_IN = (
    '<li class="comment_forbidden last"><span><a '
    'href="/user/login?destination=node/1%23comment-form">Connectez-vous</a> '
    "pour publier un commentaire</span></li>\n"
)
_D7_RDF = '<span property="dc:title" content="{title}" class="rdf-meta element-hidden"></span>'
_D7_BY = (
    '<span property="dc:date dc:created" content="2023-06-12T10:14:00+02:00" datatype="xsd:dateTime" '
    'rel="sioc:has_creator">Soumis par <span class="username" xml:lang="" about="/user/4" '
    'typeof="sioc:UserAccount" property="foaf:name">Claire Morvan</span> le lun, 12/06/2023 - 10:14</span>'
)
_D7_COMMENTS = (
    '<div id="comments" class="comment-wrapper"><h2 class="title comment-form">Ajouter un commentaire</h2><form '
    'class="comment-form" action="/comment/reply/1" method="post"><div><label>Votre nom</label><input type="text" '
    'name="name" /><label>Résumé</label><textarea name="b"></textarea></div></form></div>'
)
_D7_EDIT = (
    '<div class="contextual-links-wrapper"><ul class="contextual-links"><li class="node-edit first"><a '
    'href="/node/1/edit?destination=thematique/1">Modifier</a></li>\n<li class="node-delete last"><a '
    'href="/node/1/delete">'
    "Supprimer</a></li>\n</ul></div>"
)


def _fill(markup: str, entry: Entry) -> str:
    return markup.replace("{path}", entry.path).replace("{title}", escape(entry.title))


def _d7_links(entry: Entry, *, own: bool) -> str:
    """The links below a node: its own page does not invite to read on."""
    return _fill(f'<ul class="links inline">{"" if own else _READ_MORE}{_LOG_IN}</ul>', entry)


def _link(entry: Entry) -> str:
    return f'<a href="{entry.path}">{escape(entry.title)}</a>'


def d7_bartik(entry: Entry, content: str, *, own: bool, by: bool = True, edit: bool = False) -> str:
    """node.tpl.php of Bartik, with RDFa and the links of comments."""
    heading = "" if own else f'<h2 property="dc:title" datatype="">\n      {_link(entry)}\n    </h2>'
    meta = f'<div class="meta submitted">\n            {_D7_BY}    </div>' if by else ""
    links = f'<div class="link-wrapper">\n      {_d7_links(entry, own=own)}    </div>'
    return _fill(
        f'<div id="node-1" class="node node-ressource node-promoted clearfix" about="{{path}}" typeof="sioc:Item">\n\n'
        f"        {heading}\n    {_D7_RDF}{_D7_EDIT if edit else ''}\n      {meta}\n  \n"
        f'  <div class="content clearfix">\n    {content}  </div>\n\n      {links}\n  '
        f"{_D7_COMMENTS if own else ''}\n</div>",
        entry,
    )


def d7_garland(entry: Entry, content: str, *, own: bool) -> str:
    """node.tpl.php of Garland."""
    heading = "" if own else f"<h2>{_link(entry)}</h2>"
    return _fill(
        f'<div id="node-1" class="node node-ressource node-teaser">\n\n  \n      {heading}\n  \n'
        '      <span class="submitted">ven, 2021-04-02 18:05 &mdash; <span class="username">jardinier</span></span>\n'
        f'  \n  <div class="content clearfix">\n    {content}  </div>\n\n  <div class="clearfix">\n'
        f'          <div class="links">{_d7_links(entry, own=own)}</div>\n    \n    {_D7_COMMENTS if own else ""} '
        " </div>\n\n</div>",
        entry,
    )


def d7_default(entry: Entry, content: str, *, own: bool) -> str:
    """node.tpl.php of the node module, which Seven shows; links of the print and share modules."""
    heading = "" if own else f"<h2>{_link(entry)}</h2>"
    links = (
        '<ul class="links inline"><li class="print_html first"><a href="/print/1" rel="nofollow">Version imprimable</a>'
        '</li>\n<li class="service-links-facebook last"><a href="https://www.facebook.com/sharer.php?u=x">Partager</a>'
        "</li>\n</ul>"
    )
    by = '<div class="submitted">\n      Soumis par <span class="username">admin</span> le 12 juin 2023\n    </div>'
    return (
        f'<div id="node-1" class="node node-ressource clearfix">\n\n  \n      {heading}\n  \n      {by}\n  \n'
        f'  <div class="content">\n    {content}  </div>\n\n  {links}\n  {_D7_COMMENTS if own else ""}\n</div>'
    )


def d7_zen(entry: Entry, content: str, *, own: bool) -> str:
    """node.tpl.php of Zen: fields right below the article."""
    heading = "" if own else f'<h2 class="node__title node-title">{_link(entry)}</h2>'
    return _fill(
        f'<article class="node-1 node node-ressource view-mode-teaser clearfix" about="{{path}}">\n\n      <header>\n'
        f"                  {heading}\n        {_D7_RDF}\n"
        '              <p class="submitted">\n          Publié par <span class="username">Iris</span> le '
        '<time pubdate datetime="2020-05-04">4 mai 2020</time>        </p>\n          </header>\n  \n'
        f"  {content}\n  {_d7_links(entry, own=own)}\n  {_D7_COMMENTS if own else ''}\n</article>",
        entry,
    )


def d7_bootstrap(entry: Entry, content: str, *, own: bool) -> str:
    """node.tpl.php of Bootstrap 3: links in a footer."""
    heading = "" if own else f"<h2>{_link(entry)}</h2>"
    footer = "" if own else f"<footer>\n            {_d7_links(entry, own=own)}    </footer>"
    return _fill(
        f'<article id="node-1" class="node node-ressource clearfix" about="{{path}}">\n    <header>\n'
        f"            {heading}\n        {_D7_RDF}"
        '<span class="submitted">\n      <span class="glyphicon glyphicon-calendar"></span>\n      Soumis par '
        '<span class="username">Jo</span> le <time>12 juin 2023</time>    </span>\n      </header>\n'
        f"    {content}    {footer}\n    </article>",
        entry,
    )


def d7_views_row(entry: Entry, content: str, *, own: bool, tag: str = "span") -> str:
    """A row of fields of Views; the own page is a node of Bartik."""
    if own:
        return d7_bartik(entry, content, own=own)
    return (
        f'<div class="views-field views-field-title">        <{tag} class="field-content">{_link(entry)}</{tag}>'
        f'  </div>  {content}\n  <div class="views-field views-field-view-node">        <span class="field-content">'
        f'<a href="{entry.path}">Lire la suite</a></span>  </div>'
    )


def d7_display_suite(entry: Entry, content: str, *, own: bool) -> str:
    """ds-2col.tpl.php: what has no label on the right, the rest on the left, the title a field."""
    title = "" if own else d7_field("title", "", f"<h2>{_link(entry)}</h2>")
    body, _, fields = content.partition("<!--fields-->")
    return (
        f'<div class="ds-2col node node-ressource view-mode-teaser clearfix">\n  {title}\n'
        f'  <div class="group-left">{fields}  </div>\n\n  <div class="group-right">{body}  </div>\n</div>'
    )


def d7_field_group(entry: Entry, content: str, *, own: bool) -> str:
    """Labelled fields in a group with a heading of its own, the body before it."""
    body, _, fields = content.partition("<!--fields-->")
    group = f'<div class="group-infos field-group-div"><h3><span>Informations</span></h3>{fields}</div>'
    return d7_bartik(entry, body + group, own=own)


_D10_LINKS = (
    '  <div class="node__links">\n    <ul class="links inline"><li><a href="{path}" rel="tag" title="{title}" '
    'hreflang="fr">Lire la suite<span class="visually-hidden"> de {title}</span></a></li><li><a '
    'href="/user/login?destination=/liste%23comment-form">Connectez-vous</a> pour publier un commentaire</li></ul>'
    "  </div>\n"
)
_D10_COMMENTS = (
    '<section class="field field--name-comment comment-wrapper">\n      <h2 class="title comment-form__title">Ajouter '
    'un commentaire</h2>\n      <form class="comment-form" action="/comment/reply/node/1" method="post"><label>Résumé'
    "</label></form>\n</section>\n"
)
_D10_CONTEXT = '<div data-contextual-id="node:node=1:changed=1&amp;langcode=fr"></div>'


def _bookmark(entry: Entry) -> str:
    return (
        f'<a href="{entry.path}" rel="bookmark"><span class="field field--name-title field--type-string '
        f'field--label-hidden">{escape(entry.title)}</span>\n</a>'
    )


def d10_classy(entry: Entry, content: str, *, own: bool, by: bool = True, links: bool = True, after: str = "") -> str:
    """node.html.twig of Classy and of the themes made from it; links and comments stand among the fields."""
    heading = "" if own else f"<h2>\n      {_bookmark(entry)}\n    </h2>"
    meta = (
        '<footer class="node__meta">\n      <article class="profile">\n  <div class="field__item"><img src="/u.png" '
        'alt="Portrait"></div></article>\n      <div class="node__submitted">\n        Soumis par <span>Ana</span> le '
        "lun 12/06/2023 - 10:14\n        \n      </div>\n    </footer>"
    )
    more = (_D10_LINKS if links and not own else "") + (_D10_COMMENTS if own else "")
    return _fill(
        '<article data-history-node-id="1" about="{path}" class="node node--type-ressource node--view-mode-full">\n\n'
        f"  {_D10_CONTEXT}\n      {heading}\n    \n\n      {meta if by else ''}\n  \n"
        f'  <div class="node__content">\n    {content}{after}{more}  </div>\n\n</article>',
        entry,
    )


def d10_layout(entry: Entry, content: str, *, own: bool) -> str:
    """The layout builder's two columns: the body in the first, the labelled fields in the second."""
    body, _, fields = content.partition("<!--fields-->")
    columns = (
        f'<div class="layout layout--twocol-section"><div class="layout__region layout__region--first">{body}</div>'
        f'<div class="layout__region layout__region--second">{fields}</div></div>'
    )
    return d10_classy(entry, columns, own=own, by=False, links=False)


def d10_stark(entry: Entry, content: str, *, own: bool) -> str:
    """node.html.twig of the node module."""
    heading = (
        ""
        if own
        else f'<h2>\n      <a href="{entry.path}" rel="bookmark"><span>{escape(entry.title)}</span>\n</a></h2>'
    )
    return (
        f'<article data-history-node-id="1">\n\n      {heading}\n    \n\n      <footer>\n      <article>\n  '
        "</article>\n"
        "      <div>\n        Soumis par <span>Ana</span> le lun 12/06/2023 - 10:14\n        \n      </div>\n"
        f"    </footer>\n  \n  <div>\n    {content}  </div>\n\n</article>"
    )


def d10_olivero(entry: Entry, content: str, *, own: bool, by: bool = True) -> str:
    """node.html.twig of Olivero; comments below the content."""
    heading = "" if own else f'<h2 class="node__title">\n        {_bookmark(entry)}\n      </h2>'
    meta = (
        '<div class="node__meta">\n                <span>\n          Par <span class="node__author"><span>Paul</span>'
        '</span>, <time datetime="2024-02-05T14:00:00+01:00">5 février 2024</time>\n        </span>\n      </div>'
    )
    comments = f'<div id="comments" class="layout--content-medium">{_D10_COMMENTS}</div>' if own else ""
    return (
        '<article data-history-node-id="1" class="node node--type-ressource node--view-mode-default">\n'
        f'  <header class="layout--content-medium">\n    {heading}\n    {meta if by else ""}\n      </header>\n'
        f'  <div class="node__content layout--content-medium">\n    {content}  </div>\n{comments}</article>'
    )


def d10_olivero_teaser(entry: Entry, content: str, *, own: bool) -> str:
    """teaser.twig of Olivero: the line of author and date above the title."""
    if own:
        return d10_olivero(entry, content, own=own)
    return (
        '<article data-history-node-id="1" class="node node--type-ressource node--view-mode-teaser teaser">\n'
        '  <header>\n        \n    <div class="teaser__meta">\n                <div class="node__meta">\n        '
        "<span>\n"
        '          Par <span class="node__author"><span>Paul</span></span>, 5 février 2024\n        </span>\n'
        '      </div>\n      </div>\n    <div class="teaser__top">\n      <div class="teaser__image"></div>\n'
        f'            <h2 class="node__title teaser__title">\n        {_bookmark(entry)}\n      </h2>\n      </div>\n'
        f'  </header>\n  <div class="teaser__content">\n    {content}  </div>\n</article>'
    )


def d10_umami(entry: Entry, content: str, *, own: bool) -> str:
    """node.html.twig of Umami: on its own page the h1 stands inside."""
    heading = (
        f'<header class="node__header">\n        <h1 class="page-title">\n          {escape(entry.title)}\n       '
        " </h1>"
        "\n      </header>"
        if own
        else f"<h2>\n        {_bookmark(entry)}\n      </h2>"
    )
    return (
        '<article data-history-node-id="1" class="node node--type-ressource node--view-mode-full">\n\n'
        f'            {heading}\n      \n      <footer class="node__meta">\n      \n      <div '
        'class="node__submitted">\n'
        '        <span class="by-author">par Ana Roussel</span> 12 mai 2021\n        \n      </div>\n    </footer>\n'
        f'  \n  <div class="node__content">\n    {content}{_D10_COMMENTS if own else ""}  </div>\n\n</article>'
    )


def d10_barrio(entry: Entry, content: str, *, own: bool) -> str:
    """node.html.twig of Bootstrap Barrio."""
    heading = "" if own else f'<h2 class="node__title">\n        {_bookmark(entry)}\n      </h2>'
    return (
        '<article data-history-node-id="1" class="node node--type-ressource node--view-mode-teaser clearfix">\n'
        f'  <header>\n    \n          {heading}\n        \n          <div class="node__meta">\n        \n'
        "                  <em>\n            Soumis par <span>Ana</span> le lun 12/06/2023 - 10:14\n          </em>\n"
        f'                \n      </div>\n      </header>\n  <div class="node__content clearfix">\n    {content}  '
        "</div>\n"
        "</article>"
    )


def d10_about(entry: Entry, content: str, *, own: bool, tag: str = "h3") -> str:
    """A title that is no link: the address stands in `about`."""
    heading = "" if own else f'<{tag} class="titre">{escape(entry.title)}</{tag}>'
    return f'<article about="{entry.path}" class="node node--type-ressource">{heading}<div>{content}</div></article>'


def d10_title_field(entry: Entry, content: str, *, own: bool) -> str:
    """The title as a field among the others, no heading; the fields in a box of their own."""
    title = "" if own else f'<div class="field field--name-title">{_link(entry)}</div>'
    return (
        f'<div class="node node--type-ressource">{title}<div class="vignette"><a href="{entry.path}"><img src="/x.png" '
        f'alt=""></a></div><div class="contenu">{content}</div></div>'
    )


def d10_views_row(entry: Entry, content: str, *, own: bool) -> str:
    """views-view-fields.html.twig; the own page is a node of Classy."""
    if own:
        return d10_classy(entry, content, own=own)
    return (
        f'<div class="views-field views-field-title"><span class="field-content"><a href="{entry.path}" hreflang="fr">'
        f"{escape(entry.title)}</a></span></div>{content}"
    )


def dsfr_card(entry: Entry, content: str, *, own: bool) -> str:
    """A card of the French state's design system."""
    if own:
        return f'<div class="fr-col-12"><div class="ressource">{content}</div></div>'
    return (
        '<div class="fr-card fr-card--horizontal fr-enlarge-link">\n  <div class="fr-card__body">\n    '
        f'<div class="fr-card__content">\n      <h3 class="fr-card__title">\n        {_link(entry)}\n      </h3>\n'
        f'      <div class="fr-card__desc">{content}</div>\n      <div class="fr-card__start">\n        '
        '<p class="fr-card__detail fr-icon-calendar-line">Publié le 12 juin 2023</p>\n      </div>\n    </div>\n'
        '    <div class="fr-card__footer"><ul class="fr-links-group"><li><a class="fr-link" '
        f'href="{entry.path}">Lire la '
        "suite</a></li></ul></div>\n  </div>\n</div>"
    )


# --- pagers -----------------------------------------------------------------------------------------------------------

# address of the listing, page from 0, number of pages -> markup
Pager = Callable[[str, int, int], str]


def d7_pager(path: str, page: int, count: int) -> str:
    """theme_pager() of Drupal 7: whole addresses, no rel."""
    if count < 2:
        return ""
    at = [path if n == 0 else f"{path}?page={n}" for n in range(count)]
    items = []
    if page:
        items.append(
            f'<li class="pager-first first"><a title="Aller à la première page" href="{at[0]}">« premier</a></li>'
        )
        items.append(f'<li class="pager-previous"><a href="{at[page - 1]}">‹ précédent</a></li>')
    items += [
        f'<li class="pager-current">{n + 1}</li>'
        if n == page
        else f'<li class="pager-item"><a title="Aller à la page {n + 1}" href="{at[n]}">{n + 1}</a></li>'
        for n in range(count)
    ]
    if page + 1 < count:
        items.append(f'<li class="pager-next"><a title="Page suivante" href="{at[page + 1]}">suivant ›</a></li>')
        items.append(f'<li class="pager-last last"><a href="{at[-1]}">dernier »</a></li>')
    listed = "\n".join(items)
    return f'<h2 class="element-invisible">Pages</h2><div class="item-list"><ul class="pager">{listed}</ul></div>'


def d10_pager(path: str, page: int, count: int, *, heading: str = "h4") -> str:
    """pager.html.twig: addresses that are only a query."""
    if count < 2:
        return ""
    items = [
        f'<li class="pager__item{" is-active" if n == page else ""}">\n          <a href="?page={n}" title="Page '
        f'{n + 1}">'
        f'\n            <span class="visually-hidden">\n              Page\n            </span>{n + 1}</a>\n      '
        "  </li>"
        for n in range(count)
    ]
    if page:
        items.insert(0, '<li><a href="?page=0" title="Aller à la première page"><span>« Premier</span></a></li>')
        items.insert(
            1, f'<li><a href="?page={page - 1}" rel="prev"><span aria-hidden="true">‹ Précédent</span></a></li>'
        )
    if page + 1 < count:
        items.append(f'<li><a href="?page={page + 1}" rel="next"><span aria-hidden="true">Suivant ›</span></a></li>')
        items.append(f'<li><a href="?page={count - 1}"><span aria-hidden="true">Dernier »</span></a></li>')
    return (
        '<nav class="pager" role="navigation" aria-labelledby="pagination-heading">\n'
        f'    <{heading} id="pagination-heading" class="visually-hidden">Pagination</{heading}>\n'
        f'    <ul class="pager__items js-pager__items">\n{"".join(items)}</ul>\n  </nav>'
    )


def mini_pager(path: str, page: int, count: int) -> str:
    """views-mini-pager: no page numbers, only the next and the previous."""
    before = f'<li><a href="?page={page - 1}" rel="prev"><span>‹‹</span></a></li>' if page else ""
    after = f'<li><a href="?page={page + 1}" rel="next"><span>››</span></a></li>' if page + 1 < count else ""
    return f'<nav role="navigation"><h4>Pagination</h4><ul>{before}<li>Page {page + 1}</li>{after}</ul></nav>'


def dsfr_pager(path: str, page: int, count: int) -> str:
    """fr-pagination."""
    items = [
        f'<li><a class="fr-pagination__link" {"aria-current=page" if n == page else f"href=?page={n}"}>{n + 1}</a></li>'
        for n in range(count)
    ]
    return f'<nav role="navigation" class="fr-pagination"><ul class="fr-pagination__list">{"".join(items)}</ul></nav>'


# --- pages ------------------------------------------------------------------------------------------------------------

# heading, content, titles of the sidebar -> markup of the page's body
Frame = Callable[[str, str, Sequence[Entry]], str]

_LOGIN = (
    '<form action="/node?destination=node" method="post" id="user-login-form"><div><label>Nom d\'utilisateur</label>'
    '<input type="text" name="name" /><label>Mot de passe</label><input type="password" name="pass" /><ul><li><a '
    'href="/user/password">Demander un nouveau mot de passe</a></li></ul><input type="hidden" name="form_build_id" '
    'value="form-Qp3" /><input type="submit" value="Se connecter" /></div></form>'
)
_SEARCH = (
    '<form action="/recherche" method="get"><label for="t">Type de ressource</label><select id="t"><option>Documents'
    '</option></select><label for="p">Ressource privée</label><select id="p"><option>Oui</option></select></form>'
)


def _recent(entries: Sequence[Entry]) -> str:
    return "".join(
        f'<li class="views-row"><span class="views-field"><a href="{e.path}">{escape(e.title)}</a></span> '
        "<em>il y a 4 heures</em></li>"
        for e in entries
    )


def _facets(heading: str = "h2") -> str:
    """The boxes of a faceted search: headed by the words of the labels, and no record."""
    return (
        f'<div class="block block-facetapi"><{heading}>Type de ressource</{heading}><div class="content"><ul><li><a '
        'href="/liste?f=1">Documents (12)</a></li><li><a href="/liste?f=2">Ressources RTES '
        "(9)</a></li></ul></div></div>"
        f'<div class="block block-facetapi"><{heading}>Ressource privée</{heading}><div class="content"><ul><li><a '
        'href="/liste?f=3">Non (20)</a></li></ul></div></div>'
    )


def d7_frame(
    heading: str, content: str, recent: Sequence[Entry], *, name_h1: bool = False, sidebar_last: bool = False,
    facets: bool = False,
) -> str:  # fmt: skip
    """page.tpl.php as Bartik, Garland and Zen have it, but for the wrappers."""
    tag = "h1" if name_h1 else "div"
    sidebar = (
        '<div id="sidebar-first" class="column sidebar"><div class="section"><div class="region region-sidebar-first">'
        f'{_facets() if facets else ""}<div class="block block-views"><h2>Dernières ressources</h2><div '
        'class="content">'
        f'<div class="item-list"><ul>{_recent(recent)}</ul></div></div></div><div class="block '
        'block-user"><h2>Connexion '
        f'utilisateur</h2><div class="content">{_LOGIN}</div></div></div></div></div>'
    )
    return (
        '<div id="skip-link"><a href="#main-content">Aller au contenu principal</a></div><div id="page"><div '
        'id="header">'
        f'<{tag} id="site-name"><a href="/" rel="home"><span>Réseau</span></a></{tag}><div '
        f'class="region">{_SEARCH}</div>'
        '</div><div id="main" class="clearfix"><div id="breadcrumb"><h2 class="element-invisible">Vous êtes '
        "ici</h2><div "
        f'class="breadcrumb"><a href="/">Accueil</a></div></div>{"" if sidebar_last else sidebar}<div id="content" '
        f'class="column"><div class="section"><a id="main-content"></a>\n        <h1 class="title" id="page-title">\n'
        f'          {heading}        </h1>\n<div class="tabs"></div><div class="region region-content"><div '
        f'id="block-system-main" class="block block-system"><div class="content">{content}</div></div></div><a '
        f'href="/taxonomy/term/9/feed" class="feed-icon"><img src="/misc/feed.png" alt="S\'abonner" /></a></div></div>'
        f'{sidebar if sidebar_last else ""}</div><div id="footer"><div class="region region-footer"><span>Propulsé par '
        '<a href="http://drupal.org">Drupal</a></span></div></div></div>'
    )


def d10_frame(
    heading: str, content: str, recent: Sequence[Entry], *, facets: bool = False, in_main: bool = False
) -> str:
    """page.html.twig of Classy and Olivero: sidebar in an aside."""
    h1 = f'<h1 class="page-title">{heading}</h1>' if heading else ""
    return (
        '<a href="#main-content" class="visually-hidden focusable skip-link">Aller au contenu principal</a><div '
        'class="dialog-off-canvas-main-canvas" data-off-canvas-main-canvas><div class="layout-container"><header '
        f'role="banner"><div class="site-name"><a href="/" rel="home">Réseau</a></div>{_SEARCH}</header><nav><h2 '
        'class="visually-hidden">Navigation principale</h2><ul class="menu"><li><a href="/">Accueil</a></li></ul></nav>'
        '<main role="main"><a id="main-content" tabindex="-1"></a><div class="layout-content"><div class="region '
        f'region-content"><div data-drupal-messages-fallback class="hidden"></div><div class="block">{h1}</div><div '
        f'id="block-content" class="block block-system">{content}</div>{_facets("h3") if in_main else ""}</div></div>'
        '<aside class="layout-sidebar-first" role="complementary"><div '
        f'class="region">{_facets() if facets else ""}<div '
        f'class="block"><h2>Dernières ressources</h2><ul>{_recent(recent)}</ul></div><div '
        'class="block"><h2>Connexion</h2>'
        f'{_LOGIN}</div></div></aside></main><footer role="contentinfo"><span>Propulsé par <a '
        'href="https://drupal.org">'
        "Drupal</a></span></footer></div></div>"
    )


def stark_frame(heading: str, content: str, recent: Sequence[Entry]) -> str:
    """page.html.twig of the system module."""
    return (
        f'<a href="#main-content">Aller au contenu principal</a><div data-off-canvas-main-canvas><div><header '
        'role="banner"><div><a href="/" rel="home">Réseau</a></div></header><main role="main"><a '
        'id="main-content"></a>'
        f"<div><div><div><h1>{heading}</h1></div><div>{content}</div></div></div><aside><div><div><h2>Dernières "
        f"ressources</h2><ul>{_recent(recent)}</ul></div><div>{_LOGIN}</div></div></aside></main></div></div>"
    )


def view_rows(nodes: Sequence[str]) -> str:
    """A view of rows, the term's description above."""
    rows = "\n".join(f'    <div class="views-row">{node}</div>' for node in nodes)
    return (
        '<div class="views-element-container"><div class="view view-taxonomy-term js-view-dom-id-9f"><div class="view-'
        'header"><div class="taxonomy-term"><div class="content"><p>Toutes nos ressources sur ce thème.</p></div></div>'
        f'</div><div class="view-content">\n{rows}\n</div></div></div>'
    )


def plain_rows(nodes: Sequence[str]) -> str:
    """taxonomy_term_page() of Drupal 7: node after node."""
    return (
        '<div class="term-listing-heading"><div class="taxonomy-term"><div class="content"><p>Toutes nos '
        "ressources sur "
        f"ce thème.</p></div></div></div>{chr(10).join(nodes)}"
    )


def list_rows(nodes: Sequence[str]) -> str:
    """views-view-list."""
    return '<div class="item-list"><ul>' + "\n".join(f'<li class="views-row">{n}</li>' for n in nodes) + "</ul></div>"


# --- shapes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """What a theme prints, piece by piece.

    keeps tells which resources the site has, order how a node lays its fields, parts_body that the body stands apart.
    """

    name: str
    node: Node
    field: Field
    frame: Frame = d10_frame
    pager: Pager = d10_pager
    rows: Callable[[Sequence[str]], str] = view_rows
    order: tuple[str, ...] = ("body", "type", "private", "summary")
    keeps: Callable[[Entry], bool] = lambda entry: True
    has_summary: bool = True
    is_d7: bool = False
    own_field: Field | None = None
    parts_body: bool = False


def _is_private(entry: Entry) -> bool:
    return entry.is_private


_D7 = partial(Shape, field=d7_field, frame=d7_frame, pager=d7_pager, rows=plain_rows, is_d7=True)
_SUMMARY_FIRST = ("body", "summary", "type", "private")
_BODY_LAST = ("type", "private", "summary", "body")
_ADDTOANY = (
    '<span class="a2a_kit a2a_kit_size_32 addtoany_list" data-a2a-url="/x"><a class="a2a_dd" href="https://a.example/">'
    '</a><a class="a2a_button_facebook"></a></span>'
)
_PRINT = '<div class="print__wrapper"><a href="/print/pdf/node/1" class="print__link">Voir en PDF</a></div>'

SHAPES = (
    _D7("d7-bartik", d7_bartik),
    _D7("d7-bartik-editor", partial(d7_bartik, edit=True), frame=partial(d7_frame, facets=True)),
    _D7("d7-bartik-private", partial(d7_bartik, edit=True), keeps=_is_private),
    _D7("d7-garland", d7_garland, frame=partial(d7_frame, sidebar_last=True)),
    _D7("d7-garland-private", d7_garland, keeps=_is_private),
    _D7("d7-seven", d7_default),
    _D7("d7-zen", d7_zen, frame=partial(d7_frame, name_h1=True)),
    _D7("d7-zen-private", d7_zen, keeps=_is_private),
    _D7("d7-bootstrap", d7_bootstrap),
    _D7("d7-inline", d7_default, field=partial(d7_field, inline=True)),
    _D7("d7-summary-first", d7_bartik, order=_SUMMARY_FIRST),
    _D7("d7-body-last", d7_bartik, order=_BODY_LAST),
    _D7("d7-no-summary", d7_bartik, has_summary=False),
    _D7("d7-display-suite", d7_display_suite, parts_body=True),
    _D7("d7-display-suite-private", d7_display_suite, parts_body=True, keeps=_is_private),
    _D7("d7-field-group", d7_field_group, parts_body=True),
    _D7("d7-field-group-private", d7_field_group, parts_body=True, keeps=_is_private),
    _D7("d7-bartik-terms", d7_bartik, field=d7_bartik_field),
    _D7("d7-bartik-terms-private", d7_bartik, field=d7_bartik_field, keeps=_is_private),
    _D7("d7-views", d7_views_row, field=d7_views_field, rows=view_rows, own_field=d7_field),
    _D7("d7-views-private", d7_views_row, field=d7_views_field, rows=view_rows, own_field=d7_field, keeps=_is_private),
    _D7(
        "d7-views-headings", partial(d7_views_row, tag="h3"), field=partial(d7_views_field, label_tag="strong"),
        rows=list_rows, order=_BODY_LAST, own_field=d7_field,
    ),
    Shape("d10-olivero", d10_olivero, d10_field),
    Shape("d10-olivero-no-date", partial(d10_olivero, by=False), d10_field, frame=partial(d10_frame, facets=True)),
    Shape("d10-olivero-teaser", d10_olivero_teaser, d10_field),
    Shape("d10-olivero-teaser-private", d10_olivero_teaser, d10_field, keeps=_is_private),
    Shape("d10-stark", d10_stark, stark_field, stark_frame),
    Shape("d10-stark-private", d10_stark, stark_field, stark_frame, keeps=_is_private),
    Shape("d10-stark-body-last", d10_stark, stark_field, stark_frame, order=_BODY_LAST),
    Shape("d10-claro", partial(d10_classy, by=False), d10_field, pager=partial(d10_pager, heading="h2")),
    Shape("d10-umami", d10_umami, d10_field, partial(d10_frame, facets=True)),
    Shape("d10-umami-private", d10_umami, d10_field, keeps=_is_private),
    Shape("d10-bartik", d10_classy, d10_field),
    Shape("d10-bartik-terms", d10_classy, d10_bartik_field),
    Shape("d10-bartik-terms-private", d10_classy, d10_bartik_field, keeps=_is_private),
    Shape("d10-layout", d10_layout, layout_field, parts_body=True),
    Shape("d10-layout-private", d10_layout, layout_field, parts_body=True, keeps=_is_private),
    Shape("d10-bartik-private", d10_classy, d10_field, keeps=_is_private),
    Shape("d10-bartik-no-summary", d10_classy, d10_field, has_summary=False),
    Shape("d10-share-links", partial(d10_classy, after=_ADDTOANY + _PRINT), d10_field),
    Shape("d10-share-links-private", partial(d10_classy, after=_ADDTOANY + _PRINT), d10_field, keeps=_is_private),
    Shape("d10-summary-first", d10_classy, d10_field, order=_SUMMARY_FIRST),
    Shape("d10-body-last", partial(d10_classy, by=False), d10_field, order=_BODY_LAST),
    Shape("d10-body-last-stable9", d10_classy, d10_field, order=("summary", "private", "type", "body")),
    Shape("d10-barrio", d10_barrio, partial(d10_field, inline=True)),
    Shape("d10-barrio-private", d10_barrio, partial(d10_field, inline=True), keeps=_is_private),
    Shape("d10-about-h3", d10_about, d10_field, frame=partial(d10_frame, in_main=True)),
    Shape("d10-about-h2", partial(d10_about, tag="h2"), line_field),
    Shape("d10-title-field", d10_title_field, d10_field),
    Shape(
        "d10-body-between", d10_classy, d10_bartik_field, partial(d10_frame, facets=True),
        order=("type", "body", "private", "summary"),
    ),
    Shape("d10-views", d10_views_row, d10_views_field, own_field=d10_field, pager=mini_pager),
    Shape("d10-views-list", d10_views_row, d10_views_field, rows=list_rows, own_field=d10_field, order=_BODY_LAST),
    Shape("dsfr-lines", dsfr_card, line_field, pager=dsfr_pager),
    Shape("dsfr-lines-private", dsfr_card, line_field, pager=dsfr_pager, keeps=_is_private),
    Shape("dsfr-spans", dsfr_card, span_field, pager=dsfr_pager),
    Shape("h3-labels", d10_classy, heading_field),
)  # fmt: skip


# --- the site ---------------------------------------------------------------------------------------------------------


def content_of(shape: Shape, entry: Entry, *, own: bool) -> str:
    """The fields of a resource, in the order of the shape."""
    field = shape.own_field if own and shape.own_field else shape.field
    pieces = []
    for name in shape.order:
        value = _value(shape, entry, name)
        if name == "body" and shape.parts_body:
            pieces.append((field(name, "", value) if value else "") + "<!--fields-->")
        elif value:
            pieces.append(field(name, LABELS.get(name, ""), value))
    return "".join(pieces)


def _value(shape: Shape, entry: Entry, name: str) -> str:
    if name in ("body", "summary"):
        return section_html(entry, name, shape.name)
    return escape(entry.type) if name == "type" else ("Oui" if entry.is_private else "Non")


def site_entries(shape: Shape, entries: Iterable[Entry]) -> list[Entry]:
    """The resources that a site of this shape shows, as it shows them."""
    kept = [entry for entry in entries if shape.keeps(entry)]
    return kept if shape.has_summary else [replace(e, summary=(), summary_html=None) for e in kept]


def listings(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The resources of each theme, by its title."""
    themes = sorted({theme for entry in entries for theme in entry.themes})
    return {theme: [entry for entry in entries if theme in entry.themes] for theme in themes}


def listing_path(theme: str) -> str:
    return f"/thematique/{crc32(theme.encode())}"


def page(shape: Shape, heading: str, content: str, recent: Sequence[Entry], hidden: str = "") -> bytes:
    """A whole page."""
    generator = "Drupal 7 (http://drupal.org)" if shape.is_d7 else "Drupal 10 (https://www.drupal.org)"
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML+RDFa 1.0//EN" "x">' if shape.is_d7 else "<!DOCTYPE html>"
    return (
        f'{doctype}\n<html lang="fr" dir="ltr"><head><meta charset="utf-8" /><meta name="Generator" '
        f'content="{generator}" '
        f'/><meta name="description" content="{escape(hidden)}" /><title>{heading} | Réseau</title><script>var a = '
        f'"<div>";</script></head><body class="html">{shape.frame(heading, content, recent)}</body></html>'
    ).encode()


def pages(shape: Shape, entries: Sequence[Entry], *, own_pages: bool) -> Iterator[tuple[str, bytes]]:
    """Addresses and pages of the site."""
    for theme, members in listings(entries).items():
        count = -(-len(members) // A_PAGE)
        for number in range(count):
            shown = members[number * A_PAGE : (number + 1) * A_PAGE]
            nodes = [shape.node(entry, content_of(shape, entry, own=False), own=False) for entry in shown]
            content = shape.rows(nodes) + shape.pager(listing_path(theme), number, count)
            url = HOST + listing_path(theme) + (f"?page={number}" if number else "")
            yield url, page(shape, escape(theme), content, entries[:4])
    for entry in entries if own_pages else ():
        content = shape.node(entry, content_of(shape, entry, own=True), own=True)
        heading = "" if shape.node is d10_umami else escape(entry.title)
        yield entry.url, page(shape, heading, content, entries[:4], " ".join(entry.hidden))


def write_site(folder: Path, shape: Shape, entries: Iterable[Entry], *, own_pages: bool = False) -> list[Entry]:
    """Write `site.warc.gz`, `site.toml` and `truth.json` of a site into a folder.

    Returns:
        The resources that the site shows.
    """
    shown = site_entries(shape, entries)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "site.warc.gz").open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for url, content in pages(shape, shown, own_pages=own_pages):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url,
                "response",
                payload=BytesIO(content),
                length=len(content),
                http_headers=headers,
                warc_headers_dict={"WARC-Date": "2026-11-23T03:31:40Z"},
            )
            writer.write_record(record)
    addresses = [HOST + listing_path(theme) for theme in listings(shown)]
    (folder / "site.toml").write_text(_source_file(addresses), encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(truth(shown), ensure_ascii=False), encoding="utf-8")
    return shown


def _source_file(addresses: Sequence[str]) -> str:
    labels = "\n".join(f'{name} = ["{label}"]' for name, label in LABELS.items())
    return (
        f'name = "site"\nlistings = {json.dumps(addresses)}\nparser = "labelled-blocks"\nreplay = "site.warc.gz"\n\n'
        f"[labels]\n{labels}\n"
    )


def truth(entries: Iterable[Entry]) -> dict[str, Any]:
    """What was entered, in the form of the sample site's own truth."""
    resources = [
        {
            "id": e.ident, "url": e.url, "title": e.title, "type": e.type, "private": e.is_private,
            "themes": list(e.themes), "published": True, "listed_on": [HOST + listing_path(t) for t in e.themes],
            "body": [{"kind": k, "text": t} for k, t in e.body],
            "summary": [{"kind": k, "text": t} for k, t in e.summary],
            "hidden_body": list(e.hidden), "duplicate_group": e.group,
        }
        for e in entries
    ]  # fmt: skip
    return {"nights": {"night1": {"resources": resources}}}
