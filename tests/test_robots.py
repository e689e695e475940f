"""robots.txt by RFC 9309: which line is ours, which rule counts, and what cannot hurt us.

The cases are those that the standard, Google's open reader and Google's documentation settle, told anew. Where we
differ from one of them, the test says so and why.
"""

from __future__ import annotations

import math
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.robots import MAX_LINE_CHARS, MAX_ROBOTS_BYTES, read_robots

HOST = "https://rtes.example"


def allowed(rules: str | bytes, *paths: str, agent: str = "moisson") -> list[str]:
    """The paths that may be asked for."""
    robots = read_robots(rules.encode() if isinstance(rules, str) else rules, agent)
    return [path for path in paths if robots.may_fetch(HOST + path)]


def for_all(*lines: str) -> str:
    return "\n".join(["User-agent: *", *lines])


# --- lines


@pytest.mark.parametrize(
    "rules",
    [
        "User-agent: moisson\nDisallow: /",
        "user-agent: moisson\ndisallow: /",
        "USER-AGENT: moisson\nDISALLOW: /",
        "uSeR-aGeNt: MOISSON\ndIsAlLoW: /",
        "User-agent:moisson\nDisallow:/",
        "  User-agent :  moisson  \n\tDisallow\t:\t/\t",
        "User-agent moisson\nDisallow /",
        "User agent: moisson\nDisallow: /",
        "User-agent: moisson # c'est nous\nDisallow: / # tout",
        "User-agent: moisson\r\nDisallow: /\r\n",
        "User-agent: moisson\rDisallow: /\r",
        "User-agent: moisson\n\r\nDisallow: /",
        "User-agent: moisson\n\n\n# un mot\n\nDisallow: /",
        "\ufeffUser-agent: moisson\nDisallow: /",
        b"\xef\xbbUser-agent: moisson\nDisallow: /",
        b"\xefUser-agent: moisson\nDisallow: /",
        "\ufeffUser-agent: moisson\nDisallow: /".encode("utf-16-le"),
        "\ufeffUser-agent: moisson\nDisallow: /".encode("utf-16-be"),
        "User-agent: moisson\nDissallow: /",
        "User-agent: moisson\nDisalow: /",
        b"User-agent: moisson\n# \xe9t\xe9 \x00\x80\nDisallow: /",
    ],
)
def test_a_line_is_read_however_it_is_written(rules: str | bytes) -> None:
    assert allowed(rules, "/", "/a") == []


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "\n\n",
        "\ufeff",
        "agent: moisson\nforbid: /",
        "Disallow: /",
        "Allow: /x\nDisallow: /",
        "User-agent: moisson\nDisallow:",
        "User-agent: moisson\nDisallow: # rien",
        "User-agent: moisson\nDisallow: /\ufeff",
        "User-agent: moisson\n/",
        "User-agent: moisson\nDisallow tout cela /",
        "User-agent:\nDisallow: /",
        "<!DOCTYPE html>\n<html><body><p>User-agent: *</p><p>Disallow: /</p></body></html>",
        bytes(range(256)) * 20,
    ],
)
def test_what_is_no_rule_denies_nothing(rules: str | bytes) -> None:
    assert allowed(rules, "/", "/a") == ["/", "/a"]


def test_a_byte_order_mark_counts_at_the_very_start_only() -> None:
    assert allowed("User-agent: *\n\ufeffDisallow: /a", "/a") == ["/a"]


