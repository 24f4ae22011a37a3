"""Public holidays by country and part of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import HOLIDAYS
from fleetdesk.sources.base import Checkpoint, Surroundings, schema_of
from fleetdesk.sources.kinds import KINDS


def opened(place: str, known: pa.Table | None = None, **options: str) -> Any:
    given = {name.rstrip("_"): text for name, text in options.items()}
    empty = schema_of(HOLIDAYS).empty_table()
    return KINDS["holidays"].build(
        place,
        Surroundings(
            now=datetime(2025, 3, 1, tzinfo=UTC), watermark={}, folder=Path(), options=given,
            tables={"holidays": ibis.memtable(empty if known is None else known)},
            secret=lambda name: None,
        ),
    )  # fmt: skip


def rows(source: Any) -> pa.Table:
    pieces = [piece for piece in source.read() if not isinstance(piece, Checkpoint)]
    return pa.concat_tables([rows for _, rows in pieces]) if pieces else pa.table({})


def test_holidays_of_a_country_that_moves_easter() -> None:
    table = rows(opened("gr", from_="2024-01-01", to="2024-12-31", language="en_US"))
    assert table.schema == schema_of(HOLIDAYS)
    named = {row["day_at"]: row["name"] for row in table.to_pylist()}
    assert named[datetime(2024, 5, 6)] == "Easter Monday"
    assert named[datetime(2024, 10, 28)] == "Ohi Day"
    assert set(table.column("region").to_pylist()) == {"GR"}


def test_without_options_this_year_and_a_year_ahead_in_the_own_language() -> None:
    table = rows(opened("GR"))
    days = table.column("day_at").to_pylist()
    assert (days[0], days[-1]) == (datetime(2025, 1, 1), datetime(2026, 2, 23))
    assert "Πρωτοχρονιά" in table.column("name").to_pylist()


def test_a_part_of_a_country_has_its_own() -> None:
    whole, part = (rows(opened(p, from_="2025-01-01", to="2025-12-31")) for p in ("DE", "de/by"))
    assert set(part.column("region").to_pylist()) == {"DE-BY"}
    assert part.num_rows > whole.num_rows


def test_what_is_in_is_not_given_again() -> None:
    table = rows(opened("GR"))
    again = opened("GR", table.slice(1))
    assert rows(again).column("day_at").to_pylist() == [datetime(2025, 1, 1)]
    assert again.report().rows_in == table.num_rows
    assert rows(opened("GR", table)).num_rows == 0


@pytest.mark.parametrize(
    ("place", "options", "told"),
    [
        ("Atlantis", {}, "no calendar of Atlantis"), ("DE-XX", {}, "DE has no part XX"),
        ("GR-1", {}, "a country without parts"), ("GR", {"from_": "soon"}, "from is not a day"),
        ("GR", {"from_": "2026-01-01", "to": "2025-01-01"}, "earlier first"),
        ("GR", {"to": "9999-01-01"}, "at most 200 years"),
        ("GR", {"language": "xx"}, "no names in xx"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(place: str, options: dict[str, str], told: str) -> None:
    with pytest.raises(SourceUnreadable, match=told):
        opened(place, **options)
