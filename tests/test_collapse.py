"""The collapse of body and résumé: cases read on pages, then generated pairs against a plain second implementation."""

# ruff: noqa: E501, FBT003, S311 - tables of cases are read by line; the random numbers are seeded

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.collapse import Collapsed, Decision, Rules, collapse, uncollapse
from schema.nouns import Passage
from tests import collapse_reference as reference

IS_LONG = os.environ.get("MOISSON_LONG") == "1"
EXAMPLES = 5000 if IS_LONG else 150  # two properties: 10,000 in the long form


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(Passage("paragraph", text) for text in texts)


def summarise(body: tuple[str, ...] | list[str], resume: tuple[str, ...] | list[str]) -> list[str]:
    return [p.text for p in collapse(passages(*body), passages(*resume)).summary]


def methods(body: tuple[str, ...] | list[str], resume: tuple[str, ...] | list[str]) -> list[str]:
    return [d.method for d in collapse(passages(*body), passages(*resume)).decisions if d.method]


def is_one(left: str, right: str) -> bool:
    """Whether two passages collapse into one, whichever section they stand in."""
    counts = {len(summarise([left], [right])), len(summarise([right], [left]))}
    assert len(counts) == 1, f"the verdict depends on the side: {left!r} {right!r}"
    return counts == {1}


class TestEqual:
    def test_two_equal_sections_give_one(self) -> None:
        texts = ("Ce guide de 24 pages rassemble des modèles de clauses.", "Télécharger le guide")
        done = collapse(passages(*texts), passages(*texts))
        assert done.summary == passages(*texts)
        assert [d.method for d in done.decisions] == [None, None, "same", "same"]
        assert done.decisions[3] == Decision("resume", 1, False, None, "body", (1,), "same", 100.0)

    @pytest.mark.parametrize("body", [(), ("Occupation temporaire de l’ancienne caserne.",)])
    def test_an_empty_section_leaves_the_other(self, body: tuple[str, ...]) -> None:
        assert summarise(body, ()) == list(body)
        assert summarise((), body) == list(body)

    def test_typography_is_no_difference_and_the_body_s_stays(self) -> None:
        body = "L'association \"Les Semeurs d'Avenir\" accompagne depuis 2015 l'installation de maraîchers : bail, loyer..."
        resume = (
            "L’association « Les Semeurs d’Avenir » accompagne depuis 2015 l’installation de maraîchers : bail, loyer…"
        )
        assert summarise([body], [resume]) == [body]
        assert methods([body], [resume]) == ["typography"]

    def test_no_break_spaces_in_numbers_are_no_difference(self) -> None:
        assert methods(["à hauteur de 40\u202f000\xa0€ par an"], ["à hauteur de 40000€ par an"]) == ["typography"]

    def test_what_a_section_repeats_inside_itself_stays_repeated(self) -> None:
        body = ["Ville de Corvelle", "Points d’attention :", "Ville d’Ancelle", "Points d’attention :"]
        assert summarise(body, body) == body
        assert summarise(body, ["Points d'attention :"]) == body
        folded = [text.replace("’", "'") for text in summarise(["Points d'attention :"], body)]
        assert folded == [text.replace("’", "'") for text in body]

    def test_what_was_moved_is_still_found(self) -> None:
        assert summarise(["Un.", "Deux.", "Trois."], ["Trois.", "Un.", "Deux."]) == ["Un.", "Deux.", "Trois."]

    def test_a_raised_figure_is_not_a_figure(self) -> None:
        assert not is_one("une surface de 10² mètres", "une surface de 102 mètres")

    def test_two_numbers_are_not_one(self) -> None:
        assert not is_one("lots 1 2 et suivants", "lots 12 et suivants")


