"""Every column of every table, once: types, descriptions, keys. Files, dictionary and datapackage derive from here."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
CLOSED_LIST = pa.dictionary(pa.int32(), pa.string())
LINKS = pa.list_(pa.struct([pa.field("text", pa.string()), pa.field("url", pa.string())]))

SIGNALS = pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("value", pa.float32())]))
VALUES = pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("value", pa.string())]))

# raised when a column is added (minor) or changes its meaning, type or name (major)
SCHEMA_VERSION = "1.2"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; volatile ones may differ between two runs over the same input and stay out of logical digests."""

    name: str
    type: pa.DataType
    description: str
    is_nullable: bool = False
    is_volatile: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One published table: what a row is, which columns tell rows apart, and the columns in order."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema; column descriptions are field metadata, those of the table schema metadata."""
        fields = [
            pa.field(c.name, c.type, nullable=c.is_nullable, metadata={"description": c.description})
            for c in self.columns
        ]
        described = {"table": self.name, "row": self.row, "key": ",".join(self.key), "schema_version": SCHEMA_VERSION}
        return pa.schema(fields, metadata=described)

    @property
    def lasting(self) -> tuple[str, ...]:
        """Names of the columns that are not volatile."""
        return tuple(c.name for c in self.columns if not c.is_volatile)


RESOURCES = Table(
    "resources",
    "resource of the catalogue, each once",
    ("resource_id",),
    (
        Column("resource_id", pa.string(), "Identifier of the resource, given once and never changed"),
        Column(
            "url", pa.string(), "Canonical address of the resource's own page; null for a text copy", is_nullable=True
        ),
        Column("title", pa.string(), "Title, as published"),
        Column(
            "type", CLOSED_LIST, "Value of the field `Type de ressource`; null when the page has none", is_nullable=True
        ),
        Column(
            "is_private",
            pa.bool_(),
            "Value of the field `Ressource privée`: Oui is true; null when the page does not say",
            is_nullable=True,
        ),
        Column(
            "summary",
            pa.string(),
            "Body and résumé collapsed: each passage once, parted by one blank line; null when the page has neither",
            is_nullable=True,
        ),
        Column("themes", pa.list_(pa.string()), "Titles of the listings it stands on, sorted"),
        Column("keywords", pa.list_(pa.string()), "Words of its line `Mots-clés : …`, in order"),
        Column(
            "published_month",
            pa.date32(),
            "First day of the month its keyword line states; null when none",
            is_nullable=True,
        ),
        Column("links", LINKS, "Links of its text, in order: words and absolute address"),
        Column("record_count", pa.int32(), "Number of records it was made from tonight"),
        Column(
            "best_record_id",
            pa.string(),
            "The record that gave title, type, privacy, text and links; null when no page states it tonight",
            is_nullable=True,
            is_volatile=True,
        ),
        Column(
            "state",
            CLOSED_LIST,
            "listed, unlisted (known, no listing shows it), not_found, gone, moved or forbidden",
        ),
        Column(
            "absent_nights",
            pa.int32(),
            "Complete nights in a row on which its address said that it is gone; it is retired after some",
            is_volatile=True,
        ),
        Column("first_seen_at", TIME, "When a page first stated it (UTC)", is_volatile=True),
        Column("last_seen_at", TIME, "When a page last stated it (UTC), as of this release", is_volatile=True),
        Column("last_changed_at", TIME, "When a page first stated its present values (UTC)", is_volatile=True),
        Column("content_digest", pa.string(), "sha256 of the values above that a reader can see"),
    ),
)

_SPANNED = ("title", "type", "is_private", "body", "resume")
_SPANS = tuple(
    Column(
        f"{part}_{edge}",
        pa.int64(),
        f"{'First byte' if edge == 'start' else 'Byte after the last'} of the {part} in the archived, decoded payload; "
        "null where not located",
        is_nullable=True,
    )
    for part in _SPANNED
    for edge in ("start", "end")
)

RECORDS = Table(
    "records",
    "resource as one page states it, tonight",
    ("record_id",),
    (
        Column("record_id", pa.string(), "Identifier, stable for the same resource on the same page address"),
        Column("resource_id", pa.string(), "The resource it was recognised as"),
        Column(
            "page_url",
            pa.string(),
            "Canonical address of the page it was read from; with its date (`#2019-05-06T07:08:09Z`) out of a foreign "
            "WARC",
        ),
        Column("url", pa.string(), "The resource's own canonical address as the record gives it", is_nullable=True),
        Column("position", pa.int32(), "Place on the page, counted from 0"),
        Column("title", pa.string(), "Title, as the page has it"),
        Column("type", CLOSED_LIST, "Value of the field `Type de ressource`", is_nullable=True),
        Column("is_private", pa.bool_(), "Value of the field `Ressource privée`", is_nullable=True),
        Column("body", pa.string(), "Text without a label, passages parted by one blank line", is_nullable=True),
        Column(
            "resume", pa.string(), "Text of the field `Résumé`, passages parted by one blank line", is_nullable=True
        ),
        Column("links", LINKS, "Links of its text, in order"),
        Column("block_start", pa.int64(), "First byte of its block in the archived, decoded payload"),
        Column("block_end", pa.int64(), "Byte after the last of its block"),
        *_SPANS,
        Column("block_digest", pa.string(), "sha256 of the bytes of its block"),
        Column("is_copy", pa.bool_(), "Whether the page is an imported copy"),
        Column("fetched_at", TIME, "When the page was fetched, or the copy made (UTC)", is_volatile=True),
        Column("warc_file", pa.string(), "Archive file below data/raw/<source>", is_volatile=True),
        Column("warc_offset", pa.int64(), "First byte of the page's member in the archive file", is_volatile=True),
        Column("payload_digest", pa.string(), "sha256 of the page's decoded payload", is_volatile=True),
        Column("parser", pa.string(), "Name of the parser"),
        Column("parser_version", pa.string(), "Version of the parser"),
    ),
)

