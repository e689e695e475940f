"""Answers of status 200 that are no page of the site: log-in, maintenance, challenge, error, empty shell. Pure.

They are told by what stands on them, and only where no resource does: a site may show a log-in form beside every page.
One sign is never enough (a listing may well be called «Maintenance»): words at the head of the page need a second,
independent one. Two signs need no words at all: the answer that an impossible address gets too, and one
body for three addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from urllib.parse import urlsplit

from schema.addresses import join_url, page_number, same_host
from schema.folding import fold, strip_accents
from schema.nouns import Payload

MIN_SAME_BODIES = 3
_MAX_BYTES = 256 * 1024
_FEW_WORDS = 25
# a shorter piece of an address is a word like any other
_LEAST_ECHO = 8
_HTML = frozenset({"text/html", "application/xhtml+xml", ""})
# linear: neither branch can run over the next `<`
_TOKEN = re.compile(r"<(/?)([a-zA-Z][\w:-]{0,40})([^<>]*)>|<!--|-->|([^<]+)|<")
_ATTRIBUTE = re.compile(r"""([\w:-]{1,40})\s{0,9}=\s{0,9}("[^"]*"|'[^']*'|[^\s"'>]+)""")
_UNSEEN = frozenset({"script", "style", "template", "svg"})
_HEADINGS = frozenset({"h1", "h2"})
_PARTS = re.compile(r"\s[|–—-]\s|\s?[|]\s?")

_CHALLENGE_MARKS = (
    "challenge-platform", "cf-chl", "cf_chl", "g-recaptcha", "h-captcha", "hcaptcha.com", "cf-turnstile",
    "_incapsula_resource", "captcha-delivery.com", "px-captcha", "awswafintegration", "sucuri_cloudproxy",
)  # fmt: skip


_LOG_IN = "log-in page"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of such pages: the words at their head, and the sentences below it; both folded."""

    name: str
    head: re.Pattern[str]
    body: re.Pattern[str]


def _kind(name: str, head: str, body: str) -> _Kind:
    # a log-in page is headed so and no further: «Connexion» is also the first word of many a theme
    after = r"(?: (?:to|a votre|au site|au portail|requise?|required)\b.{0,40})?" if name == _LOG_IN else ".{0,40}"
    return _Kind(name, re.compile(rf"\W*(?:{head})\b{after}\W*"), re.compile(body))


_KINDS = (
    _kind(
        "challenge page",
        "just a moment|un instant|un momento|attention required|checking your browser|verif\\w+ (?:que vous|you are)|"
        "ddos protection|pardon our interruption|are you (?:a )?(?:human|robot)|captcha|request (?:rejected|blocked)|"
        "verification (?:de securite|du navigateur)|security check|robot",
        "enable javascript and cookies|activez? javascript|checking (?:your browser|if the site connection)|"
        "(?:you are|etes) (?:bien )?(?:un |a )?(?:human|humain)|pas un robot|not a robot|unusual traffic|"
        "support id|ray id|incident id|unblock|trafic inhabituel",
    ),
    _kind(
        "maintenance page",
        "(?:le )?site (?:web )?(?:est )?(?:actuellement )?en (?:cours de )?(?:maintenance|travaux)|maintenance|"
        "(?:the )?(?:web)?site (?:is )?(?:currently )?(?:under|down for|off-?line)|we.?ll be (?:right )?back|"
        "site hors ligne|(?:service )?(?:temporarily unavailable|temporairement indisponible|unavailable|indisponible)",
        "(?:currently |actuellement )(?:under|en (?:cours de )?)\\s?(?:maintenance|travaux)|en maintenance|"
        "be back (?:shortly|soon)|de retour (?:bientot|rapidement|dans)|bientot de retour|"
        "reessayer (?:plus tard|ulterieurement|dans)|revenir (?:plus tard|ulterieurement)|temporarily unavailable|"
        "temporairement indisponible|service unavailable",
    ),
    _kind(
        _LOG_IN,
        "se connecter|connexion|connectez-vous|identification|identifiez-vous|authentification|"
        "log ?in|sign ?in|espace (?:adherents?|membres?|reserve)|user account|mon compte",
        "mot de passe|password|nom d.utilisateur|username|identifiant",
    ),
    _kind(
        "page of refused access",
        "acces (?:refuse|interdit|reserve)|access denied|forbidden|403|interdit|unauthorized|non autorise",
        "pas autorise|not authori[sz]ed|don.?t have permission|do not have permission|droits? (?:suffisants|requis)|"
        "acces (?:a cette page )?(?:vous )?est (?:refuse|interdit|reserve)",
    ),
    _kind(
        "page of what is not found",
        "page (?:non trouvee|introuvable|not found|inexistante)|not found|erreur 404|error 404|404|oups|oops",
        "page (?:demandee|que vous (?:cherchez|recherchez|demandez))|requested (?:page|url)|"
        "(?:could|can) ?not be found|n.existe (?:pas|plus)|introuvable|pas pu etre trouvee",
    ),
    _kind(
        "error page",
        "erreur|error|internal server error|bad gateway|une erreur|an error|unexpected|fatal error|"
        "welcome to nginx|apache2? .{0,20}default page|it works|index of /",
        "unexpected error|erreur (?:inattendue|interne|est survenue|s.est produite)|error (?:has )?occurred|"
        "try again later|successfully installed|default (?:web ?)?page|for sale|a vendre|stack trace|parent directory",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page shows, folded: words at its head, all its words, its shape."""

    heads: tuple[str, ...]
    text: str
    has_heading: bool
    own_links: int
    asks_password: bool
    is_refreshed: bool


