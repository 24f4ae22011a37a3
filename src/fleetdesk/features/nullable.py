"""Tables whose columns may all be empty, so that they can be stacked on whatever engine."""

from __future__ import annotations

from typing import Any


def nullable(table: Any) -> Any:
    """The same rows without the engine's NOT NULL marks, which a union of tables trips over."""
    strict = {
        name: dtype.copy(nullable=True)
        for name, dtype in table.schema().items()
        if not dtype.nullable
    }
    return table.cast(strict) if strict else table