PASSAGES = Table(
    "passages",
    "passage of a record, and what the collapse made of it",
    ("record_id", "section", "position"),
    (
        Column("record_id", pa.string(), "The record it belongs to"),
        Column("section", CLOSED_LIST, "body or resume"),
        Column("position", pa.int32(), "Place in its section, counted from 0"),
        Column("kind", CLOSED_LIST, "paragraph, heading, item, caption or cell"),
        Column("text", pa.string(), "The text, as the page has it, white space evened out"),
        Column("is_kept", pa.bool_(), "Whether it stands in the summary itself"),
        Column(
            "summary_position",
            pa.int32(),
            "Its place in the summary, counted from 0; null when collapsed",
            is_nullable=True,
        ),
        Column(
            "into_section", CLOSED_LIST, "Section of the passages that stand for it; null when kept", is_nullable=True
        ),
        Column("into_positions", pa.list_(pa.int32()), "Places in that section of the passages that stand for it"),
        Column(
            "method",
            CLOSED_LIST,
            "Why it was collapsed: same, typography, recut (same text cut differently), trimmed (cut short), near; "
            "null when kept",
            is_nullable=True,
        ),
        Column(
            "score", pa.float64(), "How alike it and what stands for it are, 0 to 100; null when kept", is_nullable=True
        ),
    ),
)

PAGES = Table(
    "pages",
    "address met in the run, and what became of it",
    ("url",),
    (
        Column(
            "url", pa.string(), "The address, canonical; with its date (`#2019-05-06T07:08:09Z`) out of a foreign WARC"
        ),
        Column("role", CLOSED_LIST, "robots, sitemap, listing, resource, known, copy or other"),
        Column("outcome", CLOSED_LIST, "What became of it (see the dictionary of outcomes)"),
        Column("status", pa.int32(), "HTTP status; null when there was no answer", is_nullable=True),
        Column("reason", pa.string(), "Why it was not asked, or what failed", is_nullable=True),
        Column("via", pa.string(), "The address that led to it", is_nullable=True),
        Column(
            "canonical_url", pa.string(), "The address the page goes by; null when it was not read", is_nullable=True
        ),
        Column("redirect_url", pa.string(), "Where the answer sends us", is_nullable=True),
        Column("attempts", pa.int32(), "Requests sent for it"),
        Column("record_count", pa.int32(), "Records read from it"),
        Column("reject_count", pa.int32(), "Rejects found on it"),
        Column("notes", pa.list_(pa.string()), "What is unusual about it, without being wrong"),
        Column("media_type", pa.string(), "Media type of the answer", is_nullable=True),
        Column("size_bytes", pa.int64(), "Size of the decoded payload", is_nullable=True, is_volatile=True),
        Column("payload_digest", pa.string(), "sha256 of the decoded payload", is_nullable=True, is_volatile=True),
        Column("fetched_at", TIME, "When it was fetched (UTC)", is_nullable=True, is_volatile=True),
        Column(
            "elapsed_s",
            pa.float64(),
            "Seconds from request to the end of the answer",
            is_nullable=True,
            is_volatile=True,
        ),
        Column("warc_file", pa.string(), "Archive file below data/raw/<source>", is_nullable=True, is_volatile=True),
        Column(
            "warc_offset",
            pa.int64(),
            "First byte of its member in the archive file",
            is_nullable=True,
            is_volatile=True,
        ),
        Column("warc_length", pa.int64(), "Length of its member in bytes", is_nullable=True, is_volatile=True),
    ),
)

REJECTS = Table(
    "rejects",
    "thing that could not be read",
    ("reject_id",),
    (
        Column("reject_id", pa.string(), "Identifier, stable for the same thing on the same page"),
        Column("page_url", pa.string(), "Canonical address of the page"),
        Column("reason", CLOSED_LIST, "incomplete, no_title, two_types, not_html, … : one short fixed word"),
        Column("message", pa.string(), "The reason in a sentence"),
        Column(
            "start",
            pa.int64(),
            "First byte in the archived, decoded payload; null when it is the whole page",
            is_nullable=True,
        ),
        Column("end", pa.int64(), "Byte after the last", is_nullable=True),
        Column("excerpt", pa.string(), "The words that stand there, cut at 2,000 characters"),
        Column("fetched_at", TIME, "When the page was fetched (UTC)", is_volatile=True),
        Column("warc_file", pa.string(), "Archive file below data/raw/<source>", is_volatile=True),
        Column("warc_offset", pa.int64(), "First byte of the page's member in the archive file", is_volatile=True),
    ),
)

