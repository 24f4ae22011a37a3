"""How far a table of a database is in, as one text of the watermark."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fleetdesk.sources.mapping import ColumnMapping, fingerprint
from fleetdesk.sources.mysql_pages import Cursor, Hashes, Plan


def _none() -> Hashes:
    return np.array([], np.uint64)


@dataclass(frozen=True)
class Marks:
    """What the next import has to know.

    `since` is where it begins; `hashes` are those of rows that were given and will be met there;
    `unchanged` is the last row without a time of change; `checksum` is that of a table that is
    read as a whole; `kinds` is what the columns held; `centre` is the city's middle as it was
    found; `mapping` tells the mapping and the order of reading from others.
    """

    mapping: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    since: Cursor | None = None
    unchanged: Cursor | None = None
    checksum: str = ""
    centre: tuple[float, float] | None = None
    hashes: Hashes = field(default_factory=_none)

    def as_text(self) -> str:
        """For the watermark."""
        said: dict[str, Any] = {
            "mapping": self.mapping, "kinds": dict(self.kinds), "checksum": self.checksum,
            "centre": self.centre, "since": _cursor_text(self.since),
            "unchanged": _cursor_text(self.unchanged),
            "hashes": base64.b64encode(self.hashes.astype("<u8").tobytes()).decode(),
        }  # fmt: skip
        return json.dumps(said)

    def renewed(self, mapping: ColumnMapping, plan: Plan) -> Marks:
        """The same for the columns as they are now; from the beginning for another mapping."""
        lead = (*((plan.changed,) if plan.changed else ()), *plan.key)
        kinds = {column.name: column.family for column in (*lead, *plan.columns)}
        order = ", ".join(column.name for column in lead)
        read_by = f"{fingerprint(mapping)} by {order}"
        return replace(self, kinds=kinds) if self.mapping == read_by else Marks(read_by, kinds)


def marks_of(text: str) -> Marks:
    """Read back; none for an empty text."""
    if not text:
        return Marks("")
    said = json.loads(text)
    centre = said["centre"]
    return Marks(
        said["mapping"], said["kinds"], _cursor(said["since"]), _cursor(said["unchanged"]),
        said["checksum"], (centre[0], centre[1]) if centre else None,
        np.frombuffer(base64.b64decode(said["hashes"]), "<u8"),
    )  # fmt: skip


def _cursor_text(cursor: Cursor | None) -> list[Any] | None:
    return None if cursor is None else [cursor.changed, list(cursor.key)]


def _cursor(said: list[Any] | None) -> Cursor | None:
    return None if said is None else Cursor(said[0], tuple(said[1]))
