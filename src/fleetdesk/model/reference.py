"""The reference page of the canonical tables, drawn from their definitions."""

from __future__ import annotations

from collections.abc import Iterator

from fleetdesk.model.tables import TABLES, Table

INTRO = """\
# Canonical tables

Every source is turned into these tables when it is imported, and everything else reads only them.
One Parquet file per table and UTC day, in a folder named after the table, or one file
`TABLE.parquet` or `TABLE.csv`, can be imported with `fleetdesk import tables FOLDER --into CITY`.
Timestamps are UTC without a zone, at microsecond precision; percent runs from 0 to 100; money is in
the city's currency. This page is made by `python -m fleetdesk.model.reference`.
"""


def tables_page() -> str:
    """The page as Markdown."""
    return "\n".join([INTRO, *(line for table in TABLES.values() for line in _section(table))])


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    by_day = f"; stored by the day of `{table.time_column}`" if table.time_column else ""
    key = ", ".join(f"`{name}`" for name in table.key)
    yield f"One row is {table.grain}. Key: {key}{by_day}.\n"
    yield "| Column | Type | Unit | May be empty | What it is |"
    yield "|---|---|---|---|---|"
    for column in table.columns:
        empty = "yes" if column.nullable else ""
        yield f"| `{column.name}` | {column.dtype} | {column.unit} | {empty} | {column.help} |"
    yield ""


if __name__ == "__main__":
    print(tables_page(), end="")
