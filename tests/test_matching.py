"""The matcher: what it joins, what it must keep apart, and that nothing hangs on the order of what it is given."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import combinations, product
from math import inf, log2

import numpy as np
import pytest

from dedup.clashing import Clash
from dedup.clustering import ClusterRules, cluster
from dedup.comparing import Comparer, Level, compare_values
from dedup.deciding import COLUMNS, DEFAULT_DECIDE_RULES, Verdict, clash_of, decide, judge
from dedup.items import Item, is_code, read_items
from dedup.knowledge import learn_words
from dedup.matching import Rules, match
from dedup.tabling import compare_pairs
from dedup.titling import Title, plain_words, read_title

IS_LONG = os.environ.get("MOISSON_LONG") == "1"

SUBJECTS = (
    "la rénovation des écoles", "le schéma cyclable", "la restauration collective", "les achats responsables",
    "la tarification de l'eau", "les jardins partagés", "la mutuelle communale", "les budgets participatifs",
    "le réemploi des matériaux", "les circuits alimentaires", "la gestion des déchets", "le chauffage des gymnases",
    "l'accueil des étudiants", "les monnaies locales", "la sobriété numérique", "les tiers lieux ruraux",
    "l'inclusion bancaire", "le logement des saisonniers", "la médiation de quartier", "les haies bocagères",
)  # fmt: skip
SENTENCES = (
    "Le document présente la démarche de la collectivité pour {s} et ses premiers résultats.",
    "Les élus ont associé les habitants, les associations et les entreprises du territoire.",
    "Une convention fixe les engagements de chacun sur {s}, le calendrier et le suivi.",
    "Le guide décrit les étapes, les obstacles rencontrés et les moyens de les lever.",
)
# by kind: what is changed, and into what; each alone
CHANGES = (
    ("number", "12 actions", "13 actions"),
    ("number", "niveau II", "niveau III"),
    ("number", "le premier cahier", "le second cahier"),
    ("date", "le 12 mars", "le 14 mars"),
    ("date", "le 12 mars", "le 12 avril"),
    ("year", "en 2021", "en 2022"),
    ("amount", "40 000 euros", "45 000 euros"),
    ("amount", "5 %", "8 %"),
    ("edition", "2e édition", "3e édition"),
    ("edition", "troisième édition", "quatrième édition"),
    ("place", "à Lille", "à Nantes"),
    ("place", "dans l'Orne", "dans l'Eure"),
    ("name", "avec Claire Dupont", "avec Claire Martin"),
    ("negation", "est obligatoire", "n'est pas obligatoire"),
    ("negation", "sans condition", "sous condition"),
)
KINDS = {"number", "date", "year", "amount", "edition", "place", "name", "negation"}


def body(subject: str, more: str = "") -> str:
    return " ".join((*SENTENCES, more)).format(s=subject)


def item(
    key: str, title: str, text: str = "", night: str | None = "n1", listing: str | None = None, url: str | None = None
) -> Item:
    return Item(key=key, title=title, text=text, night=night, listing=listing, url=url)


def catalogue(night: str, listing: str = "a") -> list[Item]:
    return [
        item(f"{night}-{listing}-{n}", f"Retour d'expérience sur {s}", body(s), night, listing)
        for n, s in enumerate(SUBJECTS)
    ]


def partition(items: list[Item]) -> set[frozenset[str]]:
    return {frozenset(keys) for keys in match(items).clusters}


def adversarial(where: str) -> list[tuple[str, Item, Item]]:
    """Kind, and two records equal but for one fact, in the title or in the body; nothing is known of nights."""
    made = []
    for n, (subject, (kind, *facts)) in enumerate(product(SUBJECTS, CHANGES)):
        titles = [f"Journée sur {subject} {fact}" if where == "title" else f"Journée sur {subject}" for fact in facts]
        texts = [body(subject, "" if where == "title" else f"Cela {fact} pour tous.") for fact in facts]
        left, right = (
            item(f"{where}-{n:04}-{side}", title, text, None)
            for side, title, text in zip("lr", titles, texts, strict=True)
        )
        made.append((kind, left, right))
    return made


ADVERSARIAL = [*adversarial("title"), *adversarial("body")]


def joined(items: Sequence[Item], pairs: Sequence[tuple[str, Item, Item]]) -> list[tuple[str, str, str]]:
    """Which of the pairs a matching of the items joined: kind and both titles."""
    home = {key: number for number, keys in enumerate(match(items).clusters) for key in keys}
    return [(kind, one.title, two.title) for kind, one, two in pairs if home[one.key] == home[two.key]]


def test_the_same_catalogue_on_two_nights_is_joined_record_by_record() -> None:
    found = partition(catalogue("n1") + catalogue("n2"))
    assert found == {frozenset((f"n1-a-{n}", f"n2-a-{n}")) for n in range(len(SUBJECTS))}


def test_a_resource_in_two_listings_of_one_night_is_one() -> None:
    found = partition(catalogue("n1", "a") + catalogue("n1", "b"))
    assert found == {frozenset((f"n1-a-{n}", f"n1-b-{n}")) for n in range(len(SUBJECTS))}


def test_records_of_one_night_and_listing_are_never_joined_however_alike() -> None:
    twins = [item(f"{n}", "Guide des achats responsables", body("les achats"), "n1", "a") for n in range(3)]
    assert len(match(twins + catalogue("n1")).clusters) == 3 + len(SUBJECTS)


def test_one_address_joins_even_in_one_listing() -> None:
    one = item("1", "Guide des achats", body("les achats"), "n1", "a", url="https://rtes.example/guide")
    two = item("2", "Guide des achats", body("les achats"), "n1", "a", url="https://rtes.example/guide")
    assert partition([one, two]) == {frozenset("12")}


def test_an_address_used_again_for_another_resource_does_not_join() -> None:
    one = item("1", "Guide des achats", body("les achats"), "n1", url="https://rtes.example/node/7")
    two = item(
        "2", "Annuaire sportif", "Gymnases, piscines et stades du canton.", "n2", url="https://rtes.example/node/7"
    )
    assert len(match([one, two]).clusters) == 2


def test_there_are_five_hundred_adversarial_pairs_of_all_kinds_in_titles_and_in_bodies() -> None:
    assert len(ADVERSARIAL) >= 500
    for where in ("title", "body"):
        assert {kind for kind, one, _ in ADVERSARIAL if one.key.startswith(where)} == KINDS


@pytest.mark.parametrize("slots", [(None, None), ("a", "b")], ids=["free", "two listings"])
def test_pairs_that_differ_in_one_fact_are_kept_apart_on_one_night(slots: tuple[str | None, str | None]) -> None:
    night = "n1" if slots[0] else None
    pairs = [
        (kind, replace(one, night=night, listing=slots[0]), replace(two, night=night, listing=slots[1]))
        for kind, one, two in ADVERSARIAL
    ]
    assert [found for kind, one, two in pairs for found in joined([one, two], [(kind, one, two)])] == []


def test_the_same_pairs_are_kept_apart_in_one_catalogue() -> None:
    everything = [one for _, *both in ADVERSARIAL for one in both]
    assert joined(everything, ADVERSARIAL) == []


def test_a_look_alike_by_title_is_no_heir_of_one_that_is_gone() -> None:
    pairs = [(kind, replace(one, night="before"), two) for kind, one, two in ADVERSARIAL if one.key.startswith("title")]
    assert [found for kind, one, two in pairs for found in joined([one, two], [(kind, one, two)])] == []
    everything = [one for _, *both in pairs for one in both]
    assert joined(everything, pairs) == []


def test_a_look_alike_by_body_alone_is_the_heir_unless_it_stood_beside_the_one_that_is_gone() -> None:
    # under one title an edited body is what a site does every week; what was known as two stays two
    for _, one, two in ADVERSARIAL:
        if one.key.startswith("body"):
            gone = replace(one, night="before", known_as="r1")
            assert len(match([gone, two]).clusters) == 1
            assert len(match([gone, replace(two, known_as="r2")]).clusters) == 2


def test_two_listings_may_word_one_resource_in_two_ways_but_not_state_two_facts() -> None:
    text = body("les achats", "Elle réunit 12 villes et leurs partenaires le matin.")
    one = item("1", "Journée sur les achats responsables", text, "n1", "a")
    reworded = text.replace("Les élus ont associé", "Élus et agents associent").replace("12 villes", "14 communes")
    assert partition([one, replace(one, key="2", listing="b", text=reworded)]) == {frozenset("12")}
    other_fact = text.replace("12 villes", "14 villes")
    assert len(match([one, replace(one, key="2", listing="b", text=other_fact)]).clusters) == 2


def test_a_title_changed_in_one_fact_on_another_night_is_another_resource() -> None:
    pairs = [
        (kind, replace(one, night="n1"), replace(two, night="n2"))
        for kind, one, two in ADVERSARIAL
        if one.key.startswith("title")
    ]
    assert [found for kind, one, two in pairs for found in joined([one, two], [(kind, one, two)])] == []


def test_an_edited_body_on_another_night_is_the_same_resource() -> None:
    one = item("1", "Journée sur les achats responsables", body("les achats", "Elle réunit 12 villes."), "n1")
    two = item("2", "Journée sur les achats responsables", body("les achats", "Elle réunit 14 villes."), "n2")
    assert partition([one, two]) == {frozenset("12")}


@pytest.mark.parametrize("text", ["Compte rendu réservé aux adhérents.", ""])
def test_boilerplate_and_empty_bodies_are_no_evidence(text: str) -> None:
    first = [item(f"a{n}", f"Rencontre sur {s}", text, "n1", "a") for n, s in enumerate(SUBJECTS[:10])]
    second = [item(f"b{n}", f"Rencontre sur {s}", text, "n1", "b") for n, s in enumerate(SUBJECTS[10:])]
    assert all(len(keys) == 1 for keys in match(first + second).clusters)


def test_the_weight_of_words_does_not_hang_on_their_order() -> None:
    texts = [" ".join(f"mot{n * k % 97}" for n in range(60)) for k in range(1, 40)]
    readings, lexicon = read_items([Item(f"k{place:02}", "t", text) for place, text in enumerate(texts)])
    comparer = Comparer(readings, learn_words(lexicon), [])
    chars = sorted(set(readings[4].text))
    chance = random.Random(1)  # noqa: S311  # orders, the same on every run
    assert len({comparer._weigh(chance.sample(chars, len(chars))) for _ in range(50)}) == 1


def test_a_third_copy_under_a_third_title_does_not_part_two_that_were_one() -> None:
    titles = "Garages solidaires", "Garages solidaires : appel à associations", "Garages solidaires (Haute-Sarine)"
    text = (
        "Le Département cherche des associations pour gérer cinq garages ouverts aux demandeurs d'emploi du territoire."
    )
    copies = [Item(f"k{number}", title, text) for number, title in enumerate(titles)]
    assert match(copies[:2]).clusters == [["k0", "k1"]]
    known = [replace(copies[0], known_as="r1"), replace(copies[1], known_as="r1"), copies[2]]
    assert match(known).clusters == [["k0", "k1", "k2"]]
    # under three titles that nothing is known of, a text is held for boilerplate
    assert match(copies).clusters == [["k0"], ["k1"], ["k2"]]
    apart = [replace(item, known_as=f"r{number}") for number, item in enumerate(copies)]
    assert match(apart).clusters == [["k0"], ["k1"], ["k2"]]


SHARED_TITLE = "Observatoire rémunérations Guadeloupe"
UNRELATED = (
    "La régie des eaux publie chaque trimestre un relevé des forages, des captages et des pertes constatées en réseau.",
    "Douze vidéos courtes montrent comment une monnaie locale complémentaire circule entre commerçants et habitants.",
)


@pytest.mark.parametrize("slots", [(None, None), ("a", "b")])
def test_one_rare_title_over_two_texts_of_one_night_is_left_to_a_person(slots: tuple[str | None, str | None]) -> None:
    night = "n1" if slots[0] else None
    items = [
        Item(f"k{n}", SHARED_TITLE, text, night=night, listing=slots[n], type="Guide")
        for n, text in enumerate(UNRELATED)
    ]
    found = match(items)
    (row,) = found.pairs.rows()
    assert found.clusters == [["k0"], ["k1"]]
    assert row["score"] < row["needed"] or (row["verdict"], row["rule"]) == ("unsure", "other text")
    assert match([items[0], replace(items[1], text=UNRELATED[0] + " Voir aussi.")]).clusters == [["k0", "k1"]]


CHANGED_WORDS = {
    "ordinary": ("on présente", "on décrit"),
    "place": ("Lille", "Nantes"),
    "number": ("12", "13"),
    "negation": ("avec", "sans"),
    "month": ("mars", "juin"),
    "number in letters": ("huit élus", "neuf élus"),
    "rank in letters": ("la deuxième", "la troisième"),
    "limit": ("avec les huit", "après les huit"),
}


def copies(kind: str, before: str | None) -> list[Item]:
    """A catalogue, and a resource at two addresses whose texts differ in a word; what it is known to be from before."""
    facts = (
        "À la rencontre de Lille, les 12 communes qu'on présente en mars 2024, avec les huit élus, la deuxième fois."
    )
    text = body("les garages", facts)
    pair = [
        Item(f"k{n}", "Guide des garages solidaires", words, url=f"https://rtes.example/{n}", known_as=before)
        for n, words in enumerate((text, text.replace(*CHANGED_WORDS[kind])))
    ]
    return [*pair, *(item(f"o{n}", f"Guide sur {s}", body(s), None) for n, s in enumerate(SUBJECTS))]


@pytest.mark.parametrize("kind", CHANGED_WORDS)
def test_one_word_in_the_place_of_another_keeps_two_copies_of_one_night_apart(kind: str) -> None:
    found = match(copies(kind, None))
    (row,) = (row for row in found.pairs.rows() if {row["left"], row["right"]} == {"k0", "k1"})
    assert ["k0"] in found.clusters
    expected = ("unsure", "other word", None) if kind == "ordinary" else ("different", "clash of text", None)
    assert (row["verdict"], row["rule"], row["flips_at"]) == expected
    assert row["score"] > row["needed"]


@pytest.mark.parametrize("kind", CHANGED_WORDS)
def test_an_ordinary_word_parts_no_two_copies_that_were_one_resource(kind: str) -> None:
    clusters = match(copies(kind, "r1")).clusters
    assert (["k0", "k1"] in clusters) == (kind == "ordinary")


def test_a_word_in_the_place_of_another_is_no_reason_to_join_what_the_score_would_not() -> None:
    row = dict.fromkeys(COLUMNS, 0.0) | {"clash": float(Clash.WORD), "is_same_night": 1.0, "has_text": 1.0}
    row |= {"shared": 9.0, "text_within": 0.9}
    verdicts = {score: judge(row, score, 1.25, DEFAULT_DECIDE_RULES) for score in (1.25, 1.2, -1.7, -1.8)}
    assert [(v.verdict, v.rule) for v in verdicts.values()] == [
        ("unsure", "other word"), ("unsure", "score"), ("unsure", "score"), ("different", "score")
    ]  # fmt: skip


@pytest.mark.parametrize("title", ["Compte rendu", "Actes de la journée nationale des achats responsables"])
@pytest.mark.parametrize("count", [2, 10, 60])
def test_one_title_at_many_addresses_without_any_text_is_no_resource(title: str, count: int) -> None:
    items = [Item(f"k{n:02}", title, type="Guide", url=f"https://rtes.example/{n}") for n in range(count)]
    found = match(items)
    assert all(len(keys) == 1 for keys in found.clusters)
    assert {row["verdict"] for row in found.pairs.rows()} == {"unsure"}
    assert {row["rule"] for row in found.pairs.rows()} <= {"title alone", "score"}


def test_texts_with_little_in_common_stop_a_join_of_one_night_only() -> None:
    row = dict.fromkeys(COLUMNS, 0.0) | {"has_text": 1.0, "is_same_night": 1.0, "text_within": 0.39, "shared": 9.0}
    row["is_same_url"] = float(Level.NOTHING)
    stopped = judge(row, 5.0, 1.25, DEFAULT_DECIDE_RULES)
    assert (stopped.verdict, stopped.rule, stopped.flips_at) == ("unsure", "other text", None)
    for change in ({"text_within": 0.41}, {"is_same_night": 0.0}, {"has_text": 0.0}):
        assert judge({**row, **change}, 5.0, 1.25, DEFAULT_DECIDE_RULES).verdict == "same"
    bare = judge({**row, "has_text": 0.0, "is_same_url": float(Level.CONFLICT)}, 5.0, 1.25, DEFAULT_DECIDE_RULES)
    assert (bare.verdict, bare.rule) == ("unsure", "title alone")
    assert judge(row, 1.0, 1.25, DEFAULT_DECIDE_RULES).rule == "score"


def test_two_records_without_title_or_text_are_not_joined() -> None:
    assert len(match([item("1", ""), item("2", "", night="n2")]).clusters) == 2


def logical_digest(items: Sequence[Item], judged: dict[tuple[str, str], Verdict], workers: int = 1) -> str:
    """All that a matching says: clusters, every row of every pair, counts."""
    found = match(items, judged=judged, workers=workers)
    return sha256(repr((found.clusters, list(found.pairs.rows()), sorted(found.counts.items()))).encode()).hexdigest()


def test_a_hundred_orders_and_one_two_and_eight_workers_give_one_digest() -> None:
    free = [replace(one, key=f"free-{one.key}", night=None, listing=None) for one in catalogue("n2", "b")[:4]]
    gone = [replace(one, key=f"gone-{n}", night="before", known_as=f"r{n}") for n, one in enumerate(free[:2])]
    twins = [one for _, *both in ADVERSARIAL[:: len(ADVERSARIAL) // 4] for one in both]
    items = [*catalogue("n1")[:5], *catalogue("n2")[2:7], *free, *gone, *twins]
    judged: dict[tuple[str, str], Verdict] = {
        (free[0].key, gone[0].key): "different",
        (free[1].key, free[2].key): "same",
    }
    expected = logical_digest(items, judged)
    for seed in range(100):
        shuffled = random.Random(seed).sample(items, len(items))  # noqa: S311 - an order, not a secret
        assert logical_digest(shuffled, judged) == expected
        for workers in (2, 8) if seed == 0 or IS_LONG else ():
            assert logical_digest(shuffled, judged, workers) == expected


@pytest.mark.parametrize("size", [0, 1, 5])
def test_fewer_pairs_than_workers_are_compared_all_the_same(size: int) -> None:
    readings, lexicon = read_items(catalogue("n1")[:6])
    comparer = Comparer(readings, learn_words(lexicon), ["kind"])
    pairs = np.array(list(combinations(range(6), 2))[:size], np.int32).reshape(size, 2)
    (table, levels), (other_table, other_levels) = compare_pairs(comparer, pairs), compare_pairs(comparer, pairs, 2)
    assert (table.shape, levels.shape) == (other_table.shape, other_levels.shape)
    assert (table.tobytes("F"), levels.tobytes()) == (other_table.tobytes("F"), other_levels.tobytes())


def test_a_row_of_the_table_gives_its_score_and_verdict_again() -> None:
    items = catalogue("n1") + catalogue("n2") + [one for _, *both in ADVERSARIAL[::20] for one in both]
    for row in match(items).pairs.rows():
        again = decide(row, row["needed"], DEFAULT_DECIDE_RULES)
        assert (again.score, again.verdict, again.rule) == (row["score"], row["verdict"], row["rule"])


def test_the_verdict_flips_where_the_row_says() -> None:
    items = catalogue("n1") + catalogue("n2") + [one for _, *both in ADVERSARIAL[::20] for one in both]
    for row in match(items).pairs.rows():
        if row["flips_at"] is None:
            continue
        beyond = 0.001 if row["flips_at"] >= row["needed"] else -0.001
        assert decide(row, row["needed"], DEFAULT_DECIDE_RULES).verdict == row["verdict"]
        assert decide(row, row["flips_at"] + beyond, DEFAULT_DECIDE_RULES).verdict != row["verdict"]
        if abs(row["flips_at"] - row["needed"]) > 0.01:
            assert decide(row, row["flips_at"] - beyond, DEFAULT_DECIDE_RULES).verdict == row["verdict"]


def naive_clusters(  # noqa: C901 - plain on purpose
    slots: list[tuple[str] | None],
    scores: dict[tuple[int, int], float],
    needed: dict[tuple[int, int], float],
    rules: ClusterRules,
    apart: list[tuple[int, int]],
) -> set[frozenset[int]]:
    """The same rules, read again and written plainly: sets, no index, every question asked anew."""
    groups = {frozenset([n]) for n in range(len(slots))}

    def home(n: int) -> frozenset[int]:
        return next(g for g in groups if n in g)

    def taken(g: frozenset[int]) -> set[object]:
        return {slots[n] for n in g if slots[n] is not None}

    def score(a: int, b: int) -> float | None:
        return scores.get((min(a, b), max(a, b)))

    def is_clear(a: int, b: int) -> bool:
        if slots[b] is None:
            return True
        others = [c for c in range(len(slots)) if c not in (a, b) and slots[c] == slots[b]]
        free = [c for c in others if not taken(home(c)) & taken(home(a))]
        found = [score(a, c) for c in free]
        return all(other is None or other <= scores[min(a, b), max(a, b)] - rules.margin for other in found)

    def may_join(a: int, b: int) -> bool:
        one, two = home(a), home(b)
        is_rule, is_said = scores[a, b] == inf, needed[a, b] == -inf
        if not is_rule and (taken(one) & taken(two) or not is_clear(a, b) or not is_clear(b, a)):
            return False
        across = list(product(one, two))
        if is_said:
            return not any((min(pair), max(pair)) in apart for pair in across)
        found = [score(c, d) for c, d in across]
        known = [min(one, 20.0) for one in found if one is not None]
        if len(known) < len(across):
            return False
        size = len(one | two)
        least = needed[a, b] - rules.slack
        if slots[a] is None or slots[b] is None:
            least = rules.free_mean + rules.growth * log2(min(len(one), len(two)))
        if size > rules.oversized:
            least = rules.oversized_mean
        return len(across) == 1 or sum(known) / len(known) >= least

    said = sorted(pair for pair in needed if needed[pair] == -inf)
    rest = sorted((pair for pair in needed if needed[pair] > -inf), key=lambda p: (-scores[p], p))
    while True:
        before = len(groups)
        for a, b in [*said, *rest]:
            if home(a) != home(b) and may_join(a, b):
                groups = groups - {home(a), home(b)} | {home(a) | home(b)}
        if len(groups) == before:
            return groups


@pytest.mark.parametrize("seed", range(240))
def test_clusters_agree_with_a_naive_second_implementation(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same
    size, nights = rng.randint(2, 12), rng.randint(1, 4)
    is_free = [seed % 4 == 0 or (seed % 4 == 1 and rng.random() < 0.5) for _ in range(size)]
    slots = [None if free else (f"n{rng.randrange(nights)}",) for free in is_free]
    worst = rng.choice((-16, -60))
    scores = {pair: rng.randint(worst, 16) / 2 for pair in combinations(range(size), 2) if rng.random() < 0.9}
    needed = {
        pair: rng.choice((-1.0, 0.0, 1.0)) for pair in scores
    }  # known as one or as two before: asked less or more
    needed = {pair: least for pair, least in needed.items() if scores[pair] >= least}
    apart = [pair for pair in combinations(range(size), 2) if rng.random() < 0.1]
    for pair in apart:
        scores.pop(pair, None)
        needed.pop(pair, None)
    for pair in rng.sample(sorted(needed), min(len(needed), seed % 5)):
        scores[pair] = inf  # an address
        needed[pair] = rng.choice((-inf, needed[pair]))  # or a person
    rules = ClusterRules(oversized=rng.choice((3, 64)), oversized_mean=rng.choice((1.0, 4.0)))
    ours = cluster(slots, scores, needed, lambda i, j: scores.get((i, j)), rules, apart)
    assert {frozenset(g) for g in ours.groups} == naive_clusters(slots, scores, needed, rules, apart)


def test_a_chain_whose_ends_differ_is_not_closed() -> None:
    scores = {(0, 1): 5.0, (1, 2): 4.0}
    found = cluster([None] * 3, scores, dict.fromkeys(scores, 0.0), lambda i, j: scores.get((i, j)))
    assert found.groups == [[0, 1], [2]]
    assert found.holds == {(1, 2): "different"}


def test_two_equally_good_partners_are_held() -> None:
    scores = {(0, 1): 5.0, (0, 2): 4.5}
    found = cluster([("n1",), ("n2",), ("n2",)], scores, dict.fromkeys(scores, 0.0), lambda i, j: scores.get((i, j)))
    assert found.groups == [[0], [1], [2]]
    assert set(found.holds.values()) == {"twin"}


def test_a_large_cluster_is_held_for_review() -> None:
    rules = ClusterRules(oversized=3, oversized_mean=4.0)
    scores = dict.fromkeys(combinations(range(5), 2), 5.0)
    found = cluster([None] * 5, scores, dict.fromkeys(scores, 0.0), lambda i, j: scores.get((i, j)), rules)
    assert found.groups == [[0, 1, 2, 3, 4]]
    assert "oversized" in found.holds.values()


def test_one_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="one key"):
        match([item("1", "a"), item("1", "b")])


def test_nothing_gives_nothing() -> None:
    assert match([], Rules()).clusters == []


def test_words_are_plain_and_numbers_even() -> None:
    assert plain_words("L’Œuvre d’été, n° 12 !") == ["l", "oeuvre", "d", "ete", "n", "12"]
    assert read_title("Vingt idées à Lille") == Title(("20", "idees", "a", "lille"), frozenset({"lille"}), frozenset())
    assert is_code("14107")
    assert not is_code("2021")


def test_values_agree_conflict_or_say_less() -> None:
    assert compare_values(["pages", "12", "20"], ["12", "20"]) is Level.AGREE
    assert compare_values(["freund", "y"], ["yoav", "freund"]) is Level.WITHIN
    assert compare_values(["1990"], ["1991"]) is Level.CONFLICT


PLAIN = "Ce guide accompagne les collectivités qui ouvrent leurs marchés aux structures d'insertion du territoire."
TWINS = (
    Item("a", "Guide des marchés réservés", PLAIN),
    Item("b", "Guide des marchés réservés", PLAIN),
    Item("c", "Atlas des jardins partagés", "Un relevé de cent jardins, de leurs sols et de leurs statuts."),
)


def clusters_of(items: Sequence[Item], judged: dict[tuple[str, str], Verdict] | None = None) -> list[list[str]]:
    """The clusters found, a person's words counted."""
    return match(items, judged=judged).clusters