class TestRecut:
    WHOLE = "La caisse réunit 180 foyers. La collectivité abonde le fonds à hauteur de 40 000 € par an."
    PARTS = ("La caisse réunit 180 foyers.", "La collectivité abonde le fonds à hauteur de 40 000 € par an.")

    def test_the_body_s_cutting_stays(self) -> None:
        assert summarise([self.WHOLE], self.PARTS) == [self.WHOLE]
        assert summarise(self.PARTS, [self.WHOLE]) == list(self.PARTS)
        assert collapse(passages(*self.PARTS), passages(self.WHOLE)).decisions[2].into_positions == (0, 1)

    def test_both_may_be_cut_elsewhere(self) -> None:
        done = collapse(passages("Un deux, trois.", "Quatre !"), passages("Un deux,", "trois. Quatre !"))
        assert [p.text for p in done.summary] == ["Un deux, trois.", "Quatre !"]
        assert [d.into_positions for d in done.decisions[2:]] == [(0,), (0, 1)]

    def test_nothing_comes_between_the_pieces(self) -> None:
        body, resume = ["Un deux, trois.", "Quatre !"], ["Autre chose.", "Un deux,", "trois. Quatre !", "Une fin."]
        assert summarise(body, resume) == ["Autre chose.", *body, "Une fin."]

    def test_a_number_is_not_cut(self) -> None:
        body, resume = ["un coût de 20", "000 habitants"], ["un coût de 20 000 habitants"]
        assert summarise(body, resume) == [*body, *resume]

    def test_a_space_lost_by_the_site_is_seen(self) -> None:
        assert methods(["C’est la fin.", "Début de la suite"], ["C’est la fin.Début de la suite"]) == ["recut"]


class TestTrimmed:
    LONG = "La Communauté de communes du Val d’Ancelle a revu en 2022 son règlement : avance de 20 000 €, soit 2,5 % du budget."

    @pytest.mark.parametrize("end", ["…", "...", " [...]", " …"])
    @pytest.mark.parametrize("words", [1, 3, 9, 12, 15])
    def test_the_longer_stays_whichever_section_it_is_of(self, end: str, words: int) -> None:
        short = " ".join(self.LONG.split()[:words]) + end
        assert summarise([self.LONG], [short]) == [self.LONG]
        assert summarise([short], [self.LONG]) == [self.LONG]
        assert methods([self.LONG], [short]) == ["trimmed"]

    def test_a_long_beginning_needs_no_ellipsis(self) -> None:
        assert summarise(["Avant.", self.LONG], ["Avant.", self.LONG[:51].rsplit(" ", 1)[0]]) == ["Avant.", self.LONG]

    def test_a_short_beginning_needs_its_neighbour(self) -> None:
        assert summarise(["Avant.", self.LONG], ["Avant.", "La Communauté"]) == ["Avant.", self.LONG]
        assert summarise(["Avant.", self.LONG], ["Ailleurs.", "La Communauté"])[-1] == "La Communauté"

    def test_a_piece_from_the_middle_is_found(self) -> None:
        assert methods(["a revu en 2022 son règlement : avance"], [self.LONG]) == ["trimmed"]

    @pytest.mark.parametrize("cut", ["avance de 20", "soit 2"])
    def test_a_number_is_not_cut(self, cut: str) -> None:
        short = self.LONG[: self.LONG.index(cut) + len(cut)]
        assert len(summarise([self.LONG], [short])) == 2
        assert len(summarise([self.LONG], [short + "…"])) == 2

    def test_a_number_is_not_cut_at_its_start(self) -> None:
        assert len(summarise([self.LONG], ["000 €, soit 2,5 % du budget."])) == 2

    def test_a_negation_before_the_piece_keeps_both(self) -> None:
        short, long = (
            "utiliser les crédits alloués par la région",
            "Il ne faut pas utiliser les crédits alloués par la région.",
        )
        assert len(summarise([short], [long])) == 2

    def test_a_piece_of_a_longer_passage_of_its_own_section_stays(self) -> None:
        assert summarise([self.LONG], [self.LONG, self.LONG[:60].rsplit(" ", 1)[0]])[0] == self.LONG
        assert len(summarise([self.LONG], [self.LONG, self.LONG[:60].rsplit(" ", 1)[0]])) == 2

    def test_a_whole_resume_in_one_passage_cut_in_the_third(self) -> None:
        body = ["Un premier paragraphe du texte.", "Un deuxième paragraphe.", "Un troisième, plus long que les autres."]
        assert summarise(body, ["Un premier paragraphe du texte. Un deuxième paragraphe. Un troisième, plus…"]) == body

    def test_the_longer_of_the_resume_stands_at_the_body_s_place(self) -> None:
        body = ["Avant.", "La charte associe en 2014 l'Etat et les élus, dont le RTES.", "Après."]
        longer = body[1] + " Elle a pour objectif de:"
        assert summarise(body, ["Avant.", longer, "Autant de principes.", "Après."]) == [
            "Avant.",
            longer,
            "Autant de principes.",
            "Après.",
        ]


