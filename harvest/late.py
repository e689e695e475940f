"""When all else is done: once more for the pages that kept us waiting, up to the first that does so again.

A page that hangs costs a run one deadline, and all that hang cost it one more.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace

from harvest.asking import Crawl, ReadPage, read
from harvest.client import Client
from harvest.soft_failures import MIN_SAME_BODIES
from schema.nouns import PAGE_OUTCOMES, Visit
from schema.sources import Source


def ask_late(source: Source, client: Client, read_page: ReadPage, visits: MutableMapping[str, Visit]) -> None:
    """Ask again for what was put aside, and count in every row what the client asked beside its visits.

    Args:
        source: as for the crawl.
        client: that made the crawl.
        read_page: as for the crawl.
        visits: the ledger of the crawl, by address: rows are replaced.

    Raises:
        SiteUnreachable: the site asks us to come back another time.
    """
    state = Crawl(source, client, read_page, lambda *_: None)
    for probe in [v for v in visits.values() if v.role == "probe" and v.outcome in PAGE_OUTCOMES]:
        state.bodies.add_probe(replace(client.read(probe), url=probe.url))
    for url in client.put_aside():
        before = visits.get(url)
        if before is None or before.outcome != "failed":
            continue
        again = client.fetch(url, before.role, before.via, lambda _: False)[-1]
        attempts = before.attempts + again.attempts
        visits[url] = replace(_judged(state, again, visits) if again.attempts else before, attempts=attempts)
        if again.outcome == "failed":
            break
    for url, count in client.asked_beside().items():
        visits[url] = replace(visits[url], attempts=visits[url].attempts + count)


def _judged(state: Crawl, visit: Visit, visits: MutableMapping[str, Visit]) -> Visit:
    """The visit of a resource; as a soft failure where what came is no page, or that of other addresses too."""
    if visit.outcome not in PAGE_OUTCOMES:
        return visit
    judged = read(state, visit, is_listing=False)[1]
    same = {v.url for v in visits.values() if v.payload_digest == visit.payload_digest and v.outcome != "redirected"}
    if judged.outcome in PAGE_OUTCOMES and len({*same, visit.url}) >= MIN_SAME_BODIES:
        reason = f"soft failure: the same body for {len({*same, visit.url})} addresses"
        return replace(judged, outcome="soft_failure", reason=reason)
    return judged
