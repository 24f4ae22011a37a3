"""Edits on the sheet Routes: read at their cells, kept by the next run and the one after it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from fleetdesk.errors import Severity
from fleetdesk.model.edits import Edits, StopKey
from fleetdesk.sheets.base import SheetCells, Snapshot
from fleetdesk.workflows.dry_run import dry_run
from fleetdesk.workflows.route_edits import read_edits
from fleetdesk.workflows.run import run_workbook

from .conftest import Clock, column, edit_all

HEADERS = ("Worker", "Stop", "Lock", "Exclude", "Action", "Vehicle", "Edit", "Task", "Row",
           "Done")  # fmt: skip
TOP = 4


def written(*stops: tuple[str, int | None, str], **more: dict[str, str]) -> list[dict[str, Any]]:
    """Rows as a run writes them: (worker, stop, task), a drop-off as `task>`."""
    rows = []
    for worker, stop, name in stops:
        task, drop = name.rstrip(">"), name.endswith(">")
        rows.append(
            {
                "Worker": worker, "Stop": stop, "Lock": "", "Exclude": "",
                "Action": "drop off" if drop else "swap battery", "Vehicle": f"V{task}",
                "Edit": "", "Task": task, "Row": f"{task}, drop-off" if drop else task, "Done": "",
                **more.get(task, {}),
            }
        )  # fmt: skip
    return rows


def read(rows: list[dict[str, Any]], **changes: dict[str, Any]) -> Edits:
    """Read the rows after changes by row name (`t1_` is the drop-off of `t1`)."""
    cells = {(TOP, n): header for n, header in enumerate(HEADERS, start=1)}
    for number, row in enumerate(rows, start=TOP + 1):
        name = row["Row"].replace(", drop-off", "_")
        if changes.get(name) == "deleted":
            continue
        for n, header in enumerate(HEADERS, start=1):
            value = (row | changes.get(name, {}))[header]
            if value not in ("", None):
                cells[number, n] = value
    sheet = SheetCells("Routes", cells)
    snapshot = Snapshot("test", {"Routes": sheet}, ("Routes",), "")
    return read_edits(snapshot, rows, ["Maria", "Nikos"])


def day() -> list[dict[str, Any]]:
    return written(
        ("Maria", 1, "a"), ("Maria", 2, "b"), ("Maria", 3, "m"), ("Maria", 4, "m>"),
        ("Maria", 5, "c"), ("Nikos", 1, "x"), ("Nikos", 2, "y"),
    )  # fmt: skip


def texts(edits: Edits) -> dict[str, str]:
    return {edit.task_id: edit.text for edit in edits.tasks}


def order(edits: Edits, worker: str) -> str:
    return " ".join(key.task_id + ">" * key.drop_off for key in edits.rounds[worker])


def test_nothing_changed_is_no_edit() -> None:
    edits = read(day())
    assert (edits.tasks, edits.problems) == ((), ())
    assert order(edits, "Maria") == "a b m m> c"


def test_what_was_done_before_is_over_unless_the_planner_says_no() -> None:
    before = {"Done": "yes"}
    rows = written(("Maria", 1, "a"), ("Maria", 2, "b"), ("Petros", 1, "p"), ("Maria", 1, "c"),
                   a=before, b=before, p=before)  # fmt: skip
    edits = read(rows, b={"Done": "no", "Worker": "Nikos"}, p={"Lock": "perhaps"})
    # Of Petros, who is on the sheet Workers & vans no more, there is nothing to say.
    assert edits.problems == ()
    assert texts(edits) == {"b": "moved from Maria to Nikos"}
    assert edits.rounds == {"Maria": (StopKey("c"),)}
    assert edits.done == {StopKey("a"): True, StopKey("b"): False, StopKey("p"): True}
    assert read(rows, b="deleted").problems == ()
    (task, problem), *others = read(rows, a={"Worker": "Nikos", "Stop": 7}).problems
    assert task == "a" and "so Worker counts for nothing" in str(problem)
    assert len(others) == 1


def test_what_is_no_answer_in_done_leaves_it_as_it_was() -> None:
    rows = written(("Maria", 1, "a"), ("Maria", 1, "b"), a={"Done": "yes"})
    edits = read(rows, a={"Done": "perhaps"}, b={"Done": "?"})
    assert edits.done == {} and edits.rounds == {"Maria": (StopKey("b"),)}
    assert [str(problem).count("so Done is unchanged") for _, problem in edits.problems] == [1, 1]


def test_an_earlier_place_is_the_one_that_was_typed() -> None:
    edits = read(day(), c={"Stop": 2})
    assert order(edits, "Maria") == "a c b m m>"
    assert texts(edits)["c"] == "order 5 -> 2"
    assert texts(edits).keys() == {"c", "b", "m"}, "those it was moved past keep their order"
    assert texts(edits)["b"] == "order kept beside Vc"
    assert {edit.worker for edit in edits.tasks} == {"Maria"}


def test_a_later_place_is_the_one_that_was_typed() -> None:
    edits = read(day(), a={"Stop": 2})
    assert order(edits, "Maria") == "b a m m> c"
    assert texts(edits).keys() == {"a", "b"}


def test_two_that_swap_places_keep_what_is_between() -> None:
    edits = read(day(), a={"Stop": 5}, c={"Stop": "1,0"})
    assert order(edits, "Maria") == "c b m m> a"
    assert texts(edits)["a"] == "order 1 -> 5"
    assert {key for edit in edits.tasks for key in edit.locked} == set(edits.rounds["Maria"])


def test_another_worker_alone_leaves_the_place_to_the_plan() -> None:
    edits = read(day(), b={"Worker": " nikos "})
    (edit,) = edits.tasks
    assert (edit.worker, edit.text, edit.locked) == ("Nikos", "moved from Maria to Nikos", ())
    assert order(edits, "Nikos") == "x y"
    assert order(edits, "Maria") == "a m m> c"
    assert edit.cell == f"A{TOP + 2}"


def test_another_worker_with_a_place_is_put_there() -> None:
    edits = read(day(), b={"Worker": "Nikos", "Stop": 1})
    assert order(edits, "Nikos") == "b x y"
    assert texts(edits) == {
        "b": "moved from Maria to Nikos, order 1", "x": "order kept beside Vb",
    }  # fmt: skip


def test_a_move_goes_whole_and_follows_its_pick_up() -> None:
    edits = read(day(), m={"Worker": "Nikos"})
    assert {edit.task_id: edit.worker for edit in edits.tasks} == {"m": "Nikos"}
    assert order(edits, "Maria") == "a b c"
    edits = read(day(), m_={"Worker": "Nikos"})
    assert edits.tasks == ()
    ((task, problem),) = edits.problems
    assert (task, problem.cell, problem.severity) == ("m", f"A{TOP + 4}", Severity.WARNING)
    assert "so Maria does both" in str(problem)


def test_a_drop_off_before_its_pick_up_is_named_and_not_done() -> None:
    edits = read(day(), m_={"Stop": 1})
    assert order(edits, "Maria") == "a b m m> c"
    assert [(task, problem.cell) for task, problem in edits.problems] == [("m", f"B{TOP + 4}")]
    assert edits.tasks == ()


def test_locks_and_exclusions_and_their_end() -> None:
    edits = read(day(), a={"Lock": "Yes"}, b={"Exclude": True}, m_={"Exclude": "yes"})
    assert texts(edits) == {"a": "locked", "b": "excluded", "m": "excluded"}
    assert order(edits, "Maria") == "a c"
    kept = written(
        ("Maria", 1, "a"), ("", None, "b"),
        a={"Lock": "yes", "Edit": "order 3 -> 1"}, b={"Exclude": "yes", "Edit": "excluded"},
    )  # fmt: skip
    edits = read(kept)
    assert texts(edits) == {"a": "order 3 -> 1", "b": "excluded"}
    assert not any(edit.new for edit in edits.tasks)
    assert read(kept, a={"Lock": None}, b={"Exclude": "no"}).tasks == ()
    given = read(kept, b={"Exclude": "", "Worker": "Nikos"})
    assert texts(given)["b"] == "given to Nikos"


def test_a_cleared_lock_does_not_stop_a_new_edit() -> None:
    rows = written(("Maria", 1, "a"), ("Maria", 2, "b"), a={"Lock": "yes", "Edit": "locked"})
    edits = read(rows, a={"Lock": "", "Worker": "Nikos"})
    assert texts(edits) == {"a": "moved from Maria to Nikos"}


@pytest.mark.parametrize(
    ("change", "cell", "says"),
    [
        ({"Worker": "Eleni"}, "A6", "'Eleni' is no worker"),
        ({"Worker": ""}, "A6", "so Maria keeps the task"),
        ({"Stop": "soon"}, "B6", "'soon' is no number"),
        ({"Stop": True}, "B6", "is no number"),
        ({"Stop": "nan"}, "B6", "is no number"),
        ({"Lock": "maybe"}, "C6", "neither yes nor empty"),
        ({"Exclude": 7}, "D6", "neither yes nor empty"),
        ({"Done": "perhaps"}, "J6", "neither yes nor no, so Done is unchanged"),
        ("deleted", "", "Set Exclude to yes"),
    ],
)
def test_what_cannot_be_used_is_named_at_its_cell_and_changes_nothing(change, cell, says) -> None:
    edits = read(day(), b=change)
    ((task, problem),) = edits.problems
    assert (task, problem.cell, problem.severity) == ("b", cell, Severity.WARNING)
    assert says in str(problem)
    assert edits.tasks == ()
    assert order(edits, "Maria") == "a b m m> c"


def test_a_sheet_without_the_columns_has_no_edits() -> None:
    snapshot = Snapshot("test", {"Routes": SheetCells("Routes", {(1, 1): "Worker"})}, (), "")
    assert read_edits(snapshot, day(), ["Maria"]) == Edits()
    assert read_edits(Snapshot("test", {}, (), ""), day(), ["Maria"]) == Edits()


@pytest.fixture(scope="module")
def planned(made_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample planned with more to do, in a short search."""
    folder = shutil.copytree(made_workspace, tmp_path_factory.mktemp("planned") / "city")
    path = folder / "FleetDesk.xlsx"
    edit_all(
        path,
        ("Thresholds", "Low battery below", 70),
        ("Weights", "Bonus at priority 100", 12),
        ("City", "Route search effort", 50),
    )
    run_workbook(path, clock=Clock())
    return folder