@pytest.mark.parametrize("end", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_carriage_return_and_line_feed_end_a_line(end: str) -> None:
    assert allowed(for_all(f"Disallow: /a{end}Disallow: /b"), "/b") == ["/b"]


# --- whose lines


@pytest.mark.parametrize(
    ("named", "is_ours"),
    [
        ("moisson", True),
        ("Moisson", True),
        ("MOISSON", True),
        ("moisson/1.0", True),
        ("moisson 1.0", True),
        ("Moisson Images", True),
        ("moisson*", True),
        ("mois", False),
        ("moissons", False),
        ("moisson-images", False),
        ("moisson_images", False),
        ("la moisson", False),
        ("autre", False),
    ],
)
def test_the_token_of_a_group_ends_where_no_token_goes_on(named: str, is_ours: bool) -> None:  # noqa: FBT001 - a case
    rules = f"User-agent: {named}\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n"
    assert allowed(rules, "/a", "/b") == (["/b"] if is_ours else ["/a"])


@pytest.mark.parametrize("star", ["*", "* ", "* baiduspider"])
def test_the_group_for_all_is_that_of_a_star(star: str) -> None:
    assert allowed(f"User-agent: {star}\nDisallow: /", "/a") == []


def test_our_own_group_replaces_the_one_for_all_wherever_it_stands() -> None:
    ours, others = "User-agent: moisson\nDisallow: /a\n", "User-agent: *\nDisallow: /\n"
    assert allowed(ours + others, "/a", "/b") == ["/b"]
    assert allowed(others + ours, "/a", "/b") == ["/b"]
    assert allowed("User-agent: moisson\nAllow:\n" + others, "/a") == ["/a"]
    assert allowed("User-agent: moisson\nCrawl-delay: 3\n" + others, "/a") == ["/a"]


def test_without_our_group_and_one_for_all_nothing_is_denied() -> None:
    assert allowed("User-agent: autre\nDisallow: /\n\nUser-agent: encore\nDisallow: /\n", "/a") == ["/a"]


def test_several_groups_for_one_agent_are_one() -> None:
    rules = (
        "User-agent: moisson\nDisallow: /a\n\nUser-agent: autre\nDisallow: /c\n\nUser-agent: MOISSON/2\nDisallow: /b\n"
    )
    assert allowed(rules, "/a", "/b", "/c") == ["/c"]
    assert (
        allowed(
            "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b\n", "/a", "/b"
        )
        == []
    )


def test_agents_in_a_row_share_the_rules_that_follow() -> None:
    rules = (
        "User-agent: autre\n\nUser-agent: moisson\n# nous\nUser-agent: tiers\nDisallow: /a\nUser-agent: x\nDisallow: /b"
    )
    for agent in ("autre", "moisson", "tiers"):
        assert allowed(rules, "/a", "/b", agent=agent) == ["/b"]
    assert allowed(rules, "/a", "/b", agent="x") == ["/a"]


def test_blank_lines_end_no_group() -> None:
    assert allowed("User-agent: moisson\n\n\nDisallow: /a\n\nDisallow: /b\n", "/a", "/b") == []


@pytest.mark.parametrize("line", ["Sitemap: https://rtes.example/s.xml", "Host: rtes.example", "Nouveau-mot: oui"])
def test_lines_of_other_kinds_part_neither_agents_nor_rules(line: str) -> None:
    assert allowed(f"User-agent: autre\n{line}\nUser-agent: moisson\nDisallow: /", "/a", agent="autre") == []
    assert allowed(f"User-agent: moisson\nDisallow: /a\n{line}\nDisallow: /b", "/a", "/b") == []


def test_a_delay_is_a_rule_and_ends_the_agents_before_it() -> None:
    # Google's reader knows no Crawl-delay and would deny everything to everybody here; we obey it, so that it closes
    # the row of agents as Disallow does. Who writes this means `mauvais` alone.
    rules = "User-agent: *\nCrawl-delay: 9\n\nUser-agent: mauvais\nDisallow: /\n"
    assert allowed(rules, "/a") == ["/a"]
    assert read_robots(rules.encode(), "moisson").delay_s == 9.0


# --- which rule counts


@pytest.mark.parametrize(
    ("lines", "asked", "expected"),
    [
        # the longest rule that matches, whatever its place
        (["Disallow: /x/page.html", "Allow: /x/"], ["/x/page.html", "/x/p"], ["/x/p"]),
        (["Allow: /x/page.html", "Disallow: /x/"], ["/x/page.html", "/x/"], ["/x/page.html"]),
        (["Allow: /p", "Disallow: /"], ["/page", "/q"], ["/page"]),
        (["Disallow: /x", "Allow: /x/"], ["/x", "/x/", "/x/y"], ["/x/", "/x/y"]),
        (["Allow: /page", "Disallow: /*.htm"], ["/page.htm", "/page", "/p.htm"], ["/page"]),
        (["Allow: /x/page.", "Disallow: /*.html"], ["/x/page.html", "/x/y.html"], ["/x/page.html"]),
        (["Disallow: /a/b/", "Allow: /a/b/c/", "Disallow: /a/b/c/d"], ["/a/b/c/e", "/a/b/c/d"], ["/a/b/c/e"]),
        # of two as long, the one that allows
        (["Disallow: /dossier", "Allow: /dossier"], ["/dossier/page"], ["/dossier/page"]),
        (["Allow: /", "Disallow: /"], ["/", "/a"], ["/", "/a"]),
        (["Disallow:", "Allow:"], ["/a"], ["/a"]),
        (["Allow: /$", "Disallow: /"], ["/", "/page"], ["/"]),
        (["Allow: /page$", "Disallow: /page"], ["/page", "/pages"], ["/page"]),
        # the case of letters
        (["Disallow: /X/"], ["/x/y", "/X/y"], ["/x/y"]),
        # beginnings
        (["Disallow: /poisson"], ["/poisson", "/poisson.html", "/poissons/a", "/poisson?id=1"], []),
        (
            ["Disallow: /poisson"],
            ["/Poisson.asp", "/a/poisson", "/?id=poisson"],
            ["/Poisson.asp", "/a/poisson", "/?id=poisson"],
        ),
        (["Disallow: /poisson*"], ["/poisson", "/poissons/a", "/chat"], ["/chat"]),
        (
            ["Disallow: /poisson/"],
            ["/poisson/", "/poisson/?id=1", "/poisson", "/poisson.html"],
            ["/poisson", "/poisson.html"],
        ),
        (["Disallow: poisson/"], ["/poisson/", "/poisson/a"], ["/poisson/", "/poisson/a"]),
        # any characters, and the end
        (["Disallow: /*.php"], ["/a.php", "/d/a.php?x=1", "/d/a.php5", "/a.PHP", "/a"], ["/a.PHP", "/a"]),
        (
            ["Disallow: /*.php$"],
            ["/a.php", "/d/a.php", "/a.php?x=1", "/a.php/", "/a.php5"],
            ["/a.php?x=1", "/a.php/", "/a.php5"],
        ),
        (["Disallow: /a*.php"], ["/a.php", "/ab/c.php?d", "/b.php"], ["/b.php"]),
        (["Disallow: *.php"], ["/a.php"], []),
        (["Disallow: /**a***b"], ["/xaxb", "/xbxa"], ["/xbxa"]),
        (["Disallow: /*/secret"], ["/a/secret", "/a/b/secret", "/secret"], ["/secret"]),
        (["Disallow: /a$b"], ["/a$b", "/a"], ["/a"]),
        (["Disallow: /*?"], ["/a?", "/a?b", "/a"], ["/a"]),
        (["Disallow: /a#b"], ["/a", "/ab"], []),
        # addresses are compared by what they say, not by how they are coded
        (["Disallow: /été"], ["/%C3%A9t%C3%A9", "/%c3%a9t%c3%a9", "/été", "/ete"], ["/ete"]),
        (["Disallow: /%C3%A9t%C3%A9"], ["/été"], []),
        (["Disallow: /%c3%a9"], ["/%C3%A9"], []),
        (["Disallow: /~joe/"], ["/%7Ejoe/a", "/~joe/a"], []),
        (["Disallow: /%7ejoe/"], ["/~joe/a"], []),
        (["Disallow: /a%2fb"], ["/a%2Fb", "/a/b"], ["/a/b"]),
        (["Disallow: /a/b"], ["/a%2Fb", "/a/b"], ["/a%2Fb"]),
        (["Disallow: /fichier avec espace"], ["/fichier%20avec%20espace"], []),
        (
            ["Disallow: /", "Allow: /a?b=c&d=http://e.f?g&h"],
            ["/a?b=c&d=http://e.f?g&h", "/a"],
            ["/a?b=c&d=http://e.f?g&h"],
        ),
    ],
)  # fmt: skip
def test_of_all_rules_that_match_the_longest_counts(lines: list[str], asked: list[str], expected: list[str]) -> None:
    assert allowed(for_all(*lines), *asked) == expected


def test_a_rule_in_latin_1_is_that_of_the_same_bytes() -> None:
    assert allowed(b"User-agent: *\nDisallow: /\xe9t\xe9\n", "/%E9t%E9", "/%C3%A9t%C3%A9") == ["/%C3%A9t%C3%A9"]


def test_encoded_letters_are_the_letters_themselves() -> None:
    # the standard decodes them before comparing (its table in 2.2.2); Google's reader compares them as they stand
    assert allowed(for_all("Disallow: /a/%62%61%7A"), "/a/baz", "/a/%62%61%7A") == []


def test_a_folder_is_allowed_with_its_index() -> None:
    rules = for_all("Allow: /lettre/index.html", "Disallow: /")
    assert allowed(rules, "/lettre/", "/lettre/index.html", "/lettre/x") == ["/lettre/", "/lettre/index.html"]


def test_robots_itself_may_always_be_asked_for() -> None:
    assert allowed(for_all("Disallow: /"), "/robots.txt") == ["/robots.txt"]


def test_length_is_counted_as_protego_counts_it() -> None:
    # the standard counts octets, 8 against 5 here, and would allow; Protego counts `?` and `&` as `%3F` and `%26`. Only
    # rules that overlap by a wildcard, and hold many such characters, come out otherwise
    assert allowed(for_all("Disallow: /p?&&", "Allow: /p*qqqqq"), "/p?&&qqqqq") == []


def test_a_dollar_at_the_end_is_also_taken_to_the_letter() -> None:
    # the standard knows an end only; Protego denies the address that holds the sign as well
    assert allowed(for_all("Disallow: /prix$"), "/prix", "/prix$a", "/prix-a") == ["/prix-a"]


# --- the rule that decided


@pytest.mark.parametrize(
    ("lines", "path", "rule"),
    [
        (["Disallow: /"], "/a", "Disallow: /"),
        (["Disallow: /private", "Disallow: /"], "/private/a", "Disallow: /private"),
        (["Disallow: /", "Allow: /a", "Disallow: /a/b"], "/a/b", "Disallow: /a/b"),
        (["Disallow: /x", "disalow:   /*?page= # rien que ceux-ci"], "/x?page=2", "Disallow: /*?page="),
        (["Disallow: /été"], "/%C3%A9t%C3%A9/a", "Disallow: /été"),
        (["Disallow: /%7eno%62ody", "Disallow: /~nobody/x"], "/%7Enobody/x", "Disallow: /~nobody/x"),
        (["Disallow: *.pdf$", "Disallow: /b"], "/a.pdf", "Disallow: *.pdf$"),
        (["Disallow: https://rtes.example/a"], "/https://rtes.example/a", "Disallow: https://rtes.example/a"),
        (["Disallow: /a\x0bb\x00"], "/a%0Bb%00", "Disallow: /a%0Bb%00"),
    ],
)
def test_the_rule_that_denies_is_named(lines: list[str], path: str, rule: str) -> None:
    assert read_robots(for_all(*lines).encode(), "moisson").refusal(HOST + path) == f"robots.txt: {rule}"


def test_what_is_allowed_has_no_refusal() -> None:
    robots = read_robots(for_all("Disallow: /a").encode(), "moisson")
    assert robots.refusal(f"{HOST}/b") is None


def test_a_rule_of_odd_bytes_is_named_in_letters_that_a_table_can_hold() -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /\xe9\x1b[31m" + b"x" * 5000, "moisson")
    named = robots.refusal(f"{HOST}/%E9%1B[31m" + "x" * 5000)
    assert named is not None
    assert named.startswith("robots.txt: Disallow: /%E9%1B[31mxxx")
    assert len(named) <= 200
    named.encode()


# --- the delay


@pytest.mark.parametrize(
    ("stated", "delay_s"),
    [
        ("10", 10.0), ("0.5", 0.5), ("10 # s", 10.0), ("0", 0.0), ("", 0.0), ("-5", 0.0), ("dix", 0.0), ("10 s", 0.0),
        ("inf", 0.0), ("nan", 0.0), ("1e400", 0.0),
    ],
)  # fmt: skip
def test_the_delay_is_a_number_of_seconds_or_none(stated: str, delay_s: float) -> None:
    robots = read_robots(f"User-agent: *\nCrawl-delay: {stated}\n".encode(), "moisson")
    assert robots.delay_s == delay_s
    assert math.isfinite(robots.delay_s)


def test_the_delay_is_that_of_our_own_group() -> None:
    rules = b"User-agent: *\nCrawl-delay: 30\n\nUser-agent: moisson\nCrawl-delay: 3\n"
    assert read_robots(rules, "moisson").delay_s == 3.0
    assert read_robots(rules, "autre").delay_s == 30.0
    assert (
        read_robots(b"User-agent: *\nCrawl-delay: 30\n\nUser-agent: moisson\nDisallow: /a\n", "moisson").delay_s == 0.0
    )


def test_of_several_delays_the_longest_counts() -> None:
    rules = b"User-agent: moisson\nCrawl-delay: 7\nDisallow: /a\n\nUser-agent: moisson\nCrawl-delay: 3\n"
    assert read_robots(rules, "moisson").delay_s == 7.0


# --- what cannot hurt us


@given(st.binary(max_size=400))
def test_no_bytes_can_break_the_reading(content: bytes) -> None:
    robots = read_robots(content, "moisson")
    assert robots.may_fetch(f"{HOST}/a") == (robots.refusal(f"{HOST}/a") is None)
    assert robots.delay_s >= 0


@given(st.text(alphabet="user-agent: *\ndisallow/*$?=moisson\t#", max_size=200), st.text(max_size=30))
def test_no_rule_can_break_the_asking(content: str, path: str) -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /\n" + content.encode(), "moisson")
    assert robots.may_fetch(f"{HOST}/{path}") == (robots.refusal(f"{HOST}/{path}") is None)


@given(st.lists(st.sampled_from(["/", "/a", "/a/b", "/*b", "/a*/c$", "/%61", "/é", "/a?b"]), min_size=1, max_size=6))
def test_a_refusal_names_a_rule_that_denies_by_itself(patterns: list[str]) -> None:
    robots = read_robots(for_all(*(f"Disallow: {p}" for p in patterns)).encode(), "moisson")
    for path in ("/a", "/a/b", "/x/b", "/a/c", "/%C3%A9", "/a?b", "/z"):
        named = robots.refusal(HOST + path)
        if named is not None:
            assert allowed(for_all(named.removeprefix("robots.txt: ")), path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"User-agent: *\nDisallow: /tot\n" + b"Disallow: /interdit/%06d\n" * 4_000_000 + b"Disallow: /tard\n",
        b"User-agent: *\nDisallow: /tot\n" + b"\x00\xff" * 50_000_000,
        b"User-agent: *\nDisallow: /tot\n" + b"\n" * 100_000_000,
        b"User-agent: *\nDisallow: /tot\nDisallow: /" + b"x" * 100_000_000,
        b"User-agent: *\nDisallow: /tot\nDisallow: /" + b"*a" * 50_000_000,
    ],
    ids=["rules", "noise", "blank", "one line", "stars"],
)
def test_a_hundred_megabytes_are_read_in_part_within_a_second(content: bytes) -> None:
    assert len(content) >= 100_000_000
    started = time.thread_time()
    robots = read_robots(content, "moisson")
    assert not robots.may_fetch(f"{HOST}/tot")
    assert robots.may_fetch(f"{HOST}/tard")
    assert robots.refusal(f"{HOST}/tot") == "robots.txt: Disallow: /tot"
    assert robots.refusal(f"{HOST}/interdit/1") is None
    assert time.thread_time() - started < 1.0


def test_a_huge_file_takes_little_memory() -> None:
    content = b"User-agent: *\n" + b"".join(b"Disallow: /%05d\n" % n for n in range(99_999))
    tracemalloc.start()
    read_robots(content, "moisson")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20_000_000


def test_the_line_where_the_reading_stops_is_no_rule() -> None:
    start = b"User-agent: *\n#" + b"x" * (MAX_ROBOTS_BYTES - 30) + b"\n"
    content = start + b"Disallow: /prives\nDisallow: /b\n"
    assert len(start) < MAX_ROBOTS_BYTES < len(start) + len(b"Disallow: /prives\n")
    assert allowed(content, "/", "/p", "/prives") == ["/", "/p", "/prives"]
    assert MAX_ROBOTS_BYTES >= 500 * 1024


def test_a_line_is_read_up_to_a_length_that_no_address_has() -> None:
    long = "/" + "x" * MAX_LINE_CHARS
    assert allowed(for_all(f"Disallow: {long}yyy", "Disallow: /b"), long, "/b", "/x") == ["/x"]


def test_wildcards_without_end_are_answered_at_once() -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /" + b"*a" * 400 + b"b$\n", "moisson")
    started = time.perf_counter()
    assert robots.may_fetch(f"{HOST}/{'a' * 2000}")
    assert time.perf_counter() - started < 0.5
