"""Features of two records -> a score that can be taken apart, a verdict, and the rule that decided.

The score is a sum of weighed signals (natural log of the odds that the two are one resource). A clash of facts is
final: it is not weighed. Deterministic; a row of the table of pairs gives the same score again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dedup.clashing import Clash
from dedup.comparing import Features, Level

Verdict = Literal["same", "different", "unsure"]
Matrix = NDArray[np.float64]
FEATURES = tuple(f.name for f in fields(Features) if f.name != "levels")
LEARNED = ("fields_for", "fields_against", "fields_worst")
COLUMNS = (*FEATURES, *LEARNED)
JUDGED = (  # what a verdict asks for beside the score
    "shared", "only_left", "only_right", "text_overlap", "text_within", "is_same_night", "is_same_url", "clash",
    "has_text", "fields_for", "fields_worst",
)  # fmt: skip
SIGNALS = (
    "base", "title_alike", "title_alike_strict", "title_equal", "title_shared", "title_alone", "title_most",
    "title_lesser", "title_near", "title_far", "title_both", "title_strongest", "title_order", "numbers",
    "numbers_one_sided", "numbers_bare", "turns", "text_ratio", "lead_ratio", "text_overlap", "text_within",
    "same_text", "codes_shared", "codes_other", "fields_for", "fields_against", "fields_worst", "same_night",
    "ratio_lead", "title_ratio", "title_lead", "title_within", "title_overlap", "core_equal", "core_equal_text",
    "core_equal_against", "lesser_ratio", "numbers_ratio", "lead_within", "ratio_within", "bare_title_alike",
    "bare_title_lesser", "bare_title_strict", "bare_core_equal", "bare_fields_for", "bare_fields_against",
    "bare_title_both", "no_text",
)  # fmt: skip

# fitted by benchmarks/fit_weights.py
_FITTED: dict[str, float] = {
    "base": -4.37,
    "title_alike": 2.33,
    "title_alike_strict": -1.17,
    "title_equal": 0.17,
    "title_shared": 0.06,
    "title_alone": -0.42,
    "title_most": 0.87,
    "title_lesser": -1.29,
    "title_near": -0.02,
    "title_far": -1.18,
    "title_both": 0.34,
    "title_strongest": -1.46,
    "title_order": -0.34,
    "numbers": 0.54,
    "numbers_one_sided": -0.19,
    "numbers_bare": 0.78,
    "turns": -2.43,
    "text_ratio": -0.46,
    "lead_ratio": -0.43,
    "text_overlap": 0.57,
    "text_within": 1.07,
    "same_text": 2.65,
    "codes_shared": 1.05,
    "codes_other": -1.24,
    "fields_for": -0.64,
    "fields_against": 3.98,
    "fields_worst": -3.20,
    "same_night": -0.32,
    "ratio_lead": 0.02,
    "title_ratio": 0.40,
    "title_lead": 0.65,
    "title_within": 1.53,
    "title_overlap": 1.37,
    "core_equal": 0.48,
    "core_equal_text": 1.97,
    "core_equal_against": 0.16,
    "lesser_ratio": -0.06,
    "numbers_ratio": 0.50,
    "lead_within": 1.42,
    "ratio_within": 1.10,
    "bare_title_alike": 4.32,
    "bare_title_lesser": 0.61,
    "bare_title_strict": -1.57,
    "bare_core_equal": -1.49,
    "bare_fields_for": 3.54,
    "bare_fields_against": 0.69,
    "bare_title_both": -0.86,
    "no_text": 2.21,
}
_CHUNK_ROWS = 4096
_DOUBTS = {Clash.WORD: "other word", Clash.TITLE: "other title", Clash.TEXT: "other facts"}
WEIGHTS = tuple(_FITTED.get(name, 0.0) for name in SIGNALS)


def signal_table(columns: Mapping[str, Matrix]) -> Matrix:
    """One row a pair, one column a signal of SIGNALS, from columns of COLUMNS."""
    c = columns
    total = c["shared"] + c["only_left"] + c["only_right"] + 0.1
    alike, strict = c["shared"] / total, c["shared"] / (total + c["near"] + c["far"])
    lesser = np.minimum(np.minimum(c["only_left"], c["only_right"]), 30) / 10
    both, numbers = np.minimum(c["both"], 30) / 10, np.minimum(c["numbers"], 3)
    unstated = c["only_left"] + c["only_right"] + c["far"]
    core = np.where((unstated < 0.5) & (c["shared"] > 0), np.minimum(c["shared"], 40) / 20, 0.0)
    good, bad = np.minimum(8, c["fields_for"]) / 4, np.maximum(-10, c["fields_against"]) / 4
    text, none = c["has_text"], 1 - c["has_text"]
    ratio, lead, overlap, within = c["text_ratio"], c["lead_ratio"], c["text_overlap"], c["text_within"]
    return np.column_stack((
        np.ones_like(alike), alike, strict, c["is_equal_title"], np.minimum(c["shared"], 60) / 20,
        np.minimum(c["only_left"], 30) / 10 + np.minimum(c["only_right"], 30) / 10,
        np.minimum(np.maximum(c["only_left"], c["only_right"]), 30) / 10,
        lesser, np.minimum(c["near"], 30) / 10, np.minimum(c["far"], 30) / 10, both, c["strongest"] / 10, c["order"],
        numbers, c["one_sided_numbers"], np.minimum(c["bare_numbers"], 2), np.minimum(c["turns"], 2),
        ratio, lead, overlap, within, c["is_same_text"], c["shared_codes"] / 10, c["has_other_codes"],
        good, bad, np.minimum(0, c["fields_worst"]) / 4, c["is_same_night"],
        ratio * lead, alike * ratio, alike * lead, alike * within, strict * overlap, core, core * text,
        core * np.minimum(2, -bad), lesser * ratio, numbers * ratio, lead * within, ratio * within,
        none * alike, none * lesser, none * strict, none * core, none * good, none * bad, none * both, none,
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecideRules:
    """When two records are one resource.

    weights: one a signal, natural log of odds. paired_min: least score where a resource stands once in a night and
    listing, for a slot pair of which half has a partner; presence: how much it falls as more partners are present
    (times the log odds of presence). free_min: least score where nothing is known of nights and listings. unsure: how
    far below the least score a pair is still worth a look. address_min: least likeness (0..1) of titles or texts at one
    address; below it the address was re-used. text_clash_min: likeness of texts from which their facts are held
    against each other. same_text_min: weight of common words (0..1 of the lesser text) that two records of one night
    share, however alike the rest: a title is given twice, and a wrong join hides a resource. known: how much less is
    asked of two records that were one resource before, and how much more of two that stood beside each other as two, so
    that what is nearly even does not change from night to night.
    names_overruled: bits for one resource from attributes (authors, volume and pages say as much as an address) from
    which a clash of names in the titles is left to the score, unless one attribute alone says less than field_conflict.
    Source of the weights: benchmarks/fit_weights.py.
    """

    weights: tuple[float, ...] = WEIGHTS
    paired_min: float = -2.0
    presence: float = 1.3
    free_min: float = 1.25
    unsure: float = 3.0
    address_min: float = 0.3
    text_clash_min: float = 0.8
    same_text_min: float = 0.4
    known: float = 1.5
    names_overruled: float = 15.0
    field_conflict: float = -1.0


DEFAULT_DECIDE_RULES = DecideRules()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on a pair, by which rule, and the least score at which it would be decided otherwise.

    needed: the least score that was asked; infinite where none would do. flips_at: the value of `needed` beyond which
    the verdict changes; None where a rule decided that no threshold moves.
    """

    score: float
    needed: float
    verdict: Verdict
    rule: str
    flips_at: float | None


