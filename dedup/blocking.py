"""Which pairs are worth comparing: cheap, and complete enough that what is left out is counted.

Blocks are a shared address, shared long codes, rare words of the title, and sampled runs of words of the text (shingles
kept by the value of their hash: the same words are kept in every text, so copies meet without a signature). A block
that is too large is split by further words; what is large still is paired with its neighbours only, and counted.
Records of one night and listing are not paired (a resource stands there once) unless they share their address.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dedup.items import Lexicon, Reading

Ids = NDArray[np.int64]
Hashes = NDArray[np.uint64]
BLOCKS = ("url", "code", "title", "facet", "text", "person")  # the strongest first
_SHINGLE = 4  # words; three share too much French grammar, five lose too much to an edit
_FURTHER = 8  # words a shingle is prolonged to when its block is too large
_MIN_FACET_CHARS = 5  # a year or a volume names no one
_FACET_SHARE = 0.005
_COMMON_MIN, _COMMON_SHARE = 50, 0.05  # titles from which on a word tells nothing of a pair
_CHUNK_WORDS = 200_000
_FOUND_ROOM = 1 << 20
_ODD = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class BlockRules:
    """When two records meet.

    max_records: per block; title_keys: how many of the rarest words of a title open a block; title_share: words that
    two titles of such a block must share, of those of the shorter (0..1); sample_rate, min_sample:
    share of shingles kept, and how many at least of a short text; min_shared, min_share: shared shingles that make a
    pair, or their share (0..1) of the smaller sample; neighbours: how many each record of a cut block is paired with;
    best: how many partners by text a record may have, the most alike first.
    """

    max_records: int = 40
    title_keys: int = 3
    title_share: float = 0.5
    sample_rate: float = 1 / 12
    min_sample: int = 24
    min_shared: int = 2
    min_share: float = 0.3
    neighbours: int = 6
    best: int = 16


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is worth comparing, and what was cut.

    pairs: one row a pair, places in the list of records (left < right), sorted, none twice; block: for each pair the
    place in BLOCKS of the strongest block that named it.
    """

    pairs: NDArray[np.int32]
    block: NDArray[np.int8]
    counts: dict[str, int]


class _Found:
    """Pairs as they are named: packed numbers, for a million tuples weigh more than the texts."""

    def __init__(self) -> None:
        self.packed, self.block = array("q"), array("b")
        self.limit = _FOUND_ROOM

    def add(self, i: int, j: int, block: int) -> None:
        """Note a pair under a place of BLOCKS."""
        self.packed.append(i << 32 | j)
        self.block.append(block)
        if len(self.packed) > self.limit:  # most are named more than once
            packed, block_of = self._distinct()
            self.packed, self.block = array("q", packed.tobytes()), array("b", block_of.tobytes())
            self.limit = 2 * len(packed) + _FOUND_ROOM

    def close(self, counts: dict[str, int]) -> Candidates:
        """Each pair once."""
        packed, block = self._distinct()
        pairs = np.column_stack((packed >> 32, packed & 0xFFFFFFFF)).astype(np.int32)
        for name, count in zip(BLOCKS, np.bincount(block, minlength=len(BLOCKS)).tolist(), strict=True):
            if count:
                counts[f"{name}_pairs"] = count
        return Candidates(pairs, block, counts)

    def _distinct(self) -> tuple[Ids, NDArray[np.int8]]:
        """Each pair once, sorted, under the block that named it first."""
        packed, first = np.unique(np.array(self.packed, dtype=np.int64), return_index=True)
        return packed, np.array(self.block, dtype=np.int8)[first]


