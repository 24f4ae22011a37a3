"""What the jobs hand to the window: plain data, so that neither side loads the other's libraries.

Money is in the city's currency; times of tables are local and naive, as on the sheets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from fleetdesk.errors import Problem
from fleetdesk.model.charts import Chart
from fleetdesk.model.sheet_template import Input, Layout
from fleetdesk.sheets.base import CellStyle

Values = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Column:
    """One column of a result: numbers as float64 (NaN = empty), times as datetime64[us], else text.

    `ranks` orders texts: equal ranks are equal texts, lower ones come first.
    """

    header: str
    style: CellStyle
    values: Values
    ranks: Values | None = None
    help: str = ""
    width: float = 14

    @property
    def is_number(self) -> bool:
        """Whether it is aligned right and can be charted."""
        return self.values.dtype.kind == "f"


@dataclass(frozen=True)
class Table:
    """A result sheet as kept of a run."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...] = ()

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.columns[0].values) if self.columns else 0

    def column(self, header: str) -> Column | None:
        """The column of this header."""
        return next((column for column in self.columns if column.header == header), None)


@dataclass(frozen=True)
class Listed:
    """A result sheet that a run has: its name, and the question it answers."""

    name: str
    question: str
    group: str


@dataclass(frozen=True)
class Under:
    """What a shown map may have under it: a file of the city's map, and one tile server.

    `tiles` is the server as `scheme://host`, with a star where several take turns.
    """

    city_map: str = ""
    tiles: str = ""


@dataclass(frozen=True)
class Run:
    """One run of the ledger."""

    run_id: str
    state: str
    started_at: datetime
    took_s: float | None
    headline: str
    reason: str
    map_path: str
    can_undo: bool


@dataclass(frozen=True)
class Figure:
    """One number of Today: what it is, its value with its unit, and what it means."""

    label: str
    value: float
    decimals: int
    unit: str
    help: str = ""


@dataclass(frozen=True)
class Overview:
    """A workspace at a glance; without a plan `run` is None and the tables are absent."""

    city: str
    records: str
    run: Run | None
    figures: tuple[Figure, ...] = ()
    availability: Table | None = None
    tasks: Table | None = None
    issues: tuple[str, ...] = ()
    under: Under = Under()


@dataclass(frozen=True)
class FormCell:
    """One value on a settings sheet; without an address the sheet lacks it.

    `value` is as it stands there; a formula's result is shown and cannot be changed here.
    """

    key: str
    cell: str
    value: object
    formula: bool = False


@dataclass(frozen=True)
class FormSheet:
    """One settings sheet: a form has one row, a list many.

    `new_row` is the sheet's row for one entry more, 0 for a form; `columns` are a list's columns.
    """

    section: str
    sheet: str
    intro: str
    layout: Layout
    inputs: tuple[Input, ...]
    rows: tuple[tuple[FormCell, ...], ...]
    currency: str
    new_row: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Forms:
    """The settings of a workbook, as they stand in its cells, and what is wrong with them."""

    sheets: tuple[FormSheet, ...]
    problems: tuple[Problem, ...]
    fingerprint: str
    read_only: str = ""


@dataclass(frozen=True)
class Question:
    """A question that a run can answer."""

    name: str
    title: str
    question: str
    group: str
    asked: bool


@dataclass(frozen=True)
class BoardStop:
    """One stop of the routes board; `place` is its number in the order, fractions included.

    `was_worker` and `was_place` are those of the plan; `arrive` is local time.
    """

    row: str
    task_id: str
    drop_off: bool
    vehicle: str
    action: str
    where: str
    worker: str
    place: float
    locked: bool = False
    excluded: bool = False
    was_worker: str = ""
    was_place: float | None = None
    adds: float | None = None
    arrive: str = ""
    note: str = ""


@dataclass(frozen=True)
class BoardLeftOut:
    """A task on no route: why, and what would bring it in; one that `moves` has two stops."""

    task_id: str
    vehicle: str
    what: str
    where: str
    roi: float | None
    why: str
    moves: bool = False


@dataclass(frozen=True)
class Board:
    """The routes of the last plan, ready to be changed."""

    run_id: str
    day: str
    currency: str
    workers: tuple[str, ...]
    stops: tuple[BoardStop, ...]
    left_out: tuple[BoardLeftOut, ...]
    profit: float
    fingerprint: str
    map_path: str = ""
    under: Under = Under()


@dataclass(frozen=True)
class RoundPrice:
    """What one worker's round comes to; `problems` are limits that it breaks, as sentences.

    `arrivals` are local times, one a stop.
    """

    worker: str
    stops: int
    minutes: float
    km: float
    profit: float
    problems: tuple[str, ...]
    arrivals: tuple[str, ...]


@dataclass(frozen=True)
class BoardPrice:
    """What the board comes to as it stands."""

    rounds: tuple[RoundPrice, ...]
    profit: float
    minutes: float


@dataclass(frozen=True)
class TrialRow:
    """One threshold tried on past days: figures per day."""

    name: str
    threshold_pct: float | None
    swaps: float
    roi: float
    crew_h: float
    missed_rides: float
    cost_per_revenue_pct: float | None


@dataclass(frozen=True)
class Trials:
    """The thresholds tried, and how the ROI is called there."""

    rows: tuple[TrialRow, ...]
    days: int
    roi_name: str
    currency: str


Terms = Sequence[Mapping[str, object]]
"""What packages would be like: the name and the settings of the sheet Package trial that differ."""


@dataclass(frozen=True)
class PackageDesk:
    """The packages as a list to be changed; `typed` is what the sheet Package trial says, by cell.

    `fingerprint` and `generation` are the state of workbook and records that they were read from.
    """

    sheet: FormSheet
    typed: Mapping[str, object]
    fingerprint: str
    generation: str


@dataclass(frozen=True)
class PackageOutcome:
    """What packages under other terms would bring: figures with intervals, riders by package.

    `margin` is the change a month with its interval; `moved` of `riders` would change packages.
    """

    figures: Table
    moves: Table
    margin: tuple[float, float, float]
    moved: int
    riders: int


@dataclass(frozen=True)
class Difference:
    """What differs between two runs, in three lists of (what, before, after)."""

    old: str
    new: str
    settings: tuple[tuple[str, str, str], ...]
    figures: tuple[tuple[str, str, str], ...]
    tasks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Letter:
    """A mail that would go out: to which worker, what about, and a page to look at."""

    worker: str
    about: str
    page: str


@dataclass(frozen=True)
class Mails:
    """The mails of a plan, and who gets none and why."""

    plan: str
    letters: tuple[Letter, ...]
    left_out: tuple[tuple[str, str], ...]
