"""What the tables mean, in words and as a Data Package, made from the declared schemas and from nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from schema.nouns import OUTCOMES, ROLES
from schema.tables import TABLES, Column, Table

_FIELD_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_timestamp, "datetime"),
    (pa.types.is_date, "date"),
    (pa.types.is_list, "array"),
)


def datapackage(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The Data Package descriptor of a release (specs.frictionlessdata.io), from its manifest."""
    return {
        "name": f"{manifest.get('source', 'moisson')}-{manifest.get('number', 'held')}",
        "title": manifest.get("title", ""),
        "created": _iso(manifest.get("published_at")),
        "profile": "data-package",
        "resources": [_table_descriptor(table, manifest) for table in TABLES],
    }


def _iso(when: object) -> str:
    return when.isoformat() if isinstance(when, datetime) else str(when or "")


def _table_descriptor(table: Table, manifest: Mapping[str, Any]) -> dict[str, Any]:
    facts = manifest["tables"][table.name]
    return {
        "name": table.name,
        "path": f"{table.name}.parquet",
        "description": f"One row per {table.row}",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": facts["size_bytes"],
        "hash": f"sha256:{facts['sha256']}",
        "schema": {"primaryKey": list(table.key), "fields": [_field(column) for column in table.columns]},
    }


def _field(column: Column) -> dict[str, Any]:
    described = {"name": column.name, "type": _field_type(column.type), "description": column.description}
    return described if column.is_nullable else {**described, "constraints": {"required": True}}


def _field_type(kind: pa.DataType) -> str:
    return next((name for is_kind, name in _FIELD_TYPES if is_kind(kind)), "string")


def dictionary() -> str:
    """The data dictionary as Markdown (data/README.md)."""
    parts = [_INTRODUCTION]
    for table in TABLES:
        parts.append(f"## `{table.name}`: one row per {table.row}\n\nKey: {', '.join(f'`{k}`' for k in table.key)}\n")
        parts.append("| column | type | null | meaning |\n|---|---|---|---|")
        parts += [
            f"| `{c.name}` | {_type_name(c.type)} | {'yes' if c.is_nullable else ''} | {c.description} |"
            for c in table.columns
        ]
        parts.append("")
    parts.append("## Outcomes of a page\n")
    parts += [f"- `{name}`: {meaning}" for name, meaning in OUTCOMES.items()]
    parts.append("\n## Roles of a page\n")
    parts += [f"- `{name}`: {meaning}" for name, meaning in ROLES.items()]
    return "\n".join(parts) + "\n"


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return "category"
    return str(kind).replace("element: ", "").replace("item: ", "").replace("|", "\\|")


_INTRODUCTION = """# Data dictionary

Made from `schema/tables.py`; a test fails when the two differ. `python -m schema.dictionary > data/README.md` writes it
again.

    raw/<source>/000007.warc.gz          one archive a run: what the site answered, byte for byte
    clean/<source>/latest/*.parquet      the newest release; `releases/` holds the earlier ones
    clean/<source>/runs/000007/          the report and the ledger of each run

Times are UTC. A null says that the page does not state the value. Passages of a text are parted by one blank line.
"""

if __name__ == "__main__":
    sys.stdout.write(dictionary())
