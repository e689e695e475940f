"""What travels between the rooms: plain frozen data, no behaviour that touches disk, clock or network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Section = Literal["body", "resume"]
Kind = Literal["paragraph", "heading", "item", "caption", "cell"]

JudgedAs = Literal["same", "different", "unsure", "withdrawn"]

BODY: Section = "body"
RESUME: Section = "resume"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `[start, end)` of an archived payload, content coding undone, character coding not."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands in a record: its words (or the title of an embedded frame) and its absolute address."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One innermost block of text, published as the page has it (white space evened out, no-break spaces kept)."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One resource as one page states it.

    url is the resource's own canonical address (None for a text copy), position counts from 0 on the page, is_private
    is None when the page does not say, span is the block's own; part_spans holds those of title, type, is_private, body
    and resume where they are known, and block_digest is the sha256 of the block's bytes; keywords
    and month (its first day) are those of its line `Mots-clés : …`.
    """

    page_url: str
    position: int
    url: str | None
    title: str
    type: str | None
    is_private: bool | None
    body: tuple[Passage, ...]
    resume: tuple[Passage, ...]
    links: tuple[Link, ...]
    span: Span
    part_spans: dict[str, Span] = field(default_factory=dict)
    block_digest: str = ""
    keywords: tuple[str, ...] = ()
    month: date | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not be read: why (a short fixed word), where, and the words that stand there."""

    page_url: str
    reason: str
    message: str
    span: Span | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class PageReading:
    """All that one page states.

    canonical_url is the page's own address as it and its `canonical` link give it; also_known_as are other addresses of
    the same page (shortlink); next_urls are the pages of a listing that come next, last_number the largest `?page=N`
    that its pager names beyond this page, named_urls all further pages that it names; has_pager says that it names any
    page, be it an earlier one; doubtful_urls look like further pages and are not surely such; heading is the listing's;
    notes are sentences about what is unusual, without being wrong; ending is `open` where the page has no end tag, and
    `torn` where it ends inside of one: the beginning of a page, it may be.
    """

    page_url: str
    canonical_url: str
    also_known_as: tuple[str, ...] = ()
    heading: str | None = None
    next_urls: tuple[str, ...] = ()
    records: Sequence[Record] = ()
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = ()
    parser: str = ""
    parser_version: str = ""
    last_number: int | None = None
    named_urls: tuple[str, ...] = ()
    has_pager: bool = False
    doubtful_urls: tuple[str, ...] = ()
    ending: Literal["whole", "open", "torn"] = "whole"


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of an archived answer, transfer and content coding undone, and what its headers say of it."""

    url: str
    content: bytes
    media_type: str
    charset: str | None


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where an answer lies in the archive: file name below data/raw/<source>, offset and length of its gzip member."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Original:
    """An archived answer that a later one repeats: where it lies, of which address and date (UTC), and its payload.

    payload_digest is sha256 of the decoded payload in a ledger, and the stated WARC-Payload-Digest in an index.
    """

    file: str
    offset: int
    url: str
    archived_at: datetime
    payload_digest: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One row of the run's ledger: an address met, and what became of it.

    outcome is one of OUTCOMES; reason says why an address was not asked, or what failed; via is the address that led
    here; attempts counts requests sent for it; fetched_at is UTC; payload_digest is sha256 of the decoded payload, or
    None when nothing was decoded; redirect_url is where the answer sends us; written_url is how the site wants the
    address to be written, where it was asked for so and not as url. etag and last_modified are the validators
    of the page, exactly as received, where a later night may send them. Of a page that is not_modified, and of one that
    a 304 says is still not there, original is the answer that holds it; pointer, fetched_at and status are tonight's,
    size, media type and digest the original's.
    """

    url: str
    role: str
    outcome: str
    status: int | None = None
    reason: str | None = None
    via: str | None = None
    attempts: int = 0
    fetched_at: datetime | None = None
    elapsed_s: float | None = None
    size_bytes: int | None = None
    media_type: str | None = None
    payload_digest: str | None = None
    redirect_url: str | None = None
    pointer: Pointer | None = None
    etag: str | None = None
    last_modified: str | None = None
    original: Original | None = None
    written_url: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What shows that a listing was read whole, or why that is not shown.

    is_complete says that all that stood on the listing while it was read was read (how: harvest/certificate.py), gap
    why that is not so. announced_pages is what its pager promises (None: no
    pager); pages_read are addresses, looks are requests, passes are readings from end to end; slots is what the site
    held at the moment that the certificate is for, unique_records what was read. repeats are records that two pages
    showed, overlaps those that two neighbours did; second_look says whether a page asked again showed the same.
    Witness is the sitemap: how many addresses it has that no listing shows, and the listing that it lacks, with the
    first 20 of each; the counts are None where no sitemap could be read. sitemap_gap says why not all that the sitemap
    names was compared: which sitemaps could not be read, or that there was too much.
    """

    url: str
    is_complete: bool
    gap: str | None = None
    announced_pages: int | None = None
    pages_read: int = 0
    looks: int = 0
    passes: int = 0
    unique_records: int = 0
    slots: int = 0
    repeats: int = 0
    overlaps: int = 0
    second_look: Literal["same", "changed", "none"] = "none"
    sitemap_only_count: int | None = None
    sitemap_only: tuple[str, ...] = ()
    not_in_sitemap_count: int | None = None
    not_in_sitemap: tuple[str, ...] = ()
    sitemap_gap: str | None = None


