"""The port: read some sheets in one go, write only what FleetDesk owns, all or nothing.

A `WritePlan` names owned sheets and nothing else, so a planner's cell cannot be expressed. `Link`
is the only way to make a formula; every other text is written as text, whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from fleetdesk.model.charts import Chart
from fleetdesk.model.sheet_template import SheetTemplate

MANIFEST_SHEET = "_fleetdesk"
SCHEMA_ROW = "settings schema"


@dataclass(frozen=True, slots=True)
class Link:
    """A clickable cell: a web address, a path beside the workbook, or `#'Sheet'!A1` inside it."""

    target: str
    text: str


Value = None | bool | int | float | str | date | time | datetime | Link


class CellStyle(StrEnum):
    """How a column is shown; the adapter maps each to a number format and an alignment.

    NUMBER is for figures of several kinds below each other: an int is shown whole, a float with
    two decimals.
    """

    TEXT = "text"
    WRAPPED = "wrapped"
    INTEGER = "integer"
    DECIMAL = "decimal"
    NUMBER = "number"
    FINE = "fine"
    MONEY = "money"
    PERCENT = "percent"
    DATETIME = "datetime"
    LINK = "link"


NUMBERS = frozenset({
    CellStyle.INTEGER, CellStyle.DECIMAL, CellStyle.NUMBER, CellStyle.FINE, CellStyle.MONEY,
    CellStyle.PERCENT,
})  # fmt: skip
"""The styles of numbers, which stand right under heads that do so too."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result table: header with its unit, look and width in characters.

    `input` marks a column whose cells the planner may change for the next run; `choices` are
    offered there as a dropdown, without forbidding other texts.
    """

    header: str
    style: CellStyle = CellStyle.TEXT
    width: float = 14
    help: str = ""
    input: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A PNG picture with the text that is read out in its place; shown at 96 dots per inch."""

    png: bytes
    alt: str


@dataclass(frozen=True)
class ResultSheet:
    """The whole content of one owned sheet: a title, one line of explanation, one table.

    `table_name` is the workbook-wide name of the Excel table. Rows are as wide as `columns`.
    `key` names the header of the column that identifies a row, so that what a planner wrote to
    the right of a row can follow it. `charts` and `images` stand beside the table, in this order;
    a chart needs rows to be shown.
    """

    sheet: str
    title: str
    note: str
    table_name: str
    columns: tuple[ResultColumn, ...]
    rows: Sequence[tuple[Value, ...]]
    key: str | None = None
    charts: tuple[Chart, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class WritePlan:
    """What a run writes: whole owned sheets, and the owned sheets' order of appearance.

    `new_settings` are settings that a workbook of an older version lacks: rows that go into empty
    cells below their tables, and nowhere else; `new_sheets` are whole sheets of settings that it
    lacks, the planner's from then on. `settings_schema` is the version of the settings that the
    workbook then has; None leaves that as it is.
    """

    sheets: tuple[ResultSheet, ...]
    new_settings: tuple[SheetTemplate, ...] = ()
    settings_schema: int | None = None
    new_sheets: tuple[SheetTemplate, ...] = ()


@dataclass(frozen=True)
class SheetCells:
    """One sheet as read: `cells[(row, column)]` with 1-based indices; empty cells are absent."""

    name: str
    cells: Mapping[tuple[int, int], Value]
    hidden: bool = False


@dataclass(frozen=True)
class Snapshot:
    """Several sheets read at one moment, and the fingerprint of the whole workbook then."""

    where: str
    sheets: Mapping[str, SheetCells]
    sheet_names: tuple[str, ...]
    fingerprint: str
    uncomputed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cells per sheet that hold a formula without a stored value."""

    @property
    def settings_schema(self) -> int:
        """The version of the settings that the workbook was last brought to, 1 where none is kept.

        It is told only by a snapshot of all sheets.
        """
        hidden = self.sheets.get(MANIFEST_SHEET)
        cells = hidden.cells if hidden else {}
        found = (cells.get((row, 2)) for (row, _), name in cells.items() if name == SCHEMA_ROW)
        return next((v for v in found if isinstance(v, int) and not isinstance(v, bool)), 1)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a commit did: the new fingerprint, the backup's path, sheets written and added."""

    fingerprint: str
    backup: str
    written: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of workbook can do."""

    kind: str
    charts: bool
    images: bool
    live: bool


class Prepared(Protocol):
    """A commit made ready beside the workbook: everything but the final switch is done."""

    @property
    def before(self) -> str:
        """Fingerprint of the workbook that was read."""

    @property
    def after(self) -> str:
        """Fingerprint that the workbook will have."""

    def switch(self) -> Receipt:
        """Put the new content in place in one step, after checking that nobody changed it."""

    def discard(self) -> None:
        """Remove what was made ready; the workbook is untouched."""


class Workbook(Protocol):
    """A planner's workbook, wherever it lives."""

    def capabilities(self) -> Capabilities:
        """What this kind of workbook can do."""

    def snapshot(self, names: Sequence[str] | None = None) -> Snapshot:
        """Read the named sheets (all when None) in one go; missing names are simply absent."""

    def obstacles(
        self, new: Sequence[SheetTemplate], whole: Sequence[SheetTemplate] = ()
    ) -> Mapping[str, str]:
        """Why new settings cannot be added below their tables, or `whole` sheets of them.

        By table; the others can be.
        """

    def prepare(self, plan: WritePlan, expect: str) -> Prepared:
        """Make the write ready; refused when the workbook no longer has fingerprint `expect`."""

    def commit(self, plan: WritePlan, expect: str) -> Receipt:
        """Prepare and switch: all or nothing."""
