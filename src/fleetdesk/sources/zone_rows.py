"""Rows of the tables ZONES and PRICE_PLANS, and the end of those that a newer list leaves out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

import pyarrow as pa

from fleetdesk.features.zones import polygons_of
from fleetdesk.model.tables import PRICE_PLANS, ZONES, Column, Table
from fleetdesk.sources.base import schema_of

NO_RULE = "none"
EVERYWHERE = "everywhere"
_DIGITS = 16
Row = dict[str, Any]
# Units of texts that have a form, and what reads it.
FORMS: Mapping[str, Callable[[str], Any]] = {
    "GeoJSON": polygons_of,
    "HH:MM:SS": time.fromisoformat,
}


def outline_of(polygons: Sequence[Any]) -> str:
    """A GeoJSON MultiPolygon of checked polygons, longitude and latitude only."""
    flat = [[[corner[:2] for corner in ring] for ring in polygon] for polygon in polygons]
    return json.dumps({"type": "MultiPolygon", "coordinates": flat}, separators=(",", ":"))


def form_troubles(column: Column, texts: Any) -> list[str]:
    """What is wrong with each text of a column whose unit is in FORMS; "" for a good one."""
    read = FORMS[column.unit]
    return ["" if text is None else _trouble(read, text) for text in texts.to_pylist()]


def _trouble(read: Callable[[str], Any], text: str) -> str:
    try:
        read(text)
    except ValueError as trouble:
        return str(trouble)
    return ""


def made_id(ruleset: str, name: str, outline: str) -> str:
    """An id for a zone that has none of its own: the same as long as it is the same."""
    told = "\n".join((ruleset, name, outline))
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]


def zone_table(rows: Sequence[Row]) -> pa.Table:
    """The canonical ZONES; what a row does not say is empty."""
    return _table(ZONES, rows)


def plan_table(rows: Sequence[Row]) -> pa.Table:
    """The canonical PRICE_PLANS; what a row does not say is empty."""
    return _table(PRICE_PLANS, rows)


def is_older(known: pa.Table, owner: str, name: str, listed_at: datetime) -> bool:
    """Whether the store knows a newer list of this owner, whose name is in the column `owner`."""
    told = [row["listed_at"] for row in known.to_pylist() if row[owner] == name]
    return bool(told) and max(told) > naive(listed_at)


def ended(
    table: Table, known: pa.Table, listed: pa.Table, owner: str, name: str, at: datetime
) -> pa.Table:
    """The owner's rows that hold in the store and are listed no more, ended at this moment."""
    there = {tuple(row[part] for part in table.key) for row in listed.to_pylist()}
    gone = [
        row | {"valid_to": naive(at)}
        for row in known.to_pylist()
        if row[owner] == name
        and row["valid_to"] is None
        and tuple(row[part] for part in table.key) not in there
    ]
    return _table(table, gone)


def naive(moment: datetime) -> datetime:
    """UTC without a zone, as tables have times."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in table.column_names} for row in rows],
        schema=schema_of(table),
    )
