"""The command line as a planner meets it: sentences, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.apps.console import run_command
from fleetdesk.errors import FleetDeskError


@pytest.mark.parametrize("command", ["demo", "run", "check", "import", "doctor"])
def test_every_command_has_help_and_json(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_missing_workbook_is_a_sentence(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, [command, str(tmp_path / "none.xlsx")])
    assert result.exit_code == 4
    assert "none.xlsx" in result.output
    assert "Traceback" not in result.output


def test_errors_as_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "none.xlsx"), "--json"])
    parts = json.loads(result.stdout)
    assert parts["ok"] is False
    assert parts["error"] == "WorkbookRefused"
    assert parts["fix"]


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "x.xlsx", "--frob"],
        ["frob"],
        ["import", "files", "x"],
        ["schedule", "frob"],
    ],
)
def test_a_wrong_usage_is_json_too(words: list[str]) -> None:
    result = CliRunner().invoke(cli, [*words, "--json"])
    parts = json.loads(result.stdout)
    assert result.exit_code == 2
    assert (parts["ok"], parts["error"]) == (False, "WrongUsage")
    assert parts["cause"] and "--help" in parts["fix"]
    assert "Usage:" in CliRunner().invoke(cli, words).stderr  # without --json it is for people


def test_a_fault_of_our_own_is_a_sentence_with_a_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(lambda: {"text": str(1 // 0)}, as_json=False) == 70
    said = capsys.readouterr().err
    assert "Traceback" not in said
    report = Path(said.rsplit("The report is in ", 1)[1].strip().rstrip("."))
    assert "ZeroDivisionError" in report.read_text(encoding="utf-8")
    report.unlink()


def test_an_error_says_cause_found_fix_and_retry() -> None:
    error = FleetDeskError("It broke", found="a stone", fix="Remove it", retry_helps=True)
    assert str(error) == "It broke. Found: a stone. Remove it. Trying again may help."


def test_cancel_is_not_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> dict[str, str]:
        raise KeyboardInterrupt

    assert run_command(stop, as_json=False) == 130
    assert "Cancelled" in capsys.readouterr().err
