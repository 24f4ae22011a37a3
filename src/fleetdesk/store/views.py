"""The canonical tables of one generation, as an engine shows them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from fleetdesk.model.tables import TABLES

# Tables that tell what was seen; due dates and forecasts reach beyond the data's end.
OBSERVATIONS = ("events", "trips", "telemetry", "sightings", "service_tasks", "rider_swaps")
Window = tuple[datetime, datetime]


class Views(Mapping[str, Any]):
    """Canonical tables by name, as Ibis tables; each is looked up when it is asked for."""

    @abstractmethod
    def look_up(self, name: str) -> Any:
        """The Ibis table of a canonical table's name."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the engine."""

    def __getitem__(self, name: str) -> Any:
        """The table of this name."""
        if name not in TABLES:
            raise KeyError(name)
        return self.look_up(name)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(TABLES)

    def __len__(self) -> int:
        """How many there are."""
        return len(TABLES)


def let_go_of_cached(engine: Any) -> None:
    """Drop what expressions cached in an Ibis engine, before its connection is closed.

    Ibis itself drops it when the expression is garbage, and complains on the screen where the
    connection is gone by then.
    """
    for name in list(engine._cache_name_to_entry):
        engine._finalize_cached_table(name)


def observed(window_of: Callable[[str], Window | None]) -> Window | None:
    """First and last observation (UTC-aware), from each table's first and last time (naive)."""
    windows = [window for name in OBSERVATIONS if (window := window_of(name))]
    if not windows:
        return None
    first, last = min(w[0] for w in windows), max(w[1] for w in windows)
    return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
