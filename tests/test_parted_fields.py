"""Fields of one record that a theme parts between boxes, or puts before the title: still fields of that record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from parsers.labelled_blocks import parse_labelled_blocks
from schema.nouns import PageReading, Payload, Record
from schema.sources import Labels

LABELS = Labels(type=("Type de ressource",), private=("Ressource privée",), summary=("Résumé",))
URL = "https://a.example/liste"


@dataclass(frozen=True, slots=True)
class Card:
    """One resource as entered; an empty word is a field that is left out."""

    title: str
    type: str
    is_private: bool
    body: str
    summary: str


CARDS = (
    Card(
        "Une chaufferie bois", "Guides", is_private=False, body="Le corps de la chaufferie.", summary="En bref, bois."
    ),
    Card("Un verger partagé", "Notes", is_private=True, body="Le corps du verger.", summary=""),
    Card("Des vélos à prêter", "", is_private=False, body="Le corps des vélos.", summary="En bref, vélos."),
    Card("Un four à pain", "Notes", is_private=False, body="", summary="En bref, pain."),
    Card("Une forêt communale", "", is_private=True, body="Le corps de la forêt.", summary=""),
)


def field(label: str, value: str) -> str:
    """A field as Drupal's own template prints it."""
    if not value:
        return ""
    return f"<div class=field><div class=field__label>{label}</div><div class=field__item>{value}</div></div>"


def parts(card: Card, labelled: Callable[[str, str], str] = field) -> dict[str, str]:
    """What a card shows, by letter: b body, t type, p privacy, s résumé, h title."""
    return {
        "h": f"<h2><a href='/{card.title[-4:]}'>{card.title}</a></h2>",
        "b": f"<div class=body><p>{card.body}</p></div>" if card.body else "",
        "t": labelled("Type de ressource", card.type),
        "p": labelled("Ressource privée", "Oui" if card.is_private else "Non"),
        "s": labelled("Résumé", card.summary and f"<p>{card.summary}</p>"),
    }


def read(content: str, *, is_listing: bool | None = True) -> PageReading:
    """A page made of a body, as read."""
    payload = Payload(URL, f"<html><body>{content}</body></html>".encode(), "text/html", "utf-8")
    return parse_labelled_blocks(payload, page_url=URL, labels=LABELS, is_listing=is_listing, schemes={})


def listing(card_of: Callable[[Card], str], cards: tuple[Card, ...] = CARDS) -> PageReading:
    """A listing of cards, as read."""
    rows = "".join(f"<div class=row>{card_of(card)}</div>" for card in cards)
    return read(f"<main><h1>Ressources</h1><div class=rows>{rows}</div></main>")


def plain(record: Record) -> Card:
    """A record as a card."""
    body, resume = (" ".join(p.text for p in section) for section in (record.body, record.resume))
    assert record.is_private is not None
    return Card(record.title, record.type or "", is_private=record.is_private, body=body, summary=resume)


def require_cards(reading: PageReading, cards: tuple[Card, ...] = CARDS) -> None:
    """The reading holds the cards as entered, and nothing else."""
    assert [reject.message for reject in reading.rejects] == []
    assert tuple(map(plain, reading.records)) == cards


SPLITS = (
    "b|tps",
    "bs|tp",
    "tp|bs",
    "t|bps",
    "tps|b",
    "bt|ps",
    "bp|ts",
    "btp|s",
    "s|btp",
    "sb|tp",
    "p|bts",
    "tb|ps",
    "t|p|b|s",
)


