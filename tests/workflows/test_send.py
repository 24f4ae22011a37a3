"""Telemetry goes from one workspace through VictoriaMetrics into another, by commands alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.workflows.context import store_of
from tests.services.victoria import DEDUP, running_victoria


def command(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def telemetry(folder: Path) -> list[dict[str, Any]]:
    with store_of(folder) as store:
        rows = store.tables()["telemetry"].order_by(["vehicle_id", "recorded_at"])
        return list(rows.to_pyarrow().to_pylist())


def test_from_a_file_to_the_server_and_into_another_workspace(tmp_path: Path) -> None:
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    path = tmp_path / "pings.csv"
    lines = [
        f"v{turn % 2},{(first + timedelta(minutes=turn)).isoformat()},40.6,22.9,{turn % 90}"
        for turn in range(300)
    ]
    path.write_text("\n".join(["vehicle_id,timestamp,lat,lon,battery_pct", *lines]))
    here, there = tmp_path / "here", tmp_path / "there"
    code, said = command("import", "telemetry", path, "--into", here)
    assert (code, said["rows_kept"]) == (0, 300)
    with running_victoria(DEDUP) as address:
        code, said = command("send", "victoriametrics", address, "--workspace", here)
        assert (code, said["rows"], said["samples"]) == (0, 300, 900)
        code, said = command("import", "victoriametrics", address, "--into", there)
        assert (code, said["rows_kept"]) == (0, 300)
        code, said = command("import", "victoriametrics", address, "--into", there)
        assert (code, said["news"]) == (0, False)
    assert telemetry(there) == telemetry(here)
    code, said = command("send", "victoriametrics", "http://127.0.0.1:9", "--workspace", here)
    assert code == 5
    code, said = command(
        "send", "victoriametrics", "http://127.0.0.1:9", "--workspace", here, "--token", "no-such"
    )
    assert (code, said["cause"]) == (1, "There is no secret named no-such")


def test_a_file_asks_first_and_comes_in_once_it_is_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_text(
        "Ride ID,Scooter,Start,End,Distance (km)\n"
        "1,v1,2024-05-01 10:00,2024-05-01 10:10,1.5\n"
        "2,v2,2024-05-01 11:00,2024-05-01 11:10,1.1\n"
    )
    city = tmp_path / "city"
    code, said = command("import", "files", path, "--into", city)
    assert code == 5
    assert "please confirm" in said["cause"]
    assert [line["meaning"] for line in said["columns"]] == [
        "trip_id", "vehicle_id", "started_at", "ended_at", "distance_m"
    ]  # fmt: skip
    mapping = Path(said["mapping"])
    assert mapping.parent == city
    mapping.write_text(
        mapping.read_text("utf-8-sig").replace("(confirmed),,no", "(confirmed),,yes")
    )
    code, said = command("import", "files", path, "--into", city)
    assert (code, said["rows_kept"]) == (0, 2)
    code, said = command("import", "files", path, "--into", city)
    assert (code, said["news"]) == (0, False)
    mapping.write_text(mapping.read_text().replace("distance_m,km", "distance_m,mi"))
    code, said = command("import", "files", path, "--into", city)
    assert (code, said["news"], said["rows_kept"]) == (0, True, 2)