@dataclass
class SameBodies:
    """Bodies met in a run: those that impossible addresses got, and which addresses share one."""

    of_probes: set[str] = field(default_factory=set)
    _addresses: dict[str, list[str]] = field(default_factory=dict)

    def add_probe(self, payload: Payload) -> None:
        """Remember what an address that cannot exist got for an answer."""
        self.of_probes.add(text_digest(payload))

    def add(self, digest: str, url: str) -> None:
        """Remember what an address got."""
        self._addresses.setdefault(digest, []).append(url)

    def shared(self) -> dict[str, str]:
        """Addresses that got the same body as two others, each with the reason why it is no page."""
        groups = (urls for urls in self._addresses.values() if len(set(urls)) >= MIN_SAME_BODIES)
        return {url: f"soft failure: the same body for {len(set(urls))} addresses" for urls in groups for url in urls}


def find_soft_failure(payload: Payload, bodies: SameBodies, *, has_records: bool, is_listing: bool) -> str | None:
    """Why an answer of status 200 is no page of the site, in words; None when nothing shows that.

    Args:
        payload: the answer.
        bodies: those met before; this one is added.
        has_records: whether a block with labelled fields stands on it; then it is one, whatever stands beside.
        is_listing: whether a page of a listing was asked for; further ones may well be alike.
    """
    if payload.media_type not in _HTML:
        return None
    if bodies.of_probes and not (has_records and is_listing) and text_digest(payload) in bodies.of_probes:
        return "soft failure: answered like an address that cannot exist"
    if has_records:
        if not is_listing:
            bodies.add("bytes:" + sha256(payload.content).hexdigest(), payload.url)
        return None
    if not (is_listing and page_number(payload.url)):
        bodies.add(text_digest(payload), payload.url)
    return _judge(_read(payload), payload)