class TestOrder:
    def test_what_only_the_resume_has_stands_where_it_puts_it(self) -> None:
        assert summarise(["A a", "B b", "C c"], ["A a", "X x", "B b", "C c", "Y y"]) == [
            "A a",
            "X x",
            "B b",
            "C c",
            "Y y",
        ]

    def test_what_was_moved_does_not_draw_its_neighbours_along(self) -> None:
        assert summarise(["A a", "B b", "C c"], ["C c", "A a", "X x", "B b"]) == ["A a", "X x", "B b", "C c"]

    def test_two_different_sections_follow_one_another(self) -> None:
        assert summarise(["A a", "B b"], ["X x", "Y y"]) == ["A a", "B b", "X x", "Y y"]


# sentences of the domain; «{}» marks the spot that a rule fills
FRAMES = (
    "Le réseau publie {} sur la commande publique responsable et les marchés réservés aux structures d’insertion.",
    "En deux ans, l’association a formé les habitants du quartier {} grâce à un soutien constant de la collectivité.",
    "Cette étude présente {} et propose aux élus comme aux techniciens une méthode simple pour engager la démarche.",
    "Les partenaires se sont réunis {} afin de préparer la convention et de partager leurs retours d’expérience.",
    "La grille a été testée {} ; un retour d’expérience est prévu à l’automne avec les communes volontaires.",
)
CHANGES = {
    "number": [
        ("20 fiches", "21 fiches"),
        ("dix fiches", "onze fiches"),
        ("100 unités", "1000 unités"),
        ("2,5 tonnes", "25 tonnes"),
    ],
    "date": [
        ("le 3 juin", "le 15 mai"),
        ("en mars", "en mai"),
        ("lundi matin", "mardi matin"),
        ("en juin", "en juillet"),
    ],
    "year": [("en 2023", "en 2024"), ("de 2014 à 2020", "de 2014 à 2021"), ("depuis 2015", "depuis 2016")],
    "amount": [("5 %", "5 €"), ("40 000 €", "400 000 €"), ("-3 points", "3 points"), ("5 km", "5 m"), ("2 M€", "2 k€")],
    "edition": [
        ("la 3e édition", "la 4e édition"),
        ("le tome II", "le tome III"),
        ("la première partie", "la deuxième partie"),
    ],
    "place": [
        ("à Lyon", "à Laon"),
        ("à Brévannes", "à Brévanne"),
        ("en Haute-Sarine", "en Basse-Sarine"),
        ("à Corvelle", "à Corville"),
    ],
    "name": [
        ("avec Marie Durand", "avec Marie Durant"),
        ("avec le RTES", "avec le RTS"),
        ("avec M. Petit", "avec M. Petot"),
    ],
    "negation": [
        ("sans réserve", "avec réserve"),
        ("ne convient", "convient"),
        ("jamais seul", "toujours seul"),
        ("légal", "illégal"),
    ],
    "bound": [("avant le vote", "après le vote"), ("des dons ou prêts", "des dons et prêts"), ("au moins", "au plus")],
    "word": [
        ("une précision", "une prévision"),
        ("les acteurs", "les auteurs"),
        ("un emploi", "un réemploi"),
        ("mandat", "mandant"),
    ],
    "address": [("sur https://a.example/x1", "sur https://a.example/x2"), ("à b@a.example", "à c@a.example")],
}
CORRECTIONS = [
    ("les 20 fiches", "les vingt fiches"), ("1 000 pages", "mille pages"), ("1000 pages", "1 000 pages"), ("la 3e fiche", "la troisième fiche"),
    ("soixante-dix-huit fiches", "78 fiches"), ("son règlement", "son reglement"), ("les territoires", "les terrtoires"),
    ("les collectivités", "les collectivtiés"), ("une ressource", "une resource"), ("le projet", "le  projet"),
    ("l'association", "l’association"), ("« faire »", '"faire"'), ("10\xa0%", "10 %"), ("un guide – une boîte", "un guide - une boîte"),
    ("une démarche", "une démarches"), ("adhérent", "adhérente"), ("les les élus", "les élus"), ("la Région", "la région"),
    ("fiches, outils", "fiches outils"), ("5 %", "cinq pour cent"), ("20 h", "20 heures"), ("un développement", "un dévelopement"),
]  # fmt: skip