def test_a_persons_word_outranks_the_machine_both_ways() -> None:
    assert clusters_of(TWINS) == [["a", "b"], ["c"]]
    assert clusters_of(TWINS, {("b", "a"): "different"}) == [["a"], ["b"], ["c"]]
    assert clusters_of(TWINS, {("b", "a"): "unsure"}) == [["a"], ["b"], ["c"]]
    assert clusters_of(TWINS, {("a", "c"): "same"}) == [["a", "b", "c"]]


def test_a_persons_word_stands_in_the_table_beside_the_machines_score() -> None:
    row = next(
        r for r in match(TWINS, judged={("c", "a"): "same"}).pairs.rows() if (r["left"], r["right"]) == ("a", "c")
    )
    assert (row["verdict"], row["rule"], row["block"]) == ("same", "person", "person")
    assert row["score"] < row["needed"]


def test_words_on_keys_that_are_not_there_count_for_nothing() -> None:
    assert clusters_of(TWINS, {("a", "nobody"): "same"}) == clusters_of(TWINS)


def test_same_words_of_a_person_go_before_an_address() -> None:
    items = [replace(item, url="https://x.example/1" if item.key != "c" else None) for item in TWINS]
    assert clusters_of(items) == [["a", "b"], ["c"]]
    assert clusters_of(items, {("a", "b"): "different"}) == [["a"], ["b"], ["c"]]


