"""What became of a source's rows: how many came in, were kept and dropped, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """Rows left out for one reason, with a few of them as examples (`row 17: lat is 181.0`)."""

    reason: str
    rows: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class QualityReport:
    """One import's account: `rows_in` = `rows_kept` + the dropped rows, else ValueError.

    `facts` are figures under their labels (units in the label); `notes` are sentences.
    """

    source: str
    rows_in: int
    rows_kept: int
    dropped: tuple[DroppedRows, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an account that does not add up."""
        if self.rows_in != self.rows_kept + self.rows_dropped:
            raise ValueError(
                f"{self.source}: {self.rows_in} rows in, but {self.rows_kept} kept and "
                f"{self.rows_dropped} dropped"
            )

    @property
    def rows_dropped(self) -> int:
        """All rows left out, whatever the reason."""
        return sum(entry.rows for entry in self.dropped)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "source": self.source,
            "rows_in": self.rows_in,
            "rows_kept": self.rows_kept,
            "dropped": [
                {"reason": entry.reason, "rows": entry.rows, "examples": list(entry.examples)}
                for entry in self.dropped
            ],
            "notes": list(self.notes),
            "facts": dict(self.facts),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> QualityReport:
        """Read back what `as_dict` wrote."""
        return cls(
            source=values["source"],
            rows_in=values["rows_in"],
            rows_kept=values["rows_kept"],
            dropped=tuple(
                DroppedRows(entry["reason"], entry["rows"], tuple(entry["examples"]))
                for entry in values["dropped"]
            ),
            notes=tuple(values["notes"]),
            facts=dict(values["facts"]),
        )