@pytest.mark.parametrize("split", SPLITS)
def test_fields_in_several_boxes_are_those_of_one_record(split: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        boxes = (f"<div class=box-{n}>{''.join(shown[x] for x in box)}</div>" for n, box in enumerate(split.split("|")))
        return f"<article>{shown['h']}{''.join(boxes)}</article>"

    require_cards(listing(card_of))


@pytest.mark.parametrize("tags", ["header footer", "header div", "div footer", "section aside"])
@pytest.mark.parametrize("split", ["tp|bs", "p|bts", "bs|tp"])
def test_a_header_and_a_footer_of_a_record_hold_fields_too(tags: str, split: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        first, last = split.split("|")
        opening, closing = tags.split()
        if "b" in first:
            opening = "div"
        elif "b" in last:
            closing = "div"
        head, foot = ("".join(shown[x] for x in box) for box in (first, last))
        return f"<article><{opening}>{shown['h']}{head}</{opening}><{closing}>{foot}</{closing}></article>"

    require_cards(listing(card_of))


def test_headings_for_labels_in_two_columns() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card, lambda label, value: f"<h4>{label}</h4><div>{value}</div>" if value else "")
        left, right = f"<div>{shown['b']}{shown['s']}</div>", f"<div>{shown['t']}{shown['p']}</div>"
        return f"<article>{shown['h']}<div>{left}{right}</div></article>"

    require_cards(listing(card_of))


@pytest.mark.parametrize("order", ["thbps", "phbts", "tphbs"])
def test_a_field_may_stand_before_the_title(order: str) -> None:
    cards = tuple(c for c in CARDS if c.type)
    require_cards(listing(lambda card: f"<article>{''.join(parts(card)[x] for x in order)}</article>", cards), cards)


def test_a_word_of_a_body_that_looks_otherwise_is_no_field() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        body = (
            f"<div class=body><p>{card.body}</p><h3>Résumé</h3></div>"
            if card.title == "Un verger partagé"
            else shown["b"]
        )
        return f"<article>{shown['h']}<div>{body}</div><div>{shown['t']}{shown['p']}{shown['s']}</div></article>"

    record = next(r for r in listing(card_of).records if r.title == "Un verger partagé")
    assert ([p.text for p in record.body], record.resume) == (["Le corps du verger.", "Résumé"], ())


def test_fields_of_the_next_record_are_not_taken() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        kept = "tp" if card.summary else "p"
        return f"<article>{shown['h']}{shown['b']}<div>{''.join(shown[x] for x in kept)}</div></article>"

    read_types = {r.title: r.type for r in listing(card_of).records}
    assert read_types == {c.title: (c.type or None) if c.summary else None for c in CARDS}


@pytest.mark.parametrize("split", ["bs|tp", "tp|bs", "t|bps", "s|btp", "tb|ps"])
def test_boxes_of_an_own_page(split: str) -> None:
    shown = parts(CARDS[0])
    boxes = (f"<div class=box-{n}>{''.join(shown[x] for x in box)}</div>" for n, box in enumerate(split.split("|")))
    page = f"<main><h1>{CARDS[0].title}</h1><article>{''.join(boxes)}</article></main>"
    require_cards(read(page, is_listing=False), CARDS[:1])


@pytest.mark.parametrize("colon", [" : ", ": ", "&nbsp;: ", "&#8239;:&nbsp;", "<span> : </span>", " <i>:</i> ", ""])
@pytest.mark.parametrize("tag", ["strong", "em", "span class=label"])
def test_a_colon_outside_the_label_is_no_part_of_the_value(colon: str, tag: str) -> None:
    def labelled(label: str, value: str) -> str:
        return f"<div><{tag}>{label}</{tag.partition(' ')[0]}>{colon}{value}</div>" if value else ""

    def card_of(card: Card) -> str:
        shown = parts(card, labelled)
        return f"<article>{''.join(shown[x] for x in 'hbtps')}</article>"

    require_cards(listing(card_of))


def test_a_colon_inside_a_value_stays() -> None:
    card = Card("Un titre", "Guides : la suite", is_private=False, body="", summary="En bref : une suite.")
    require_cards(
        listing(lambda c: f"<article>{''.join(parts(c)[x] for x in 'htps')}</article>", (card, card)), (card, card)
    )


@pytest.mark.parametrize(
    ("row", "around"),
    [
        ("<p>{} : <b>{}</b></p>", "{}"),
        ("<p>{}&nbsp;: <em>{}</em></p>", "<div>{}</div>"),
        ("<li>{} : <a href=/x>{}</a></li>", "<ul>{}</ul>"),
        ("<div>{} : <span>{}</span></div>", "{}"),
        ("{} : <b>{}</b><br>", "<p>{}</p>"),
    ],
)
def test_a_label_may_share_its_element_with_the_value(row: str, around: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card, lambda label, value: row.format(label, value) if value else "")
        summary = f"<div><h4>Résumé</h4><p>{card.summary}</p></div>" if card.summary else ""
        return f"<article>{shown['h']}{shown['b']}{around.format(shown['t'] + shown['p'])}{summary}</article>"

    require_cards(listing(card_of))


def test_a_label_word_without_a_colon_in_a_sentence_is_no_label() -> None:
    card = CARDS[0]
    body = "<div class=body><p>Résumé <b>bref</b> de la séance.</p></div>"
    shown = parts(card)
    require_cards(
        listing(lambda _: f"<article>{shown['h']}{body}{shown['t']}{shown['p']}{shown['s']}</article>", (card, card)),
        (Card(card.title, card.type, is_private=False, body="Résumé bref de la séance.", summary=card.summary),) * 2,
    )


def table(cards: tuple[Card, ...], *, head: str = "thead", group: str = "") -> str:
    """A listing as a table with a column for each field; a group is a row of one cell."""
    heads = "".join(f"<th>{label}</th>" for label in ("Titre", "Type de ressource", "Ressource privée", "Résumé"))
    rows = "".join(
        f"<tr><td><a href=/x>{c.title}</a><td>{c.type}<td>{'Oui' if c.is_private else 'Non'}<td>{c.summary}</tr>"
        for c in cards
    )
    return (
        f"<main><h1>Ressources</h1><table><{head}><tr>{heads}</tr></{head}><tbody>{group}{rows}</tbody></table></main>"
    )


NESTED = Card(
    "Un tableau", "Notes", is_private=False, body="", summary="<table><tr><td>Tarn</td><td>12</td></tr></table>"
)


@pytest.mark.parametrize("group", ["", "<tr><td colspan=4>Année 2022</td></tr>"])
@pytest.mark.parametrize("head", ["thead", "tbody"])
def test_a_table_in_a_cell_is_no_row_of_the_listing(head: str, group: str) -> None:
    cards = (Card("Une note", "Notes", is_private=True, body="", summary="En bref."), NESTED)
    records = read(table(cards, head=head, group=group)).records
    assert [(r.title, r.type, [p.text for p in r.resume]) for r in records] == [
        ("Une note", "Notes", ["En bref."]),
        ("Un tableau", "Notes", ["Tarn", "12"]),
    ]


def test_the_heads_of_columns_are_no_record_where_the_rows_are_not_understood() -> None:
    reading = read(table(CARDS, group="<tr><td>Un<td>Deux</tr>"))
    assert reading.records == ()


FIELDS = "<dt>Type de ressource</dt><dd>Guides</dd><dt>Ressource privée</dt><dd>Non</dd>"
BODY = "<div class=texte><p>Le corps.</p></div>"


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (f"{BODY}<dl>{FIELDS}</dl>", "Le corps."),
        (f"<dl>{FIELDS}</dl>{BODY}", "Le corps."),
        (f"<p class=date>Publié le 12 mai 2022</p>{BODY}<div><dl>{FIELDS}</dl></div>", "Le corps."),
        (
            f"<div><ul><li><a href=#d>Texte</a></ul><div id=d>{BODY}</div><div><dl>{FIELDS}</dl></div></div>",
            "Le corps.",
        ),
        (f"{BODY}<dl>{FIELDS}</dl><aside><p>À lire aussi : un dossier.</p></aside>", "Le corps."),
        (f"<dl>{FIELDS}</dl><nav><p>Pages voisines</p></nav><div><p>Pied.</p></div>", ""),
        (f"<div>Partager : <a href='https://x.example/?u=https://a.example/x'>X</a></div><dl>{FIELDS}</dl>", ""),
    ],
)
@pytest.mark.parametrize("main", ["main", "body"])
def test_a_body_beside_the_fields_below_the_heading_of_an_own_page(content: str, body: str, main: str) -> None:
    page = f"<header><p>Le site</p></header><{main}><h1>Un titre</h1>{content}</{main}><footer><p>Mentions</p></footer>"
    require_cards(read(page, is_listing=False), (Card("Un titre", "Guides", is_private=False, body=body, summary=""),))