def test_one_that_is_gone_does_not_become_one_that_stood_beside_it() -> None:
    gone = replace(TWINS[0], night="before", known_as="r1")
    assert clusters_of([gone, TWINS[1]]) == [["a", "b"]]
    assert clusters_of([gone, replace(TWINS[1], known_as="r2")]) == [["a"], ["b"]]
    row = next(match([gone, replace(TWINS[1], known_as="r2")]).pairs.rows())
    assert row["rule"] == "known apart"


def test_what_was_one_or_two_before_needs_more_to_change() -> None:
    def needed(left: str | None, right: str | None) -> float:
        items = [replace(TWINS[0], known_as=left), replace(TWINS[1], known_as=right)]
        return float(next(match(items).pairs.rows())["needed"])

    assert needed("r1", "r1") < needed(None, "r1") < needed("r1", "r2")


def test_attributes_overrule_two_spellings_of_a_name_only_where_all_of_them_agree() -> None:
    def entry(key: str, title: str, n: int, pages: int) -> Item:
        facets = {
            "author": f"Auteur{n}, A et Collègue{n}, B",
            "journal": f"Revue{n} de médecine",
            "year": f"{1950 + n}",
        }
        return Item(key, title, facets={**facets, "volume": f"{n}", "pages": f"{pages}-{pages + 9}"})

    # a shelf that teaches what it means when authors, volume and pages agree
    shelf = [entry(f"{copy}{n}", f"Étude clinique de {s}", n, 100 * n) for n, s in enumerate(SUBJECTS) for copy in "ab"]
    one = entry("one", "Effets du protocole de Lowik sur la croissance", 50, 5000)
    for name, pages, is_one in (("Loewijk", 5000, True), ("Loewijk", 7000, False)):
        two = entry("two", f"Effets du protocole de {name} sur la croissance", 50, pages)
        found = {frozenset(keys) for keys in match([*shelf, one, two]).clusters}
        assert (frozenset(("one", "two")) in found) is is_one, (name, pages)


@pytest.mark.parametrize(
    ("clash", "bits", "worst", "left"),
    [(2, 15, 0, 0), (2, 14.9, 0, 2), (2, 20, -1, 2), (1, 20, 0, 1), (3, 20, 0, 3), (0, 0, 0, 0)],
)
def test_only_names_are_overruled_and_only_by_enough(clash: int, bits: float, worst: float, left: int) -> None:
    row = {"clash": clash, "fields_for": bits, "fields_worst": worst}
    assert clash_of(row, DEFAULT_DECIDE_RULES) == left
