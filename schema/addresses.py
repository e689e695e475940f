"""One canonical address per page: the key by which the site itself tells its pages apart.

Refuses to guess: what only the site can know (that /node/12 is /my-article) comes from its own `canonical` links and
redirections, handled by those who read pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

# parameters that name a campaign or a click, never a page
_TRACKING = re.compile(
    r"^(utm_\w+|mtm_\w+|matomo_\w+|pk_\w+|piwik_\w+|at_\w+|xtor|fbclid|gclid|dclid|msclkid|mc_[ce]id|yclid|igshid|_ga|_gl)$"
)
_MAX_PAGE_DIGITS = 18
_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str, base: str = "", schemes: Mapping[str, str] | None = None) -> str:
    """The one way we write an address: no fragment, tracking, first-page number, trailing slash or default port.

    Args:
        url: absolute, or relative to base.
        base: absolute address of the page where url stands.
        schemes: scheme by host, for hosts that answer on http and https alike (from the source file's listings).

    Raises:
        ValueError: not an http or https address with a host.
    """
    parts = urlsplit(canonicalize_url(urljoin(base, url.strip())))
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError(f"not an http(s) address: {url[:200]!r}")
    scheme = (schemes or {}).get(host, parts.scheme)
    netloc = f"[{host}]" if ":" in host else host
    if parts.port not in (None, _DEFAULT_PORTS[parts.scheme]):
        netloc += f":{parts.port}"
        scheme = parts.scheme
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)]
    query = [(k, v) for k, v in query if not (k == "page" and v in ("", "0"))]
    # a `;` without parameters would go only on the second pass of canonicalize_url
    path = parts.path.rstrip("/;") or "/"
    return urlunsplit((scheme, netloc, path, urlencode(query), ""))


def join_url(base: str, href: str | None) -> str | None:
    """The absolute address that a link on a page leads to; None for one that is none."""
    try:
        return urljoin(base, (href or "").strip()) if href and href.strip() else None
    except ValueError:
        return None


def page_number(url: str) -> int:
    """The number that `?page=N` gives, counted from 0 as Drupal does; 0 when absent.

    Drupal writes `?page=0,2` where a page holds several pagers: the largest is taken.
    """
    for key, value in parse_qsl(urlsplit(url).query):
        if key == "page":
            # no listing has so many pages, and Python reads no number of 4301 digits
            return max((int(n[:_MAX_PAGE_DIGITS]) for n in value.split(",") if n.isdecimal()), default=0)
    return 0


def without_page_number(url: str) -> str:
    """The address of the first page of the listing that url is a page of."""
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "page"]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def is_home(url: str) -> bool:
    """Whether the address is the root of its host."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def same_host(a: str, b: str) -> bool:
    """Whether two addresses are on one host and port, `www.` aside."""
    return urlsplit(a).netloc.removeprefix("www.") == urlsplit(b).netloc.removeprefix("www.")


def trusted_canonical(page_url: str, link: str | None, schemes: Mapping[str, str] | None = None) -> str:
    """The address a page goes by: its `canonical` link where that can be believed, else its own.

    Not believed: when it leads to another host or from an inner page to
    the home page (Drupal's error pages do), and on a further page of a listing, where Drupal names the first.
    """
    own = canonical_url(page_url, schemes=schemes)
    if not link or page_number(own):
        return own
    try:
        named = canonical_url(link, own, schemes)
    except ValueError:
        return own
    if not same_host(named, own) or (is_home(named) and not is_home(own)):
        return own
    return named
