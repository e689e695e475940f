"""A record gives way to one of exactly its stored length, and a passage is found however a page writes it."""

from __future__ import annotations

import gzip
import html
import json
import time
import unicodedata
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from harvest.archive import ArchiveWriter
from harvest.index import known_originals, write_index
from harvest.members import WarcRecord, record_at
from harvest.payloads import read_payload
from harvest.redact import Note, fitted_member, is_tombstone, repeating, tombstone, without_passages
from harvest.revisits import answer_bytes, effective_answer
from parsers.sought import blank_sought, blank_spans, find_sought, key_of, passages_of, sought_in
from schema.errors import Bug
from schema.nouns import Original
from tests.small_site import LISTING, page_of
from tests.taken_site import BETA_TEXT

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOTE = Note("à la demande de l'auteur", NOW)

# --- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 1, 2, 300, 70_000, 1_000_000])
def test_a_member_fills_any_room_and_all_readers_take_it(room: int) -> None:
    content = b"WARC/1.1\r\nWARC-Type: warcinfo\r\nContent-Length: 2\r\n\r\nab\r\n\r\n"
    least = next(n for n in range(1, 200) if fitted_member(content, n))
    assert fitted_member(content, least - 1) is None
    member = fitted_member(content, least + room)
    assert member is not None
    assert len(member) == least + room
    assert gzip.decompress(member * 2) == content * 2


def exchange(folder: Path, answer: bytes) -> tuple[tuple[Path, int], list[tuple[Path, int]]]:
    """The place of an answer, and those of its revisits in later archives: the site said 304; it sent it again."""
    path, asked = folder / "000001.warc.gz", b"GET / HTTP/1.1\r\n\r\n"
    with ArchiveWriter(path, "essai") as archive:
        first = archive.add_exchange(LISTING, asked, answer, NOW)
        archive.add_ledger({"visits": []}, NOW)
    known, later = known_originals(write_index(folder)), folder / "000002.warc.gz"
    with ArchiveWriter(later, "essai", known) as archive:
        place = Original(path.name, first.offset, LISTING, NOW, "")
        places = [
            archive.add_revisit(LISTING, asked, b"HTTP/1.1 304 Not Modified\r\n\r\n", NOW, place).offset,
            archive.add_exchange(LISTING, asked, answer, NOW).offset,
        ]
        archive.add_ledger({"visits": []}, NOW)
    assert all(record_at(later, offset).kind == "revisit" for offset in places)
    return (path, first.offset), [(later, offset) for offset in places]


def put(place: tuple[Path, int], stored: bytes) -> None:
    """Overwrite a record with another of the same length."""
    path, offset = place
    assert record_at(path, offset).length == len(stored)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(stored)


