"""Offers to workers: made in one run, answered by what crews did, learnt from in the next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fleetdesk.workflows import task_pay
from fleetdesk.workflows.context import open_context
from fleetdesk.workflows.plan_day import plan_day
from fleetdesk.workflows.run import run_workbook
from tests.workflows.conftest import Clock, column, edit, edit_all


def test_offers_are_made_answered_and_learnt_from(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock = workspace / "FleetDesk.xlsx", Clock()
    edit_all(
        path,
        ("Costs & prices", "Pay workers per task", "yes"),
        ("Thresholds", "ROI counted for", "scooter"),
        ("City", "Day to plan", date(2026, 6, 14)),
    )
    run_workbook(path, clock=clock)
    prices = [price for price in column(path, "Tasks", "Offered to workers (EUR)") if price]
    assert len(prices) >= 3
    edit(path, "City", "Day to plan", date(2026, 6, 16))
    monkeypatch.setattr(task_pay, "OFFERS_NEEDED", 3)
    with open_context(str(path), None, clock, writing=False) as context:
        day = plan_day(context.store, context.settings, looking_back=False)
    told = [note for note in day.notes if note.found == "Pay per task rests on"]
    assert told[0].expected == f"{len(prices)} answered offers of earlier runs"
