"""French-like titles and texts, drawn by chance from pools of words: no two resources alike, all of one language.

Function words are as frequent as in French, content words come by subject, so that two texts share what two texts of
one site share. Look-alikes differ from their model in a number, a year or a place.
"""

# ruff: noqa: SIM905 - lists of words are easier to read as text

from __future__ import annotations

import random
import re
from collections.abc import Sequence

PLACES = (
    "Strasbourg Lille Nantes Rennes Grenoble Lyon Dijon Brest Poitiers Limoges Toulouse Montpellier Nancy Metz Angers "
    "Quimper Valence Rouen Caen Amiens Roubaix Tours Pau Bayonne Auch Mende Aurillac Nevers Bourges Vesoul"
).split()  # fmt: skip
_STEMS = (
    "coopér mutual financ accompagn consomm particip organis valoris produ transform évalu concert expériment "
    "mobil réglement sensibilis form structur dynam restaur rénov collect distribu approvisionn subvention habit "
    "éduc culturel sanit numér énerg aliment agricol touris artisan patrimoin solidar inser handicap jeun"
).split()
_ENDINGS = "ation atif ative ations eur euse ement ements ant ante aire ier ière age ages iste able isme".split()
_PLAIN = (
    "collectivité commune région département association entreprise habitant élu agent budget marché contrat projet "
    "territoire quartier atelier réseau fonds prêt bail terrain bâtiment école crèche jardin forêt rivière canal port "
    "gare vélo bus train route pont place halle marchandise recyclerie ressourcerie épicerie cantine ferme abattoir "
    "moulin fournil brasserie imprimerie textile cuir bois pierre paille chanvre laine terre eau soleil vent chaleur "
    "froid bruit lumière déchet compost papier verre métal plastique vêtement jouet livre musique théâtre cinéma danse "
    "sport santé soin médecin infirmier pharmacie hôpital domicile retraite enfance famille logement loyer propriétaire"
).split()
_POOL = tuple(dict.fromkeys([*_PLAIN, *(stem + ending for stem in _STEMS for ending in _ENDINGS)]))
_JOINTS = (
    "de la", "du", "des", "et les", "pour le", "dans le cadre du", "avec les", "sur la", "par la", "ainsi que les",
    "qui permet une", "en faveur de la", "à partir d'un", "au service de la", "entre les", "comme la", "dont le",
)  # fmt: skip
_OPENINGS = (
    "Cette fiche présente la", "Depuis plusieurs années, le", "La démarche repose sur un", "Il s'agit d'une",
    "Les acteurs ont choisi la", "Le document décrit une", "À l'issue du premier", "On y trouve aussi un",
)  # fmt: skip
_FORMS = (
    "{a} et {b} : {c} à {place}", "Fiche n°{n} : {a} {b} {c}", "Guide {year} : {a} {b} et {c}", "{a} {b} {c}",
    "Retour sur la rencontre {a} {b} à {place}", "Le {a}, levier de {b} {c}", "Appel à projets {a} {b} {c} {year}",
    "{a} {b} : enjeux de {c}", "Étude {a} {b} {c} ({place})",
)  # fmt: skip
_NUMBER = re.compile(r"n°(\d+)|\b(20\d\d)\b")


class Words:
    """A source of words: the same for the same seed."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def some(self, count: int) -> list[str]:
        """Different content words."""
        return self.chance.sample(_POOL, count)

    def title(self) -> str:
        """A title of its own."""
        a, b, c = self.some(3)
        facts = {"n": self.chance.randint(1, 400), "year": self.chance.randint(2012, 2026)}
        made = self.chance.choice(_FORMS).format(a=a, b=b, c=c, place=self.chance.choice(PLACES), **facts)
        return made[0].upper() + made[1:]

    def text(self) -> list[str]:
        """Two to six passages on one subject."""
        subject = self.some(30)
        return [self.passage(subject) for _ in range(self.chance.randint(2, 6))]

    def passage(self, subject: Sequence[str]) -> str:
        """One to four sentences."""
        return " ".join(self._sentence(subject) for _ in range(self.chance.randint(1, 4)))

    def _sentence(self, subject: Sequence[str]) -> str:
        pool = [*subject, *self.some(6)]
        words = [self.chance.choice(_OPENINGS), self.chance.choice(pool)]
        for _ in range(self.chance.randint(3, 8)):
            words += [self.chance.choice(_JOINTS), self.chance.choice(pool)]
        if self.chance.random() < 0.25:
            words += ["à", self.chance.choice(PLACES), "en", str(self.chance.randint(2012, 2026))]
        return " ".join(words) + "."

    def edited(self, text: Sequence[str]) -> list[str]:
        """The text with one content word put in the place of another."""
        edited = list(text)
        place = self.chance.randrange(len(edited))
        words = edited[place].split()
        spots = [n for n, word in enumerate(words) if word in _POOL] or [len(words) - 1]
        words[self.chance.choice(spots)] = self.some(1)[0]
        edited[place] = " ".join(words)
        return edited

    def lengthened(self, text: Sequence[str]) -> list[str]:
        """The text and one sentence more."""
        return [*text[:-1], f"{text[-1]} {self._sentence(self.some(8))}"]

    def reworded(self, title: str) -> str:
        """The title with one word added in front and one behind, its facts as they were."""
        one, two = self.some(2)
        return f"{one.capitalize()} : {title[0].lower()}{title[1:]}, {two}"

    def look_alike(self, title: str) -> str | None:
        """The title with another number, year or place; None where it has none."""
        found = _NUMBER.search(title)
        if found:
            number = int(found.group(1) or found.group(2)) + 1
            start, end = found.span(1) if found.group(1) else found.span(2)
            return f"{title[:start]}{number}{title[end:]}"
        for place in PLACES:
            if place in title:
                return title.replace(place, self.chance.choice([p for p in PLACES if p != place]))
        return None
