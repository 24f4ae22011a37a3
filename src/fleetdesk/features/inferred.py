"""Records that were read off others instead of being told: how their ids say so."""

from __future__ import annotations

from typing import Any

import ibis

INFERRED = "seen:"
"""Head of the id of an event that nobody declared."""
_EPOCH = ibis.timestamp("1970-01-01")


def is_inferred(event_id: Any) -> Any:
    """Whether an event was read off other records."""
    return event_id.startswith(INFERRED)


def moment_id(rows: Any, when: str) -> Any:
    """A stable id of a vehicle at a moment: its id and the seconds since 1970."""
    # Not epoch_seconds(), which is a whole number here and has a fraction there.
    seconds = rows[when].delta(_EPOCH, unit="microsecond") // 1_000_000
    return rows.vehicle_id + ":" + seconds.cast("int64").cast("string")


def carried(rows: Any, column: str, order: list[str]) -> Any:
    """The rows with the last known value of a column up to each row of a vehicle, in this order.

    Engines differ on skipping nulls, so rows are numbered by how many values were told so far:
    those with one number share its value.
    """
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by=order)
    told = rows[column].notnull().ifelse(1, 0).sum().over(so_far)
    rows = rows.mutate(told=told)
    shared = ibis.window(group_by=["vehicle_id", "told"])
    return rows.mutate(**{column: rows[column].max().over(shared)}).drop("told")
