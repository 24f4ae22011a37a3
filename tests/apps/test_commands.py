"""The commands that look after a workspace, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.sources.kinds import KINDS

HEAD = "hour_at,temperature_c,rain_mm,wind_kmh\n"


def said(*words: object, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(cli, [*map(str, words), "--json"])
    assert result.exit_code == code, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture
def city(tmp_path: Path) -> Path:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "weather.csv").write_text(HEAD + "2024-05-01T00:00:00Z,1,0,0\n")
    said("import", "tables", tables, "--into", tmp_path / "city", "--timezone", "Europe/Athens")
    return tmp_path / "city"


def test_help_names_every_kind_with_its_options() -> None:
    text = " ".join(CliRunner().invoke(cli, ["import", "--help"]).output.split())
    for kind in KINDS.values():
        assert kind.name in text and " ".join(kind.place.split()) in text
        for option in kind.options:
            assert f"{option.name}: " in text


def test_a_workspace_goes_into_one_file_and_back(city: Path, tmp_path: Path) -> None:
    assert said("backup", city, tmp_path / "city.zip")["files"] > 3
    assert said("restore", tmp_path / "city.zip", tmp_path / "again")["files"] > 3
    rows = said("status", tmp_path / "again")["rows"]
    assert rows == said("status", city)["rows"] == {"weather": 1}
    assert "not an empty folder" in said("restore", tmp_path / "city.zip", city, code=1)["cause"]
    assert said("gc", city, "--dry-run")["dry_run"]


def test_jobs_are_typed_with_the_commands_own_options_behind_the_folder(city: Path) -> None:
    typed = ["schedule", "add", "--at", "03:30", "--json", str(city), "run"]
    added = json.loads(CliRunner().invoke(cli, typed).stdout)
    assert "03:30 (Europe/Athens)" in added["text"]
    words = ("import", "mds", "https://mds.example", "--option", "version=2.0")
    result = CliRunner().invoke(cli, ["schedule", "add", "--every", "15m", str(city), *words])
    assert result.exit_code == 0
    jobs = said("schedule", "list", city)["jobs"]
    assert [job["command"] for job in jobs] == ["run", " ".join(words)]
    assert said("schedule", "remove", city, "1")["removed"] == "1"
    assert said("schedule", "run", city, "--due")["done"] == 0
    assert len(said("status", city)["schedules"]) == 1
    wrong = CliRunner().invoke(cli, ["schedule", "add", str(city), "run"])
    assert wrong.exit_code == 2 and "--every 15m" in wrong.output


def test_where_there_is_no_workspace_it_is_a_sentence(tmp_path: Path) -> None:
    for words in (("status",), ("gc",), ("schedule", "run")):
        answer = said(*words, tmp_path / "none", code=1 if words[0] == "schedule" else 6)
        assert answer["cause"]
    assert not (tmp_path / "none").exists()
