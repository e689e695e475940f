"""The addresses a sitemap names, however it is written or broken."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.sitemap import read_sitemap

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
