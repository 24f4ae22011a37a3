"""Crew routes as JSON beside a run's other files, so that they can be mailed later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Point
from fleetdesk.model.plan import Action, PauseKind
from fleetdesk.model.work import TaskKind
from fleetdesk.outputs.crew.stops import CrewPause, CrewRoute, CrewStop

_FORM = 1


def to_json(routes: Sequence[CrewRoute]) -> str:
    """The routes as text; `from_json` gives them back as they were."""
    kept = {"form": _FORM, "routes": [asdict(route) for route in routes]}
    return json.dumps(kept, ensure_ascii=False, indent=1, default=datetime.isoformat)


def from_json(text: str) -> tuple[CrewRoute, ...]:
    """The routes that `to_json` wrote; FleetDeskError when the file is another or damaged."""
    try:
        kept = json.loads(text)
        if kept["form"] != _FORM:
            raise ValueError(f"form {kept['form']}")
        return tuple(_route(row) for row in kept["routes"])
    except (ValueError, KeyError, TypeError) as error:
        raise FleetDeskError(
            "The routes of the last plan cannot be read",
            found=f"{type(error).__name__}: {error}",
            fix="Run again: fleetdesk plan",
        ) from error


def _route(row: dict[str, Any]) -> CrewRoute:
    return CrewRoute(
        **_plain(row, "starts_at", "ends_at", "start", "end", "stops", "pauses"),
        starts_at=datetime.fromisoformat(row["starts_at"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        start=Point(**row["start"]),
        end=Point(**row["end"]),
        stops=tuple(_stop(stop) for stop in row["stops"]),
        pauses=tuple(_pause(pause) for pause in row["pauses"]),
    )


def _stop(row: dict[str, Any]) -> CrewStop:
    return CrewStop(
        **_plain(row, "arrive_at", "action", "kinds", "at"),
        arrive_at=datetime.fromisoformat(row["arrive_at"]),
        action=Action(row["action"]),
        kinds=tuple(TaskKind(kind) for kind in row["kinds"]),
        at=Point(**row["at"]),
    )


def _pause(row: dict[str, Any]) -> CrewPause:
    return CrewPause(
        kind=PauseKind(row["kind"]),
        start_at=datetime.fromisoformat(row["start_at"]),
        end_at=datetime.fromisoformat(row["end_at"]),
        after_stop=row["after_stop"],
        at=Point(**row["at"]),
    )


def _plain(row: dict[str, Any], *but: str) -> dict[str, Any]:
    """The plain values, without those that are more than text and numbers."""
    return {name: value for name, value in row.items() if name not in but}
