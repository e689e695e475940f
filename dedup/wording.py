"""Whether two passages that are nearly equal say the same, and which of them says more: `without losing a word`.

A changed content word is information, and both stay. What may differ is what a correction changes: the typing error of
a common word, its accents, case or inflection, an article or preposition, punctuation, a number in letters. Words that
stand in one only are no loss where that one is kept. No dictionary: two real words one letter apart (`précision`,
`prévision`) are told by where they differ and by a list of those met in French.
"""

# ruff: noqa: SIM905 - lists of words are easier to read as text

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from rapidfuzz.distance import OSA, Levenshtein, Postfix, Prefix

from dedup.facts import FACT_WORDS, differ, facts_of, plain_word
from dedup.tokens import PUNCTUATION, even_tokens, is_read, is_word

Verdict = Literal["equal", "left", "right"]

# articles, prepositions and links that neither negate, exclude nor bound; `ou`, `sans`, `avant` are facts
FUNCTION_WORDS = frozenset(
    "le la les l' un une des du de d' au aux à en dans par pour sur avec vers chez et ce cet cette ces c' cela "
    "ceci se s' que qu' qui y dont où son sa ses leur leurs notre nos comme afin ainsi puis lors".split()
)
# real words one letter apart that the rule for typing errors would let pass; singular, accents removed
_LOOK_ALIKES = frozenset(
    "addition/addiction amiante/ambiante attendre/atteindre attente/atteinte campagne/champagne "
    "carte/charte casser/classer cause/clause charente/charpente competent/completent comptent/competent "
    "comite/comte confere/confrere contacte/contracte contacter/contracter content/contient contient/continent "
    "continent/contingent continent/continuent courant/couvrant courent/couvrent crient/croient desert/dessert "
    "devait/devrait devaient/devraient devons/devrons domine/domaine ecoule/ecroule elever/enlever elevee/enlevee "
    "enonce/enfonce envie/envoie etendre/entendre etendre/eteindre etendu/entendu etendue/entendue "
    "ethique/ethnique expose/explose exposer/exploser faction/fraction facture/fracture faille/famille "
    "fiance/finance fondation/foundation gamme/gramme garant/gardant grade/grande garde/grade langage/language "
    "maire/maitre maire/mairie maire/marie mediation/meditation ministre/ministere montage/montagne "
    "montant/montrant montent/montrent montait/montrait moralite/mortalite orage/orange ordre/ordure "
    "palier/pallier parait/partait parent/partent parage/partage peine/pleine peintre/peinture pendre/prendre "
    "permettait/permettrait phase/phrase plaine/platine plante/plainte plante/planete portant/pourtant "
    "portrait/porterait potable/portable pouvoir/pourvoir pouvons/pouvions previent/prevoient proprete/propriete "
    "reacteur/redacteur reaction/redaction recourir/recouvrir redire/reduire reelle/rebelle regler/reguler "
    "reporte/remporte reporter/remporter retient/retirent retrait/rentrait seraient/servaient serait/servait "
    "signer/soigner simulation/stimulation simuler/stimuler solaire/scolaire solde/solide souvent/souvient "
    "tenant/tendant tenant/tentant tueur/tumeur venait/vendait venant/vendant verte/verite veille/vieille "
    "volant/voulant aimable/amiable concert/concret faible/fiable parite/partie partie/patrie porche/proche "
    "perte/prete preuve/prevue salaire/salarie signe/singe varie/vraie altitude/aptitude concession/confession "
    "confirme/conforme confirmer/conformer courrier/courtier defendre/detendre detecter/detester "
    "engendre/entendre generique/genetique immunite/impunite incitation/invitation inferieur/interieur "
    "inferieure/interieure precision/prevision processeur/professeur procession/profession regarder/retarder "
    "mandat/mandant".split()
)
_ENDINGS = frozenset(
    frozenset(pair.split("/"))
    for pair in "/s /x /e /es s/es e/es e/s l/lle l/lles ls/lles al/aux ale/aux ales/aux el/elle el/elles "
    "els/elles if/ive ifs/ives "
    "eux/euse eux/euses /nt en/enne ens/ennes eur/euse eurs/euses".split(" ")
)
_MARKS = '.,;:!?()[]"'
_AZERTY = ("azertyuiop", "qsdfghjklm", "wxcvbn")
_KEYS = {letter: (row, column) for row, line in enumerate(_AZERTY) for column, letter in enumerate(line)}
_CONTEXT_WORDS = 4
_MIN_TYPO_CHARS = 6  # shorter words have too many neighbours: porte, poste, perte
_MIN_SLIP_CHARS = 8  # one letter for its neighbour on the keyboard
_UNTOUCHED_END = 3  # the last letters carry grammar and derivation: organise, organisme
_MIN_SWAP_CHARS, _SWAPPED_END = 10, 2  # two letters swapped in a long word: collectivtiés