def adversarial_pairs(count: int) -> list[tuple[str, str, str]]:
    """Pairs that say different things, all else equal: by rule, filled into different frames and neighbourhoods."""
    rng = random.Random(20)
    flat = [(rule, pair) for rule, pairs in CHANGES.items() for pair in pairs]
    found = []
    for number in range(count):
        rule, pair = flat[number % len(flat)]
        frame = FRAMES[rng.randrange(len(FRAMES))]
        padding = " ".join(FRAMES[rng.randrange(len(FRAMES))].format("ensemble") for _ in range(rng.randrange(3)))
        left, right = (f"{frame.format(spot)} {padding}".strip() for spot in rng.sample(pair, 2))
        found.append((rule, left, right))
    return found


def test_what_differs_in_a_fact_is_never_collapsed() -> None:
    pairs = adversarial_pairs(500)
    assert {rule for rule, _, _ in pairs} == set(CHANGES)
    assert [pair for pair in pairs if is_one(pair[1], pair[2])] == []


def test_what_differs_in_wording_only_is_collapsed() -> None:
    pairs = [(frame.format(a), frame.format(b)) for frame in FRAMES for a, b in CORRECTIONS]
    missed = [pair for pair in pairs if not is_one(*pair)]
    assert len(missed) <= 0.02 * len(pairs), missed


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (
            "Dossier documentaire. Dernière mise à jour : 3 juin 2024.",
            "Dossier documentaire. Dernière mise à jour : 15 mai 2024.",
        ),
        (
            "(Re)voir la conférence en ligne",
            "Collectivités adhérentes, connectez-vous pour (re)voir la conférence en ligne.",
        ),
        ("Partie 1 : le cadre juridique", "Partie 2 : le cadre juridique"),
        ("5 %", "10 %"),
        ("Première partie de l’étude : les freins.", "Deuxième partie de l’étude : les freins."),
        ("Une offre légale pour les communes du parc", "Une offre illégale pour les communes du parc"),
    ],
)
def test_both_stay(left: str, right: str) -> None:
    assert not is_one(left, right)


def test_the_one_that_says_more_is_kept() -> None:
    short = "La charte associe les élus, les associations et les habitants du territoire de la communauté."
    long = short.replace("les habitants", "les nouveaux habitants")
    assert summarise([short], [long]) == [long]
    assert summarise([long], [short]) == [long]


def test_a_title_in_capitals_is_the_same_title() -> None:
    title = "Vademecum du réemploi du mobilier public"
    assert summarise([reference.shouted(title)], [title]) == [title]


def test_a_number_in_letters_is_the_same_number() -> None:
    body = "Ce vademecum répond aux 20 questions les plus fréquentes des communes sur la vente, le don ou l’échange."
    assert summarise([body], [body.replace("20", "vingt")]) == [body]


