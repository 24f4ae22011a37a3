"""Days that cannot be planned as asked: sheets, map and mail still say what is the matter."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.errors import FleetDeskError, SettingsInvalid
from fleetdesk.workflows.context import open_context
from fleetdesk.workflows.mailing import MailOptions, post
from fleetdesk.workflows.run import RunResult, check_workbook, run_workbook

from .conftest import Clock, column, edit_all

HEADS = {"Task rules": "Rule", "Workers & vans": "Worker"}


def put(path: Path, sheet: str, *rows: int, **values: object) -> None:
    """Type into a list's rows (1 = the first below the heads); names are heads without units."""
    book = openpyxl.load_workbook(path)
    page = book[sheet]
    top = next(c.row for r in page.iter_rows() for c in r if c.value == HEADS[sheet])
    heads = {str(cell.value).split(" (")[0]: cell.column for cell in page[top] if cell.value}
    for head, value in values.items():
        for row in rows:
            page.cell(top + row, heads[head.replace("_", " ")]).value = value
    book.save(path)


def page_of(done: RunResult) -> str:
    return done.published.files[0].read_text(encoding="utf-8")


def test_nobody_works(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    put(path, "Workers & vans", 1, 2, Working="no")
    done = run_workbook(path, only=("plan",), clock=Clock())
    assert done.published.summary["tasks_planned"] == 0
    assert "0 of" in done.headlines[0] and "0 routes" in done.headlines[0]
    assert any("nobody is working" in str(warning) for warning in done.warnings)
    assert all(planned == "no" for planned in column(path, "Tasks", "Planned?"))
    whys = column(path, "Tasks", "Why not planned")
    assert any("nobody works" in str(why).lower() for why in whys) and all(whys)
    assert "No routes: no task is planned." in page_of(done)
    with open_context(str(path), None, Clock(), writing=False) as context:
        assert post(context, MailOptions()).letters == ()
        with pytest.raises(FleetDeskError, match="has no route") as caught:
            post(context, MailOptions(workers=("Maria",)))
    assert caught.value.found == "no routes"


def test_nothing_to_do(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit_all(
        path,
        ("Thresholds", "Low battery below", 0),
        ("Thresholds", "Not rentable below", 0),
        ("Thresholds", "Bring in vehicles outside parkings", "no"),
        ("Thresholds", "Fill parkings below minimum", "no"),
    )
    put(path, "Task rules", *range(1, 5), In_use="no")
    done = run_workbook(path, only=("plan",), clock=Clock())
    assert done.headlines[0].split(": ")[1].startswith("0 of 0 tasks")
    assert not any(column(path, "Tasks", "Task"))
    assert any("no rule finds a task" in str(warning) for warning in done.warnings)
    assert "No routes" in page_of(done) or "0 stops" in page_of(done)
    with open_context(str(path), None, Clock(), writing=False) as context:
        assert {letter.skipped for letter in post(context, MailOptions()).letters} <= {
            "the route has no stops"
        }


def test_a_duty_that_nobody_can_do_and_a_depot_in_the_sea(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    edit_all(
        path,
        ("Weights", "Bonus at priority 100", 50),
        ("Routes & travel", "Travel times by", "road graph"),
        ("Routes & travel", "Road file", "streets.csv"),
    )
    put(path, "Task rules", 1, When="idle (h)", Threshold=0, What_to_do="inspect", Must_do="yes",
        Needed_skill="diver")  # fmt: skip
    # 50 km out in the gulf: within the region, but no shift is long enough to be worth the way.
    put(path, "Workers & vans", 1, Start_latitude=40.25, Start_longitude=22.75)
    _streets_of_the_town(path.parent / "streets.csv")
    done = run_workbook(path, only=("plan",), clock=Clock())
    book = openpyxl.load_workbook(path)
    assert {"Tasks", "Routes", "Limits", "Load profile"} <= set(book.sheetnames)
    must = column(path, "Tasks", "Must do")
    planned = column(path, "Tasks", "Planned?")
    whys = column(path, "Tasks", "Why not planned")
    skills = column(path, "Tasks", "Skill")
    divers = [row for row in zip(must, planned, whys, skills, strict=True) if row[3] == "diver"]
    assert divers
    for duty, on_route, why, _ in divers:
        assert (duty, on_route) == ("yes", "no")
        assert "diver" in str(why), "the missing skill is named"
    others = [p for p, skill in zip(planned, skills, strict=True) if p and not skill]
    assert any(p != "no" for p in others), "the rest of the day is planned"
    assert done.headlines[0].startswith("Planned ")
    assert all(whys)
    told = "; ".join(str(warning) for warning in done.warnings)
    assert f"{len(divers)} of {len(divers)} tasks that must be done are on no route" in told
    assert "No street of streets.csv leads to the start or end of Maria; " in told
    assert "No route for Maria (58 km from the nearest task)" in told


def test_a_worker_without_a_shift_is_named_at_the_cell(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    put(path, "Workers & vans", 1, Shift_starts="16:00", Shift_ends="16:00")
    with pytest.raises(SettingsInvalid, match="is not after the start of the shift"):
        check_workbook(path)


def _streets_of_the_town(path: Path) -> None:
    """A grid of streets every 300 m or so, as a road list."""
    lats = [40.58 + 0.003 * step for step in range(30)]
    lons = [22.90 + 0.004 * step for step in range(25)]
    streets = [[{"lat": lat, "lon": lon} for lon in lons] for lat in lats]
    streets += [[{"lat": lat, "lon": lon} for lat in lats] for lon in lons]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["highway", "coordinates"])
        rows.writerows(["residential", json.dumps(street)] for street in streets)
