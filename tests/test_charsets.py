"""Whatever a page declares, its French text is read right; what cannot be mended is told."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.marks import clean, note_odd_characters, quote_controls
from parsers.page import parse_page
from schema.charsets import find_charset
from schema.nouns import PageReading, Payload
from schema.sources import read_source

SOURCE = read_source(Path(__file__).parent.parent / "sources" / "sample.toml")
URL = "https://rtes.example/liste"
TITLE = "L’été à l’œuvre : où l’on paie 15 €"
BOM = b"\xef\xbb\xbf"


def html(title: str = TITLE, text: str = "Le corps.", meta: str | None = None) -> str:
    head = f'<meta charset="{meta}">' if meta else ""
    return (
        f"<!DOCTYPE html><html><head>{head}</head><body><h1>Liste</h1><article><h2><a href='/x'>{title}</a></h2>"
        f"<div><p>{text}</p></div><div><div>Type de ressource</div><div>Guide</div></div>"
        "<div><div>Ressource privée</div><div>Non</div></div>"
        "<div><div>Résumé</div><div><p>Le résumé.</p></div></div></article></body></html>"
    )


def read(content: str | bytes, charset: str | None = "utf-8", media_type: str = "text/html") -> PageReading:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return parse_page(Payload(URL, data, media_type, charset), page_url=URL, source=SOURCE, is_listing=True)


# --- which charset


MIXES = [
    (header, meta, actual)
    for header in (None, "utf-8", "iso-8859-1", "windows-1252", "x-nothing")
    for meta in (None, "utf-8", "iso-8859-1")
    for actual in ("utf-8", "cp1252")
]


@pytest.mark.parametrize(("header", "meta", "actual"), MIXES)
def test_french_is_read_right_whatever_is_declared(header: str | None, meta: str | None, actual: str) -> None:
    reading = read(html(meta=meta).encode(actual), header)
    (record,) = reading.records
    assert (record.title, record.is_private, record.resume[0].text) == (TITLE, False, "Le résumé.")
    declared = header or meta
    known = {"utf-8": "utf-8", "iso-8859-1": "cp1252", "windows-1252": "cp1252"}.get(declared or "")
    # a page that is what it declares, or declares nothing and is UTF-8, is nothing to tell
    assert bool(reading.notes) == (known != actual and not (declared is None and actual == "utf-8"))


@pytest.mark.parametrize("header", [None, "utf-8", "iso-8859-1"])
@pytest.mark.parametrize("meta", [None, "iso-8859-1"])
def test_a_byte_order_mark_outranks_what_is_declared(header: str | None, meta: str | None) -> None:
    reading = read(BOM + html(meta=meta).encode(), header)
    assert [(r.title, reading.notes) for r in reading.records] == [(TITLE, ())]


@pytest.mark.parametrize(("header", "actual"), [("utf-8", "cp1252"), ("cp1252", "utf-8"), (None, "cp1252")])
def test_a_text_copy_is_read_right_too(header: str | None, actual: str) -> None:
    text = f"{TITLE}\n\nLe corps.\n\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n\nLe résumé.\n"
    (record,) = read(text.encode(actual), header, "text/plain").records
    assert (record.title, record.resume[0].text) == (TITLE, "Le résumé.")
    assert text.encode(actual)[record.part_spans["title"].start :].startswith(TITLE.encode(actual))


def test_a_few_broken_bytes_in_utf8_do_not_make_it_cp1252() -> None:
    reading = read(html("Été \udce9").encode("utf-8", "surrogateescape"))
    assert reading.records[0].title == "Été \ufffd"
    assert "bytes that are not utf-8, which the page declares" in reading.notes


def test_ascii_is_what_it_declares() -> None:
    for charset in ("utf-8", "iso-8859-1", "ascii", "us-ascii"):
        assert find_charset(Payload(URL, b"<p>a</p>", "text/html", charset), is_markup=True)[1] == ()


def test_a_charset_of_another_script_is_left_alone() -> None:
    payload = Payload(URL, "日本語のページ".encode("shift_jis"), "text/html", "shift_jis")
    assert find_charset(payload, is_markup=True) == ("cp932", ())


# --- what is lost or odd is told


@pytest.mark.parametrize(
    "text",
    [
        "Été à l’œuvre « déjà » – 15 € … Noël, où, ça, aiguë, ambiguïté, ŒUVRE, ÀÉÈÊ, naïve, l'été",
        *("là\u00a0»", "ÉTÉ\u00a0:", "Â ge", "CAFÉ\u00a0: dès 8 h", "RÉVÉLÉ\u00a0»", "Å l’est", "SÃO PAULO"),
        *("Ça coûte 3\u202f000 €", "plain", "«\u00a0là\u00a0»…", "prix\u00a0!", "¿Qué?"),
    ],
)
def test_sound_text_is_nothing_to_tell(text: str) -> None:
    assert note_odd_characters([text]) == ()


LETTERS = "éèêëàâçîïôùûœÉÈÀÊÔŒ«»’–—…€°²"


def decoded_as_the_web_does(content: bytes) -> str:
    """As cp1252, where a byte that it has no letter for is a control character."""
    return "".join(bytes((b,)).decode("cp1252", errors="ignore") or chr(b) for b in content)


@pytest.mark.parametrize("letter", LETTERS)
def test_each_french_letter_that_was_decoded_twice_is_told(letter: str) -> None:
    twice = clean(decoded_as_the_web_does(letter.encode()))
    (note,) = note_odd_characters([f"un mot {twice}s"])
    assert note.startswith("holds text that was decoded twice")


def test_text_decoded_twice_is_told_with_its_place_and_let_stand() -> None:
    wrong = "Rencontre régionale à Évry".encode().decode("cp1252")
    reading = read(html(wrong))
    assert reading.records[0].title == wrong
    assert [n for n in reading.notes if n.startswith("holds text that was decoded twice: 'Rencontre r\\xc3\\xa9gio")]


@pytest.mark.parametrize("where", ["title", "text"])
@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("\ufffd", "holds U+FFFD"),
        ("\u202e", "holds marks that turn"),
        ("\u2066", "holds marks that turn"),
        ("\u200b", "holds marks without width"),
        ("\u2060", "holds marks without width"),
        ("\U000e0041", "holds marks without width"),
    ],
)
def test_odd_marks_are_let_stand_and_told(where: str, mark: str, words: str) -> None:
    odd = f"Un mo{mark}t"
    reading = read(html(title=odd) if where == "title" else html(text=odd))
    record = reading.records[0]
    assert odd in (record.title, record.body[0].text)
    assert any(note.startswith(words) for note in reading.notes)
    assert all(note.isascii() and note.isprintable() for note in reading.notes)


def test_odd_marks_of_a_text_copy_are_told() -> None:
    text = (
        "Un titre\n\nLe \ufffd corps \u202e.\n\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n\nUn résumé.\n"
    )
    notes = read(text, None, "text/plain").notes
    assert any(note.startswith("holds U+FFFD") for note in notes)
    assert any(note.startswith("holds marks that turn") for note in notes)


def test_odd_marks_in_what_is_rejected_are_told() -> None:
    reading = read("cafÃ© \x00\x1b[31m".encode(), "utf-8", "application/pdf")
    assert reading.rejects[0].excerpt == "cafÃ© [31m"
    assert any("decoded twice" in note for note in reading.notes)


# --- what never reaches a value


def values(reading: PageReading) -> list[str]:
    found = [reading.heading or "", *(reject.excerpt for reject in reading.rejects)]
    for record in reading.records:
        found += [record.title, record.type or "", record.url or "", *(p.text for p in (*record.body, *record.resume))]
        found += [part for link in record.links for part in (link.text, link.url)]
    return found


@pytest.mark.parametrize("media_type", ["text/html", "text/plain"])
@pytest.mark.parametrize("sign", [chr(n) for n in (*range(9), 11, *range(14, 32), *range(127, 160))])
def test_no_control_character_reaches_a_value(media_type: str, sign: str) -> None:
    labels = f"Type de ressource\nGu{sign}ide\nRessource privée\nNon\nRésumé"
    text = f"Un ti{sign}tre\n\nLe co{sign}rps.\n\n{labels}\n\n{sign}Un.\n"
    page = html(f"Un ti{sign}tre", f"Le co{sign}rps. <a href='/a{sign}b'>ici{sign}</a>")
    reading = read(page if media_type == "text/html" else text, "utf-8", media_type)
    assert len(reading.records) == 1
    assert not [value for value in values(reading) if sign in value]


@pytest.mark.parametrize("sign", ["&#0;", "&#1;", "&#x1b;", "&#xd800;", "&#xdfff;", "&#x9f;", "&#x110000;"])
def test_no_control_character_comes_by_reference(sign: str) -> None:
    reading = read(html(f"Un ti{sign}tre", f"Le co{sign}rps. <a href='/a{sign}b'>ici</a>"))
    for value in values(reading):
        value.encode()
        assert value.isprintable() or "\u0178" in value


@pytest.mark.parametrize("media_type", ["text/html", "text/plain"])
def test_lone_surrogates_become_lost_characters(media_type: str) -> None:
    text = "Un \ud800titre\n\nLe corps.\n\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n\nUn.\n"
    reading = read(html("Un \ud800titre") if media_type == "text/html" else text, "utf-8", media_type)
    assert reading.records[0].title.startswith("Un \ufffd")
    assert any(note.startswith("holds U+FFFD") for note in reading.notes)


@pytest.mark.parametrize("media_type", ["text/html", "text/plain"])
def test_accented_letters_are_one_character_each(media_type: str) -> None:
    apart = unicodedata.normalize("NFD", "Un été à Orléans")
    text = f"{apart}\n\nLe corps.\n\nType de ressource\nGuide\nRessource privée\nNon\nRésumé\n\nUn.\n"
    reading = read(html(apart) if media_type == "text/html" else text, "utf-8", media_type)
    assert reading.records[0].title == "Un été à Orléans"


def test_a_line_of_control_characters_is_blank() -> None:
    labels = "Type de ressource\nGuide\nRessource privée\nNon\nRésumé"
    text = f"\x00\x01\n• \x00\nUn titre\n\nLe corps.\n\n{labels}\n\nUn.\n"
    (record,) = read(text, "utf-8", "text/plain").records
    assert (record.title, record.body[0].text) == ("Un titre", "Le corps.")


def test_an_address_keeps_its_letters_and_loses_no_sign() -> None:
    apart = unicodedata.normalize("NFD", "https://a.fr/été")
    assert quote_controls(apart) == apart
    assert quote_controls("https://a.fr/\x01b\x9fc") == "https://a.fr/%01b%C2%9Fc"


@settings(max_examples=1000, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_cleaned_text_is_valid_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\f\r"]
