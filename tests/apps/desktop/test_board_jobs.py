"""What the window's helper process tells of rounds that were changed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fleetdesk.apps.desktop.work.board_jobs import board, draw
from fleetdesk.workflows.context import MAP_NAME, OUTPUTS_FOLDER
from fleetdesk.workflows.progress import silent


def test_a_task_taken_out_is_drawn_with_those_that_the_plan_left_out(city: Path) -> None:
    there = board(silent, workbook=str(city))
    gone = there.stops[0]
    rounds = {
        worker: tuple(
            (stop.task_id, stop.drop_off)
            for stop in there.stops
            if stop.worker == worker and stop.task_id != gone.task_id
        )
        for worker in there.workers
    }
    page = draw(silent, workbook=str(city), run=there.run_id, sequences=rounds)
    data = _data(Path(page))
    drawn = {one["vehicle"]: one["why"] for one in data["dropped"]}
    assert there.left_out
    assert drawn == {gone.vehicle: "Left out by you."} | {
        one.vehicle: one.why for one in there.left_out
    }
    planned = _data(city.parent / OUTPUTS_FOLDER / there.run_id / MAP_NAME)
    assert data["demand"] == planned["demand"] != []


def _data(page: Path) -> dict:
    found = re.search(
        r'id="fleetdesk-data"[^>]*>(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    assert found
    return json.loads(found[1])
