"""What nights on which nothing changed cost: the bundled sample's pages behind a real HTTP server, visited every night.

    unchanged_nights.py [NIGHTS]      30 unchanged nights after the first, unless told

Prints for each night how much the archive grew, in bytes and in parts of the first night's archive, and which share of
the answers was 304; at the end the whole growth, and how many of the places in all ledgers give back their answer.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.jobs import refresh
from flows.ledger import read_ledgers
from harvest.answers import read_answer
from harvest.archive import read_blocks
from harvest.payloads import read_payload
from schema.layout import Layout
from schema.sources import Source, read_source
from tests.drupal_server import DrupalServer

NIGHTS = 30
SOURCES = Path(__file__).resolve().parent.parent / "sources"


@dataclass(frozen=True, slots=True)
class Night:
    """One night: its archive's size, its answers, and how many of them were 304."""

    size_bytes: int
    answers: int
    not_modified: int


@dataclass(frozen=True, slots=True)
class Nights:
    """All of them, the first included; places in the ledgers, and how many of them give back their page."""

    nights: tuple[Night, ...]
    places: int
    resolved: int
    releases: int

    @property
    def growth(self) -> list[float]:
        """What each night after the first added, in parts of the first."""
        return [night.size_bytes / self.nights[0].size_bytes for night in self.nights[1:]]

    @property
    def share_not_modified(self) -> float:
        """304 among all answers of the nights after the first."""
        return sum(n.not_modified for n in self.nights[1:]) / sum(n.answers for n in self.nights[1:])


def sample_pages(host: str) -> dict[str, bytes]:
    """The sample's pages by request target; their own host is `host`, scheme included."""
    pages = {}
    for block in read_blocks(SOURCES / "sample" / "night1.warc.gz"):
        answer = read_answer(block.read()) if block.kind == "response" else None
        if answer is not None and answer.status == 200:
            parts = urlsplit(block.url)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            pages[target] = answer.content.replace(b"https://rtes.example", host.encode())
    return pages


def sample_source(origin: str) -> Source:
    """The sample's source file, asked of a server."""
    source = read_source(SOURCES / "sample.toml")
    listings = [origin + urlsplit(listing).path for listing in source.listings]
    pace = source.pace.model_copy(update={"delay_s": 0.0})
    changes = {"listings": listings, "replay": None, "contact": "mailto:essai@example.org", "pace": pace}
    sitemap = {"sitemap": origin + urlsplit(source.sitemap).path} if source.sitemap else {}
    return source.model_copy(update={**changes, **sitemap})


def visit(data: Path, nights: int) -> Nights:
    """A first night and unchanged ones after it, by the whole command's own job."""
    with DrupalServer({}) as site:
        site.pages.update(sample_pages(site.origin))
        source, seen = sample_source(site.origin), []
        layout = Layout(data, source.name)
        for run in range(1, nights + 2):
            before = len(site.statuses)
            refresh(source, data)
            statuses = [status for _, status in site.statuses[before:]]
            seen.append(Night(layout.archive(run).stat().st_size, len(statuses), statuses.count(304)))
    return Nights(tuple(seen), *_resolve(layout), len(layout.release_numbers()))


def _resolve(layout: Layout) -> tuple[int, int]:
    """The places in all ledgers, and how many give back what their ledger says."""
    visits = [visit for ledger in read_ledgers(layout) for visit in ledger.visits if visit.pointer]
    sizes = [(v.size_bytes, len(read_payload(layout.raw / v.pointer.file, v.pointer.offset).content))
             for v in visits if v.pointer]  # fmt: skip
    return len(visits), sum(stated == found for stated, found in sizes)


def main() -> None:
    """Visit and tell."""
    nights = int(sys.argv[1]) if len(sys.argv) > 1 else NIGHTS
    with tempfile.TemporaryDirectory() as folder:
        found = visit(Path(folder), nights)
    for run, night in enumerate(found.nights, start=1):
        part = night.size_bytes / found.nights[0].size_bytes
        print(
            f"night {run}: {night.size_bytes} bytes ({part:.2%}), {night.not_modified} of {night.answers} answers 304"
        )
    print(
        f"growth per unchanged night: median {statistics.median(found.growth):.2%}, largest {max(found.growth):.2%}; "
        f"in all {sum(found.growth):.2f} times the first night"
    )
    print(f"304: {found.share_not_modified:.2%} of the answers of unchanged nights; releases: {found.releases}")
    print(f"places that give back their page: {found.resolved} of {found.places}")


if __name__ == "__main__":
    main()
