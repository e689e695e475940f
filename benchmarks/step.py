"""Time and memory of a whole step of the catalogue, to see how it grows: a first night, and the same night again.

    step.py CORPUS.parquet N      N records of a corpus made by shared/perf/gen.py (column text), ten a page

A record stands at an address of its own, body and résumé alike; its title is the opening of its text. Prints, for each
night, CPU and peak memory when the pages are read, when the catalogue is known, and when its tables are laid out.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dedup.catalogue import Former, Moment, make_catalogue
from flows.building import as_rows
from flows.ledger import load_readings, write_readings
from flows.shelves import FileShelf
from flows.stages import PAGES_A_BATCH
from schema.nouns import Link, Night, PageReading, Passage, Pointer, Reading, Record, Span, Visit

T = TypeVar("T")
PAGE_RECORDS = 10
TITLE_WORDS = 9
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
PARTS = ("title", "type", "is_private", "body", "resume")


def corpus_texts(path: str, count: int) -> Iterator[str]:
    """The first texts of the corpus."""
    left = count
    for batch in pq.ParquetFile(path).iter_batches(batch_size=2_000, columns=["text"]):
        for value in batch["text"][:left]:
            yield value.as_py()
        left -= min(left, len(batch))
        if not left:
            return


def read_record(page_url: str, number: int, text: str) -> Record:
    """A record as the parser gives it."""
    halves = tuple(Passage("paragraph", part) for part in (text[: len(text) // 2], text[len(text) // 2 :]))
    return Record(
        page_url=page_url,
        position=number % PAGE_RECORDS,
        url=f"https://rtes.example/node/{number}",
        title=" ".join(text.split()[:TITLE_WORDS]),
        type="Article",
        is_private=False,
        body=halves,
        resume=halves,
        links=(Link("pdf", f"https://rtes.example/files/{number}.pdf"),),
        span=Span(number, number + len(text)),
        part_spans={name: Span(number, number + 9) for name in PARTS},
        block_digest=f"{number:064x}",
    )


def read_night(run: int, texts: Iterable[str], folder: Path) -> Night:
    """A night on which every page of the listing was read, its readings kept in portions and loaded as a run does."""
    at = FIRST_DAY + timedelta(days=run)
    files, shelf = [], FileShelf(folder)
    pages = enumerate(batched(enumerate(texts), PAGE_RECORDS))
    for place, portion in enumerate(batched(pages, PAGES_A_BATCH)):
        readings = tuple(read_page(run, at, number, page) for number, page in portion)
        files.append(write_readings(folder / f"{place}.json", readings))
    loaded = tuple(reading for file in files for reading in load_readings(file, shelf))
    return Night(run, at, tuple(reading.visit for reading in loaded), (), loaded)


def read_page(run: int, at: datetime, number: int, texts: Sequence[tuple[int, str]]) -> Reading:
    """One page of the listing."""
    url = f"https://rtes.example/list?page={number}"
    pointer = Pointer(f"{run:06}.warc.gz", number, 1)
    visit = Visit(url, "listing", "fetched", 200, fetched_at=at, payload_digest=f"{number:064x}", pointer=pointer)
    records = tuple(read_record(url, place, text) for place, text in texts)
    return Reading(visit, PageReading(url, url, records=records, parser="made", parser_version="1"))


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Portions of some size."""
    each = iter(things)
    return iter(lambda: tuple(islice(each, size)), ())


def tell(what: str) -> None:
    """A line: what is done, and what it took so far."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<24} {time.process_time():8.1f} s CPU {peak_mb:8.0f} MB at most", flush=True)


def two_nights(texts: Callable[[], Iterable[str]], say: Callable[[str], None] = tell) -> None:
    """A night of these texts, and the same once more upon it; what is told is when each part is done."""
    former = Former()
    with TemporaryDirectory(prefix="moisson-step-") as name:
        folder = Path(name)
        for run in (1, 2):
            night = read_night(run, texts(), folder)
            say(f"night {run}: read")
            moment, shelf = Moment(run, night.started_at), FileShelf(folder)
            catalogue = make_catalogue("made", moment, night, (), former, shelf=shelf)
            say(f"night {run}: known")
            tables = as_rows(catalogue, folder)
            say(f"night {run}: laid out")
            former = Former(tables["resources"], tables["ids"], tables["history"], tables["records"])
            del night, catalogue
    print({name: len(rows) for name, rows in tables.items()})


if __name__ == "__main__":
    two_nights(lambda: corpus_texts(sys.argv[1], int(sys.argv[2])))
