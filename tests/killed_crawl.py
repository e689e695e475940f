"""A program to be killed: crawls a small site into an archive below a folder, or goes on where a former one ended.

    python -m tests.killed_crawl RAW ORIGIN

Says `begun` when it starts to ask, and at its end how many exchanges it played from the archive.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from harvest.archive import ArchiveWriter
from harvest.client import Client, Pace
from harvest.crawl import crawl
from harvest.repair import recover
from harvest.resuming import ResumingTransport
from harvest.wire import NetworkTransport
from parsers.page import parse_page
from schema.layout import Layout
from schema.nouns import PageReading, Payload
from tests.site_server import make_source


def main(raw: Path, origin: str) -> None:
    """Crawl once."""
    source = make_source(origin, ("/liste", "/autre"))
    layout = Layout(raw.parent.parent, raw.name)

    def read_page(payload: Payload, url: str, *, is_listing: bool) -> PageReading:
        return parse_page(payload, page_url=url, source=source, is_listing=is_listing)

    last = layout.archive(layout.next_run() - 1)
    recovered = recover(last.with_name(last.name + ".part"), datetime.now(UTC))
    print("begun", flush=True)  # noqa: T201 - the test waits for it
    if recovered is None:
        transport: NetworkTransport | ResumingTransport = NetworkTransport()
        archive, pace = ArchiveWriter(layout.archive(layout.next_run()), "essai"), Pace(0.0)
    else:
        archive = ArchiveWriter.resume(recovered, "essai")
        transport = ResumingTransport(NetworkTransport(), recovered)
        pace = Pace(0.0, wait=transport.wait)
    with archive, Client(source, transport, archive, pace) as client:
        visits, _ = crawl(source, client, read_page, [])
        archive.add_ledger({"format": 1, "visits": sorted(visit.url for visit in visits)}, datetime.now(UTC))
    print(transport.played if isinstance(transport, ResumingTransport) else 0)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