PAIRS = Table(
    "pairs",
    "compared pair of records, and why it is one resource or two",
    ("left", "right"),
    (
        Column("left", pa.string(), "A record_id, the best of its address; a resource_id where no page states it now"),
        Column("right", pa.string(), "The other"),
        Column("left_id", pa.string(), "The resource that the left one was recognised as"),
        Column("right_id", pa.string(), "The resource that the right one was recognised as"),
        Column("block", CLOSED_LIST, "Why they were compared: title, text, address ... or a person's word"),
        Column("features", SIGNALS, "What the comparison found; recomputing the score from them gives the same"),
        Column("score", pa.float64(), "Natural log of the odds that the two are one resource, rounded to 4 places"),
        Column(
            "needed", pa.float64(), "Least score asked of this pair; null where no score would do", is_nullable=True
        ),
        Column("verdict", CLOSED_LIST, "same, different or unsure"),
        Column(
            "rule",
            CLOSED_LIST,
            "What decided: score, address, clash of ..., other text, other title, other word, other facts, title alone,"
            " known apart, person ...",
        ),
        Column(
            "flips_at",
            pa.float64(),
            "The value of `needed` beyond which the verdict changes; null where no threshold moves it",
            is_nullable=True,
        ),
        Column(
            "held", CLOSED_LIST, "Why a pair decided the same was not joined: twin, disagreement ...", is_nullable=True
        ),
    ),
)

CHANGES = Table(
    "changes",
    "field that changed since the former release",
    ("resource_id", "field"),
    (
        Column("resource_id", pa.string(), "The resource"),
        Column("field", CLOSED_LIST, "A column of `resources`; a new resource is one row: state, from null"),
        Column("before", pa.string(), "Its value in the former release as text, lists as JSON", is_nullable=True),
        Column("after", pa.string(), "Its value in this release; null when it is retired or merged", is_nullable=True),
        Column("cause", CLOSED_LIST, "source, parser, collapse, dedup or person"),
    ),
)

HISTORY = Table(
    "history",
    "interval in which a field of a resource had a value",
    ("resource_id", "field", "place"),
    (
        Column("resource_id", pa.string(), "The resource"),
        Column("field", CLOSED_LIST, "A column of `resources`"),
        Column("value", pa.string(), "The value as text, lists as JSON; a null value has no interval"),
        Column("place", pa.int32(), "Number of the interval among those of this field, in order, counted from 0"),
        Column("is_open", pa.bool_(), "Whether it still holds"),
        Column("from_run", pa.int64(), "First run that stated it", is_volatile=True),
        Column("from_words", pa.int32(), "How many words of persons were heard by then", is_volatile=True),
        Column(
            "to_run",
            pa.int64(),
            "First run that no longer did; null while it holds",
            is_nullable=True,
            is_volatile=True,
        ),
        Column(
            "to_words",
            pa.int32(),
            "How many words of persons were heard when it no longer held; null while it holds",
            is_nullable=True,
            is_volatile=True,
        ),
        Column("valid_from", TIME, "When that first run began (UTC)", is_volatile=True),
        Column("valid_to", TIME, "When the run began that no longer stated it", is_nullable=True, is_volatile=True),
    ),
)

IDS = Table(
    "ids",
    "identifier ever published, and what it is now",
    ("resource_id",),
    (
        Column("resource_id", pa.string(), "The identifier"),
        Column("now", pa.list_(pa.string()), "Itself; the one it was merged into; itself and those split from it"),
        Column(
            "fate",
            CLOSED_LIST,
            "kept, merged, split, retired, replaced (by a later reading of the archive) or taken_down",
        ),
        Column("why", pa.string(), "The evidence, in words"),
        Column("known_by", pa.list_(pa.string()), "Addresses it has been known by; a urn where it has none, sorted"),
        Column(
            "own",
            VALUES,
            "Of one of several that became one: what its own address last said, written as in `history`; else empty",
            is_volatile=True,
        ),
        Column("first_seen_at", TIME, "When a page first stated it (UTC)", is_nullable=True, is_volatile=True),
        Column("minted_run", pa.int64(), "Run in which it was given", is_volatile=True),
        Column("since_run", pa.int64(), "Run from which its fate is as it is", is_volatile=True),
        Column("since_at", TIME, "When that run began (UTC)", is_volatile=True),
    ),
)

TABLES = (RESOURCES, RECORDS, PASSAGES, PAIRS, PAGES, REJECTS, CHANGES, HISTORY, IDS)
BY_NAME = {table.name: table for table in TABLES}