@pytest.fixture
def busy(planned: Path, tmp_path: Path) -> Path:
    """Its workbook."""
    return Path(shutil.copytree(planned, tmp_path / "my city")) / "FleetDesk.xlsx"


def records(path: Path) -> list[dict[str, Any]]:
    """The rows of Routes with their row numbers."""
    page = openpyxl.load_workbook(path)["Routes"]
    grid = list(page.iter_rows(values_only=True))
    top = next(n for n, row in enumerate(grid) if "Row" in row)
    return [
        dict(zip(grid[top], row, strict=True)) | {"at": n}
        for n, row in enumerate(grid[top + 1 :], start=top + 2)
        if row[grid[top].index("Row")]
    ]


def change(path: Path, *changes: tuple[dict[str, Any], str, object]) -> None:
    book = openpyxl.load_workbook(path)
    page = book["Routes"]
    for row, header, value in changes:
        columns = {cell.value: cell.column for line in page.iter_rows() for cell in line}
        page.cell(row["at"], columns[header]).value = value
    book.save(path)


def test_a_planners_edits_are_kept_priced_and_kept_again(busy: Path) -> None:
    path = busy
    first = [row for row in records(path) if row["Task"]]
    singles = {
        worker: [r for r in first if (r["Worker"], r["Action"]) == (worker, "swap battery")]
        for worker in ("Maria", "Nikos")
    }
    other, mine = sorted(singles, key=lambda worker: len(singles[worker]))
    assert len(singles[mine]) >= 5, "the sample day is too small for this test"
    moved, early, locked, excluded, late = (singles[mine][n] for n in (0, 1, 2, 3, -1))
    change(
        path,
        (moved, "Worker", other),
        (late, "Stop", early["Stop"]),
        (early, "Stop", late["Stop"]),
        (locked, "Lock", "yes"),
        (excluded, "Exclude", "yes"),
    )
    dry = dry_run(path, clock=Clock())
    result = run_workbook(path, clock=Clock())
    assert dry.summary["profit"] == result.published.summary["profit"]
    second = records(path)
    _kept(second, moved, late, early, locked, excluded, other, mine)
    by_task = {row["Row"]: row for row in second}
    assert by_task[moved["Row"]]["Edit"] == f"moved from {mine} to {other}"
    assert by_task[late["Row"]]["Edit"] == f"order {late['Stop']} -> {early['Stop']}"
    assert by_task[locked["Row"]]["Edit"] in ("locked", f"order kept beside {late['Vehicle']}")
    for row in second:
        if row["Edit"]:
            assert row["Edit costs (EUR)"] is not None
            assert row["Edit costs (min)"] is not None
            assert not row["Problem"]
    dearest = max((row for row in second if row["Edit"]), key=lambda row: row["Edit costs (EUR)"])
    assert dearest["Row"] in (moved["Row"], late["Row"], early["Row"])
    assert dearest["Edit costs (min)"] > 0
    why = dict(zip(column(path, "Tasks", "Task"), column(path, "Tasks", "Why not planned"),
                   strict=True))  # fmt: skip
    assert why[excluded["Task"]].startswith("Excluded by you")

    run_workbook(path, clock=Clock())
    third = records(path)
    _kept(third, moved, late, early, locked, excluded, other, mine)
    assert {r["Row"]: r["Edit"] for r in third if r["Edit"]} == {
        r["Row"]: r["Edit"] for r in second if r["Edit"]
    }

    free = [(row, header, None) for row in third for header in ("Lock", "Exclude")]
    change(path, *free)
    run_workbook(path, clock=Clock())
    fourth = records(path)
    assert [(r["Worker"], r["Row"]) for r in fourth if r["Task"]] == [
        (r["Worker"], r["Row"]) for r in first
    ]
    assert not any(row["Edit"] for row in fourth)