@pytest.mark.parametrize("body", ["<tbody>", ""])
def test_an_own_page_that_is_a_table_of_fields_and_no_more(body: str) -> None:
    rows = "<tr><th>Type de ressource</th><td>Guides</td></tr><tr><th>Ressource privée</th><td>Non</td></tr>"
    reading = read(f"<main><h1>Un titre</h1><table>{body}{rows}</table></main>", is_listing=False)
    require_cards(reading, (Card("Un titre", "Guides", is_private=False, body="", summary=""),))


@pytest.mark.parametrize(
    "form",
    [
        "<h4>{}</h4><p>{}</p>",
        "<p class=l><b>{}</b></p><div>{}</div>",
        "<h4>{}</h4>{}",
        "<div class=l>{}</div><div class='v odd'>{}</div>",
    ],
)
def test_a_short_field_ends_where_a_block_looks_otherwise(form: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card, form.format)
        return f"<article>{shown['h']}{shown['t']}{shown['p']}{shown['b']}</article>"

    cards = tuple(replace(c, summary="") for c in CARDS if c.type)
    require_cards(listing(card_of, cards), cards)


def test_two_values_that_look_alike_are_two() -> None:
    fields = (
        "<h4>Type de ressource</h4><p class='v odd'>Guides</p><p class='v even'>Notes</p><h4>Résumé</h4><p>Bref.</p>"
    )
    reading = read(f"<article><h2><a href=/x>Titre</a></h2>{fields}</article>")
    assert [reject.reason for reject in reading.rejects] == ["two_types"]