def compare_wording(left: str, right: str, min_shared: float) -> Verdict | None:
    """Whether two folded texts say the same: `equal`, or `left` or `right` when that one says more; else None.

    min_shared: share (0..1) of the words of the longer that must stand in both, letter for letter. Symmetric: swapped
    texts give the swapped verdict.
    """
    if _is_shouted(left) != _is_shouted(right):
        same = plain_word(left) == plain_word(right)
        return ("right" if _is_shouted(left) else "left") if same else None
    ours, theirs = left.split(" "), right.split(" ")
    if _share(ours, theirs) < min_shared:
        return None
    is_same = _compare_in_place(ours, theirs)
    if is_same is not None:
        return "equal" if is_same else None
    left, right = _differing_parts(left, right)
    ours, theirs = even_tokens(left), even_tokens(right)
    extras = _unmatched_words(_content(ours), _content(theirs))
    if extras is None or (extras[0] and extras[1]) or differ(facts_of(ours), facts_of(theirs)):
        return None
    if extras[0] or extras[1]:
        return "left" if extras[0] else "right"
    return _fuller(ours, theirs)


def is_slip(left: str, right: str) -> bool:
    """Whether two words are one word, typed, accented, cased or inflected otherwise; a name only cased otherwise."""
    if left.lower() == right.lower():
        return True
    if left[0].isupper() or right[0].isupper():
        return _even_capital(left) == _even_capital(right)
    if not (is_word(left) and is_word(right)):
        return False
    ours, theirs = plain_word(left), plain_word(right)
    return ours == theirs or _is_inflection(ours, theirs) or _is_typo(*sorted((ours, theirs), key=len))


def _is_shouted(text: str) -> bool:
    return text.isupper() and sum(map(str.isalpha, text)) > 3  # an acronym is no title in capitals


def _share(ours: Sequence[str], theirs: Sequence[str]) -> float:
    left, right = set(ours), set(theirs)
    return len(left & right) / max(len(left), len(right))


