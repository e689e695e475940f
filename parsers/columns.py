"""Records in the rows of a table whose heads are the labels."""

from __future__ import annotations

from selectolax.lexbor import LexborNode

from parsers.frames import Block, Field
from parsers.nodes import ancestors, cells, parent_of
from parsers.passages import seen_text


def column_blocks(frame: LexborNode, fields: list[Field]) -> list[Block]:
    """One block a row, where the labels stand in the head of a table and the values below them."""
    if frame.tag != "tr" or any(f.branch.tag not in ("th", "td") for f in fields):
        return []
    table = _table_of(frame)
    heads = cells(frame)
    columns = {f.branch.mem_id: f for f in fields}
    rows = [row for row in table.css("tr") if row.mem_id != frame.mem_id] if table is not None else []
    # a table may stand in a cell; a row of one cell heads a group
    rows = [row for row in rows if _is_same(_table_of(row), table) and len(cells(row)) > 1]
    if len(heads) < 2 or any(len(cells(row)) != len(heads) for row in rows):  # label and value
        return []
    # two cells a row: each row is a label and its value
    if any(seen_text(c) and c.tag == "th" for row in rows for c in cells(row)[:1]) and parent_of(frame).tag != "thead":
        return []
    return [_row_block(row, heads, columns) for row in rows]


def _table_of(row: LexborNode) -> LexborNode | None:
    return next((n for n in ancestors(row) if n.tag == "table"), None)


def _is_same(a: LexborNode | None, b: LexborNode | None) -> bool:
    return a is not None and b is not None and a.mem_id == b.mem_id


def is_head(frame: LexborNode) -> bool:
    """Whether a row holds the heads of columns and nothing else: never a record, whatever its table is like."""
    return frame.tag == "tr" and len(cells(frame)) > 1 and all(cell.tag == "th" for cell in cells(frame))


def _row_block(row: LexborNode, heads: list[LexborNode], columns: dict[int, Field]) -> Block:
    fields, title = [], None
    for head, cell in zip(heads, cells(row), strict=True):
        if head.mem_id in columns:
            fields.append(Field(columns[head.mem_id].kind, cell, cell))
        elif title is None and seen_text(cell):
            title = cell
        else:
            fields.append(Field(None, cell, cell))
    return Block((row,), row, tuple(fields), title, is_row=True)
