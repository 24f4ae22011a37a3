"""A planner's workbook as plain cells, easy to break in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fleetdesk.errors import Problem, SettingsInvalid
from fleetdesk.model.places import Point
from fleetdesk.settings.reading import Reading, read_settings
from fleetdesk.settings.schema import SCHEMA_VERSION, ParkingRow, Settings
from fleetdesk.settings.starter import starter_settings
from fleetdesk.settings.template import templates_for

HEAD_ROW = 4


@dataclass
class Page:
    cells: dict[tuple[int, int], object]


@dataclass
class Book:
    sheets: dict[str, Page]
    where: str = "plan.xlsx"
    settings_schema: int = SCHEMA_VERSION
    uncomputed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sheet_names(self) -> tuple[str, ...]:
        return tuple(self.sheets)

    def set(self, sheet: str, address: str, value: object) -> Book:
        self.sheets[sheet].cells[int(address[1:]), ord(address[0]) - 64] = value
        return self

    def read(self) -> Reading:
        return read_settings(self)

    def problems(self) -> list[str]:
        """What is wrong, as a planner reads it; fails when nothing is."""
        return [str(problem) for problem in self.errors()]

    def errors(self) -> tuple[Problem, ...]:
        with pytest.raises(SettingsInvalid) as caught:
            self.read()
        return caught.value.problems


def book_of(settings: Settings) -> Book:
    pages = {}
    for sheet in templates_for(settings).sheets:
        cells: dict[tuple[int, int], object] = {(1, 1): sheet.title, (2, 1): sheet.intro}
        for row, values in enumerate([sheet.headers, *sheet.body()], start=HEAD_ROW):
            for column, value in enumerate(values, start=1):
                if value not in (None, ""):
                    cells[row, column] = value
        pages[sheet.sheet] = Page(cells)
    return Book(pages)


def toy_settings() -> Settings:
    parkings = [
        ParkingRow(parking_id="P1", name="Harbour", lat=40.63, lon=22.93, minimum=2, target=6),
        ParkingRow(parking_id="P2", name="Station", lat=40.64, lon=22.92, minimum=2, target=6),
        ParkingRow(parking_id="P3", name="Tower", lat=40.62, lon=22.95, minimum=2, target=6),
    ]
    return starter_settings("Toy town", centre=Point(40.63, 22.94), parkings=parkings)


@pytest.fixture
def settings() -> Settings:
    return toy_settings()


@pytest.fixture
def book(settings: Settings) -> Book:
    return book_of(settings)


@pytest.fixture(scope="session")
def make_book() -> Callable[[Settings], Book]:
    return book_of
