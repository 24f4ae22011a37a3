"""Settings -> workbook -> settings, and what must not matter on the way."""

from __future__ import annotations

import io
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fleetdesk.errors import SettingsInvalid
from fleetdesk.model.sheet_template import Input, InputKind
from fleetdesk.settings.fields import inputs_of
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import (
    SCHEMA_VERSION,
    City,
    Costs,
    Offer,
    Package,
    ParkingRow,
    Settings,
    Thresholds,
    Weights,
    Worker,
)
from fleetdesk.settings.starter import starter_settings
from fleetdesk.settings.template import templates_for
from fleetdesk.sheets.template_xlsx import template_bytes

LETTERS = string.ascii_letters + string.digits + " .,:;'\"=+-@#&<>%()/éßΘλ東🛴"
PROFILE = hypothesis_settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass
class Page:
    cells: dict[tuple[int, int], object]


@dataclass
class Book:
    sheets: dict[str, Page]
    where: str = "plan.xlsx"
    settings_schema: int = SCHEMA_VERSION

    @property
    def sheet_names(self) -> tuple[str, ...]:
        return tuple(self.sheets)

    @property
    def uncomputed(self) -> dict[str, tuple[str, ...]]:
        return {}


def opened(content: bytes) -> Book:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return Book(
        {
            page.title: Page(
                {
                    (cell.row, cell.column): cell.value
                    for row in page.iter_rows()
                    for cell in row
                    if cell.value is not None
                }
            )
            for page in book
        }
    )


def numbers(entry: Input) -> st.SearchStrategy[float]:
    """Any number that is within the bounds, also with the 15 digits that a spreadsheet keeps."""
    low, high = float(entry.low), float(entry.high)  # type: ignore[arg-type]
    found = st.floats(low, high, exclude_min=entry.open_low, exclude_max=entry.open_high)
    return found.filter(lambda number: not entry.open_high or number < high * (1 - 1e-15))


def texts(entry: Input) -> st.SearchStrategy[str]:
    if entry.key == "currency":
        return st.sampled_from(["EUR", "USD", "JPY"])
    if entry.key == "timezone":
        return st.sampled_from(["Europe/Athens", "UTC", "America/Argentina/Ushuaia"])
    if entry.key == "email":
        return st.sampled_from(["", "maria@example.org"])
    if entry.key == "store":
        return st.sampled_from(["", "postgresql://db.example.org/fleet", "spark:local"])
    words = st.text(LETTERS, min_size=1, max_size=20).map(str.strip)
    # A lone error word such as #REF! is what a broken formula leaves in a cell.
    return words.filter(lambda text: text and not text.startswith("#"))


def values(entry: Input) -> st.SearchStrategy[Any]:
    made: dict[InputKind, Callable[[], st.SearchStrategy[Any]]] = {
        InputKind.TEXT: lambda: texts(entry),
        InputKind.NUMBER: lambda: numbers(entry),
        InputKind.WHOLE: lambda: st.integers(entry.low, entry.high),  # type: ignore[type-var]
        InputKind.YES_NO: st.booleans,
        InputKind.CHOICE: lambda: st.sampled_from(entry.choices),
        InputKind.TIME: lambda: st.times().map(lambda t: t.replace(microsecond=0)),
        InputKind.DATE: lambda: st.dates(entry.low, entry.high),  # type: ignore[arg-type]
    }
    found = made[entry.kind]()
    may_be_empty = entry.default is None and not entry.required
    return st.none() | found if may_be_empty else found