@pytest.mark.parametrize("coding", ["", "gzip", "chunked"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_revisit_states_what_its_original_states_now(tmp_path: Path, coding: str, is_whole: bool) -> None:  # noqa: FBT001
    page = b"<html>" + BETA_TEXT.encode() + b"".join(b"<p>%d</p>" % n for n in range(400)) + b"</html>"
    body = {"gzip": gzip.compress(page), "chunked": b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)}.get(coding, page)
    told = {"gzip": b"Content-Encoding: gzip\r\n", "chunked": b"Transfer-Encoding: chunked\r\n"}.get(coding, b"")
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + told + b"\r\n" + body
    first, later = exchange(tmp_path, answer)
    assert read_payload(*first).content == page
    blank = blank_spans(page, [(6, 6 + len(BETA_TEXT.encode()))])
    record = record_at(*first)
    made = tombstone(record, NOTE) if is_whole else without_passages(record, blank, NOTE)
    assert made is not None
    after = [repeating(record_at(*place), made, NOTE) for place in later]
    for place, one in zip([first, *later], [made, *after], strict=True):
        put(place, one.stored)
    for place in (first, *later):
        content = read_payload(*place).content
        assert is_tombstone(content) is is_whole
        assert is_whole or content == blank
        assert sha256(content).hexdigest() == made.payload_sha256
    assert answer_bytes(*later[0]).startswith(b"HTTP/1.1 304")
    block = record_at(*first).block
    assert effective_answer(*later[0]) == block
    assert answer_bytes(*later[1]).endswith(block.partition(b"\r\n\r\n")[2])


def test_a_long_reason_is_cut_to_the_room_there_is_and_none_fits_into_nothing(tmp_path: Path) -> None:
    record = record_at(*exchange(tmp_path, page_of(b"x" * 600))[0])
    made = tombstone(record, Note("".join(map(chr, range(0x4E00, 0x5E00))), NOW))
    assert len(made.stored) == record.length
    with pytest.raises(Bug, match="no tombstone fits"):
        tombstone(WarcRecord(0, 60, record.headers, record.block), NOTE)


# --- words ------------------------------------------------------------------------------------------------------------

WAYS = {
    "as it is": BETA_TEXT,
    "typography": BETA_TEXT.replace("'", "’").replace(" ", "\xa0"),
    "entities": "".join(f"&#{ord(c)};" for c in BETA_TEXT),
    "hexadecimal": "".join(f"&#x{ord(c):x};" for c in BETA_TEXT),
    "named": html.escape(BETA_TEXT).replace("é", "&eacute;"),
    "tags": BETA_TEXT.replace("personne", "<b>per<i>sonne</i></b>"),
    "comment within": BETA_TEXT.replace("autre", "au<!-- THEME > DEBUG -->tre"),
    "in a comment": f"<!-- {BETA_TEXT} -->",
    "attribute": f"<img alt='{html.escape(BETA_TEXT)}'>",
    "json": json.dumps({"a": BETA_TEXT}),
    "lines": BETA_TEXT.replace(" ", "\n   "),
    "case": BETA_TEXT.upper(),
    "accents apart": unicodedata.normalize("NFD", BETA_TEXT),
    "accents apart, as entities": BETA_TEXT.replace("é", "e&#769;"),
    "address": f'<a href="mailto:?subject=Lire&body={quote(BETA_TEXT)}&cc=">',
    "form": f'<a href="/share?text={quote_plus(BETA_TEXT)}">',
    "second value of an address": f'<a href="/share?a=b&amp;text={quote(BETA_TEXT)}">',
    "sign in an attribute": BETA_TEXT.replace("autre", "<span title=\"a > b\" lang='f>r'>autre</span>"),
    "apostrophe in a tag": BETA_TEXT.replace("autre", "<i title=l'eau>autre</i>"),
    "script within": BETA_TEXT.replace("autre", "<script>if (a<b) x('</p>')</script>autre"),
    "style within": BETA_TEXT.replace("autre", "<STYLE>p > a { color: red }</STYLE >autre"),
    "json in json": json.dumps(json.dumps({"a": BETA_TEXT})),
    "javascript": BETA_TEXT.replace("é", "\\xe9"),
    "in a script": f"<script>var a = {json.dumps(BETA_TEXT)}</script>",
    "in an endless script": f"<script>{BETA_TEXT}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_a_passage_is_found_and_overwritten_however_it_is_written(way: str, charset: str) -> None:
    keys = sought_in([BETA_TEXT])
    page = f"<p>avant é</p>{WAYS[way]}<p>après</p>".encode(charset, "xmlcharrefreplace")
    assert find_sought(page, keys) == keys
    made = blank_sought(page, keys)
    assert made.left == frozenset()
    assert len(made.content) == len(page)
    assert made.content.startswith("<p>avant é</p>".encode(charset))
    assert made.content.endswith("<p>après</p>".encode(charset))


def test_short_passages_and_other_words_are_let_be() -> None:
    assert sought_in(["trop court"]) == frozenset()
    page = b"<p>Un paragraphe que quelqu'un d'autre a ecrit.</p>"
    assert blank_sought(page, sought_in([BETA_TEXT])).content == page
    assert blank_spans(b"ab\ncd\r\nef", [(1, 8)]) == b"a \n  \r\n f"


@pytest.mark.parametrize(
    "page",
    [
        html.escape(html.escape(f"<p>{BETA_TEXT.replace('é', '&eacute;')}</p>")),
        f'<a href="/share?text={quote(html.escape(BETA_TEXT))}">',
        f'<a href="/share?to={quote("/other?text=" + quote(BETA_TEXT))}">',
    ],
)
def test_a_page_in_a_page_that_cannot_be_overwritten_is_said(page: str) -> None:
    keys = sought_in([BETA_TEXT])
    assert find_sought(page.encode(), keys) == keys
    assert blank_sought(page.encode(), keys).left == keys


LONG_TEXT = (
    "Jeanne Zorglubique raconte comment la commune de Saint-Trucmuche a mené l’été dernier son marché réservé, avec "
    "quelles difficultés et à quel prix, pour que d'autres en profitent demain, et pour qu'on en parle encore."
)
CUT = LONG_TEXT[:90]
TEASERS = {
    "an ellipsis": f"<p>{CUT}… Lire la suite</p>",
    "three points": f"<p>{CUT} [...] Lire</p>",
    "an entity": f"<p>{CUT}&hellip; lire</p>",
    "an ellipsis of its own": f"<p>{CUT}<span class=more>…</span> Lire</p>",
    "an end": f"<div><p><em>{CUT}</em></p><p>avec un autre texte</p></div>",
    "an end of a link": f"<a href=/b>{CUT}</a> avec un autre texte",
    "a letter more that is none": f"<p>{CUT}</p><p>{LONG_TEXT[90:].strip()[:1]}utre</p>",
    "an attribute": f'<meta content="{CUT}"><p>avec',
    "an attribute, otherwise": f"<meta content='{CUT.replace(chr(8217), '&#8217;')}'><p>avec",
    "json": json.dumps({"a": CUT, "b": "autre"}),
    "an address": f'<a href="?body={quote(CUT)}&cc=autre">',
    "the end of the page": f"<p>{CUT}",
    "more than half": f"<p>{LONG_TEXT[:120]} ou bien autrement</p>",
}


@pytest.mark.parametrize("way", TEASERS)
def test_a_beginning_goes_where_it_ends_as_a_teaser_does(way: str) -> None:
    keys, page = sought_in([LONG_TEXT]), f"<p>avant</p>{TEASERS[way]}".encode()
    assert find_sought(page, keys) == keys
    made = blank_sought(page, keys)
    assert made.left == frozenset()
    assert len(made.content) == len(page)
    assert b"orglub" not in made.content
    assert b"quelles" not in made.content
    assert made.content.startswith(b"<p>avant</p>")
    for kept in (b"utre", b"Lire"):
        assert (kept in page) is (kept in made.content)


OTHERS = {
    "other words follow": f"<p>{LONG_TEXT[:90]} puis autrement</p>",
    "other words follow a link": f"<p>{LONG_TEXT[:90]}<a href=/rtes>autrement</a> dit</p>",
    "other words in bold follow": f"<p>{LONG_TEXT[:90]}<strong>autrement</strong> dit</p>",
    "too short a beginning": f"<p>{LONG_TEXT[:45]}…</p>",
    "no beginning": f"<p>{LONG_TEXT[20:110]}…</p>",
}


@pytest.mark.parametrize("way", OTHERS)
def test_what_only_begins_alike_stays(way: str) -> None:
    keys, page = sought_in([LONG_TEXT]), OTHERS[way].encode()
    assert find_sought(page, keys) == frozenset()
    assert blank_sought(page, keys).content == page


def test_a_beginning_that_others_state_stays_and_a_longer_one_goes() -> None:
    theirs = LONG_TEXT[:100]
    passages = passages_of(sought_in([LONG_TEXT]), [key_of(unicodedata.normalize("NFD", theirs).upper() + " ou non")])
    assert passages.keys
    for page in (f"<p>{theirs[:80]}…</p>", f"<p>{theirs}</p>"):
        assert blank_sought(page.encode(), passages).content == page.encode()
    assert b"orglub" not in blank_sought(f"<p>{LONG_TEXT[:125]}…</p>".encode(), passages).content
    whole = passages_of(sought_in([LONG_TEXT]), [key_of(LONG_TEXT)])
    assert find_sought(LONG_TEXT.encode(), whole) == frozenset()


def test_a_passage_of_signs_alone_is_looked_for_nowhere() -> None:
    keys = sought_in(["* " * 40, "— " * 60, "_" * 50])
    assert (
        find_sought("<p>Un texte. ------------ * ------ {} {}</p>".format("-" * 80, "_" * 80).encode(), keys)
        == frozenset()
    )


def test_an_address_made_of_the_words_of_a_title_is_not_the_title() -> None:
    keys = sought_in([], ["Un panorama du tri sélectif, en 2024"])
    assert find_sought("<p>UN PANORAMA du tri se\u0301lectif en 2024</p>".encode(), keys) == keys
    for slug in ("un-panorama-du-tri-selectif-en-2024", "un_panorama_du_tri_selectif_en_2024"):
        page = f"GET /{slug} HTTP/1.1\r\n\r\n<a href='https://rtes.example/{slug}'>Lire</a>".encode()
        assert blank_sought(page, keys).content == page


def test_bytes_of_a_page_in_two_bytes_a_letter_stay_as_many() -> None:
    keys, page = sought_in([BETA_TEXT]), f"<p>avant</p><p>{BETA_TEXT}</p><p>après</p>".encode("utf-16")
    made = blank_sought(page, keys, "utf-16")
    assert made.left == frozenset()
    assert len(made.content) == len(page)
    assert made.content.decode("utf-16").split() == ["<p>avant</p><p>", "</p><p>après</p>"]


@pytest.mark.parametrize("piece", ["<!--", "<script>", '<a="', "<a='\"", "<a = ", "%e2%80", "&#", "\\u00"])
def test_a_page_of_nothing_but_beginnings_takes_no_time(piece: str) -> None:
    keys, page = sought_in([LONG_TEXT]), (piece * 40_000 + LONG_TEXT).encode()
    start = time.process_time()
    assert find_sought(page, keys) == keys
    assert time.process_time() - start < 4
