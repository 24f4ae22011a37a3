"""Tables in the plainest types, so that they can be stacked on whatever engine."""

from __future__ import annotations

from typing import Any


def nullable(table: Any) -> Any:
    """The same rows without the engine's marks, which a union of tables trips over.

    The marks are NOT NULL, and how many digits of a second are kept: a table says so on some
    engines and does not on others.
    """
    plain = {name: _plain(dtype) for name, dtype in table.schema().items()}
    marked = {name: dtype for name, dtype in plain.items() if dtype != table.schema()[name]}
    return table.cast(marked) if marked else table


def _plain(dtype: Any) -> Any:
    return (
        dtype.copy(nullable=True, scale=None) if dtype.is_timestamp() else dtype.copy(nullable=True)
    )
