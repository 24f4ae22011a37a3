"""What a blank sheet of the planner's workbook holds, as data; every writer draws from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum

FORM_HEADERS = ("Setting", "Value", "Unit", "What it does")
MONEY = "money"  # stands for the city's currency in a unit

TemplateValue = None | bool | int | float | str | date | time


class InputKind(StrEnum):
    """What may be typed into a cell."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "yes or no"
    CHOICE = "choice"
    TIME = "time of day"
    DATE = "date"


class Layout(StrEnum):
    """A form has one setting a row; a list has one setting a column."""

    FORM = "form"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Input:
    """One setting: how it is called, what it takes and what it does.

    `low` and `high` are inclusive unless their `open_` twin is set; `expects` says the same in
    words; `choices` are the words of a choice; `choices_from` is (table, column header) of the list
    whose names may be chosen; `since` is the schema version that brought the setting.
    """

    key: str
    label: str
    kind: InputKind
    help: str
    expects: str
    unit: str = ""
    required: bool = False
    default: TemplateValue = None
    low: float | date | None = None
    high: float | date | None = None
    open_low: bool = False
    open_high: bool = False
    longest: int | None = None
    choices: tuple[str, ...] = ()
    choices_from: tuple[str, str] | None = None
    since: int = 1

    def shown_unit(self, currency: str) -> str:
        """The unit with the currency's code in it, such as EUR/min."""
        return self.unit.replace(MONEY, currency)

    def header(self, currency: str) -> str:
        """The label with its unit, unless it names it already: `Monthly price (EUR)`."""
        if not self.unit or self.unit in self.label.casefold().split():
            return self.label
        return f"{self.label} ({self.shown_unit(currency)})"


@dataclass(frozen=True, slots=True)
class SheetTemplate:
    """One settings sheet: `rows[i][j]` is the value of `inputs[j]`; a form has exactly one row.

    `table` is the workbook-wide name of its table, `currency_name` that of the cell which holds the
    currency; `widths` are in characters, one a column.
    """

    sheet: str
    title: str
    intro: str
    layout: Layout
    table: str
    inputs: tuple[Input, ...]
    rows: tuple[tuple[TemplateValue, ...], ...]
    currency: str
    widths: tuple[float, ...]
    currency_name: str

    @property
    def headers(self) -> tuple[str, ...]:
        """The heads of the table's columns."""
        if self.layout is Layout.FORM:
            return FORM_HEADERS
        return tuple(entry.header(self.currency) for entry in self.inputs)

    def body(self) -> Iterator[tuple[TemplateValue, ...]]:
        """The table's rows as a planner sees them."""
        if self.layout is Layout.LIST:
            yield from self.rows
            return
        for entry, value in zip(self.inputs, self.rows[0], strict=True):
            yield entry.label, value, entry.shown_unit(self.currency), entry.help

    def only(self, keys: Collection[str]) -> SheetTemplate:
        """The same sheet with these settings alone."""
        kept = [index for index, entry in enumerate(self.inputs) if entry.key in keys]
        return replace(
            self,
            inputs=tuple(self.inputs[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in self.rows),
            widths=self.widths
            if self.layout is Layout.FORM
            else tuple(self.widths[index] for index in kept),
        )

    def unit_formula(self, entry: Input) -> str | None:
        """The unit as a formula where it has money in it, so that it follows the currency."""
        if not entry.unit.startswith(MONEY):
            return None
        rest = entry.unit.removeprefix(MONEY)
        return f'{self.currency_name}&"{rest}"' if rest else self.currency_name

    def name_of(self, entry: Input) -> str:
        """The workbook-wide name of a form's value cell, such as `Weights_low_battery`."""
        return f"{self.table}_{entry.key}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and the sheets where it is done."""

    text: str
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastRunLine:
    """One line of the last run: a column of the run log, shown in the look of `kind`."""

    label: str
    column: str
    kind: InputKind = InputKind.TEXT


@dataclass(frozen=True, slots=True)
class StartTemplate:
    """The first sheet: what to do, and how the last run went."""

    sheet: str
    title: str
    intro: str
    steps: tuple[Step, ...]
    run_log_table: str
    last_run: tuple[LastRunLine, ...]


@dataclass(frozen=True, slots=True)
class WorkbookTemplate:
    """The planner's workbook before its first run; sheets in the order of the work."""

    start: StartTemplate
    sheets: tuple[SheetTemplate, ...]
