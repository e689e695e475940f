"""What a collapse owes its reader, said again in the slowest and plainest way, to be held against `dedup.collapse`.

It shares nothing with it but `schema.folding.fold`. Each check gives sentences about what is wrong; none is an empty
list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from schema.folding import fold, strip_accents

Decided = tuple[str, int, bool, str | None, tuple[int, ...], str | None]
_NEGATIVE = {"ne", "n", "pas", "non", "sans", "jamais", "aucun", "aucune", "ni", "rien", "sauf", "hors"}
_SPELLED = {"vingt": "20", "mille": "1000", "troisième": "3e", "douze": "12", "trois": "3"}


def plain(text: str) -> str:
    """Folded, without any white space."""
    return fold(text).replace(" ", "")


def without_ellipsis(text: str) -> str:
    """Folded and tight, without the ellipsis at its end."""
    return re.sub(r"[,;:]*(\[\.\.\.\]|\.\.\.)$", "", plain(text))


def check_pointers(body: Sequence[str], resume: Sequence[str], decisions: Sequence[Decided]) -> list[str]:
    """Each passage is decided once, and those that are gone point at passages of the other section that are kept.

    A decision is (section, position, is_kept, into_section, into_positions, method).
    """
    faults = []
    expected = [("body", i) for i in range(len(body))] + [("resume", j) for j in range(len(resume))]
    if [(d[0], d[1]) for d in decisions] != expected:
        faults.append("decisions are not one per passage in order")
    kept = {(d[0], d[1]) for d in decisions if d[2]}
    for section, position, is_kept, into_section, into, _method in decisions:
        if is_kept and (into or into_section):
            faults.append(f"{section} {position} is kept and points elsewhere")
        if not is_kept and (not into or into_section == section or any((into_section, p) not in kept for p in into)):
            faults.append(f"{section} {position} points at nothing that is kept")
    return faults


def check_nothing_lost(body: Sequence[str], resume: Sequence[str], decisions: Sequence[Decided]) -> list[str]:
    """What is gone stands in what it points at: equal, inside it, or near it with the same numbers and negations."""
    texts = {"body": body, "resume": resume}
    faults = []
    for section, position, is_kept, into_section, into, method in decisions:
        if is_kept:
            continue
        assert into_section is not None
        own, there = texts[section][position], " ".join(texts[into_section][p] for p in into)
        if method in {"same", "typography"}:
            is_safe = plain(own) == plain(there)
        elif method == "recut":
            is_safe = plain(own) in plain(there) or plain(there) in plain(own) or _overlaps(plain(own), plain(there))
        elif method == "trimmed":
            is_safe = without_ellipsis(own) in plain(there)
        else:
            is_safe = telling(own) == telling(there)
        if not is_safe:
            faults.append(f"{method}: {own!r} is not in {there!r}")
    return faults


def telling(text: str) -> tuple[Counter[str], Counter[str]]:
    """The numbers and the negations of a text."""
    words = re.findall(r"\w+", re.sub(r"(?<=\d) (?=\d{3})", "", fold(text)).lower().replace("vingt-quatre", "24"))
    words = [_SPELLED.get(w, w) for w in words]
    words = ["3e" if w == "3ème" else w for w in words]
    return Counter(w for w in words if w[0].isdigit()), Counter(w for w in words if w in _NEGATIVE)


def check_counts(
    body: Sequence[str], resume: Sequence[str], summary: Sequence[str], loose: Sequence[str] = ()
) -> list[str]:
    """A text that stands b times in the body and r times in the résumé stands max(b, r) times.

    loose: texts that were recut, trimmed or found near another, which may stand fewer times.
    """
    ours, theirs, got = (Counter(map(plain, texts)) for texts in (body, resume, summary))
    free = set(map(plain, loose))
    faults = [f"invented: {text!r}" for text in got if text not in ours and text not in theirs]
    for text in set(ours) | set(theirs):
        most = max(ours[text], theirs[text])
        if got[text] > most:
            faults.append(f"stands {got[text]} times, {most} expected: {text!r}")
        if got[text] < most and text not in free:
            faults.append(f"stands {got[text]} times only, {most} expected: {text!r}")
    return faults


def check_order(body_kept: Sequence[int], resume_only: Sequence[int]) -> list[str]:
    """The body's kept passages follow the body, and those only the résumé has follow the résumé."""
    faults = []
    if list(body_kept) != sorted(body_kept):
        faults.append(f"not the body's order: {body_kept}")
    if list(resume_only) != sorted(resume_only):
        faults.append(f"not the résumé's order: {resume_only}")
    return faults


def check_not_twice(
    body: Sequence[str], resume: Sequence[str], kept: Sequence[tuple[str, str]], recut: set[str]
) -> list[str]:
    """No long passage that is kept opens a longer one of the other section.

    recut: texts found cut elsewhere; what stands for them has been counted, and one more of the same is a repeat.
    """
    faults = []
    for section, text in kept:
        own, other = (body, resume) if section == "body" else (resume, body)
        short = fold(text)
        is_cut_in_number = short[-1:].isdigit()  # 40 | 000 €: both stay
        if (
            len(short) < 30
            or is_cut_in_number
            or any(short in fold(o) and short != fold(o) for o in own)
            or plain(text) in map(plain, other)
        ):
            continue
        for other_section, long in kept:
            if (
                other_section != section
                and not {text, long} & recut
                and fold(long).startswith(short + " ")
                and plain(long) not in map(plain, own)
            ):
                faults.append(f"stands again inside a longer one: {text!r}")
    return faults


def _overlaps(one: str, two: str) -> bool:
    return any(one[-n:] == two[:n] or two[-n:] == one[:n] for n in range(1, min(len(one), len(two)) + 1))


def shouted(text: str) -> str:
    """A title in capitals, as editors type it."""
    return strip_accents(text).upper()
