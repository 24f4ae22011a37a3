"""Small tables are worked on by one thread: more of them would mostly wait for each other."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_SMALL = 50_000


def fit_for(rows: int) -> AbstractContextManager[object]:
    """Hold numerical libraries to one thread while a small table is worked on."""
    return threadpool_limits(1) if rows < _SMALL else nullcontext()