def block_pairs(
    readings: Sequence[Reading], lexicon: Lexicon, rules: BlockRules, said: Collection[tuple[int, int]] = ()
) -> Candidates:
    """Name the pairs worth comparing.

    Args:
        readings: sorted by key; places in this list name the pairs.
        lexicon: their words.
        rules: when two records meet.
        said: pairs of which a person spoke; they are compared in any case.
    Returns:
        counts holds `<block>_pairs`, and `<block>_cut`: records that stood in a block too large even when split.
    Source: Christen, Data Matching (2012), ch. 4; sampled shingles: Manber 1994 (sif), performance.md section 6.
    """
    found, counts = _Found(), defaultdict[str, int](int)
    may_meet = _Meeting(readings)
    for name, i, j in _named_pairs(readings, rules, counts):
        if may_meet(i, j) or name == "url":
            found.add(i, j, BLOCKS.index(name))
    for i, j in _text_pairs(readings, lexicon, rules, counts):
        if may_meet(i, j):
            found.add(i, j, BLOCKS.index("text"))
    for i, j in said:
        found.add(i, j, BLOCKS.index("person"))
    return found.close(counts)


def _named_pairs(
    readings: Sequence[Reading], rules: BlockRules, counts: dict[str, int]
) -> Iterator[tuple[str, int, int]]:
    """Pairs by address, code, title and attribute, in this order; those of a title must share more than its key."""
    rank = _rarity(readings)
    common = max(_COMMON_MIN, _COMMON_SHARE * len(readings))
    # strings, not sets: a hundred thousand small sets weigh as much as the texts
    bags = ["".join(dict.fromkeys(c for c in reading.title_chars if rank[c][0] <= common)) for reading in readings]
    # a word that stands in one title only meets no one
    rarest = [sorted((c for c in set(r.title_chars) if rank[c][0] > 1), key=rank.__getitem__) for r in readings]
    for name, groups in (
        ("url", _by_url(readings)),
        ("code", _by_code(readings)),
        ("title", _by_title(readings)),
        ("facet", _by_facet(readings)),
    ):
        for i, j in _pair_up(groups, name, rarest, rules, counts):
            if name == "title" and len(set(bags[i]).intersection(bags[j])) < rules.title_share * min(
                len(bags[i]), len(bags[j])
            ):
                counts["title_weaker"] += 1
            else:
                yield name, i, j