def test_undo_refuses_rows_that_are_not_one_record() -> None:
    row = {"section": "body", "position": 1, "kind": "paragraph", "text": "x"}
    with pytest.raises(ValueError, match="without a gap"):
        uncollapse([row])
    with pytest.raises(ValueError, match="twice"):
        uncollapse([row | {"position": 0}, row | {"position": 0}])


# generated records

SENTENCES = (
    "Les marchés réservés permettent à un acheteur public de confier un lot à une structure d’insertion.",
    "Ce guide de 24 pages rassemble des modèles de clauses et trois retours d’expérience.",
    "La collectivité abonde le fonds à hauteur de 40 000 € par an.",
    "Une évaluation est menée chaque année avec le conseil de développement.",
    "Elle n’associait pas les collectivités à la rédaction de la charte de 2001.",
    "Le webinaire du 12 mai 2022 a réuni une cinquantaine de participants à Brévannes-sur-Loue.",
    "Points d’attention :",
    "Télécharger le guide",
    "Contact : semeurs@exemple.example",
    "Qui est concerné ?",
    "« Un critère qu’on ne sait pas vérifier est un critère inutile. »",
    "soutenir l’engagement et le travail des équipes",
    "Formule : coût/km = (carburant + entretien) < 0,35 € & sans bénéfice.",
    "Dossier documentaire. Dernière mise à jour : 3 juin 2024.",
)
_EDITS: dict[str, Callable[[str, int], str]] = {
    "typographic": lambda t, n: t.replace("’", "'").replace(" :", "\xa0:").replace("« ", '"').replace(" »", '"').replace("…", "..."),
    "trimmed": lambda t, n: " ".join(t.split()[: 1 + n % max(len(t.split()) - 1, 1)]),
    "elided": lambda t, n: " ".join(t.split()[: 1 + n % max(len(t.split()) - 1, 1)]) + ("…", "...", " [...]")[n % 3],
    "number": lambda t, n: t.replace("24", "25").replace("40 000", "40 001").replace("2001", "2002").replace("3 juin", "4 juin"),
    "month": lambda t, n: t.replace("mai", "mars").replace("juin", "juillet"),
    "unit": lambda t, n: t.replace("€", "%"),
    "negation": lambda t, n: t.replace("n’associait pas", "associait").replace("sans", "avec").replace("ne sait pas", "sait"),
    "name": lambda t, n: t.replace("Brévannes", "Bretannes"),
    "typo": lambda t, n: t.replace("expérience", "expérence").replace("développement", "dévelopement"),
    "words": lambda t, n: t.replace("trois", "3").replace("24", "vingt-quatre"),
}  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """A body, and a résumé made from it: kept, changed, cut, joined, moved, dropped, repeated, added."""
    body = draw(st.lists(st.sampled_from(SENTENCES), max_size=7))
    if draw(st.booleans()) and body:
        at = draw(st.integers(0, len(body) - 1))
        body[at : at + 2] = [" ".join(body[at : at + 2])]
    resume = list(body)
    for _ in range(draw(st.integers(0, 4))):
        _change(draw, resume)
    if draw(st.booleans()):
        body, resume = resume, body
    return body, resume


def _change(draw: st.DrawFn, texts: list[str]) -> None:
    kind = draw(st.sampled_from([*_EDITS, "join", "split", "move", "drop", "repeat", "add"]))
    at, number = draw(st.integers(0, max(len(texts) - 1, 0))), draw(st.integers(0, 30))
    if kind == "add" or not texts:
        texts.insert(at, draw(st.sampled_from(SENTENCES)))
    elif kind == "join":
        texts[at : at + 2] = [" ".join(texts[at : at + 2])]
    elif kind == "split":
        words = texts[at].split()
        cut = 1 + number % max(len(words), 1)
        texts[at : at + 1] = [t for t in (" ".join(words[:cut]), " ".join(words[cut:])) if t]
    elif kind == "move":
        texts.insert(number % len(texts), texts.pop(at))
    elif kind == "drop":
        del texts[at]
    elif kind == "repeat":
        texts.insert(number % (len(texts) + 1), texts[at])
    else:
        texts[at] = _EDITS[kind](texts[at], number)


