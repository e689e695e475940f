"""Pages made to take for ever are not read, in little time; pages that are merely long are read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from parsers.caps import MAX_ATTRIBUTES, MAX_DEPTH, MAX_LABELS, MAX_TAGS, TooMuch, require_few_labels, require_readable
from parsers.page import parse_page
from parsers.tags import tags
from schema.nouns import PageReading, Payload
from schema.sources import read_source

SOURCE = read_source(Path(__file__).parent.parent / "sources" / "sample.toml")
URL = "https://rtes.example/liste"
FIELDS = (
    "<div><div>Type de ressource</div><div>Guide</div></div>"
    "<div><div>Ressource privée</div><div>Non</div></div><div><div>Résumé</div><div><p>x</p></div></div>"
)
RECORD = f"<article><h2><a href='/x'>Un titre</a></h2><p>Un corps.</p>{FIELDS}</article>"


def read(page: str, media_type: str = "text/html") -> tuple[PageReading, float]:
    """What a page states, and how many seconds of work it took."""
    started = time.process_time()
    payload = Payload(URL, page.encode(), media_type, "utf-8")
    reading = parse_page(payload, page_url=URL, source=SOURCE, is_listing=True)
    return reading, time.process_time() - started


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<div>" * 10_000, "too_deep"),
        ("<div>" * 300_000, "too_large"),
        ("<b>" * 30_000, "too_deep"),
        ("<ul><li>" * 15_000, "too_deep"),
        ("<a><b><i>" * 5_000 + "</a>" * 5_000, "too_deep"),
        ("<table><tr><td>" * 10_000, "too_deep"),
        ("<div></span>" * 10_000, "too_deep"),
        ("<div " + " ".join(f"a{n}='1'" for n in range(60_000)) + ">", "too_large"),
        ("<div " + " ".join(f"a{n}" for n in range(1_000_000)) + ">", "too_large"),
        ("<p>a" * 2_500_000, "too_large"),
        ("<a " * 3_300_000, "too_large"),
        ("<select><option>" * 500_000, "too_large"),
        ("<div>Type de ressource</div>" * 2_000, "too_large"),
        ("<section>" + "<div>Type de ressource</div>" * 18_000 + "</section>", "too_large"),
        (RECORD * 600, "too_large"),
    ],
)
def test_a_page_made_to_take_for_ever_is_given_up_at_once(page: str, reason: str) -> None:
    reading, took_s = read(page + RECORD)
    assert [(reject.page_url, reject.reason) for reject in reading.rejects] == [(URL, reason)]
    assert reading.rejects[0].message.endswith(": not read")
    assert reading.records == ()
    assert took_s < 5.0


@pytest.mark.parametrize(
    "page",
    ["<" * 3_000_000, "<!--" * 800_000, '<a b="' * 9_000, "<script>" * 400_000, "&" * 3_000_000, " " * 3_000_000],
    ids=["signs", "comments", "quotes", "scripts", "references", "blanks"],
)
def test_hostile_bytes_take_time_by_their_length_only(page: str) -> None:
    assert read("<p>" + page + RECORD)[1] < 5.0


def test_a_text_of_nothing_but_labels_is_given_up_at_once() -> None:
    reading, took_s = read("Type de ressource\n" * 20_000, "text/plain")
    assert [reject.reason for reject in reading.rejects] == ["too_large"]
    assert took_s < 5.0


def test_a_long_record_is_read_in_time() -> None:
    reading, took_s = read(f"<article><h2>T</h2>{'<p>un mot</p>' * 8_000}{FIELDS}</article>")
    assert len(reading.records[0].body) == 8_000
    assert took_s < 10.0


def test_a_long_listing_is_read_in_time() -> None:
    reading, took_s = read(RECORD * 200)
    assert len(reading.records) == 200
    assert took_s < 10.0


def refusal(page: str) -> str | None:
    content = page.encode()
    try:
        require_readable(content, list(tags(content)))
    except TooMuch as error:
        return error.reason
    return None


def test_depth_is_counted_by_what_is_open() -> None:
    assert refusal("<div>" * MAX_DEPTH) is None
    assert refusal("<div>" * (MAX_DEPTH + 1)) == "too_deep"
    assert refusal("<div></div>" * 5_000) is None
    assert refusal("</div>" * 5_000 + "<div>" * (MAX_DEPTH + 1)) == "too_deep"
    assert refusal("<div></b>" * (MAX_DEPTH + 1)) == "too_deep"


@pytest.mark.parametrize("name", ["p", "li", "td", "tr", "dd", "option", "br", "img"])
def test_what_need_not_be_closed_makes_no_page_deep(name: str) -> None:
    assert refusal(f"<{name}>" * 5_000) is None


def test_attributes_are_counted_and_not_their_length() -> None:
    for many, reason in ((MAX_ATTRIBUTES, None), (MAX_ATTRIBUTES + 1, "too_large")):
        assert refusal("<p " + " ".join(f"a{n}=1" for n in range(many)) + ">") == reason
        assert refusal("<p " + " ".join(f"a{n} = 'b c'" for n in range(many)) + ">") == reason
    assert refusal("<p data-settings='" + '{"a": "b c"} ' * 5_000 + "'>") is None


def test_tags_and_labels_are_counted() -> None:
    assert refusal("<p>" * MAX_TAGS) is None
    assert refusal("<p>" * (MAX_TAGS + 1)) == "too_large"
    require_few_labels(MAX_LABELS)
    with pytest.raises(TooMuch):
        require_few_labels(MAX_LABELS + 1)