@dataclass(frozen=True, slots=True)
class ListingVisit:
    """One listing as it was read: its pages in order, heading, number of records, the gap where it is incomplete.

    A page that was asked again and showed more has a row of its own for that answer, its address ending in `#look-2`.
    """

    url: str
    pages: tuple[str, ...]
    heading: str | None
    record_count: int
    gap: str | None
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A visit that brought a page, and what the page states."""

    visit: Visit
    page: PageReading


@dataclass(frozen=True, slots=True)
class Night:
    """What one run over the site brought: the ledger, the listings, the pages as read."""

    run: int
    started_at: datetime
    visits: tuple[Visit, ...]
    listings: tuple[ListingVisit, ...]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What one name of a judgement meant when it was said: the address it stood under, and of a record its resource."""

    name: str
    url: str | None
    resource_id: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person said of two things: names are resource_ids or record_ids; `withdrawn` takes the last word back.

    after_run: number of the last run when it was said; it counts from there on. said_at is UTC. left_url and right_url:
    the address that each stood under then, None for what has none: they tell what is meant where a name is gone.
    left_id and right_id: of a record, the resource that it was recognised as then, for its name follows page and
    address, and may be another resource's later; None for a resource_id, and in words kept before there were these.
    """

    left: str
    right: str
    verdict: JudgedAs
    why: str
    author: str
    said_at: datetime
    after_run: int
    left_url: str | None = None
    right_url: str | None = None
    left_id: str | None = None
    right_id: str | None = None

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left and right."""
        return Side(self.left, self.left_url, self.left_id), Side(self.right, self.right_url, self.right_id)


OUTCOMES = {
    "fetched": "answered with a body that was archived",
    "not_modified": "answered 304: the page is as it was archived before",
    "redirected": "answered with another address, which was followed or ledgered",
    "not_found": "answered 404",
    "gone": "answered 410",
    "forbidden": "answered 401 or 403",
    "http_error": "answered with another status that is no page",
    "failed": "no whole answer: connection, time, size or coding",
    "soft_failure": "answered 200 with a page that is none: log-in, maintenance, challenge, the same for every address",
    "refused_by_robots": "not asked: robots.txt denies it",
    "not_archived": "not in the WARC that is replayed",
    "not_listed": "only the sitemap knows it: not asked",
    "not_asked": "not asked, for the reason given",
    "imported": "a foreign copy, archived by hand",
}

# a page stands behind these: it can be read from the archive
PAGE_OUTCOMES = frozenset({"fetched", "not_modified"})

ROLES = {
    "robots": "robots.txt",
    "sitemap": "the sitemap",
    "listing": "a page of a listing",
    "resource": "a resource's own page",
    "known": "an address of an earlier night that no listing shows tonight",
    "copy": "an imported copy",
    "probe": "an address that cannot exist, asked to see how the site answers for those",
    "other": "an address met, and not harvested",
}