@pytest.mark.parametrize(
    "body",
    [
        "<h3>Qui ?</h3><p>Tous.</p><h3>Résumé</h3><p>Une part.</p>",
        "<p>Tous.</p><h3>Résumé</h3><p>Une part.</p>",
        "<div><p><b>Résumé</b></p><p>Une part.</p><p><b>Type de ressource</b></p><p>Un texte.</p></div>",
    ],
)
def test_label_words_in_a_body_beside_a_list_of_fields(body: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card, lambda label, value: f"<dt>{label}</dt><dd>{value}</dd>" if value else "")
        text = body if card is CARDS[0] else shown["b"]
        return f"<article>{shown['h']}<div>{text}<dl>{shown['t']}{shown['p']}{shown['s']}</dl></div></article>"

    reading = listing(card_of)
    assert reading.rejects == ()
    first, *others = map(plain, reading.records)
    assert (first.title, first.type, first.is_private, first.summary) == (
        CARDS[0].title,
        CARDS[0].type,
        CARDS[0].is_private,
        CARDS[0].summary,
    )
    assert first.body.startswith(("Qui ? Tous. Résumé", "Tous. Résumé", "Résumé Une part. Type"))
    assert tuple(others) == CARDS[1:]


def test_a_label_that_is_read_as_text_is_a_note_where_the_record_lacks_its_field() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        text = "<h3>Résumé</h3><p>Un texte.</p>" if card is CARDS[1] else ""
        return f"<article>{shown['h']}<div>{shown['b']}{text}</div>{shown['t']}{shown['p']}{shown['s']}</article>"

    told = [note for note in listing(card_of).notes if "as words of the text" in note]
    assert told == ["'Un verger partagé': 'Résumé' is read as words of the text, and it has no such field"]


