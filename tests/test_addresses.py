"""One key per page, whatever way its address is written; and whose word is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.addresses import canonical_url, is_home, page_number, same_host, trusted_canonical, without_page_number

# hosts that answer on http and https alike; `autre.example` is not one of them
SCHEMES = {"rtes.example": "https", "www.rtes.example": "https", "vieux.example": "http"}

# ten pages, each with other ways to write its address
VARIANTS = {
    "https://rtes.example/": (
        "https://rtes.example",
        "HTTPS://RTES.Example/",
        "https://rtes.example:443/",
        "http://rtes.example/",
        "https://rtes.example/?page=0",
        "https://rtes.example/#main-content",
        "https://rtes.example./",
    ),
    "https://www.rtes.example/": (
        "https://www.rtes.example",
        "http://www.rtes.example:80/",
        "https://WWW.rtes.example/?utm_source=lettre",
        "https://www.rtes.example/#haut",
        "https://www.rtes.example//",
        "https://www.rtes.example/?page=",
    ),
    "https://rtes.example/thematique/mobilites": (
        "https://rtes.example/thematique/mobilites?page=0",
        "https://rtes.example/thematique/mobilites/",
        "https://rtes.example/thematique/mobilites/?page=0#contenu",
        "http://rtes.example/thematique/mobilites?utm_campaign=x&utm_medium=mail",
        "https://rtes.example/thematique/../thematique/mobilites",
        "https://rtes.example/thematique/mobilites?",
        "  https://rtes.example/thematique/mobilites\n",
    ),
    "https://rtes.example/thematique/mobilites?page=1": (
        "https://rtes.example/thematique/mobilites/?page=1",
        "http://rtes.example/thematique/mobilites?page=1",
        "https://rtes.example/thematique/mobilites?page=1#liste",
        "https://rtes.example/thematique/mobilites?page=1&fbclid=abc",
        "https://rtes.example:443/thematique/mobilites?&page=1",
        "https://RTES.EXAMPLE/thematique/mobilites?page=1&gclid=",
    ),
    "https://rtes.example/thematique/mobilites?page=2": (
        "https://rtes.example/thematique/mobilites?xtor=AL-1&page=2",
        "https://rtes.example/thematique/mobilites/?page=2",
        "http://rtes.example/thematique/mobilites?page=2#",
        "https://rtes.example/thematique/mobilites?page=2&_ga=1.2",
        "https://rtes.example/thematique/mobilites?mc_cid=a&mc_eid=b&page=2",
        "https://user:secret@rtes.example/thematique/mobilites?page=2",
    ),
    "https://rtes.example/recherche?page=3&q=eau&type=guide": (
        "https://rtes.example/recherche?type=guide&q=eau&page=3",
        "https://rtes.example/recherche?q=eau&page=3&type=guide",
        "https://rtes.example/recherche/?q=eau&type=guide&page=3&utm_term=y",
        "http://rtes.example/recherche?page=3&type=guide&q=eau",
        "https://rtes.example/recherche?page=3&q=eau&type=guide#resultats",
        "https://rtes.example/recherche?page=3&pk_campaign=z&q=eau&type=guide",
    ),
    "https://rtes.example/caf%C3%A9-associatif": (
        "https://rtes.example/café-associatif",
        "https://rtes.example/caf%c3%a9-associatif",
        "https://rtes.example/café-associatif/",
        "https://rtes.example/caf%C3%A9%2Dassociatif",
        "http://rtes.example/café-associatif?page=0",
        "https://rtes.example/./caf%C3%A9-associatif",
    ),
    "http://vieux.example/node/12": (
        "https://vieux.example/node/12",
        "http://vieux.example/node/12/",
        "http://vieux.example:80/node/12",
        "https://vieux.example/node/12?matomo_source=a",
        "http://VIEUX.example/node/12#comment-3",
        "http://vieux.example/node/012/../12",
    ),
    "http://autre.example:8080/a": (
        "http://autre.example:8080/a/",
        "http://AUTRE.example:8080/a",
        "http://autre.example:8080/a?page=0",
        "http://autre.example:8080/a#b",
        "http://autre.example:8080/a?utm_id=1",
        "http://autre.example:08080/a",
    ),
    "https://autre.example:8080/a": (
        "https://autre.example:8080/a/",
        "https://autre.example:8080/a?page=",
        "https://autre.example:8080/a?msclkid=q",
        "https://autre.example:8080/b/../a",
        "https://Autre.Example:8080/a#",
        "https://autre.example:8080/%61",
    ),
}


@pytest.mark.parametrize("key", VARIANTS)
def test_every_way_to_write_an_address_gives_its_one_key(key: str) -> None:
    assert {canonical_url(variant, schemes=SCHEMES) for variant in (key, *VARIANTS[key])} == {key}


def test_sixty_variants_of_ten_pages_are_ten_pages() -> None:
    variants = [variant for written in VARIANTS.values() for variant in written]
    assert len(set(variants)) >= 60
    assert len({canonical_url(variant, schemes=SCHEMES) for variant in variants}) == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://rtes.example/a", "https://www.rtes.example/a"),
        ("https://rtes.example/a", "https://rtes.example/A"),
        ("https://rtes.example/a?page=1", "https://rtes.example/a?page=2"),
        ("https://rtes.example/a?page=1", "https://rtes.example/a"),
        ("https://rtes.example/a?q=1", "https://rtes.example/a"),
        ("https://rtes.example/a", "https://rtes.example:8443/a"),
        ("http://autre.example/a", "https://autre.example/a"),
        ("https://rtes.example/a%2Fb", "https://rtes.example/a/b"),
        ("https://rtes.example/a?page=0%2C1", "https://rtes.example/a"),
    ],
)
def test_two_pages_keep_two_keys(one: str, other: str) -> None:
    assert canonical_url(one, schemes=SCHEMES) != canonical_url(other, schemes=SCHEMES)


@pytest.mark.parametrize(
    ("href", "key"),
    [
        ("?page=2", "https://rtes.example/theme/eau?page=2"),
        ("?page=0", "https://rtes.example/theme/eau"),
        ("/fiche", "https://rtes.example/fiche"),
        ("fiche", "https://rtes.example/theme/fiche"),
        ("//www.rtes.example/fiche", "https://www.rtes.example/fiche"),
        ("#haut", "https://rtes.example/theme/eau?page=1"),
        ("", "https://rtes.example/theme/eau?page=1"),
    ],
)
def test_a_link_is_read_from_the_page_where_it_stands(href: str, key: str) -> None:
    assert canonical_url(href, "https://rtes.example/theme/eau?page=1") == key


@pytest.mark.parametrize(
    "url",
    [
        "mailto:contact@rtes.example", "javascript:void(0)", "ftp://rtes.example/a", "file:///etc/passwd",
        "data:text/html,x", "gopher://rtes.example/", "", "/relative", "//rtes.example/a", "http://", "http://:80/",
        "http://[rtes.example/", "http://rtes.example:99999/", "http://rtes.example:port/", "https:///rtes.example",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_url(url)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_and_nothing_but_a_value_error_is_raised(tail: str) -> None:
    try:
        key = canonical_url(f"https://rtes.example/{tail}".replace(";", ""))
    except ValueError:
        return
    assert canonical_url(key) == key


@given(st.text(alphabet="abpage=&?#%20/.:é+utm_source,", max_size=30))
def test_a_key_made_of_the_signs_of_addresses_is_its_own_key(tail: str) -> None:
    key = canonical_url(f"https://rtes.example/{tail}")
    assert canonical_url(key) == key


def test_a_key_that_ends_in_a_semicolon_is_its_own_key() -> None:
    key = canonical_url("https://rtes.example/a;/")
    assert canonical_url(key) == key


@given(st.text(max_size=40))
def test_any_link_of_a_page_is_an_address_or_refused(href: str) -> None:
    for written in (href, f"http://{href}", f"//{href}"):
        try:
            key = canonical_url(written, "https://rtes.example/a/b")
        except ValueError:
            continue
        assert key.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("https://x.fr/a", 0),
        ("https://x.fr/a?page=0", 0),
        ("https://x.fr/a?page=7", 7),
        ("https://x.fr/a?page=0,2", 2),
        ("https://x.fr/a?page=0%2C2", 2),
        ("https://x.fr/a?page=dernier", 0),
        ("https://x.fr/a?q=3", 0),
    ],
)
def test_the_page_number_is_read_as_drupal_writes_it(url: str, number: int) -> None:
    assert page_number(url) == number


def test_the_first_page_of_a_further_page_keeps_every_other_parameter() -> None:
    assert without_page_number("https://x.fr/a?page=3&q=eau") == "https://x.fr/a?q=eau"
    assert without_page_number("https://x.fr/a?page=3") == "https://x.fr/a"


def test_only_the_root_without_parameters_is_home() -> None:
    assert is_home("https://x.fr/")
    assert is_home("https://x.fr")
    assert not is_home("https://x.fr/?q=1")
    assert not is_home("https://x.fr/a")


def test_www_is_the_same_host_and_another_port_is_not() -> None:
    assert same_host("https://www.x.fr/a", "http://x.fr/b")
    assert not same_host("https://x.fr/a", "https://x.fr:8443/a")
    assert not same_host("https://x.fr/a", "https://y.fr/a")
    assert not same_host("https://wwwx.fr/a", "https://x.fr/a")


# --- the site's own word


OWN = "https://rtes.example/node/12"


def test_a_canonical_link_is_believed() -> None:
    assert trusted_canonical(OWN, "https://rtes.example/mon-guide") == "https://rtes.example/mon-guide"
    assert trusted_canonical(OWN, "/mon-guide/?utm_source=x") == "https://rtes.example/mon-guide"
    assert trusted_canonical(OWN, "http://www.rtes.example/g", SCHEMES) == "https://www.rtes.example/g"


@pytest.mark.parametrize("link", [None, "", "mailto:a@b", "http://[x"])
def test_without_a_usable_link_a_page_goes_by_its_own_address(link: str | None) -> None:
    assert trusted_canonical(OWN + "?page=0", link) == OWN


def test_an_error_page_that_names_the_home_page_is_not_believed() -> None:
    assert trusted_canonical(OWN, "https://rtes.example/") == OWN
    assert trusted_canonical("https://rtes.example/", "https://rtes.example") == "https://rtes.example/"


def test_a_link_to_another_host_is_not_believed() -> None:
    assert trusted_canonical(OWN, "https://autre.example/node/12") == OWN
    assert trusted_canonical(OWN, "https://rtes.example:8443/mon-guide") == OWN


def test_a_further_page_of_a_listing_is_itself_whatever_drupal_names() -> None:
    further = "https://rtes.example/theme?page=2"
    assert trusted_canonical(further, "https://rtes.example/theme") == further