def score_table(columns: Mapping[str, NDArray[np.float32]], rules: DecideRules) -> Matrix:
    """The score of each pair, rounded, so that one row alone gives the same."""
    size = len(columns["shared"])
    parts = [
        _sum_rows(
            {name: column[start : start + _CHUNK_ROWS].astype(np.float64) for name, column in columns.items()}, rules
        )
        for start in range(0, size, _CHUNK_ROWS)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _sum_rows(columns: Mapping[str, Matrix], rules: DecideRules) -> Matrix:
    # added one by one: numpy's sums hang on the shape of the table in their last digit
    weighed = signal_table(columns) * np.array(rules.weights)
    return np.array([round(float(sum(row)), 4) for row in weighed.tolist()])


def explain(row: Mapping[str, float], rules: DecideRules) -> dict[str, float]:
    """What each signal adds to the score of one pair."""
    columns = {name: np.array([float(row[name])]) for name in COLUMNS}
    weighed = signal_table(columns)[0] * np.array(rules.weights)
    return dict(zip(SIGNALS, weighed.tolist(), strict=True))


def decide(row: Mapping[str, float], needed: float, rules: DecideRules) -> Decision:
    """The verdict on one pair.

    Args:
        row: the columns of COLUMNS, as a row of the table of pairs holds them.
        needed: the least score that makes the pair one resource.
    """
    score = round(sum(explain(row, rules).values()), 4)
    return judge(row, score, needed, rules)


def judge(row: Mapping[str, float], score: float, needed: float, rules: DecideRules) -> Decision:
    """The verdict on a pair whose score is known: the address first, then clashes, then the score."""
    if needed == inf:
        return Decision(score, needed, "different", "known apart", None)
    rule = fixed_rule(row, rules)
    if rule == "address":
        return Decision(score, needed, "same", rule, None)
    if rule:
        return Decision(score, needed, "different" if rule.startswith("clash") else "unsure", rule, None)
    return _by_score(row, score, needed, rules)


def _by_score(row: Mapping[str, float], score: float, needed: float, rules: DecideRules) -> Decision:
    doubt = _doubt(row, rules)
    if score >= needed and doubt:
        return Decision(score, needed, "unsure", doubt, None)
    if score >= needed:
        return Decision(score, needed, "same", "score", score)
    if score >= needed - rules.unsure:
        is_nearer_same = needed - score <= rules.unsure / 2 and not doubt
        return Decision(score, needed, "unsure", "score", score if is_nearer_same else score + rules.unsure)
    return Decision(score, needed, "different", "score", score + rules.unsure)


def _doubt(row: Mapping[str, float], rules: DecideRules) -> str:
    """Why two are not joined however alike: `other word`, `title`, `facts` or `text`, `title alone`, or empty.

    A title is given twice, and the site itself says two by two addresses: without a text there is no more to go by. One
    word in the place of another may be all the difference, or nothing (`gérer`, `animer`): a person sees that at once.
    Other facts under one title at another night are an edit, or next year's page in the place of one that is gone.
    """
    if row["clash"] in _DOUBTS:
        return _DOUBTS[Clash(int(row["clash"]))]
    if not row["is_same_night"]:
        return ""
    if row["has_text"]:
        return "other text" if row["text_within"] < rules.same_text_min else ""
    return "title alone" if row["is_same_url"] == Level.CONFLICT else ""


def fixed_rule(row: Mapping[str, float], rules: DecideRules) -> str:
    """The rule that decides whatever the score: `address`, `clash ...`, `nothing to compare`; empty when none does."""
    total = row["shared"] + row["only_left"] + row["only_right"] + 0.1
    alike = max(row["shared"] / total, row["text_overlap"])
    if row["is_same_url"] == Level.AGREE and alike >= rules.address_min:
        return "address"
    if clash := clash_of(row, rules):
        return f"clash of {clash.name.lower()}"
    if not row["shared"] and not row["has_text"]:
        return "nothing to compare"
    return ""


def clash_of(row: Mapping[str, float], rules: DecideRules) -> Clash:
    """What the two records state differently that settles it: no mere word, and of texts only those of one night.

    Two spellings of a name are no clash where attributes say it is one.
    """
    clash = Clash(int(row["clash"]))
    if clash in _DOUBTS and not (clash is Clash.TEXT and row["is_same_night"]):
        return Clash.NONE
    is_overruled = row["fields_for"] >= rules.names_overruled and row["fields_worst"] > rules.field_conflict
    return Clash.NONE if clash is Clash.NAMES and is_overruled else clash