@pytest.mark.parametrize(
    ("yes", "no"),
    [("✔", "✖"), ("✔\ufe0f", "✖\ufe0f"), ("Activé", "Désactivé"), ("Vrai", "Faux"), ("On", "Off"), ("1", "0")],
)
def test_the_formats_of_a_yes_or_no_field(yes: str, no: str) -> None:
    def card_of(card: Card) -> str:
        shown = parts(card, lambda label, value: field(label, {"Oui": yes, "Non": no}.get(value, value)))
        return f"<article>{''.join(shown[x] for x in 'hbtps')}</article>"

    require_cards(listing(card_of))


def test_a_title_may_be_the_button_that_opens_the_record() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        title = f"<h3><button aria-expanded=false>{card.title}</button></h3>"
        return f"<section>{title}<div>{''.join(shown[x] for x in 'btps')}</div></section>"

    require_cards(listing(card_of))


def test_a_hidden_button_is_no_title() -> None:
    fields = "".join(parts(CARDS[0])[x] for x in "tps")
    reading = read(f"<section><h3><button hidden>Titre</button></h3>{fields}</section>")
    assert [reject.reason for reject in reading.rejects] == ["no_title"]


def test_a_title_that_is_a_link_and_no_heading_stands_before_a_heading_of_the_body() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        body = "<h3>Qui ?</h3><p>Tous.</p>" if card is CARDS[0] else shown["b"]
        fields = "".join(shown[x] for x in "tps")
        return f"<div class=card><p class=title><a href='/x'>{card.title}</a></p>{body}{fields}</div>"

    reading = listing(card_of)
    assert [r.title for r in reading.records] == [card.title for card in CARDS]
    assert [p.text for p in reading.records[0].body] == ["Qui ?", "Tous."]


def test_a_link_above_every_title_is_no_title() -> None:
    def card_of(card: Card) -> str:
        shown = parts(card)
        link = "<a class=theme href='/energie'>Énergie</a>"
        return f"<article>{link}<h2>{card.title}</h2><div>{''.join(shown[x] for x in 'btps')}</div></article>"

    require_cards(listing(card_of))


@pytest.mark.parametrize("split", ["ht|bs|p", "hp|bt|s", "h|bp|bt|bs"])
def test_no_box_of_any_record_holds_two_fields(split: str) -> None:
    def card_of(card: Card) -> str:
        shown = {**parts(card), "b": "<p>Mots.</p>"}
        first, *others = split.split("|")
        boxes = (f"<div class=box-{n}>{''.join(shown[x] for x in box)}</div>" for n, box in enumerate(others))
        return f"<article><header>{''.join(shown[x] for x in first)}</header>{''.join(boxes)}</article>"

    reading = listing(card_of)
    assert reading.rejects == ()
    told = [(r.title, r.type or "", r.is_private, [p.text for p in r.resume]) for r in reading.records]
    assert told == [(c.title, c.type, c.is_private, [c.summary] if c.summary else []) for c in CARDS]


@pytest.mark.parametrize("tag", ["div", "section"])
def test_boxes_to_narrow_a_search_by_are_no_record_on_an_empty_listing(tag: str) -> None:
    links = "<ul><li><a href='/a'>Guides</a></li><li><a href='/b'>Notes</a></li></ul>"
    labels = ("Type de ressource", "Ressource privée")
    boxes = "".join(f"<{tag}><p>Filtrer</p><{tag}><h3>{label}</h3>{links}</{tag}></{tag}>" for label in labels)
    reading = read(f"<main><h1>Ressources</h1><p>Aucun résultat.</p></main><div>{boxes}</div>")
    assert reading.records == ()
    assert [reject.reason for reject in reading.rejects] == []
