"""robots.txt by RFC 9309: which rule counts, for whom, and what cannot hurt us."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.robots import MAX_ROBOTS_BYTES, read_robots

HOST = "https://rtes.example"


def allows(rules: str, path: str, agent: str = "moisson") -> bool:
    return read_robots(rules.encode(), agent).may_fetch(HOST + path)


# the cases of the standard and of google/robotstxt, in our words
@pytest.mark.parametrize(
    ("rules", "path", "is_allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/", False),
        ("User-agent: *\nDisallow: /a", "/ab", False),
        ("User-agent: *\nDisallow: /a/", "/a", True),
        ("User-agent: *\nDisallow: /a", "/A", True),
        ("USER-AGENT: *\ndisallow: /a", "/a", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent: *\rDisallow: /a\r", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: * # tous\nDisallow: /a # ici", "/a", False),
        ("Disallow: /a", "/a", True),
        ("User-agent: autre\nDisallow: /", "/a", True),
        ("User-agent: moisson\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", True),
        ("User-agent: moisson\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/a", False),
        ("User-agent: *\nDisallow: /b\n\nUser-agent: Moisson\nAllow: /b", "/b", True),
        ("User-agent: autre\nUser-agent: moisson\nDisallow: /a", "/a", False),
        ("User-agent: moisson\nDisallow: /a\n\nUser-agent: moisson\nDisallow: /b", "/a", False),
        ("User-agent: moisson\nDisallow: /a\n\nUser-agent: moisson\nDisallow: /b", "/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z=1", True),
        ("User-agent: *\nDisallow: /*?page=", "/liste?page=2", False),
        ("User-agent: *\nDisallow: /*?page=", "/liste", True),
        ("User-agent: *\nDisallow: /liste$", "/liste", False),
        ("User-agent: *\nDisallow: /liste$", "/listes", True),
        ("User-agent: *\nDisallow: /été", "/%C3%A9t%C3%A9", False),
        ("User-agent: *\nDisallow: /%C3%A9t%C3%A9", "/été", False),
        ("User-agent: *\nDisallow: /search/\nDisallow: /index.php/search/", "/search/node", False),
        ("User-agent: *\nDisalow: /a", "/a", False),
        ("User-agent: *\nDisallow /a", "/b", True),
        ("<html><body>Page introuvable</body></html>", "/a", True),
        ("User-agent: *\nSitemap: https://rtes.example/s.xml\nDisallow: /a", "/a", False),
    ],
)
def test_a_rule_counts_as_the_standard_says(rules: str, path: str, is_allowed: bool) -> None:  # noqa: FBT001 - a case
    assert allows(rules, path) == is_allowed


def test_the_agent_of_the_rules_is_our_name_without_version() -> None:
    rules = "User-agent: moisson\nDisallow: /\n"
    assert not allows(rules, "/a", "moisson")
    assert allows("User-agent: mois\nDisallow: /x\n\nUser-agent: *\nAllow: /", "/a")


@given(st.binary(max_size=400))
def test_no_bytes_can_break_the_reading(content: bytes) -> None:
    robots = read_robots(content, "moisson")
    assert robots.may_fetch(f"{HOST}/a") in (True, False)
    assert robots.delay_s >= 0


@given(st.text(alphabet="user-agent: *\ndisallow/*$?=moisson\t#", max_size=200), st.text(max_size=30))
def test_no_rule_can_break_the_asking(content: str, path: str) -> None:
    assert read_robots(content.encode(), "moisson").may_fetch(f"{HOST}/{path}") in (True, False)


@pytest.mark.parametrize(
    ("stated", "delay_s"),
    [("10", 10.0), ("0.5", 0.5), ("", 0.0), ("-5", 0.0), ("dix", 0.0), ("inf", 0.0), ("nan", 0.0), ("1e400", 0.0)],
)
def test_the_delay_is_a_number_of_seconds_or_none(stated: str, delay_s: float) -> None:
    robots = read_robots(f"User-agent: *\nCrawl-delay: {stated}\n".encode(), "moisson")
    assert robots.delay_s == delay_s
    assert math.isfinite(robots.delay_s)


def test_the_delay_is_that_of_our_own_group() -> None:
    rules = b"User-agent: *\nCrawl-delay: 30\n\nUser-agent: moisson\nCrawl-delay: 3\n"
    assert read_robots(rules, "moisson").delay_s == 3.0
    assert read_robots(rules, "autre").delay_s == 30.0


def test_a_huge_file_is_read_in_part_and_quickly() -> None:
    rule = b"Disallow: /interdit/%06d\n"
    content = b"User-agent: *\nDisallow: /tot\n" + b"".join(rule % n for n in range(60_000)) + b"Disallow: /tard\n"
    assert len(content) > MAX_ROBOTS_BYTES
    started = time.perf_counter()
    robots = read_robots(content * 20, "moisson")
    assert not robots.may_fetch(f"{HOST}/tot")
    assert robots.may_fetch(f"{HOST}/tard")
    assert time.perf_counter() - started < 2.0


def test_wildcards_without_end_are_answered_at_once() -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /" + b"*a" * 400 + b"b$\n", "moisson")
    started = time.perf_counter()
    assert robots.may_fetch(f"{HOST}/{'a' * 2000}")
    assert time.perf_counter() - started < 0.5
