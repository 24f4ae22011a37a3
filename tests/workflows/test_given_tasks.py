"""Tasks on no route, given to a worker on the sheet Tasks."""

from __future__ import annotations

from typing import Any

import pytest

from fleetdesk.model.edits import StopKey
from fleetdesk.sheets.base import SheetCells, Snapshot
from fleetdesk.workflows.given_tasks import Given, given_tasks
from fleetdesk.workflows.route_edits import read_edits

from .test_route_edits import HEADERS, TOP, order, read, texts, written

WORKERS = ["Maria", "Νίκος"]
LAST = [
    {"Task": name, "Vehicle": f"V{name}", "Planned?": planned}
    for name, planned in (("p", "Maria, stop 1"), ("q", "no"), ("r", "no"))
]


def given(**typed: tuple[Any, Any]) -> Given:
    cells: dict[tuple[int, int], Any] = {(4, 1): "Task", (4, 2): "Give to", (4, 3): "As stop"}
    for line, row in enumerate(LAST, start=5):
        worker, place = typed.get(row["Task"], (None, None))
        values = (row["Task"], worker, place)
        cells |= {(line, column): value for column, value in enumerate(values, start=1) if value}
    return given_tasks(SheetCells("Tasks", cells), LAST, WORKERS)


def test_a_task_goes_to_the_worker_and_place_that_are_typed() -> None:
    rows, problems = given(q=(" maria ", 1.5), r=("Νίκος", None))
    assert [(row.key, row.worker, row.stop) for row in rows] == [
        (StopKey("q"), "Maria", 1.5), (StopKey("r"), "Νίκος", None),
    ]  # fmt: skip
    assert problems == () and rows[0].cells["Worker"] == "B6"


@pytest.mark.parametrize(
    ("task", "worker", "said"),
    [("q", "Petros", "is no worker"), ("p", "Maria", "on a route")],
)
def test_what_cannot_be_used_is_said_at_its_cell(task: str, worker: str, said: str) -> None:
    rows, problems = given(**{task: (worker, None)})
    ((name, problem),) = problems
    assert rows == () and name == task and said in str(problem) and problem.cell.startswith("B")


def test_a_sheet_of_an_older_run_gives_nothing() -> None:
    old = SheetCells("Tasks", {(4, 1): "Task", (5, 1): "q"})
    assert given_tasks(old, LAST, WORKERS) == ((), ()) == given_tasks(None, LAST, WORKERS)


def test_given_tasks_come_into_the_order_of_the_sheet_routes() -> None:
    rows = written(("Maria", 1, "a"), ("Maria", 2, "b"), ("", None, "r"),
                   r={"Exclude": "yes", "Edit": "excluded"})  # fmt: skip
    cells: dict[tuple[int, int], Any] = {}
    for line, row in enumerate([dict(zip(HEADERS, HEADERS, strict=True)), *rows], start=TOP):
        cells |= {(line, n): row[head] for n, head in enumerate(HEADERS, start=1) if row[head]}
    snapshot = Snapshot("test", {"Routes": SheetCells("Routes", cells)}, ("Routes",), "")
    edits = read_edits(snapshot, rows, WORKERS, given(q=("Maria", 1.5), r=("Νίκος", None)))
    assert order(edits, "Maria") == "a q b"
    assert texts(edits)["q"] == "given to Maria, order 1.5"
    assert texts(edits)["r"] == "excluded", "who left it out there has to take it in there"
    assert read(rows).rounds == {"Maria": (StopKey("a"), StopKey("b"))}
