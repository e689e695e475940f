"""The matcher: what it joins, what it must keep apart, and that nothing hangs on the order of what it is given."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest

from dedup.clustering import ClusterRules, cluster
from dedup.comparing import Level, compare_values
from dedup.deciding import DEFAULT_DECIDE_RULES, Verdict, decide
from dedup.items import Item, is_code, plain_words, title_words
from dedup.matching import Rules, match

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
# what is changed, and into what; each alone
CHANGES = (
    ("12 actions", "13 actions"),
    ("le 12 mars", "le 14 mars"),
    ("le 12 mars", "le 12 avril"),
    ("en 2021", "en 2022"),
    ("40 000 euros", "45 000 euros"),
    ("2e édition", "3e édition"),
    ("à Lille", "à Nantes"),
    ("avec Claire Dupont", "avec Claire Martin"),
    ("est obligatoire", "n'est pas obligatoire"),
    ("sans condition", "sous condition"),
    ("niveau II", "niveau III"),
    ("le premier cahier", "le second cahier"),
    ("5 %", "8 %"),
)


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


def adversarial() -> list[tuple[Item, Item]]:
    """Pairs equal but for one fact, in the title or in the body, on one night or where no night is known."""
    pairs = []
    for n, (subject, (old, new), where, night) in enumerate(
        product(SUBJECTS, CHANGES, ("title", "body"), (None, "n1"))
    ):
        in_title = where == "title"
        for_title = [f"Journée sur {subject} {fact}" if in_title else f"Journée sur {subject}" for fact in (old, new)]
        texts = [body(subject, "" if in_title else f"Cela {fact} pour tous.") for fact in (old, new)]
        pairs.append(
            (
                item(f"{n:04}-l", for_title[0], texts[0], night, "a" if night else None),
                item(f"{n:04}-r", for_title[1], texts[1], night, "b" if night else None),
            )
        )
    return pairs


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


def test_five_hundred_pairs_that_differ_in_one_fact_are_all_kept_apart() -> None:
    pairs = adversarial()
    assert len(pairs) >= 500
    merged = [(a, b) for a, b in pairs if len(match([a, b]).clusters) == 1]
    assert not merged, [(a.title, b.title, a.night) for a, b in merged[:10]]


def test_the_same_pairs_are_kept_apart_in_one_catalogue() -> None:
    items = [one for pair in adversarial() for one in pair if one.night is not None]
    joined = {frozenset(keys) for keys in match(items).clusters if len(keys) > 1}
    apart = {frozenset((a.key, b.key)) for a, b in adversarial()}
    assert not joined & apart


def test_a_title_changed_in_one_fact_on_another_night_is_another_resource() -> None:
    for subject, (old, new) in product(SUBJECTS[:4], CHANGES):
        one = item("1", f"Journée sur {subject} {old}", body(subject), "n1")
        two = item("2", f"Journée sur {subject} {new}", body(subject), "n2")
        assert len(match([one, two]).clusters) == 2, (old, new)


def test_an_edited_body_on_another_night_is_the_same_resource() -> None:
    one = item("1", "Journée sur les achats responsables", body("les achats", "Elle réunit 12 villes."), "n1")
    two = item("2", "Journée sur les achats responsables", body("les achats", "Elle réunit 14 villes."), "n2")
    assert partition([one, two]) == {frozenset("12")}


@pytest.mark.parametrize("text", ["Compte rendu réservé aux adhérents.", ""])
def test_boilerplate_and_empty_bodies_are_no_evidence(text: str) -> None:
    first = [item(f"a{n}", f"Rencontre sur {s}", text, "n1", "a") for n, s in enumerate(SUBJECTS[:10])]
    second = [item(f"b{n}", f"Rencontre sur {s}", text, "n1", "b") for n, s in enumerate(SUBJECTS[10:])]
    assert all(len(keys) == 1 for keys in match(first + second).clusters)


def test_two_records_without_title_or_text_are_not_joined() -> None:
    assert len(match([item("1", ""), item("2", "", night="n2")]).clusters) == 2


def test_the_order_of_the_records_changes_nothing() -> None:
    items = (
        catalogue("n1") + catalogue("n2") + catalogue("n2", "b") + [one for pair in adversarial()[::9] for one in pair]
    )
    rows = list(match(items).pairs.rows())
    found = partition(items)
    for seed in range(5):
        shuffled = random.Random(seed).sample(items, len(items))  # noqa: S311 - an order, not a secret
        again = match(shuffled)
        assert {frozenset(keys) for keys in again.clusters} == found
        assert list(again.pairs.rows()) == rows


def test_a_row_of_the_table_gives_its_score_and_verdict_again() -> None:
    items = catalogue("n1") + catalogue("n2") + [one for pair in adversarial()[::20] for one in pair]
    for row in match(items).pairs.rows():
        again = decide(row, row["needed"], DEFAULT_DECIDE_RULES)
        assert (again.score, again.verdict, again.rule) == (row["score"], row["verdict"], row["rule"])


def test_the_verdict_flips_where_the_row_says() -> None:
    items = catalogue("n1") + catalogue("n2") + [one for pair in adversarial()[::20] for one in pair]
    for row in match(items).pairs.rows():
        if row["flips_at"] is None:
            continue
        beyond = 0.001 if row["flips_at"] >= row["needed"] else -0.001
        assert decide(row, row["needed"], DEFAULT_DECIDE_RULES).verdict == row["verdict"]
        assert decide(row, row["flips_at"] + beyond, DEFAULT_DECIDE_RULES).verdict != row["verdict"]
        if abs(row["flips_at"] - row["needed"]) > 0.01:
            assert decide(row, row["flips_at"] - beyond, DEFAULT_DECIDE_RULES).verdict == row["verdict"]


def naive_clusters(  # noqa: C901 - plain on purpose
    size: int, slots: list[tuple[str] | None], scores: dict[tuple[int, int], float], rules: ClusterRules, needed: float
) -> set[frozenset[int]]:
    """The same rules, read again and written plainly: sets, no index, every question asked anew."""
    groups = {frozenset([n]) for n in range(size)}

    def home(n: int) -> frozenset[int]:
        return next(g for g in groups if n in g)

    def taken(g: frozenset[int]) -> set[object]:
        return {slots[n] for n in g if slots[n] is not None}

    def score(a: int, b: int) -> float | None:
        return scores.get((min(a, b), max(a, b)))

    def at_least(least: float, found: float | None) -> bool:
        return found is not None and least <= found

    def is_clear(a: int, b: int) -> bool:
        rivals = [c for c in range(size) if c not in (a, b) and slots[c] == slots[b] and score(a, c) is not None]
        free = [c for c in rivals if not taken(home(c)) & taken(home(a))]
        return slots[b] is None or all(at_least((score(a, c) or 0.0) + rules.margin, score(a, b)) for c in free)

    while True:
        before = len(groups)
        for a, b in sorted((p for p, s in scores.items() if s >= needed), key=lambda p: (-scores[p], p)):
            one, two = home(a), home(b)
            if one == two or taken(one) & taken(two) or not (is_clear(a, b) and is_clear(b, a)):
                continue
            across = [score(c, d) for c in one for d in two]
            known = [found for found in across if found is not None]
            if len(known) < len(across):
                continue
            least = rules.free_mean if slots[a] is None else needed - rules.slack
            if len(across) > 1 and sum(known) / len(known) < least:
                continue
            groups = groups - {one, two} | {one | two}
        if len(groups) == before:
            return groups


@pytest.mark.parametrize("seed", range(60))
def test_clusters_agree_with_a_naive_second_implementation(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same
    size, nights = rng.randint(2, 12), rng.randint(1, 4)
    slots = [None if seed % 3 == 0 else (f"n{rng.randrange(nights)}",) for _ in range(size)]
    scores = {pair: float(rng.randint(-8, 8)) for pair in combinations(range(size), 2) if rng.random() < 0.8}
    rules = ClusterRules()
    needed = {pair: 0.0 for pair, score in scores.items() if score >= 0}
    ours = cluster(slots, scores, needed, lambda i, j: scores.get((i, j)), rules)
    assert {frozenset(g) for g in ours.groups} == naive_clusters(size, slots, scores, rules, 0.0)


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
    assert title_words("Vingt idées à Lille") == (("20", "idees", "a", "lille"), frozenset({"lille"}))
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
