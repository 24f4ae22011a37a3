"""Questions about riders, asked in a run over a small simulated city, and scoring afterwards."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.errors import NotEnoughData, StoreUnusable
from fleetdesk.model.analyses import CHURN, LIFETIME_VALUE, RETENTION, SEGMENTS
from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.generate import dimensions, generate
from fleetdesk.store.open import open_any
from fleetdesk.workflows.demo import city_settings
from fleetdesk.workflows.run import run_workbook
from fleetdesk.workflows.score import score
from fleetdesk.workflows.workspace import make_workbook
from tests.workflows.conftest import START, Clock, column, edit, edit_all

ASKED = (SEGMENTS, CHURN, RETENTION, LIFETIME_VALUE)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("riders") / "city"
    spec = demo_city(vehicles=20, days=23)
    with (
        open_any("", folder / "store", create=True) as store,
        store.new_generation("city") as generation,
    ):
        for name, rows in dimensions(spec, 3).items():
            generation.append(name, rows)
        for batch in generate(spec, 3):
            for name, rows in batch.tables.items():
                if name != "telemetry":  # riders are not in it
                    generation.append(name, rows)
    book = folder / "FleetDesk.xlsx"
    make_workbook(book, city_settings(spec, 3))
    edit_all(book, ("Churn", "Looks ahead", 7), ("Churn", "Model", "gradient boosting"))
    asked = [known.name for known in ASKED]
    done = run_workbook(book, only=asked, clock=Clock(START + timedelta(1)))
    (folder / "headlines.txt").write_text("\n".join(done.headlines), encoding="utf-8")
    return folder


@pytest.fixture
def city(answered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(answered, tmp_path / "city"))


def test_every_sheet_has_its_answer(answered: Path) -> None:
    book = answered / "FleetDesk.xlsx"
    names = openpyxl.load_workbook(book, read_only=True).sheetnames
    assert {name for known in ASKED for name in known.sheets} <= set(names)
    assert column(book, "Churn risk", "Risk") == ["High", "Medium", "Low"]
    assert sum(n or 0 for n in column(book, "Rider segments", "Riders")) > 40
    assert column(book, "Retention curves", "All (%)")[0] == 100
    assert column(book, "Rider value", "Tier")[:4] == ["Platinum", "Gold", "Silver", "Bronze"]
    assert "gradient boosting" in column(book, "Churn model", "Model")


def test_the_headline_says_of_whom_leaving_is_foretold(answered: Path) -> None:
    told = (answered / "headlines.txt").read_text("utf-8")
    found = re.search(
        r"of the (\d+) riders who rode in the last 7 days or hold a package are at high risk of "
        r"leaving within 7 days; acting on those for whom it pays, (fewer than )?\d+, should",
        told,
    )
    assert found, told
    counted = sum(n or 0 for n in column(answered / "FleetDesk.xlsx", "Churn risk", "Riders"))
    assert counted <= int(found[1])


def test_no_rider_is_named_before_the_planner_allows_it(answered: Path) -> None:
    book = openpyxl.load_workbook(answered / "FleetDesk.xlsx", read_only=True)
    told = {
        str(cell)
        for known in ASKED
        for name in known.sheets
        for row in book[name].iter_rows(values_only=True)
        for cell in row
    }
    riders = {f"r{number:05d}" for number in range(300)}
    assert not told & riders


def test_groups_too_small_are_not_counted(answered: Path) -> None:
    counts = column(answered / "FleetDesk.xlsx", "Churn by package", "Riders")
    assert counts and all(count is None or count >= 10 for count in counts)


def test_riders_who_agreed_are_listed_once_the_planner_allows_it(city: Path) -> None:
    book = city / "FleetDesk.xlsx"
    edit_all(book, ("Riders", "Show rider ids", "yes"), ("Riders", "Smallest group shown", 1))
    run_workbook(book, only=["churn"], clock=Clock(START + timedelta(2)))
    listed = [rider for rider in column(book, "Churn by rider", "Rider") if rider]
    riders = sum(n for n in column(book, "Churn risk", "Riders") if n is not None)
    # 86 of 100 riders of the simulated city agreed.
    assert 0.7 * riders < len(listed) < 0.97 * riders


def test_scoring_places_riders_as_the_run_did_without_learning(city: Path) -> None:
    book = city / "FleetDesk.xlsx"
    edit(book, "Riders", "Show rider ids", "yes")
    found = score(book, out=city / "scores.csv", clock=Clock(START + timedelta(3)))
    assert found.used == ("segments", "churn", "lifetime_value")
    names = column(book, "Rider segments", "Segment")
    counts = dict(zip(names, column(book, "Rider segments", "Riders"), strict=True))
    for name, count in counts.items():
        if count is not None and f"segment {name}" in found.groups:
            assert found.groups[f"segment {name}"] == count
    assert not found.doubts
    rows = list(csv.DictReader((city / "scores.csv").read_text().splitlines()))
    assert 0 < len(rows) < found.riders
    told = [row for row in rows if row["risk"]]
    assert 0 < len(told) < len(rows)
    assert all(0 <= float(row["chance_to_leave_pct"]) <= 100 for row in told)
    assert re.search(r"Not in the file: (fewer than )?\d+ riders", found.as_dict()["text"])


def test_an_old_model_is_to_be_learnt_anew(city: Path) -> None:
    found = score(city / "FleetDesk.xlsx", clock=Clock(START + timedelta(days=60)))
    assert "days old" in found.doubts["churn"]
    assert "Learn churn anew" in str(found.as_dict()["text"])


def test_what_is_past_the_limits_is_learnt_anew_when_asked(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, clock = city / "FleetDesk.xlsx", Clock(START + timedelta(days=60))
    kept = len(list((city / "outputs").glob("*/models/segments")))
    for old in ("churn", "lifetime_value"):
        for model in (city / "outputs").glob(f"*/models/{old}"):
            shutil.rmtree(model)
    out = city / "scores.csv"
    with monkeypatch.context() as broken:
        broken.setattr("fleetdesk.workflows.score.run_workbook", _stopped)
        with pytest.raises(KeyboardInterrupt):
            score(book, out=out, learn=True, clock=clock)
    assert not out.exists(), "nothing is written by models that are to be learnt anew"
    found = score(book, out=out, learn=True, clock=clock)
    assert "days old" in found.learnt["segments"] and not found.doubts
    assert found.file == out and out.is_file()
    assert "Learnt segments anew" in str(found.as_dict()["text"])
    assert len(list((city / "outputs").glob("*/models/segments"))) == kept + 1
    again = score(book, learn=True, clock=clock)
    assert not again.learnt and again.groups == found.groups


def _stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_riders_who_changed_are_noticed(city: Path) -> None:
    edit_all(
        city / "FleetDesk.xlsx",
        ("City", "Day to plan", (START - timedelta(days=12)).date()),
        ("Riders", "Learn anew at drift of", 0.01),
    )
    found = score(city / "FleetDesk.xlsx", clock=Clock(START + timedelta(3)))
    assert "riders changed" in found.doubts["churn"]


def test_scoring_names_nobody_without_leave_and_says_why(city: Path) -> None:
    out = city / "scores.csv"
    found = score(city / "FleetDesk.xlsx", out=out, clock=Clock(START + timedelta(3)))
    assert len(out.read_text("utf-8").splitlines()) == 1
    assert "header only" in found.as_dict()["text"] and "Riders: Show rider ids" in found.left_out


def test_a_tampered_model_is_refused(city: Path) -> None:
    (model,) = (city / "outputs").glob("*/models/churn/model.json")
    told = json.loads(model.read_text())
    told["churn"]["base_rate"] = 0.0
    model.write_text(json.dumps(told))
    with pytest.raises(StoreUnusable, match="refused"):
        score(city / "FleetDesk.xlsx", clock=Clock(START + timedelta(3)))


def test_without_a_kept_model_it_says_what_to_do(workspace: Path) -> None:
    with pytest.raises(NotEnoughData, match="--only churn"):
        score(workspace / "FleetDesk.xlsx", clock=Clock())


def test_with_too_few_days_the_time_in_the_package_tells_what_it_can(workspace: Path) -> None:
    book = workspace / "FleetDesk.xlsx"
    run_workbook(book, only=["churn"], clock=Clock())
    note = openpyxl.load_workbook(book)["Churn risk"]["A2"].value
    assert "time in the package alone" in note and "90 are needed" in note
    assert column(book, "Churn model", "Model")[0] is None
    assert "pays per trip" not in column(book, "Churn by package", "Package")
    assert not list((workspace / "outputs").glob("*/models/churn"))