def rows_of(body: tuple[Passage, ...], resume: tuple[Passage, ...], done: Collapsed) -> list[dict[str, object]]:
    texts = {"body": body, "resume": resume}
    return [
        asdict(d) | {"kind": texts[d.section][d.position].kind, "text": texts[d.section][d.position].text}
        for d in done.decisions
    ]


LENIENT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not IS_LONG,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)


@given(records())
@LENIENT
def test_a_generated_record_loses_and_repeats_nothing(pair: tuple[list[str], list[str]]) -> None:
    body, resume = pair
    done = collapse(passages(*body), passages(*resume))
    decided = [(d.section, d.position, d.is_kept, d.into_section, d.into_positions, d.method) for d in done.decisions]
    texts = {"body": body, "resume": resume}
    kept = [(d.section, texts[d.section][d.position]) for d in done.decisions if d.is_kept]
    loose = [texts[d.section][d.position] for d in done.decisions if d.method in {"recut", "trimmed", "near"}]
    assert reference.check_pointers(body, resume, decided) == []
    assert reference.check_nothing_lost(body, resume, decided) == []
    assert reference.check_counts(body, resume, [p.text for p in done.summary], loose) == []
    recut = {
        t
        for d in done.decisions
        if d.method == "recut"
        for t in [resume[d.position], *(body[p] for p in d.into_positions)]
    }
    assert reference.check_not_twice(body, resume, kept, recut) == []
    places = sorted((d.summary_position, d) for d in done.decisions if d.is_kept and d.summary_position is not None)
    assert [p for p, _ in places] == list(range(len(done.summary)))
    in_place = {p for d in done.decisions if d.section == "body" for p in d.into_positions}
    only = [d.position for _, d in places if d.section == "resume" and d.position not in in_place]
    assert reference.check_order([d.position for _, d in places if d.section == "body"], only) == []


@given(records(), records())
@LENIENT
def test_a_generated_record_is_undone_and_collapsed_again(
    one: tuple[list[str], list[str]], two: tuple[list[str], list[str]]
) -> None:
    body, resume = passages(*one[0]), passages(*one[1])
    done = collapse(body, resume)
    rows = rows_of(body, resume, done)
    random.Random(1).shuffle(rows)
    assert uncollapse(rows) == (body, resume)
    assert collapse(done.summary, ()).summary == done.summary
    assert collapse(done.summary, done.summary).summary == done.summary
    collapse(passages(*two[0]), passages(*two[1]))
    assert collapse(body, resume) == done


def digest_of(pair: tuple[list[str], list[str]]) -> str:
    done = collapse(passages(*pair[0]), passages(*pair[1]), Rules())
    return hashlib.sha256(repr(done).encode()).hexdigest()


def seeded_records(count: int) -> list[tuple[list[str], list[str]]]:
    rng = random.Random(7)
    made = []
    for number in range(count):
        body = rng.choices(SENTENCES, k=rng.randrange(8))
        resume = [_EDITS[rng.choice(list(_EDITS))](t, number) if rng.random() < 0.4 else t for t in body]
        rng.shuffle(resume) if rng.random() < 0.2 else None
        made.append((body, resume))
    return made


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_result_does_not_hang_on_workers_or_order(workers: int) -> None:
    made = seeded_records(200)
    alone = [digest_of(pair) for pair in made]
    order = list(range(len(made)))
    random.Random(workers).shuffle(order)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = dict(zip(order, pool.map(digest_of, [made[i] for i in order], chunksize=10), strict=True))
    assert [found[i] for i in range(len(made))] == alone
