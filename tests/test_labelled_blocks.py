"""Pages of many themes, each with what a person reads on it; and what the reader does with pages that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from parsers import labelled_blocks
from parsers.labelled_blocks import parse_labelled_blocks
from parsers.markup import Document, parse_slice
from parsers.page import parse_page
from schema.addresses import canonical_url
from schema.nouns import PageReading, Passage, Payload, Record, Span
from schema.sources import Labels, Source

THEMES = Path(__file__).parent / "pages" / "themes"
LABELS = Labels(type=("Type de ressource",), private=("Ressource privée",), summary=("Résumé",))
NAMES = sorted(path.stem for path in THEMES.glob("*.json"))


def read(name: str, *, is_listing: bool | None) -> tuple[PageReading, dict[str, Any]]:
    """A page of the collection as read, and what is expected of it."""
    expected = json.loads((THEMES / f"{name}.json").read_text(encoding="utf-8"))
    content = (THEMES / f"{name}.html").read_bytes()
    payload = Payload(expected["url"], content, "text/html", None)
    url = canonical_url(expected["url"])
    return parse_labelled_blocks(payload, page_url=url, labels=LABELS, is_listing=is_listing, schemes={}), expected


def plain(record: Record) -> dict[str, Any]:
    """A record in the form of the expectations."""

    def passages(section: tuple[Passage, ...]) -> list[dict[str, str]]:
        return [{"kind": p.kind, "text": p.text} for p in section]

    return {
        "title": record.title,
        "url": record.url,
        "type": record.type,
        "is_private": record.is_private,
        "body": passages(record.body),
        "resume": passages(record.resume),
    }


def html(body: str, *, url: str = "https://a.example/liste", is_listing: bool | None = True) -> PageReading:
    """A page made of a body, as read."""
    payload = Payload(url, f"<html><body>{body}</body></html>".encode(), "text/html", "utf-8")
    return parse_labelled_blocks(payload, page_url=url, labels=LABELS, is_listing=is_listing, schemes={})


FIELDS = "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Ressource privée</b><i>Non</i></div>"


def test_the_collection_is_there() -> None:
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_read_whatever_its_theme(name: str) -> None:
    expected = read(name, is_listing=None)[1]
    reading = read(name, is_listing=expected["is_listing"])[0]
    wanted = [{key: record[key] for key in plain_keys()} for record in expected["records"]]
    for record in wanted:
        record["url"] = canonical_url(record["url"]) if record["url"] else None
    assert [plain(record) for record in reading.records] == wanted
    assert [reject.reason for reject in reading.rejects] == [r["reason"] for r in expected.get("rejects", [])]
    assert list(reading.next_urls) == [canonical_url(url) for url in expected["next_urls"]]
    assert len(reading.notes) >= expected.get("notes_at_least", 0)
    if expected["is_listing"]:
        assert reading.heading == expected["heading"]


def plain_keys() -> tuple[str, ...]:
    """The keys of a record in the expectations that are compared."""
    return ("title", "url", "type", "is_private", "body", "resume")


@pytest.mark.parametrize("name", NAMES)
def test_what_kind_of_page_it_is_need_not_be_told(name: str) -> None:
    expected = read(name, is_listing=None)[1]
    told = read(name, is_listing=expected["is_listing"])[0]
    untold = read(name, is_listing=None)[0]
    assert untold.records == told.records


@pytest.mark.parametrize("name", NAMES)
def test_a_block_lies_where_its_span_says(name: str) -> None:
    reading, expected = read(name, is_listing=None)
    content = (THEMES / f"{name}.html").read_bytes()
    charset = "cp1252" if "cp1252" in name else "utf-8"
    ends = [0]
    for record in reading.records:
        block = content[record.span.start : record.span.end].decode(charset)
        assert block.startswith("<")
        assert block.rstrip().endswith(">")
        first_words = (record.body or record.resume or (Passage("paragraph", ""),))[0].text.split("\u00a0")[0][:12]
        if "&" not in block and "<em" not in block:
            assert first_words.split(" ")[0] in block, expected["why"]
        assert record.span.start >= ends[-1], "blocks of one page do not overlap"
        ends.append(record.span.end)


def test_a_block_whose_bytes_alone_say_something_else_is_a_reject() -> None:
    # the second cell of the row is closed by the parser, its bytes alone are not in any table
    page = html(f"<section><h2><a href='/x'>Un titre</a></h2><table><td>avant{FIELDS}</section></table>")
    assert not page.records or page.records[0].title == "Un titre"
    assert {reject.reason for reject in page.rejects} <= {"span_mismatch"}


def test_the_title_of_an_own_page_has_a_span_of_its_own() -> None:
    content = f"<html><body><h1>Le titre</h1><article><div><p>Corps.</p></div>{FIELDS}</article></body></html>"
    payload = Payload("https://a.example/x", content.encode(), "text/html", "utf-8")
    reading = parse_labelled_blocks(
        payload, page_url="https://a.example/x", labels=LABELS, is_listing=False, schemes={}
    )
    span = reading.records[0].part_spans["title"]
    assert content.encode()[span.start : span.end] == b"<h1>Le titre</h1>"


def test_a_resource_without_text_is_still_a_record() -> None:
    reading = html(f"<article><h2><a href='/x'>Un titre</a></h2><div>{FIELDS}</div></article>")
    assert [(r.title, r.url, r.body, r.resume) for r in reading.records] == [
        ("Un titre", "https://a.example/x", (), ())
    ]


def test_nothing_is_read_from_meta() -> None:
    payload = b"<html><head><meta name=description content='texte cache'></head><body><h1>T</h1><article><div>%s</div>"
    content = payload % FIELDS.encode() + b"</article></body></html>"
    reading = parse_labelled_blocks(
        Payload("https://a.example/x", content, "text/html", "utf-8"),
        page_url="https://a.example/x",
        labels=LABELS,
        is_listing=False,
        schemes={},
    )
    assert "texte cache" not in repr(reading)


def test_other_wordings_of_labels_come_from_the_source_file() -> None:
    labels = Labels(type=("Kind", "Sort"), private=("Members only",), summary=("Abstract",))
    content = (
        b"<article><h2><a href='/a'>One</a></h2><div><div><b>Sort</b><i>Guide</i></div>"
        b"<div><b>Members only</b><i>Yes</i></div><div><b>Abstract</b><p>Words.</p></div></div></article>"
    )
    payload = Payload("https://a.example/l", content, "text/html", "utf-8")
    record = parse_labelled_blocks(
        payload, page_url="https://a.example/l", labels=labels, is_listing=True, schemes={}
    ).records[0]
    assert (record.type, record.is_private, [p.text for p in record.resume]) == ("Guide", True, ["Words."])


READ_ON = "<p><a href='{}'>{}</a></p>"


@pytest.mark.parametrize(
    ("links", "url"),
    [
        (READ_ON.format("/fiche", "Lire la suite »"), "https://a.example/fiche"),
        (READ_ON.format("/fiche", "En savoir plus sur Un titre"), "https://a.example/fiche"),
        ("<a rel='bookmark' href='/fiche'>12 mai</a>", "https://a.example/fiche"),
        (READ_ON.format("/fiche", "Lire la suite") * 2, "https://a.example/fiche"),
        (READ_ON.format("/fiche", "Une fiche"), None),
        (READ_ON.format("https://autre.example/fiche", "En savoir plus"), None),
        (READ_ON.format("/fiche", "Lire la suite") + READ_ON.format("/autre", "En savoir plus"), None),
        ("", None),
    ],
)
def test_a_title_without_a_link_goes_by_the_one_that_says_to_read_on(links: str, url: str | None) -> None:
    reading = html(f"<article><h2>Un titre</h2><div>{FIELDS}</div>{links}</article>" * 2)
    assert [record.url for record in reading.records] == [url, url]


def test_the_link_of_the_title_goes_before_one_that_says_to_read_on() -> None:
    more = READ_ON.format("/autre", "Lire la suite")
    reading = html(f"<article><h2><a href='/fiche'>Un titre</a></h2><div>{FIELDS}</div>{more}</article>")
    assert [record.url for record in reading.records] == ["https://a.example/fiche"]


def one_field(label: str, value: str = "Guide") -> str:
    """A listing of three teasers that bear one label each."""
    teaser = f"<article><h2><a href='/x'>Titre</a></h2><div><div><b>{label}</b><i>{value}</i></div></div></article>"
    return f"<h1>Ressources</h1><div>{teaser * 3}</div>"


@pytest.mark.parametrize("label", ["Type de ressource", "Résumé :", "Types de ressource", "Ressources privée"])
def test_labels_that_come_again_and_again_around_no_block_are_a_reject(label: str) -> None:
    reading = html(one_field(label))
    (reject,) = reading.rejects
    assert (reading.records, reject.reason, reject.span) == ((), "no_blocks", None)
    assert "stands on it 3 times and no block" in reject.message
    assert "see the page, then `labels`" in reject.message


@pytest.mark.parametrize(
    "content",
    [
        "<h1>Ressources</h1><p>Aucun résultat.</p>",
        one_field("Nature du document"),
        f"<nav>{one_field('Type de ressource')}</nav><p>Aucun résultat.</p>",
        f"<form>{one_field('Type de ressource')}</form><p>Aucun résultat.</p>",
        "<ul><li><a href='/a'>Résumé</a><li><a href='/b'>Résumé</a></ul><p>Aucun résultat.</p>",
        "<aside><h3>Type de ressource</h3></aside><div><b>Type de ressource</b></div><p>Aucun résultat.</p>",
        "<h1>Ressources</h1><div><b>Type de ressource</b><ul><li>Guide</ul></div><p>Aucun résultat.</p>",
    ],
)
def test_a_listing_that_is_empty_is_no_reject_whatever_the_page_around_it_says(content: str) -> None:
    reading = html(content)
    assert (reading.records, reading.rejects) == ((), ())
    assert "no block with labelled fields stands on it" in reading.notes


SOURCE = Source(name="a", listings=("https://a.example/l",), parser="labelled-blocks", labels=LABELS)


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (b"%PDF-1.7 ...", "application/pdf", "not_html"),
        (b"\x89PNG....", "image/png", "not_html"),
        (b"no tags at all", "text/html", "not_html"),
        ("<p>x</p>".encode("utf-16"), "text/html", "undecodable"),
        (b"<html><body><h1>Bonjour</h1></body></html>", "text/html", "no_blocks"),
    ],
)
def test_a_page_that_cannot_be_read_is_one_reject_with_its_reason(content: bytes, media_type: str, reason: str) -> None:
    payload = Payload("https://a.example/x", content, media_type, None)
    reading = parse_page(payload, page_url="https://a.example/x", source=SOURCE, is_listing=False)
    assert [(r.reason, r.page_url) for r in reading.rejects] == [(reason, "https://a.example/x")]
    assert reading.records == ()


@pytest.mark.parametrize(
    ("content", "header", "title", "has_note"),
    [
        ("<h2>Été</h2>".encode(), "utf-8", "Été", False),
        ("<h2>Été</h2>".encode(), None, "Été", False),
        ("<h2>Été à l’œuvre</h2>".encode("cp1252"), None, "Été à l’œuvre", True),
        ("<h2>Été à l’œuvre</h2>".encode("cp1252"), "iso-8859-1", "Été à l’œuvre", False),
        ("<h2>Été</h2>".encode("cp1252"), "utf-8", "\ufffdt\ufffd", True),
        ("<h2>Été</h2>".encode(), "x-nothing", "Été", True),
    ],
)
def test_the_charset_is_found_and_doubts_are_noted(
    content: bytes, header: str | None, title: str, *, has_note: bool
) -> None:
    fields = (
        b"<div><b>Type de ressource</b><i>Guide</i></div><div><b>R\xe9sum\xe9</b><p>x</p></div>"
        if header != "utf-8" and b"\xc3" not in content
        else "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Résumé</b><p>x</p></div>".encode()
    )
    reading = parsed(b"<article>" + content + b"<div>" + fields + b"</div></article>", header)
    assert [record.title for record in reading.records] == [title]
    assert bool(reading.notes) == has_note


def test_a_byte_order_mark_outranks_the_header() -> None:
    fields = "<div><b>Type de ressource</b><i>Guide</i></div><div><b>Résumé</b><p>x</p></div>"
    page = f"<article><h2>Été</h2><div>{fields}</div></article>"
    assert [r.title for r in parsed(b"\xef\xbb\xbf" + page.encode(), "iso-8859-1").records] == ["Été"]


def parsed(content: bytes, charset: str | None) -> PageReading:
    """A listing made of bytes, as read."""
    url = "https://a.example/l"
    payload = Payload(url, content, "text/html", charset)
    return parse_labelled_blocks(payload, page_url=url, labels=LABELS, is_listing=True, schemes={})


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(noise: bytes) -> None:
    page = b"<article><h2>T</h2>" + noise + FIELDS.encode() + b"</article>" + noise
    for charset in (None, "utf-8", "cp1252"):
        payload = Payload("https://a.example/l", page, "text/html", charset)
        reading = parse_labelled_blocks(
            payload, page_url="https://a.example/l", labels=LABELS, is_listing=None, schemes={}
        )
        assert len(reading.records) + len(reading.rejects) <= 3  # noise may hold no more


def test_a_page_whose_bytes_alone_say_otherwise_is_a_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse_others(document: Document, span: Span, first_tag: str) -> LexborHTMLParser:
        return parse_slice(document, Span(span.start, span.end - 40), first_tag)

    page = f"<article><h2><a href='/x'>Un titre</a></h2><div><p>Un corps.</p>{FIELDS}</div></article>"
    assert len(html(page).records) == 1
    monkeypatch.setattr(labelled_blocks, "parse_slice", parse_others)
    reading = html(page)
    assert (reading.records, [r.reason for r in reading.rejects]) == ((), ["span_mismatch"])


def test_a_listing_without_a_heading_goes_by_its_title() -> None:
    head = "<html><head><title>Mobilités | Réseau</title></head>"
    page = f"{head}<body><article><h2>T</h2>{FIELDS}</article></body></html>"
    assert parsed(page.encode(), "utf-8").heading == "Mobilités"