def rows(kind: type, **given_values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = {entry.key: values(entry) for entry in inputs_of(kind)} | given_values
    return st.fixed_dictionaries(fields).map(lambda content: kind(**content))


def lists(row: st.SearchStrategy[Any], key: str) -> st.SearchStrategy[Any]:
    unique = st.lists(row, max_size=4, unique_by=lambda item: getattr(item, key).casefold())
    return unique.map(tuple)


def with_limits(parking: ParkingRow) -> ParkingRow:
    low, middle, high = sorted((parking.minimum, parking.target, parking.capacity))
    return parking.model_copy(update={"minimum": low, "target": middle, "capacity": high})


def in_order(worker: Worker) -> bool:
    return worker.shift_start < worker.shift_end


def offer_in_order(offer: Offer) -> bool:
    return offer.starts is None or offer.ends is None or offer.starts <= offer.ends


def batteries_in_order(found: Thresholds) -> bool:
    if found.low_battery_pct and found.usable_battery_pct >= found.low_battery_pct:
        return False
    return found.charged_battery_pct > found.low_battery_pct


@st.composite
def all_settings(draw: st.DrawFn) -> Settings:
    packages = draw(lists(rows(Package), "name"))
    names = [package.name for package in packages]
    offer = rows(Offer, package=st.sampled_from(names or ["none"])).filter(offer_in_order)
    return Settings(
        city=draw(rows(City)),
        weights=draw(rows(Weights, low_battery=st.sampled_from([0.25, 1.0]))),
        thresholds=draw(
            rows(
                Thresholds,
                usable_battery_pct=st.integers(0, 20).map(float),
                low_battery_pct=st.integers(21, 60).map(float),
                charged_battery_pct=st.integers(61, 100).map(float),
            ).filter(batteries_in_order)
        ),
        costs=draw(rows(Costs)),
        packages=packages,
        workers=draw(
            lists(
                rows(
                    Worker,
                    shift_start=st.integers(0, 11).map(time),
                    shift_end=st.integers(12, 23).map(lambda hour: time(hour, 59, 59)),
                ),
                "name",
            )
        ),
        parkings=draw(lists(rows(ParkingRow).map(with_limits), "parking_id")),
        offers=draw(lists(offer, "name")) if names else (),
    )


@PROFILE
@given(all_settings())
def test_settings_come_back_from_the_workbook_as_they_went_in(found):
    assert read_settings(opened(template_bytes(templates_for(found)))).settings == found


@PROFILE
@given(all_settings())
def test_settings_come_back_from_json(found):
    assert Settings.model_validate_json(found.model_dump_json()) == found


@PROFILE
@given(found=all_settings(), random=st.randoms(use_true_random=False))
def test_places_of_rows_and_columns_do_not_matter(make_book, found, random):
    book = make_book(found)
    for name, page in book.sheets.items():
        book.sheets[name] = Page(shuffled(page.cells, random))
    reread = read_settings(book).settings
    assert reread.model_dump(exclude=LISTED) == found.model_dump(exclude=LISTED)
    for section in LISTED:
        assert set(getattr(reread, section)) == set(getattr(found, section))


LISTED = {"packages", "workers", "parkings", "offers"}


def shuffled(cells: dict[tuple[int, int], object], random: Any) -> dict[tuple[int, int], object]:
    """Rows inserted above and shuffled below the heads, columns shuffled, noise beside them."""
    head, down = 4, random.randint(0, 3)
    last_row = max(row for row, _ in cells)
    last_column = max(column for _, column in cells)
    below = list(range(head + 1, last_row + 1))
    new_below = random.sample(below, len(below))
    columns = list(range(1, last_column + 1))
    new_columns = random.sample(range(1, last_column + 4), len(columns))
    rows_to = dict(zip(below, new_below, strict=True))
    columns_to = dict(zip(columns, new_columns, strict=True))
    moved = {
        (rows_to.get(row, row) + down, columns_to[column]): value
        for (row, column), value in cells.items()
    }
    noise = next(c for c in range(1, last_column + 4) if c not in new_columns)
    for row in range(head, last_row + 1):
        moved[row + down, noise] = "my own note" if row > head else "Remarks"
    return moved


@PROFILE
@given(broken=st.dictionaries(st.integers(5, 20), st.just("?!"), min_size=1))
def test_every_wrong_cell_is_told_at_once(make_book, broken):
    book = make_book(starter_settings())
    for row, value in broken.items():
        book.sheets["Costs & prices"].cells[row, 2] = value
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(book)
    assert [p.cell for p in caught.value.problems] == [f"B{row}" for row in sorted(broken)]
