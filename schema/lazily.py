"""Sequences whose things are made anew each time they are looked at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class MadeAnew(Sequence[T]):
    """Things by their place, made when they are read; equal to any sequence of equal things, as a list is."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # as of a list

    @abstractmethod
    def made(self, place: int) -> T:
        """The thing at a place, 0 or more and less than the length."""

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        places = range(len(self))[place]
        return self.made(places) if isinstance(places, int) else [self.made(one) for one in places]

    def __iter__(self) -> Iterator[T]:
        return map(self.made, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))
