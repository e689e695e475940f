"""What a text states that no likeness may blur: numbers, dates, amounts, negations, limits, names, addresses.

Two passages whose facts differ both stay, however alike (the veto). It reads words, not meaning, and errs on the side
of seeing a difference: at the start of a sentence a name cannot be told from a word, so every capitalised word counts
as a name, unless the other text has the same word in lower case.
"""

# ruff: noqa: SIM905 - lists of words are easier to read as text

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dedup.tokens import even_tokens, is_number, is_word
from schema.folding import fold, strip_accents

_MONTHS = "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre"
_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche"
_SHORT_MONTHS = "janv fevr avr juil sept oct nov dec"
DATES = frozenset(
    f"{_MONTHS} {_DAYS} {_SHORT_MONTHS} ete automne hiver printemps trimestre semestre hier demain".split()
)
NEGATIONS = frozenset(
    "ne n' pas non sans jamais aucun aucune aucuns aucunes ni rien nul nulle nuls nulles guere sauf hors hormis "
    "excepte exceptee exceptes exceptees contre anti malgre interdit interdite interdits interdites".split()
)
LIMITS = frozenset(
    "plus moins seul seule seuls seules seulement uniquement exclusivement rarement presque quasi environ avant "
    "apres sous jusque jusqu' des ou mais si peu trop minimum maximum min max parfois souvent toujours "
    "tout toute tous toutes chaque certains certaines quelques plusieurs depuis entre ancien ancienne anciens "
    "anciennes faux fausse demi demie moitie tiers quart double triple dizaine douzaine quinzaine vingtaine "
    "trentaine quarantaine cinquantaine soixantaine centaine millier".split()
) - {"des"}
UNITS = frozenset(
    "% € $ £ ° k m g t l h s a ha mm cm dm km kg mg ml cl dl m2 m3 km2 kw kwh mw mwh gw gwh w wh go mo ko to md "
    "mds million millions milliard milliards millier milliers heure heures minute minutes mn min seconde secondes "
    "jour jours semaine semaines mois an ans annee annees metre metres kilometre kilometres hectare hectares "
    "tonne tonnes litre litres degre degres point points ht ttc etp".split()
)
FACT_WORDS = DATES | NEGATIONS | LIMITS | UNITS
_SIGNS = frozenset("<>=+×≤≥±≠≈%€$£°§&/|*#")
_ROMAN = re.compile(r"(?:[IVXLCDM]{2,}|[IVX])(?:e|er)?$")
_MAX_UNITS = 2  # 2 millions €, 5 k€


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text states; every tuple is sorted and keeps repeats, words are lower case, accents removed.

    amounts: numbers in figures, each with the units behind it (`40000 €`, `20`); ranks: `3e`; romans: as written;
    dates: names of months, days, seasons; negations, limits: words that turn or bound a statement; signs: < > = % ...;
    names: capitalised words, acronyms, words with figures; addresses: URLs and e-mail addresses. words: every word that
    stands there in lower case (what excuses a capital).
    """

    amounts: tuple[str, ...] = ()
    ranks: tuple[str, ...] = ()
    romans: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


_STRICT = ("amounts", "ranks", "romans", "dates", "negations", "limits", "signs", "addresses")


def facts(text: str) -> Facts:
    """What a text states. Any text; quotes, dashes, spaces and the spelling of numbers make no difference."""
    return facts_of(even_tokens(fold(text)))


def facts_of(tokens: Sequence[str]) -> Facts:
    """The same from evened tokens."""
    found: dict[str, list[str]] = {name: [] for name in (*_STRICT, "names")}
    words = set()
    for place, token in enumerate(tokens):
        if is_number(token):
            _add_number(found, tokens, place)
        elif is_word(token):
            plain = plain_word(token)
            if token == token.lower():
                words.add(plain)
            _add_word(found, token, plain)
        elif token in _SIGNS:
            found["signs"].append(token)
        elif len(token) > 1 and ("@" in token or "/" in token or "www." in token):
            found["addresses"].append(token)
    return Facts(**{name: tuple(sorted(values)) for name, values in found.items()}, words=frozenset(words))


def differ(left: Facts, right: Facts) -> bool:
    """Whether two texts state different things, so that both have to stay."""
    if any(getattr(left, name) != getattr(right, name) for name in _STRICT):
        return True
    ours, theirs = Counter(left.names), Counter(right.names)
    return not (_are_excused(ours - theirs, right) and _are_excused(theirs - ours, left))


def includes(longer: Facts, shorter: Facts, *, is_cut: bool = False) -> bool:
    """Whether all that the shorter text states is stated by the longer; what it leaves out is no difference.

    is_cut: the shorter was cut off at its end, so a number may have lost its unit.
    """
    for name in _STRICT:
        missing = Counter(getattr(shorter, name)) - Counter(getattr(longer, name))
        if name == "amounts" and is_cut:
            missing = Counter(m for m in missing if not any(a.startswith(m + " ") for a in longer.amounts))
        if missing:
            return False
    return _are_excused(Counter(shorter.names) - Counter(longer.names), longer)


def plain_word(token: str) -> str:
    """A word in lower case, without accents."""
    low = token.lower()
    return low if low.isascii() else strip_accents(low)


def _are_excused(names: Iterable[str], other: Facts) -> bool:
    """Whether the other text has all these names as common words (la Région, la région)."""
    return all(plain_word(name) in other.words for name in names)


def _add_number(found: dict[str, list[str]], tokens: Sequence[str], place: int) -> None:
    if tokens[place].endswith("e"):
        found["ranks"].append(tokens[place])
        return
    units = []
    for token in tokens[place + 1 : place + 1 + _MAX_UNITS]:
        if plain_word(token) not in UNITS:
            break
        units.append(token if len(token) <= 2 else plain_word(token).rstrip("s"))  # k and M are told by case
    found["amounts"].append(" ".join((tokens[place], *units)))


def _add_word(found: dict[str, list[str]], token: str, plain: str) -> None:
    if plain in DATES:
        found["dates"].append(plain)
    elif plain in NEGATIONS:
        found["negations"].append(plain)
    elif plain in LIMITS:
        found["limits"].append(plain)
    elif _ROMAN.match(token):
        found["romans"].append(token)
    elif token != token.lower():
        found["names"].append(_name(token))
    elif not token.isalpha() and not token.endswith("'"):
        found["names"].append(token)


def _name(token: str) -> str:
    """A name as compared: capitals lose their accents, as printers allow (État, Etat); others do not."""
    return "".join(strip_accents(c) if c.isupper() else c for c in token).lower()
