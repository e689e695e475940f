"""The addresses a sitemap names, however it is written or broken."""

from __future__ import annotations

import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest import sitemap as sitemap_module
from harvest.sitemap import Witness, open_sitemap, read_sitemap

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = b'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def test_pages_are_named_in_order() -> None:
    pages = b"<url><loc>https://x.fr/a</loc></url><url><loc>https://x.fr/b</loc></url>"
    assert read_sitemap(HEAD + b"<urlset " + SPACE + b">" + pages + b"</urlset>") == (
        ["https://x.fr/a", "https://x.fr/b"],
        [],
    )


def test_an_index_names_further_sitemaps_and_no_pages() -> None:
    part = b"<sitemap><loc>https://x.fr/sitemap.xml?page=1</loc><lastmod>2026</lastmod></sitemap>"
    content = HEAD + b"<sitemapindex " + SPACE + b">" + part + b"</sitemapindex>"
    assert read_sitemap(content) == ([], ["https://x.fr/sitemap.xml?page=1"])


OWN_PREFIX = pytest.mark.xfail(
    strict=True, reason="a prefix for the sitemap's own namespace is taken for a foreign one"
)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (b"<loc>\n  https://x.fr/a\n</loc>", "https://x.fr/a"),
        (b"<loc><![CDATA[https://x.fr/a?b=1&c=2]]></loc>", "https://x.fr/a?b=1&c=2"),
        (b"<loc> <![CDATA[ https://x.fr/a ]]> </loc>", "https://x.fr/a"),
        (b"<loc><![CDATA[https://x.fr/a?f[0]=b]]></loc>", "https://x.fr/a?f[0]=b"),
        (b"<loc>https://x.fr/a?b=1&amp;c=2</loc>", "https://x.fr/a?b=1&c=2"),
        (b"<sm:loc>https://x.fr/a</sm:loc>", "https://x.fr/a"),
        ("<loc>https://x.fr/été</loc>".encode(), "https://x.fr/été"),
        (b"<loc>https://x.fr/\xe9</loc>", "https://x.fr/\ufffd"),
        (b"<loc>https://x.fr/" + b"a" * 2000 + b"</loc>", "https://x.fr/" + "a" * 2000),
    ],
)
def test_an_address_is_read_however_it_is_written(written: bytes, url: str) -> None:
    assert read_sitemap(b"<urlset><url>" + written + b"</url></urlset>") == ([url], [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>404</body></html>",
        b"<urlset/>",
        b"<urlset><url><loc></loc></url></urlset>",
        b"\x1f\x8b\x08\x00",
        b"<urlset><url><loc>https://x.fr/" + b"a" * 4096 + b"</loc></url></urlset>",
        b"<urlset><url><loc>&#" + b"1" * 5000 + b";</loc></url></urlset>",
    ],
)
def test_what_names_nothing_names_nothing(content: bytes) -> None:
    assert read_sitemap(content) == ([], [])


def test_a_broken_sitemap_still_names_what_stands_whole_in_it() -> None:
    content = b"<urlset><url><loc>https://x.fr/a</loc></url><url><loc>https://x.fr/b</lo"
    assert read_sitemap(content) == (["https://x.fr/a"], [])


def test_images_are_no_pages() -> None:
    image = b"<image:image><image:loc>https://x.fr/i.png</image:loc></image:image>"
    assert read_sitemap(b"<urlset><url><loc>https://x.fr/a</loc>" + image + b"</url></urlset>") == (
        ["https://x.fr/a"],
        [],
    )


def test_no_entity_is_expanded() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert read_sitemap(entity + b"<urlset><url><loc>https://x.fr/&e;</loc></url></urlset>")[0] == ["https://x.fr/&e;"]


@given(st.lists(st.text(alphabet="abcdefé/?=&<>\"'", min_size=1, max_size=20), max_size=6))
def test_any_addresses_come_back(paths: list[str]) -> None:
    urls = [f"https://x.fr/{path}" for path in paths]
    written = "".join(f"<url><loc>{url.replace('&', '&amp;').replace('<', '&lt;')}</loc></url>" for url in urls)
    assert read_sitemap(f"<urlset>{written}</urlset>".encode()) == (urls, [])


@pytest.mark.parametrize("count", [130, 8000])
def test_a_run_of_spaces_takes_no_time(count: int) -> None:
    started = time.perf_counter()
    assert read_sitemap((b"<loc>" + b" " * count + b"x") * 2) == ([], [])
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    "piece",
    [
        b"<loc><![CDATA[x",
        b"<loc>",
        b"<![CDATA[]]>",
        b"]]>",
        b"</loc>",
        b"<loc><![CDATA[]]>",
        b"<loc><![CDATA[x]]></a>",
    ],
)
@pytest.mark.parametrize("start", [b"", b"<loc>", b"<loc><![CDATA["])
def test_a_broken_sitemap_takes_time_as_its_length_and_no_more(start: bytes, piece: bytes) -> None:
    # 2 s for 300 kB, where each `<![CDATA[` was followed to the end of the file
    content = start + piece * (2_000_000 // len(piece))
    started = time.process_time()
    assert read_sitemap(content) == ([], [])
    assert time.process_time() - started < 1.0


# --- packed, in another encoding, or none

URLSET = HEAD + b"<urlset><url><loc>https://x.fr/a</loc></url></urlset>"


@pytest.mark.parametrize(
    "content",
    [
        URLSET,
        gzip.compress(URLSET),
        gzip.compress(URLSET[:50]) + gzip.compress(URLSET[50:]),
        URLSET.decode().encode("utf-16"),
        gzip.compress(b"\xfe\xff" + URLSET.decode().encode("utf-16-be")),
        b"<urlset/>",
    ],
)
def test_a_sitemap_is_opened_however_it_is_packed(content: bytes) -> None:
    witness = Witness([])
    witness.add("https://x.fr/sitemap.xml", content)
    assert (witness.addresses, witness.gap()) == ([] if content == b"<urlset/>" else ["https://x.fr/a"], None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no sitemap"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is no sitemap"),
        (gzip.compress(URLSET)[:-9], "is a gzip file that is cut short"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 40, "is a broken gzip file: "),
        (gzip.compress(b" " * 2000 + URLSET), "holds more than 1000 bytes unpacked: not read"),
    ],
)
def test_what_cannot_be_read_is_a_gap_of_the_witness(content: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap_module, "MAX_SITEMAP_BYTES", 1000)
    witness = Witness([])
    witness.add("https://x.fr/s.xml", content)
    assert str(witness.gap()).startswith(f"https://x.fr/s.xml: {why}")
    with pytest.raises(ValueError, match=why):
        open_sitemap(content)


def test_of_many_unread_sitemaps_the_first_are_named() -> None:
    witness = Witness([])
    for number in range(5):
        witness.lack(f"https://x.fr/{number}.xml", "404")
    assert witness.gap() == (
        "https://x.fr/0.xml: 404; https://x.fr/1.xml: 404; https://x.fr/2.xml: 404; 2 more sitemaps were not read"
    )