def _compare_in_place(ours: Sequence[str], theirs: Sequence[str]) -> bool | None:
    """Whether single words in the same places are slips of one another; None where that takes a closer reading.

    Most pairs are settled here, ten times faster than by tokens and facts: only plain words, with equal neighbours.
    """
    if len(ours) != len(theirs):
        return None
    places = [place for place, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    if not places or any(b - a == 1 for a, b in pairwise(places)):
        return None
    is_settled = True
    for left, right in ((ours[p].strip(_MARKS), theirs[p].strip(_MARKS)) for p in places):
        if not (_is_content(left) and _is_content(right)):
            is_settled = False
        elif not is_slip(left, right):
            return False
        elif left != left.lower() or right != right.lower():
            is_settled = False
    return is_settled or None


def _is_content(word: str) -> bool:
    """Whether a bare word is letters only, and neither a fact, nor a number, nor a link."""
    return (
        word.isalpha()
        and word.lower() not in FUNCTION_WORDS
        and plain_word(word) not in FACT_WORDS
        and not is_read(word)
    )


def _differing_parts(left: str, right: str) -> tuple[str, str]:
    """Both texts from a few words before the first difference to a few words after the last.

    What stands outside is equal, so its facts are; the words around hold what a number or a negation needs to be read.
    """
    start = Prefix.similarity(left, right)
    for _ in range(_CONTEXT_WORDS):
        start = max(left.rfind(" ", 0, start), 0)
    rest, other = left[start:], right[start:]
    end = Postfix.similarity(rest, other)
    for _ in range(_CONTEXT_WORDS):
        space = rest.find(" ", len(rest) - end)
        if space < 0:
            return rest, other
        end = len(rest) - space - 1
    return rest[: len(rest) - end], other[: len(other) - end]


def _content(tokens: Sequence[str]) -> list[str]:
    return [t for t in tokens if t not in PUNCTUATION and t.lower() not in FUNCTION_WORDS]


def _unmatched_words(ours: list[str], theirs: list[str]) -> tuple[list[str], list[str]] | None:
    """The content words that only one has, when all others are the same words; None when a word was changed."""
    codes: dict[str, int] = {}
    left, right = ([codes.setdefault(t.lower(), len(codes)) for t in side] for side in (ours, theirs))
    extras: tuple[list[str], list[str]] = ([], [])
    for block in Levenshtein.opcodes(left, right):
        mine, other = ours[block.src_start : block.src_end], theirs[block.dest_start : block.dest_end]
        if block.tag in {"equal", "replace"}:
            if not all(map(is_slip, mine, other)):
                return None
        else:
            extras[0].extend(mine)
            extras[1].extend(other)
    return extras if all(_is_plain(word) for side in extras for word in side) else None


def _is_plain(word: str) -> bool:
    """Whether a word that only one text has is no name, number or sign."""
    return is_word(word) and word == word.lower()


def _fuller(ours: Sequence[str], theirs: Sequence[str]) -> Verdict:
    """Which one has all tokens of the other and more, be it an article or a colon."""
    left, right = Counter(ours), Counter(theirs)
    if left != right and left >= right:
        return "left"
    return "right" if left != right and right >= left else "equal"


def _even_capital(word: str) -> str:
    """É as E, as French printers allow; no other accent."""
    return "".join(plain_word(c) if c.isupper() else c for c in word)


def _is_inflection(ours: str, theirs: str) -> bool:
    """Number, gender and person of one tense; the stem keeps three letters."""
    for stem in range(min(len(ours), len(theirs)), 2, -1):
        if ours[:stem] == theirs[:stem] and frozenset((ours[stem:], theirs[stem:])) in _ENDINGS:
            return True
    return False


def _is_typo(short: str, long: str) -> bool:
    """One slip of the finger inside a word of six letters or more.

    The first letter stays, so no negative prefix (im-, in-, il-, ir-, dé-, non-) comes or goes; so do the last three.
    """
    if len(short) < _MIN_TYPO_CHARS or short[0] != long[0] or OSA.distance(short, long, score_cutoff=1) != 1:
        return False
    is_swap = sorted(short) == sorted(long)
    end = _SWAPPED_END if is_swap and len(short) >= _MIN_SWAP_CHARS else _UNTOUCHED_END
    if short[-end:] != long[-end:] or _are_look_alikes(short, long):
        return False
    return is_swap or len(short) != len(long) or (len(short) >= _MIN_SLIP_CHARS and _is_next_key(short, long))


def _are_look_alikes(short: str, long: str) -> bool:
    """Whether both are real words."""
    one, two = short.removesuffix("s"), long.removesuffix("s")
    return f"{one}/{two}" in _LOOK_ALIKES or f"{two}/{one}" in _LOOK_ALIKES


def _is_next_key(short: str, long: str) -> bool:
    """Whether the letter that differs lies beside the other on a French keyboard."""
    (one, two), *_ = ((a, b) for a, b in zip(short, long, strict=True) if a != b)
    if one not in _KEYS or two not in _KEYS:
        return False
    (row, column), (other_row, other_column) = _KEYS[one], _KEYS[two]
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1