def test_what_may_be_edited_has_the_soft_fill(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    page = openpyxl.load_workbook(path)["Routes"]
    row = records(path)[0]["at"]
    soft = [cell.column_letter for cell in page[row] if cell.fill.fgColor.rgb == "FFFFF8E6"]
    assert soft == ["A", "B", "C", "D", "E"]


def _kept(rows, moved, late, early, locked, excluded, other, mine) -> None:
    at = {row["Row"]: row for row in rows}
    assert at[moved["Row"]]["Worker"] == other
    assert at[late["Row"]]["Worker"] == at[early["Row"]]["Worker"] == mine
    assert at[late["Row"]]["Stop"] < at[early["Row"]]["Stop"]
    assert at[locked["Row"]]["Worker"] == mine
    assert {at[row["Row"]]["Lock"] for row in (moved, late, early, locked)} == {"yes"}
    assert at[excluded["Row"]]["Worker"] is None
    assert at[excluded["Row"]]["Exclude"] == "yes"


def test_an_impossible_edit_says_why_at_its_row(busy: Path) -> None:
    path = busy
    rows = [row for row in records(path) if row["Task"]]
    book = openpyxl.load_workbook(path)
    page = book["Workers & vans"]
    name = next(c for line in page.iter_rows() for c in line if c.value == rows[0]["Worker"])
    working = next(c for line in page.iter_rows() for c in line if c.value == "Working")
    page.cell(name.row, working.column).value = "no"
    book.save(path)
    change(path, (rows[0], "Lock", "yes"))
    result = run_workbook(path, clock=Clock())
    problem = f"{rows[0]['Worker']} does not work on this day"
    at = {row["Row"]: row for row in records(path)}
    assert at[rows[0]["Row"]]["Problem"] == problem + "."
    assert not at[rows[0]["Row"]]["Lock"]
    assert any(problem in str(warning) for warning in result.warnings)
    assert result.published.summary["tasks_planned"] > 0


def test_edits_end_with_their_day(workspace: Path) -> None:
    path = workspace / "FleetDesk.xlsx"
    rows = [row for row in records(path) if row["Task"]]
    change(path, (rows[0], "Exclude", "yes"))
    book = openpyxl.load_workbook(path)
    for line in book["City"].iter_rows():
        for cell in line:
            if cell.value == "Day to plan":
                book["City"].cell(cell.row, cell.column + 1).value = "2026-06-12"
    book.save(path)
    result = run_workbook(path, clock=Clock())
    assert any("not carried over to 2026-06-12" in str(warning) for warning in result.warnings)
