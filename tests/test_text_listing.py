"""Plain-text copies: recorded ones with what is expected of them, odd ones, and generated ones whose truth is known."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.text_listing import VERSION, parse_text_listing
from schema.folding import squeeze
from schema.nouns import PageReading, Payload, Record
from schema.sources import Labels

PAGES = Path(__file__).parent / "pages" / "text"
URL = "https://rtes.example/theme?page=1"
LABELS = Labels(type=("Type de ressource",))
PUBLIC = "Type de ressource\nGuide\nRessource privée\nNon\nRésumé\n"
PRIVATE = "Type de ressource\nGuide\nRessource privée\nOui\nRésumé\n"


def read(content: str | bytes, charset: str | None = None, labels: Labels = LABELS) -> PageReading:
    data = content.encode() if isinstance(content, str) else content
    return parse_text_listing(Payload(URL, data, "text/plain", charset), page_url=URL, labels=labels)


def texts(record: Record) -> tuple[str, list[str], list[str]]:
    return record.title, [p.text for p in record.body], [p.text for p in record.resume]


def describe(reading: PageReading) -> dict[str, object]:
    """The reading as the expectations beside the recorded pages write it."""
    records = [
        {"title": r.title, "type": r.type, "is_private": r.is_private, "body": texts(r)[1], "resume": texts(r)[2]}
        for r in reading.records
    ]
    rejects = [{"reason": reject.reason, "excerpt": reject.excerpt} for reject in reading.rejects]
    return {"records": records, "rejects": rejects, "notes": list(reading.notes)}


# --- recorded pages


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.txt")), ids=lambda page: page.stem)
def test_a_recorded_page_gives_what_was_read_by_hand(page: Path) -> None:
    assert describe(read(page.read_bytes())) == json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.txt")), ids=lambda page: page.stem)
def test_every_span_of_a_recorded_page_holds_the_words_it_stands_for(page: Path) -> None:
    content = page.read_bytes()
    charset = "cp1252" if page.stem == "latin" else "utf-8"
    for record in read(content).records:
        check_spans(record, content, charset)


def check_spans(record: Record, content: bytes, charset: str) -> None:
    def words(name: str) -> str:
        span = record.part_spans[name]
        assert record.span.start <= span.start < span.end <= record.span.end
        return squeeze(content[span.start : span.end].decode(charset).replace("•", " "))

    assert words("title") == record.title
    assert record.part_spans["title"].start == record.span.start
    assert ("type" in record.part_spans) == (record.type is not None)
    if record.type:
        assert words("type") == record.type
    if record.is_private is not None:
        assert words("is_private") == ("Oui" if record.is_private else "Non")
    for name, passages in (("body", record.body), ("resume", record.resume)):
        assert (name in record.part_spans) == bool(passages)
        if passages:
            assert words(name) == squeeze(" ".join(p.text for p in passages).replace("•", " "))
    if record.resume:
        assert record.part_spans["resume"].end == record.span.end


def test_the_reading_names_its_page_and_its_parser() -> None:
    reading = read("T\n\nA.\n\n" + PUBLIC + "\nA.\n")
    assert (reading.page_url, reading.canonical_url, reading.parser) == (URL, URL, "labelled-text")
    assert reading.parser_version == VERSION == "1"
    record = reading.records[0]
    assert (record.page_url, record.position, record.url, record.links) == (URL, 0, None, ())
    assert set(record.part_spans) == {"title", "type", "is_private", "body", "resume"}


def test_bullets_mark_items_and_are_left_out() -> None:
    record = read("T\n\nA :\n\n  • un\n  •\u00a0deux\n\n" + PUBLIC + "\nA :\n\n  • un\n  •\u00a0deux\n").records[0]
    assert [(p.kind, p.text) for p in record.resume] == [("paragraph", "A :"), ("item", "un"), ("item", "deux")]
    assert record.body == record.resume


# --- where a résumé ends


def test_a_private_record_has_no_body_and_its_title_is_the_last_line() -> None:
    reading = read(f"A\n\na.\n\n{PUBLIC}\na.\n\nP\n\n{PRIVATE}\nx.\n\ny.\n\nB\n\nb.\n\n{PUBLIC}\nb.\n")
    assert [texts(r) for r in reading.records] == [
        ("A", ["a."], ["a."]),
        ("P", [], ["x.", "y."]),
        ("B", ["b."], ["b."]),
    ]
    assert reading.notes == ()


def test_a_short_last_paragraph_belongs_to_body_and_resume() -> None:
    reading = read(f"Un\n\nLong texte.\n\nRelais\n\n{PUBLIC}\nLong texte.\n\nRelais\n\nDeux\n\n{PRIVATE}\nFin.\n")
    assert texts(reading.records[0]) == ("Un", ["Long texte.", "Relais"], ["Long texte.", "Relais"])
    assert reading.records[1].title == "Deux"


def test_a_line_that_comes_again_as_the_last_stays() -> None:
    text = "Voir la conférence\n\nLe texte.\n\nVoir la conférence"
    reading = read(f"Un\n\n{text}\n\n{PUBLIC}\n{text}\n\nDeux\n\nAutre.\n\n{PUBLIC}\nAutre.\n")
    assert texts(reading.records[0])[2] == ["Voir la conférence", "Le texte.", "Voir la conférence"]
    assert reading.records[1].title == "Deux"


def test_a_title_that_the_body_repeats_is_taken_once() -> None:
    reading = read(f"Un\n\nUn\n\nTexte.\n\n{PUBLIC}\nUn\n\nTexte.\n")
    assert texts(reading.records[0]) == ("Un", ["Un", "Texte."], ["Un", "Texte."])


def test_a_resume_cut_short_by_the_site_still_tells_the_next_title() -> None:
    long = "Les collectivités achètent de plus en plus aux structures de l'insertion par l'activité économique."
    reading = read(f"Un\n\n{long}\n\n{PUBLIC}\n{long[:50]}…\n\nDeux\n\nBref.\n\n{PUBLIC}\nBref.\n")
    assert [r.title for r in reading.records] == ["Un", "Deux"]
    assert texts(reading.records[0])[2] == [long[:50] + "…"]


def test_paragraphs_cut_differently_still_repeat_each_other() -> None:
    one, two = "La région achète local.", "La ville réemploie ses meubles."
    reading = read(f"P\n\n{PRIVATE}\nx.\n\nUn\n\n{one} {two}\n\n{PUBLIC}\n{one}\n\n{two}\n\nDeux\n\n{PRIVATE}\nz\n")
    assert texts(reading.records[1]) == ("Un", [f"{one} {two}"], [one, two])


def test_the_name_of_the_site_is_not_the_title() -> None:
    reading = read(f"Centre\n\nAccueil\n\nUn\n\nTexte du premier.\n\n{PUBLIC}\nTexte du premier.\n")
    assert texts(reading.records[0])[0] == "Un"
    assert texts(read(f"Centre\n\nUn\n\n{PRIVATE}\nTexte.\n").records[0])[0] == "Un"


def test_a_public_record_without_body_takes_the_last_line_and_says_so() -> None:
    reading = read(f"A\n\na b c.\n\n{PUBLIC}\na b c.\n\nSans corps\n\n{PUBLIC}\nSeul.\n\nB\n\nbbb.\n\n{PUBLIC}\nbbb.\n")
    assert texts(reading.records[1]) == ("Sans corps", [], ["Seul."])
    assert any("has no body" in note and "Sans corps" in note for note in reading.notes)


def test_a_public_record_whose_resume_is_absent_leaves_the_next_title_first() -> None:
    bare = "Type de ressource\nGuide\nRessource privée\nNon\n"
    reading = read(f"Un\n\nCorps.\n\n{bare}\nDeux\n\nAutre.\n\n{PUBLIC}\nAutre.\n")
    assert [texts(r) for r in reading.records] == [("Un", ["Corps."], []), ("Deux", ["Autre."], ["Autre."])]
    assert "resume" not in reading.records[0].part_spans
    assert any("no label states its résumé" in note for note in reading.notes)


def test_where_nothing_repeats_the_choice_is_noted() -> None:
    reading = read(f"P\n\n{PRIVATE}\nun\n\ndeux\n\ntrois\n\nquatre\n\n{PUBLIC}\nToute autre chose.\n")
    assert reading.records[1].title == "quatre"
    assert any("not clear" in note or "no body" in note for note in reading.notes)


def test_a_private_record_whose_body_the_copy_shows_is_noted() -> None:
    reading = read(f"P\n\nCaché un.\n\nCaché deux.\n\n{PRIVATE}\nCaché un.\n\nCaché deux.\n")
    assert reading.records[0].body == ()
    assert any("look at its title" in note for note in reading.notes)


# --- labels


def test_labels_in_running_text_are_text() -> None:
    body = "Type de ressource : guide. Public : élus et agents.\n\n  • Résumé\n\nRésumé\n\nType de ressource : guide"
    reading = read(f"Un\n\n{body}\n\n{PUBLIC}\n{body}\n")
    assert len(reading.records) == 1
    assert texts(reading.records[0])[1] == texts(reading.records[0])[2]
    assert len(reading.records[0].body) == 4
    assert any("stands apart from a block" in note for note in reading.notes)


@pytest.mark.parametrize(
    "labels",
    [
        "TYPE DE RESSOURCE :\nGuide\nRessource privée :\nNON\nRÉSUMÉ :\n",
        "Type de ressource\u00a0: Guide\nRessource privée : non\nRésumé\n",
        "Type de ressource\n\nGuide\n\nRessource privée\n\nNon\n\nRésumé\n",
        "Ressource privée\nNon\nType de ressource\nGuide\nRésumé\n",
    ],
)
def test_labels_are_known_in_every_dress(labels: str) -> None:
    record = read(f"Un\n\nTexte.\n\n{labels}\nTexte.\n").records[0]
    assert (record.type, record.is_private, texts(record)) == ("Guide", False, ("Un", ["Texte."], ["Texte."]))


def test_a_resume_may_begin_on_the_line_of_its_label() -> None:
    content = "Un\n\nDéjà dit.\n\nType de ressource : Guide\nRessource privée : Non\nRésumé : Déjà dit.\n"
    record = read(content).records[0]
    assert texts(record) == ("Un", ["Déjà dit."], ["Déjà dit."])
    check_spans(record, content.encode(), "utf-8")


def test_the_wordings_are_those_of_the_source() -> None:
    labels = Labels(type=("Nature", "Format"), private=("Accès réservé",), summary=("En bref",))
    record = read("Un\n\nT.\n\nFormat\nVidéo\nAccès réservé\nOui\nEn bref\n\nT.\n", labels=labels).records[0]
    assert (record.type, record.is_private) == ("Vidéo", True)


def test_an_unstated_or_unknown_privacy_is_null_and_noted() -> None:
    unknown = PUBLIC.replace("Non", "Peut-être")
    unstated = "Type de ressource\nGuide\nRésumé\n"
    reading = read(f"Un\n\nt.\n\n{unknown}\nt.\n\nDeux\n\nu.\n\n{unstated}\nu.\n")
    assert [r.is_private for r in reading.records] == [None, None]
    assert any("neither Oui nor Non: 'Peut-être'" in note for note in reading.notes)
    assert any("no label states its privacy" in note for note in reading.notes)


def test_a_missing_or_empty_type_is_null_and_noted() -> None:
    reading = read("Un\n\nt.\n\nType de ressource\nRessource privée\nNon\nRésumé\n\nt.\n")
    assert reading.records[0].type is None
    assert any("its type is empty" in note for note in reading.notes)
    reading = read("Un\n\nt.\n\nRessource privée\nNon\nRésumé\n\nt.\n")
    assert reading.records[0].type is None
    assert any("no label states its type" in note for note in reading.notes)


def test_a_near_miss_of_a_label_is_reported_not_guessed() -> None:
    reading = read(f"Un\n\nt.\n\n{PUBLIC.replace('Ressource privée', 'Ressource privee')}\nt.\n")
    assert reading.records[0].is_private is None
    assert any("'Ressource privee' is near the label" in note for note in reading.notes)


# --- rejects


def test_a_text_without_labels_is_one_reject() -> None:
    for content in ("", " \n\u00a0\n", "Bonjour.\n\nRésumé\n\nRien.\n"):
        reading = read(content)
        assert [r.reason for r in reading.rejects] == ["no_blocks"]
        assert reading.records == ()


@pytest.mark.parametrize(
    "labels",
    [
        "Type de ressource\nGuide\nType de ressource\nFiche\nRessource privée\nNon\nRésumé\n",
        "Type de ressource\nGuide\nFiche\nRessource privée\nNon\nRésumé\n",
        "Type de ressource : Guide\nType de ressource : Fiche\nRessource privée : Non\nRésumé\n",
    ],
)
def test_two_types_are_a_reject_and_the_neighbours_stay(labels: str) -> None:
    reading = read(f"Un\n\nt.\n\n{labels}\nt.\n\nDeux\n\nu.\n\n{PUBLIC}\nu.\n")
    assert [(r.reason, "Guide" in r.message, "Fiche" in r.message) for r in reading.rejects] == [
        ("two_types", True, True)
    ]
    assert [(r.title, r.position) for r in reading.records] == [("Deux", 1)]


def test_two_privacies_are_a_reject() -> None:
    labels = PUBLIC.replace("Non", "Non\nRessource privée\nOui")
    assert [r.reason for r in read(f"Un\n\nt.\n\n{labels}\nt.\n").rejects] == ["two_privacies"]


@pytest.mark.parametrize(
    "content",
    [
        f"{PUBLIC}\nTexte.\n\nDeux\n\nu.\n\n{PUBLIC}\nu.\n",
        f"Un\n\nTexte.\n\n{PUBLIC}\nTexte.\n\n{PUBLIC}\nu.\n",
        f"Un\n\nTexte.\n\n{PUBLIC}\nTexte.\n\n{PRIVATE}\nu.\n",
        f"Un\n\nTexte.\n\n{PUBLIC[:-8]}\n{PUBLIC}\nu.\n",
    ],
)
def test_labels_without_a_title_are_a_reject(content: str) -> None:
    reading = read(content)
    assert [r.reason for r in reading.rejects] == ["no_title"]
    assert len(reading.records) == 1


def test_what_follows_the_last_repeated_passage_is_incomplete() -> None:
    content = f"Un\n\nt.\n\nfin\n\n{PUBLIC}\nt.\n\nfin\n\nDeux : l’été\n\nLe début.\n"
    reading = read(content)
    (reject,) = reading.rejects
    assert (reject.reason, reject.excerpt) == ("incomplete", "Deux : l’été Le début.")
    assert reject.span is not None
    assert content.encode()[reject.span.start : reject.span.end].decode() == "Deux : l’été\n\nLe début."
    assert texts(reading.records[0])[2] == ["t.", "fin"]


def test_a_last_resume_that_ends_otherwise_is_told_by_form_and_noted() -> None:
    reading = read(f"Un\n\nt.\n\nfin\n\n{PUBLIC}\nt.\n\nUne autre fin.\n\nDeux\n")
    assert texts(reading.records[0])[2] == ["t.", "Une autre fin."]
    assert [r.excerpt for r in reading.rejects] == ["Deux"]
    assert any("told by the form" in note for note in reading.notes)


def test_after_a_last_private_record_everything_is_its_resume() -> None:
    reading = read(f"P\n\n{PRIVATE}\nx.\n\nDeux\n")
    assert texts(reading.records[0]) == ("P", [], ["x.", "Deux"])
    assert reading.rejects == ()
    assert any("nothing tells where its résumé ends" in note for note in reading.notes)


@pytest.mark.parametrize("lines", range(1, 6))
def test_a_copy_cut_in_the_labels_is_incomplete(lines: int) -> None:
    labels = "\n".join(PUBLIC.splitlines()[:lines])
    reading = read(f"Un\n\nt.\n\n{PUBLIC}\nt.\n\nDeux\n\nu.\n\n{labels}")
    assert [r.title for r in reading.records] == ["Un"]
    assert [(r.reason, r.excerpt.startswith("Deux u. Type")) for r in reading.rejects] == [("incomplete", True)]


# --- bytes


@pytest.mark.parametrize(
    ("charset", "codec", "mark"),
    [
        (None, "utf-8", b""),
        (None, "utf-8", b"\xef\xbb\xbf"),
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
        ("iso-8859-1", "cp1252", b""),
        ("windows-1252", "cp1252", b""),
        (None, "cp1252", b""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_coding_gives_the_same_words_and_exact_spans(
    charset: str | None, codec: str, mark: bytes, end: str
) -> None:
    passages = "Déjà «\u00a0vu\u00a0» – oui\n\n  • là\n"
    text = f"L’été à l’œuvre\n\n\u00a0\n\n{passages}\n{PUBLIC}\n{passages}"
    content = mark + text.replace("\n", end).encode(codec)
    reading = read(content, charset)
    record = reading.records[0]
    assert texts(record) == ("L’été à l’œuvre", ["Déjà « vu » – oui", "là"], ["Déjà « vu » – oui", "là"])
    check_spans(record, content, codec)
    assert [note for note in reading.notes if "charset" not in note] == []
    assert bool(reading.notes) == (charset is None and codec == "cp1252")


def test_undecodable_bytes_under_a_declared_charset_are_noted_and_kept_in_place() -> None:
    content = b"Un\n\nt\xe9.\n\n" + PUBLIC.encode() + b"\nt\xe9.\n"
    reading = read(content, "utf-8")
    assert texts(reading.records[0]) == ("Un", ["t\ufffd."], ["t\ufffd."])
    assert reading.notes == ("bytes that are not utf-8, which the page declares",)
    span = reading.records[0].part_spans["body"]
    assert content[span.start : span.end] == b"t\xe9."


def test_a_copy_in_utf16_is_a_reject_that_says_what_to_do() -> None:
    reading = read(b"\xff\xfe" + f"Un\n\n{PUBLIC}\n".encode("utf-16-le"))
    assert [(r.reason, "UTF-8" in r.message) for r in reading.rejects] == [("undecodable", True)]


@pytest.mark.parametrize(
    "charset", ["no-such", "utf-7", "rot13", "unicode_escape", "iso-2022-jp", "utf-32", "utf-16", "a\0b"]
)
def test_a_charset_that_cannot_be_used_is_noted(charset: str) -> None:
    reading = read(f"Un\n\nété + & ~\n\n{PUBLIC}\nété + & ~\n", charset)
    assert reading.records[0].title == "Un"
    assert any(repr(charset) in note for note in reading.notes)


# --- generated copies


class Truth(NamedTuple):
    title: str
    is_private: bool
    body: list[str]
    resume: list[str]


WORDS = re.findall(
    r"\w+",
    """
    achat public responsable collectivité économie sociale solidaire insertion emploi territoire clause marché
    région métropole commune projet réemploi déchet alimentation quartier friche association subvention convention
    acteur réseau journée échange conférence ligne fiche étude rapport appel offre coopération transition énergétique
    rénovation logement bailleur transport mobilité santé culture jeunesse numérique accompagner développer soutenir
    financer évaluer construire piloter mesurer partager organiser présenter renforcer permettre faciliter
    """,
)
LINKING = ("de la", "des", "pour les", "et", "dans le", "sur l’", "qui", "avec")
REFRAINS = (
    "Téléchargez la version pour impression",
    "Ressources :",
    "Relais",
    "(Re)voir la conférence en ligne",
    "Collectivités adhérentes, connectez-vous à l'espace adhérent.",
)


def make_rng(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same listings on every run


def write_sentence(rng: random.Random, least: int, most: int) -> str:
    words = [rng.choice(WORDS if rng.random() < 0.7 else LINKING) for _ in range(rng.randint(least, most))]
    return " ".join(words).capitalize()


def write_title(rng: random.Random) -> str:
    title = write_sentence(rng, 2, 10)
    dress = rng.choice(("{}", "{}", "{} ?", '"{}"', "{} - mars 2023", "Fiche n°12 : {}", "{}.", "{}…"))
    return dress.format(title.upper() if rng.random() < 0.1 else title)


def write_paragraph(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(REFRAINS)
    if kind < 0.3:
        return write_sentence(rng, 1, 4)
    if kind < 0.45:
        return "• " + write_sentence(rng, 5, 20)
    return " ".join(write_sentence(rng, 5, 20) + "." for _ in range(rng.randint(1, 4)))


def write_resume(rng: random.Random) -> list[str]:
    paragraphs = [write_paragraph(rng) for _ in range(rng.choice((1, 1, 2, 3, 3, 4, 6, 10, 20)))]
    return paragraphs + paragraphs[:1] if rng.random() < 0.1 else paragraphs


def edit_inside(rng: random.Random, paragraphs: list[str]) -> list[str]:
    """The paragraphs with one to three changes that leave the first and the last recognisable."""
    edited = list(paragraphs)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(edited))
        change = rng.choice(("word", "word", "typography", "drop", "add"))
        if change == "word":
            words = edited[place].split()
            if len(words) > 8:
                words[rng.randrange(1, len(words))] = rng.choice(WORDS)
            edited[place] = " ".join(words)
        elif change == "typography":
            edited[place] = edited[place].replace("’", "'").replace("-", "–")
        elif 0 < place < len(edited) - 1:
            edited[place : place + 1] = [] if change == "drop" else [edited[place], write_paragraph(rng)]
    return edited


def edit_anywhere(rng: random.Random, paragraphs: list[str]) -> list[str]:
    """The paragraphs with one change that may fall on the first or the last: dropped, replaced, added, cut short."""
    edited = list(paragraphs)
    place = rng.randrange(len(edited))
    change = rng.choice(("drop", "replace", "add", "cut"))
    if change == "drop" and len(edited) > 1:
        del edited[place]
    elif change == "replace":
        edited[place] = write_paragraph(rng)
    elif change == "add":
        edited.insert(rng.randint(0, len(edited)), write_paragraph(rng))
    elif len(edited[-1]) > 60:
        edited[-1] = edited[-1][: len(edited[-1]) // 2] + "…"
    return edited


EDITS: dict[str, Callable[[random.Random, list[str]], list[str]]] = {
    "exact": lambda _, paragraphs: list(paragraphs),
    "inside": edit_inside,
    "anywhere": edit_anywhere,
}


def write_listing(rng: random.Random, repetition: str) -> list[Truth]:
    listing = []
    for _ in range(rng.randint(1, 10)):
        is_private, resume = rng.random() < 0.3, write_resume(rng)
        body = [] if is_private else EDITS[repetition](rng, resume)
        listing.append(Truth(write_title(rng), is_private, body, resume))
    return listing


def render(rng: random.Random, listing: list[Truth], tail: str | None) -> str:
    lines = ["Réseau des collectivités", ""] if rng.random() < 0.7 else []

    def put(paragraphs: list[str]) -> None:
        for paragraph in paragraphs:
            lines.extend(["  " + paragraph] if paragraph.startswith("• ") else ["", paragraph, ""])
            lines.extend([" ", "", "\u00a0", ""] if rng.random() < 0.1 else [])
        lines.append("")

    for truth in listing:
        put([truth.title])
        put(truth.body)
        lines.extend(["Type de ressource", "Guide", "Ressource privée", "Oui" if truth.is_private else "Non", "Résumé"])
        put(truth.resume)
    return rng.choice(("\n", "\r\n")).join([*lines, *([tail] if tail else [])])


def published(truth: Truth) -> tuple[str, list[str], list[str]]:
    bare = [[squeeze(p.removeprefix("• ")) for p in section] for section in (truth.body, truth.resume)]
    return squeeze(truth.title), bare[0], bare[1]


def count_right(repetition: str, listings: int) -> tuple[int, int, int]:
    """Titles right, records right in every word, and records, over generated listings."""
    titles = whole = count = 0
    for seed in range(listings):
        rng = make_rng(f"{repetition} {seed}")
        listing = write_listing(rng, repetition)
        found = {r.position: texts(r) for r in read(render(rng, listing, None)).records}
        count += len(listing)
        titles += sum(position in found and found[position][0] == published(t)[0] for position, t in enumerate(listing))
        whole += sum(found.get(position) == published(t) for position, t in enumerate(listing))
    return titles, whole, count


def test_exact_repetition_is_recovered_to_the_last_word() -> None:
    titles, whole, count = count_right("exact", 300)
    assert (titles, whole) == (count, count)


def test_near_repetition_is_recovered() -> None:
    titles, whole, count = count_right("inside", 300)
    assert titles / count >= 0.98
    assert whole / count >= 0.97


def test_repetition_that_begins_or_ends_otherwise_is_mostly_recovered() -> None:
    # a paragraph that only the body has, right below the title, may read like a title itself: none can always tell
    titles, _, count = count_right("anywhere", 300)
    assert titles / count >= 0.93


def test_a_cut_record_after_exact_repetition_is_always_reported() -> None:
    for seed in range(100):
        rng = make_rng(f"tail {seed}")
        last = Truth(
            "Le dernier public", is_private=False, body=["Un texte.", "Relais"], resume=["Un texte.", "Relais"]
        )
        listing = [*write_listing(rng, "exact"), last]
        reading = read(render(rng, listing, "Un titre coupé"))
        assert [(r.reason, r.excerpt) for r in reading.rejects] == [("incomplete", "Un titre coupé")]
        assert [texts(r) for r in reading.records] == [published(truth) for truth in listing]


LINES = st.sampled_from(
    [
        *("Type de ressource", "Ressource privée", "Résumé", "Oui", "Non", "Guide", "Ressource privée : Oui", "", " "),
        *("Résumé : suite", "Type de ressource : Guide", "Un titre", "Un texte qui dure. Un autre.", "  • item", "•"),
        *("\u00a0", "\ufeff", "Ressource privee", "RÉSUMÉ :", "Type de ressource : guide. Public : élus.", "\u200b x"),
    ]
)


@given(st.lists(LINES, max_size=40).map("\n".join))
@settings(max_examples=300, deadline=None)
def test_any_order_of_lines_is_read_without_losing_a_span(content: str) -> None:
    data = content.encode()
    reading = read(data)
    assert reading.records or reading.rejects
    for record in reading.records:
        assert record.title
        assert squeeze(record.title) in squeeze(data[record.span.start : record.span.end].decode())
        assert set(record.part_spans) <= {"title", "type", "is_private", "body", "resume"}
    found = [*(r.span for r in reading.records), *(r.span for r in reading.rejects)]
    spans = sorted((span.start, span.end) for span in found if span)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "ascii", "hex", "shift_jis"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_rejected(content: bytes, charset: str | None) -> None:
    reading = read(content + b"\n" + PUBLIC.encode(), charset)
    assert reading.records or reading.rejects


def test_a_text_that_is_no_listing_takes_no_long_time() -> None:
    rng = make_rng("long")
    half = "\n\n".join(write_sentence(rng, 3, 12) for _ in range(5000))
    other = "\n\n".join(write_sentence(rng, 3, 12) for _ in range(5000))
    start = time.perf_counter()
    assert read(f"{half}\n\n{PUBLIC}\n{other}\n\n{half}\n\n{PUBLIC}\n{half}").records
    assert time.perf_counter() - start < 20
