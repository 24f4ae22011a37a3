"""Two small cities, generated once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pyarrow as pa
import pytest

from fleetdesk.simulation.city import CitySpec, demo_city, tiny_city
from fleetdesk.simulation.generate import DayBatch, dimensions, generate


@dataclass(frozen=True)
class Records:
    """All that a city put out."""

    spec: CitySpec
    batches: tuple[DayBatch, ...]
    tables: Mapping[str, pa.Table]

    def rows(self, name: str) -> list[dict]:
        return self.tables[name].to_pylist()

    def taken_later(self) -> list[dict]:
        """The stays in packages that riders neither came with nor kept from before the records."""
        signed_up = {row["rider_id"]: row["signed_up_at"] for row in self.rows("riders")}
        found, changed = [], {}
        for row in sorted(self.rows("subscriptions"), key=lambda row: row["started_at"]):
            rider, start = row["rider_id"], row["started_at"]
            new = start >= self.spec.starts_at and start > signed_up[rider] + timedelta(days=1)
            if changed.get((rider, start), new):
                found.append(row)
            if row["end_cause"] in ("upgraded", "downgraded"):
                changed[rider, row["ended_at"]] = found[-1:] == [row]
        return found


def _records(spec: CitySpec, seed: int) -> Records:
    batches = tuple(generate(spec, seed))
    names = {name for batch in batches for name in batch.tables}
    tables = {
        name: pa.concat_tables([b.tables[name] for b in batches if name in b.tables])
        for name in names
    }
    return Records(spec, batches, tables | dimensions(spec, seed))


@pytest.fixture(scope="session")
def tiny() -> Records:
    return _records(tiny_city(), 1)


@pytest.fixture(scope="session")
def town() -> Records:
    """A fifth of the demo's fleet for 40 days, with crews that do not keep up."""
    return _records(
        replace(demo_city(vehicles=80, days=40, demand_per_vehicle=6.0), crew_strength=0.75), 7
    )
