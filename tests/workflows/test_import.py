"""Records come in once, are accounted for, and a real fleet's day can be planned from them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli

from .conftest import column, edit, edit_all

HEAD = (
    "snapshot_unix,bike_id,last_reported_unix,lat,lon,current_range_meters,is_reserved,"
    "is_disabled,vehicle_type_id\n"
)
FACTS = {
    "rows": "rows",
    "snapshots": "snapshots",
    "vehicles": "vehicles",
    "range_rises_ge_10km": "range rises",
    "of_which_also_moved_over_150m": "rises also moved",
    "range_after_rise_median_m": "range after rise p50 m",
    "moves_over_150m_without_rise": "moves without rise",
}


def command(*arguments: object) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def wolfsburg(shared_data: Path) -> tuple[Path, dict[str, object]]:
    folder = shared_data / "gbfs"
    reference = json.loads((folder / "tier_wolfsburg_reference.json").read_text("utf-8"))
    return folder / "tier_wolfsburg_2023-07-31_08-01.csv.gz", reference


@pytest.mark.real_data
def test_a_real_fleet_is_imported_with_the_known_counts_and_planned(
    shared_data: Path, tmp_path: Path
) -> None:
    feed, reference = wolfsburg(shared_data)
    city = tmp_path / "Wolfsburg"
    code, said = command(
        "import", "gbfs-snapshots", feed, "--into", city, "--timezone", "Europe/Berlin"
    )
    assert code == 0
    facts = said["facts"]
    for name, label in FACTS.items():
        assert facts[label] == reference[name], name  # type: ignore[index]
    for share, metres in reference["range_before_rise_m"].items():  # type: ignore[attr-defined]
        assert facts[f"range before rise p{share} m"] == metres  # type: ignore[index]
    path = city / "FleetDesk.xlsx"
    edit_all(
        path,
        # So many vehicles stand about there that hardly a swap adds a trip to the fleet's.
        ("Thresholds", "ROI counted for", "scooter"),
        ("Thresholds", "Rounds for error margins", 5),
        ("City", "Route search effort", 200),
    )
    code, first = command("run", path)
    assert code == 0
    assert first["tasks_found"] > 0  # type: ignore[operator]
    edit(path, "Costs & prices", "Price per minute", 0.5)
    code, dearer = command("run", path)
    assert code == 0
    assert dearer["changed"] == ["Costs & prices: Price per minute: 0.2 -> 0.5"]
    assert dearer["tasks_planned"] > first["tasks_planned"]  # type: ignore[operator]
    assert all(column(path, "Tasks", "Why not planned"))


def test_a_run_is_advised_once_there_is_something_to_plan(tmp_path: Path) -> None:
    weather, feed, city = tmp_path / "weather", tmp_path / "feed.csv", tmp_path / "city"
    weather.mkdir()
    (weather / "weather.csv").write_text(
        "hour_at,temperature_c,rain_mm,wind_kmh\n2023-07-31T00:00:00Z,1,0,0\n", encoding="utf-8"
    )
    _, said = command("import", "tables", weather, "--into", city)
    assert "import what tells of vehicles" in str(said["text"])
    assert "fleetdesk run" not in str(said["text"])
    feed.write_text(f"{HEAD}1690803922,a,1690803900,52.42,10.77,20000,0,0,t\n", encoding="utf-8")
    _, said = command("import", "gbfs-snapshots", feed, "--into", city)
    assert "Next: fleetdesk run" in str(said["text"])


def test_the_same_rows_twice_are_there_once(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    rows = "".join(
        f"{1690803922 + 300 * n},a,{1690803900 + 300 * n},52.42,10.77,{20000 - 500 * n},0,0,t\n"
        for n in range(4)
    )
    feed.write_text(HEAD + rows, encoding="utf-8")
    facts, news = [], []
    for more in ((), ("--again",), ()):
        code, said = command("import", "gbfs-snapshots", feed, "--into", tmp_path / "city", *more)
        assert code == 0
        news.append(said["news"])
        if said["news"]:
            facts.append(said["facts"]["rows"])  # type: ignore[index]
    assert facts == [4, 4] and news == [True, True, False]


def test_one_look_at_the_street_is_planned_on_what_the_sheet_assumes(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    rows = (
        f"1690803922,{v},1690803900,{52.42 + v / 1000},10.77,{4000 * v},0,0,t\n" for v in (1, 9)
    )
    feed.write_text(HEAD + "".join(rows), encoding="utf-8")
    city = tmp_path / "city"
    assert command("import", "gbfs-snapshots", feed, "--into", city)[0] == 0
    code, said = command("run", city / "FleetDesk.xlsx", "--only", "plan")
    assert code == 0
    assert said["tasks_found"] == 1
    assert any("2 trips a day, each of 10 minutes" in note for note in said["warnings"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.csv", b"<!doctype html><html><body>Too many requests</body></html>"),
        ("empty.csv", b""),
        ("cut.csv.gz", gzip.compress((HEAD + "1,a\n" * 5000).encode(), mtime=0)[:200]),
        ("head.csv", HEAD.replace("bike_id", "bike").encode() + b"1,2,3,4,5,6,7,8,9\n"),
        ("noise.csv", bytes(range(256)) * 40),
    ],
)
def test_what_is_no_feed_is_refused_and_nothing_is_made(
    name: str, content: bytes, tmp_path: Path
) -> None:
    feed = tmp_path / name
    feed.write_bytes(content)
    code, said = command("import", "gbfs-snapshots", feed, "--into", tmp_path / "city")
    assert code == 5
    assert said["error"] == "SourceUnreadable"
    assert said["cause"]
    assert not (tmp_path / "city" / "FleetDesk.xlsx").exists()


def test_a_folder_of_strangers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine", encoding="utf-8")
    code, said = command("demo", "--out", tmp_path)
    assert code == 1
    assert "thesis.docx" in str(said["found"])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]
