"""Made-up records with a truth: resources seen again with edits, and look-alikes that are other resources.

Nothing is fetched or read: words are syllables, frequent ones and rare ones as in any language. A text has about 800
characters. A resource is seen on one to three of four nights; each sight after the first is edited (not at all, in its
signs, in 2-8 % of its words, by a sentence more or less, by another order). A look-alike is the same text with another
number, place or date, in the title and in the text: another resource, so it must stay apart, on nights of its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, combinations

from dedup.items import Item

NIGHTS = 4
TYPICAL_CHARS = 800
VOCABULARY = 12_000
TWIN_SHARE = 0.05  # of the resources that have look-alikes, one to three each
_SMALL = ("de", "la", "le", "les", "et", "des", "du", "en", "pour", "une", "un", "sur", "dans", "par", "avec", "à")
_SYLLABLES = (
    "ba bou bri ca cha clé co cré da dé di é en fa fi for ga gé in la li lo ma mé mi mo na no pa pé plan po pré ra ré "
    "ri ro sa sé si so ta té tion tra ture va ve vi"
)
_PLACES = (
    "Brest Lyon Lille Nantes Rennes Dijon Tours Metz Nancy Reims Amiens Rouen Caen Angers Poitiers Limoges Pau Toulon "
    "Grenoble Annecy Valence Nîmes Albi Auch Tarbes Gap Mende Privas Vannes Quimper Laval Évreux Chartres Blois Troyes "
    "Épinal Colmar Belfort Vesoul Mâcon Nevers Bourges Guéret Tulle Aurillac Cahors Rodez Foix Digne Bastia"
)
_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_KINDS = ("Fiche", "Avenant", "Rencontre", "Appel à projets", "Note", "Webinaire", "Guide", "Compte rendu")
_TAILS = (
    "Collectivités adhérentes, connectez-vous à l'espace adhérent pour accéder aux présentations des intervenants.",
    "Retrouvez l'ensemble des ressources dans le centre de ressources.",
    "Téléchargez la fiche.",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a resource is about and a look-alike is not."""

    number: int
    place: str
    date: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource before it is seen. shown: which fact its title tells; sentences: its text but for the facts."""

    kind: str
    topic: tuple[str, ...]
    sentences: tuple[str, ...]
    facts: Facts
    shown: str


class Maker:
    """Draws words, facts and resources; the same seed draws the same."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - texts, not secrets
        syllables = (
            "".join(self.rng.choices(_SYLLABLES.split(), k=self.rng.randint(2, 4))) for _ in range(2 * VOCABULARY)
        )
        self.words = list(dict.fromkeys(syllables))[:VOCABULARY]
        self.reach = list(accumulate(1 / (rank + 20) for rank in range(len(self.words))))
        # sentences that unrelated texts share: each about five times, however many records there are
        self.pool = [self.sentence() for _ in range(max(200, size // 10))]

    def pick(self, count: int) -> list[str]:
        """Words by their frequency, four in ten of them small ones."""
        long = self.rng.choices(self.words, cum_weights=self.reach, k=count)
        return [self.rng.choice(_SMALL) if self.rng.random() < 0.4 else word for word in long]

    def sentence(self) -> str:
        """Seven to 24 words."""
        return " ".join(self.pick(self.rng.randint(7, 24))).capitalize() + "."

    def facts(self) -> Facts:
        """A number, a place and a date."""
        rng = self.rng
        date = f"{rng.randint(1, 28)} {rng.choice(_MONTHS.split())} {rng.randint(2012, 2025)}"
        return Facts(rng.randint(1, 150), rng.choice(_PLACES.split()), date)

    def resource(self) -> Resource:
        """A resource that looks like no other."""
        sentences: list[str] = []
        while sum(map(len, sentences)) < TYPICAL_CHARS * self.rng.uniform(0.6, 1.0):
            sentences.append(self.rng.choice(self.pool) if self.rng.random() < 0.1 else self.sentence())
        if self.rng.random() < 0.3:
            sentences.append(self.rng.choice(_TAILS))
        topic = tuple(self.rng.choices(self.words, cum_weights=self.reach, k=self.rng.randint(3, 6)))
        shown = self.rng.choice(("number", "place", "date"))
        return Resource(self.rng.choice(_KINDS), topic, tuple(sentences), self.facts(), shown)

    def twin(self, one: Resource, met: set[Facts]) -> Resource:
        """The same resource but for the fact its title tells, which no twin met before has."""
        while True:
            other = replace(one.facts, **{one.shown: getattr(self.facts(), one.shown)})
            if other not in met:
                met.add(other)
                return replace(one, facts=other)

    def edited(self, one: Resource) -> Resource:
        """The resource as another night shows it; never its facts."""
        rng, sentences, topic = self.rng, list(one.sentences), list(one.topic)
        match rng.choices(("same", "signs", "words", "sentence", "order"), (35, 15, 25, 15, 10))[0]:
            case "signs":
                sentences = [s.replace("'", "’").replace(". ", ".  ").replace("é", "e\u0301", 1) for s in sentences]
            case "words":
                sentences = self._reworded(sentences)
            case "sentence" if rng.random() < 0.5:
                del sentences[rng.randrange(len(sentences))]
            case "sentence":
                sentences.insert(rng.randrange(len(sentences)), self.sentence())
            case "order":
                cut = rng.randrange(1, len(sentences))
                sentences = sentences[cut:] + sentences[:cut]
        if rng.random() < 0.1:
            topic[rng.randrange(len(topic))] = self.pick(1)[0]
        return replace(one, topic=tuple(topic), sentences=tuple(sentences))

    def _reworded(self, sentences: Sequence[str]) -> list[str]:
        words = " ".join(sentences).split(" ")
        for _ in range(max(1, int(len(words) * self.rng.uniform(0.02, 0.08)))):
            place = self.rng.randrange(len(words))
            words[place : place + self.rng.randint(0, 1)] = self.pick(self.rng.randint(0, 1))
        return [" ".join(words)]


def written(one: Resource) -> tuple[str, str]:
    """Title and text of a resource."""
    facts = one.facts
    told = {"number": f"{one.kind} n° {facts.number} : ", "place": "", "date": ""}[one.shown]
    end = {"number": "", "place": f" à {facts.place}", "date": f" du {facts.date}"}[one.shown]
    title = told + " ".join(one.topic).capitalize() + end
    first = f"{one.kind} n° {facts.number}, {facts.place}, le {facts.date}."
    last = f"Inscription à {facts.place} avant le {facts.date}."
    return title, " ".join((first, *one.sentences, last))


def make(size: int, twin_share: float = TWIN_SHARE, seed: int = 7) -> tuple[list[Item], list[str], set[frozenset[str]]]:
    """That many records in no order, the entity of each, and the pairs of entities that look alike."""
    maker = Maker(seed, size)
    rows: list[tuple[str, str, str, str]] = []
    alike: set[frozenset[str]] = set()
    entities = 0
    while len(rows) < size:
        family, met = [maker.resource()], set[Facts]()
        met.add(family[0].facts)
        if maker.rng.random() < twin_share:
            family += [maker.twin(family[0], met) for _ in range(maker.rng.randint(1, 3))]
        names = [str(entities + place) for place in range(len(family))]
        alike |= {frozenset(pair) for pair in combinations(names, 2)}
        for name, one in zip(names, family, strict=True):
            rows += _sights(maker, name, one)
        entities += len(family)
    rows = rows[:size]
    maker.rng.shuffle(rows)
    present = {name for name, *_ in rows}
    items = [Item(f"{place:07}", title, text, night) for place, (_, title, text, night) in enumerate(rows)]
    return items, [name for name, *_ in rows], {pair for pair in alike if pair <= present}


def _sights(maker: Maker, name: str, one: Resource) -> list[tuple[str, str, str, str]]:
    """Entity, title, text and night of each sight of a resource."""
    nights = maker.rng.sample(range(NIGHTS), maker.rng.randint(1, 3))
    return [(name, *written(maker.edited(one) if place else one), f"n{night}") for place, night in enumerate(nights)]
