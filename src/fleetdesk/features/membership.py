"""Rows whose key is, or is not, among the rows of another table, by joins that every engine has."""

from __future__ import annotations

from typing import Any

import ibis


def among(rows: Any, others: Any, key: str) -> Any:
    """The rows whose key `others` have as well."""
    return _marked(rows, others, key).filter(ibis._.is_among.notnull()).select(*rows.columns)


def not_among(rows: Any, others: Any, key: str) -> Any:
    """The rows whose key none of the `others` has; so are those whose key is null."""
    return _marked(rows, others, key).filter(ibis._.is_among.isnull()).select(*rows.columns)


def _marked(rows: Any, others: Any, key: str) -> Any:
    # Not a semi or anti join: inside other joins, PostgreSQL is sent words it does not know.
    keys = others.select(key).distinct()
    return rows.left_join(keys.mutate(is_among=ibis.literal(1)), key)