class _Meeting:
    """Whether two records may be one resource at all: one scope, not one night and listing."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.slots = [r.item.slot for r in readings]
        self.scopes = [r.item.scope for r in readings]

    def __call__(self, i: int, j: int) -> bool:
        return self.scopes[i] == self.scopes[j] and (self.slots[i] is None or self.slots[i] != self.slots[j])


def _by_url(readings: Sequence[Reading]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        if reading.item.url:
            groups[reading.item.url].append(place)
    return groups


def _by_code(readings: Sequence[Reading]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        for code in reading.codes:
            groups[code].append(place)
    return groups


def _by_title(readings: Sequence[Reading]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        for char in set(reading.title_chars):
            groups[char].append(place)
    return groups


def _by_facet(readings: Sequence[Reading]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        for name, words in reading.facets.items():
            if sum(map(len, words)) >= _MIN_FACET_CHARS:
                groups[f"{name} {' '.join(words)}"].append(place)
    return groups


def _pair_up(
    groups: dict[str, list[int]], name: str, rarest: Sequence[list[str]], rules: BlockRules, counts: dict[str, int]
) -> Iterator[tuple[int, int]]:
    """The pairs of every block; blocks of codes and titles that are too large are split by words of the title."""
    for key, places in groups.items():
        block = [p for p in places if key in rarest[p][: rules.title_keys]] if name == "title" else places
        if len(block) <= rules.max_records or name == "url":
            yield from combinations(block, 2)
        elif name == "facet" and len(block) > _FACET_SHARE * len(rarest):
            counts["facet_category"] += 1  # a category, not an attribute
        else:
            yield from _split(block, {key}, rarest, rules, counts, name)


def _rarity(readings: Sequence[Reading]) -> dict[str, tuple[int, str]]:
    """For each word of a title: in how many it stands, and its letters, so that ties never hang on the input."""
    counts: dict[str, int] = defaultdict(int)
    word_of: dict[str, str] = {}
    for reading in readings:
        word_of.update(zip(reading.title_chars, reading.title, strict=True))
        for char in set(reading.title_chars):
            counts[char] += 1
    return {char: (count, word_of[char]) for char, count in counts.items()}


def _split(
    places: list[int],
    used: set[str],
    rarest: Sequence[list[str]],
    rules: BlockRules,
    counts: dict[str, int],
    name: str,
) -> Iterator[tuple[int, int]]:
    """Pairs of a block that is too large, by the next rarest words of each title until the parts are small."""
    parts: dict[str, list[int]] = defaultdict(list)
    for place in places:
        further = [char for char in rarest[place] if char not in used][: rules.title_keys]
        for char in further or [""]:
            parts[char].append(place)
    for char, part in parts.items():
        if len(part) <= rules.max_records:
            yield from combinations(part, 2)
        elif char and len(used) < rules.title_keys + 2:
            yield from _split(part, used | {char}, rarest, rules, counts, name)
        else:
            counts[f"{name}_cut"] += len(part)
            yield from _neighbours(part, rules.max_records)


def _neighbours(places: Sequence[int], width: int) -> Iterator[tuple[int, int]]:
    for at, place in enumerate(places):
        yield from ((place, other) for other in places[at + 1 : at + 1 + width])


def _text_pairs(
    readings: Sequence[Reading], lexicon: Lexicon, rules: BlockRules, counts: dict[str, int]
) -> Iterable[tuple[int, int]]:
    """Pairs that share sampled runs of words, the best partners of each record."""
    short, further, rows = _sample(readings, lexicon.hashes(), rules)
    sizes = np.bincount(rows, minlength=len(readings))
    packed = np.concatenate([np.empty(0, np.int64), *_runs(short, further, rows, rules, counts)])
    del short, further, rows
    pairs, shared = np.unique(packed, return_counts=True)
    del packed
    share = shared / np.maximum(1, np.minimum(sizes[pairs >> 32], sizes[pairs & 0xFFFFFFFF]))
    kept = (shared >= rules.min_shared) | (share >= rules.min_share)
    pairs, share = pairs[kept], share[kept]
    del shared, kept
    left, right = pairs >> 32, pairs & 0xFFFFFFFF
    meets = _meets(readings, left, right)
    left, right, share = left[meets], right[meets], share[meets]
    best = _best(left, right, share, len(readings), rules.best)
    counts["text_weaker"] = int(len(left) - best.sum())
    return zip(left[best].tolist(), right[best].tolist(), strict=True)


def _meets(readings: Sequence[Reading], left: Ids, right: Ids) -> NDArray[np.bool_]:
    codes: dict[object, int] = {}
    slot = np.array([codes.setdefault((r.item.scope, r.item.slot), len(codes)) for r in readings], dtype=np.int64)
    scope = np.array([codes.setdefault(r.item.scope, len(codes)) for r in readings], dtype=np.int64)
    free = np.array([r.item.slot is None for r in readings], dtype=np.bool_)
    result: NDArray[np.bool_] = (scope[left] == scope[right]) & (free[left] | (slot[left] != slot[right]))
    return result


def _best(left: Ids, right: Ids, share: NDArray[np.float64], records: int, best: int) -> NDArray[np.bool_]:
    """Which pairs are among the `best` of either of their records; ties are broken by place."""
    ends = np.concatenate((left, right))
    others = np.concatenate((right, left))
    shares = np.concatenate((share, share))
    order = np.lexsort((others, -shares, ends))
    starts = np.searchsorted(ends[order], np.arange(records))
    rank = np.empty(len(ends), np.int64)
    rank[order] = np.arange(len(ends)) - starts[ends[order]]
    is_kept: NDArray[np.bool_] = rank < best
    return is_kept[: len(left)] | is_kept[len(left) :]


def _sample(readings: Sequence[Reading], hashes: Hashes, rules: BlockRules) -> tuple[Hashes, Hashes, Ids]:
    """Hashes of the sampled shingles, of the same prolonged, and the place of the record of each; none twice."""
    parts = [_sample_chunk(readings, chunk, hashes, rules) for chunk in _chunks(readings)]
    short, further, rows = (np.concatenate([part[n] for part in parts]) for n in range(3))
    return short, further, rows.astype(np.int64)


def _chunks(readings: Sequence[Reading]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for place, reading in enumerate(readings):
        chunk.append(place)
        size += len(reading.text)
        if size > _CHUNK_WORDS:
            yield chunk
            chunk, size = [], 0
    yield chunk


def _sample_chunk(
    readings: Sequence[Reading], chunk: Sequence[int], hashes: Hashes, rules: BlockRules
) -> tuple[Hashes, Hashes, Ids]:
    texts = [readings[place].text for place in chunk]
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    # a text is followed by blanks, so that a shingle never reaches into the next and is shorter at its end
    points = np.frombuffer("".join(text + "\0" * _FURTHER for text in texts).encode("utf-32-le"), dtype=np.uint32)
    values = np.zeros(len(points), np.uint64)
    is_word = points > 0
    values[is_word] = hashes[points[is_word] - 0xE000]
    rows = np.repeat(np.array(chunk, dtype=np.int64), lengths + _FURTHER)
    length = np.repeat(lengths, lengths + _FURTHER)
    width = len(points) - _FURTHER
    if width <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64)
    short = _roll(values, 0, _SHINGLE, width)
    rate = np.maximum(rules.sample_rate, rules.min_sample / np.maximum(1, length[:width]))
    limit = np.minimum(rate, 1.0) * float(2**53)
    kept = is_word[_SHINGLE - 1 : _SHINGLE - 1 + width] & ((short >> np.uint64(11)).astype(np.float64) < limit)
    further = _roll(values, 0, _FURTHER, width)[kept]
    return short[kept], further, rows[:width][kept]


def _roll(values: Hashes, start: int, end: int, width: int) -> Hashes:
    """A mixed hash of values[n + start : n + end] for n < width; the order of the words counts."""
    total = np.zeros(width, np.uint64)
    for step in range(start, end):
        total = (total + values[step : step + width]) * np.uint64(_ODD)
        total ^= total >> np.uint64(29)
    return total


def _runs(short: Hashes, further: Hashes, rows: Ids, rules: BlockRules, counts: dict[str, int]) -> Iterator[Ids]:
    """Packed pairs (left << 32 | right) of the records that share a shingle."""
    large = yield from _run_pairs(short, rows, rules.max_records)
    if not len(large):
        return
    still = yield from _run_pairs(further[large], rows[large], rules.max_records)
    rest, rest_rows = further[large][still], rows[large][still]
    counts["text_cut"] += len(rest)
    order = np.lexsort((rest_rows, rest))
    for step in range(1, rules.neighbours + 1):
        one, two = order[:-step], order[step:]
        yield _pack(rest_rows[one], rest_rows[two], rest[one] == rest[two])


def _run_pairs(keys: Hashes, rows: Ids, limit: int) -> Generator[Ids, None, Ids]:
    """Pairs of every run of equal keys that is not longer than `limit`; returns the places of those in longer runs."""
    order = np.lexsort((rows, keys))
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_keys[1:] != sorted_keys[:-1]))) if len(keys) else order
    lengths = np.diff(np.append(starts, len(keys)))
    length = np.repeat(lengths, lengths)
    fits = length <= limit
    for step in range(1, limit):
        one, two = order[:-step], order[step:]
        same = fits[:-step] & (sorted_keys[:-step] == sorted_keys[step:])
        if not same.any():
            break
        yield _pack(rows[one], rows[two], same)
    return order[~fits]


def _pack(left: Ids, right: Ids, kept: NDArray[np.bool_]) -> Ids:
    left, right = left[kept], right[kept]
    distinct = left != right
    low, high = np.minimum(left, right)[distinct], np.maximum(left, right)[distinct]
    packed: Ids = (low << 32) | high
    return packed