def _judge(page: _Page, payload: Payload) -> str | None:
    is_bare, is_short = not page.own_links, len(page.text.split()) < _FEW_WORDS
    is_marked = any(mark in _head_of(payload).casefold() for mark in _CHALLENGE_MARKS)
    for kind in _KINDS:
        in_head = any(kind.head.fullmatch(head) for head in page.heads)
        in_body = kind.body.search(page.text) is not None
        is_of_kind = (is_marked and kind is _KINDS[0]) or (page.asks_password and kind.name == _LOG_IN)
        shapes = is_bare + is_short + page.is_refreshed
        if in_head and (in_body or is_of_kind or shapes):
            return f"soft failure: {kind.name}, it is headed {page.heads[0][:80]!r}"
        if (in_body or (is_marked and kind is _KINDS[0])) and is_bare and (is_short or is_of_kind):
            return f"soft failure: {kind.name}, it says {page.text[:80]!r} and leads nowhere on the site"
    if page.is_refreshed and is_bare and is_short:
        return "soft failure: it only sends elsewhere"
    if is_bare and is_short and not page.has_heading:
        return "soft failure: empty shell, no heading, no link to the site, hardly a word"
    return None


def text_digest(payload: Payload) -> str:
    """sha256 over the words of a page, numbers left out, and the address where the page echoes it."""
    page, path = _read(payload), _fold(urlsplit(payload.url).path)
    text = " ".join((*page.heads, page.text))
    for echoed in (path, path.rpartition("/")[2]):
        text = text.replace(echoed, " ") if len(echoed) >= _LEAST_ECHO else text
    words = (word for word in re.findall(r"\w+", text) if word.isalpha())
    return sha256(" ".join(words).encode()).hexdigest()


def _read(payload: Payload) -> _Page:
    """What a page shows, by one pass over its tags: no tree, as it may be anything."""
    heads: list[str] = []
    titles: list[str] = []
    text: list[str] = []
    links, has_heading, asks_password, is_refreshed = 0, False, False, False
    unseen: str | None = None
    current: str | None = None
    for is_end, tag, rest, words in _tokens(_head_of(payload)):
        if unseen is not None:
            unseen = None if is_end and tag == unseen else unseen
        elif words:
            seen = unescape(words)
            if current == "title":
                titles.append(seen)
            else:
                text.append(seen)
            if current in _HEADINGS and seen.strip():
                heads.append(seen)
                has_heading = True
        elif tag in _UNSEEN and not is_end:
            unseen = tag
        elif tag in _HEADINGS or tag == "title":
            current = None if is_end else tag
        elif not is_end:
            attributes = _attributes(rest) if tag in ("a", "input", "meta") else {}
            links += tag == "a" and _is_own(attributes.get("href"), payload.url)
            asks_password |= tag == "input" and attributes.get("type", "").lower() == "password"
            is_refreshed |= tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh"
    # the words of the title before the site's name
    parts = [_PARTS.split(" ".join(titles).strip())[0], heads[0] if heads else ""]
    folded = tuple(head for part in parts if (head := _fold(part)))
    return _Page(folded, _fold(" ".join(text)), has_heading, links, asks_password, is_refreshed)


def _tokens(html: str) -> Iterator[tuple[bool, str, str, str]]:
    """Tags (whether an end tag, name, attributes) and words, comments left out."""
    is_comment = False
    for found in _TOKEN.finditer(html):
        if found[0] == "<!--":
            is_comment = True
        elif is_comment:
            is_comment = not (found[0] == "-->" or (found[4] or "").rstrip().endswith("-->"))
        elif found[2] or found[4]:
            yield bool(found[1]), (found[2] or "").lower(), found[3] or "", found[4] or ""


def _attributes(rest: str) -> dict[str, str]:
    return {name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(rest[:4096])}


def _is_own(href: str | None, base: str) -> bool:
    """Whether a link leads to another page of the same host."""
    if href is None or href.strip().lower().startswith(("#", "javascript:", "mailto:", "tel:")):
        return False
    url = join_url(base, href)
    return url is not None and same_host(url, base) and url.partition("#")[0] != base


def _head_of(payload: Payload) -> str:
    content = payload.content[:_MAX_BYTES]
    try:
        return content.decode(payload.charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return content.decode("cp1252", errors="replace")


def _fold(text: str) -> str:
    return strip_accents(fold(text)).casefold()
