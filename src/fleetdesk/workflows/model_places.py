"""Where runs have left what they learnt; reads no model."""

from __future__ import annotations

import json
from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path

from fleetdesk.workflows.context import OUTPUTS_FOLDER

MODELS_FOLDER = "models"
_UNREADABLE = datetime.max.replace(tzinfo=UTC)


def newest_models(folder: Path, runs: Container[str] | None = None) -> dict[str, Path]:
    """The folder of the newest model of each name in a workspace, by when it was made.

    `runs` = only those of these runs. One whose manifest cannot be read counts as the newest, so
    that who loads it is told.
    """
    newest: dict[str, tuple[datetime, Path]] = {}
    for manifest in sorted((folder / OUTPUTS_FOLDER).glob(f"*/{MODELS_FOLDER}/*/manifest.json")):
        place = manifest.parent
        if runs is not None and place.parents[1].name not in runs:
            continue
        made_at = _made_at(manifest)
        if place.name not in newest or made_at >= newest[place.name][0]:
            newest[place.name] = made_at, place
    return {name: place for name, (_, place) in newest.items()}


def _made_at(manifest: Path) -> datetime:
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
        return datetime.fromisoformat(told["made_at"]).astimezone(UTC)
    except (OSError, ValueError, TypeError, KeyError):
        return _UNREADABLE
