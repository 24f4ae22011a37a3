"""`build/dev.py` says in sentences what is wrong, and does its work only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Each program stands in for a real one and writes down how it was called. The first lines are a
# shell's and a Python's at once: the interpreter's path may hold a space, and a #! line may not.
RECORDER = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
sys.exit(int(os.environ.get("CODE", "0")))
"""


class StandIn:
    """A checkout whose `.venv` claims to be complete and holds only recorders."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.top = folder / "a checkout"
        self.log = folder / "log"
        (self.top / "build").mkdir(parents=True)
        (self.top / "benchmarks").mkdir()
        (self.top / "benchmarks" / "speed.py").touch()
        for name in ("build/dev.py", "build/system_needs.py", "pyproject.toml"):
            (self.top / name).write_bytes((checkout / name).read_bytes())
        (self.top / "build" / "lock").mkdir()
        for name in ("tools", "run", "dev"):
            (self.top / "build" / "lock" / f"{name}.txt").write_text(name, encoding="utf-8")
        bin_ = self.top / ".venv" / "bin"
        bin_.mkdir(parents=True)
        text = RECORDER.format(python=sys.executable, log=str(self.log))
        for name in ("python", "fleetdesk", "uv", "lint-imports"):
            (bin_ / name).write_text(text, encoding="utf-8")
            (bin_ / name).chmod(0o755)

    def stamp(self, packages: str) -> None:
        code = (
            "import json, dev; dev._write_stamp({'base': dev._base(), "
            f"'packages': {packages!r}, 'contents': dev._contents({packages!r})}})"
        )
        subprocess.run([sys.executable, "-c", code], cwd=self.top / "build", check=True)

    def run(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("", encoding="utf-8")
        return subprocess.run(
            [sys.executable, str(self.top / "build" / "dev.py"), *args],
            cwd=self.top.parent,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def stand_in(checkout: Path, tmp_path: Path) -> StandIn:
    if os.name == "nt":
        pytest.skip("the stand-in programs are POSIX scripts")
    return StandIn(tmp_path, checkout)


def test_a_complete_environment_is_left_alone_and_arguments_are_passed_on(
    stand_in: StandIn,
) -> None:
    stand_in.stamp("run")
    assert stand_in.run("demo", "--seed", "7").returncode == 0
    out = str(stand_in.top / "demo")
    assert stand_in.calls() == [["fleetdesk", "demo", "--out", out, "--seed", "7"]]
    stand_in.run("demo", "--out=elsewhere")
    assert stand_in.calls() == [["fleetdesk", "demo", "--out=elsewhere"]]


def test_the_run_time_commands_are_content_with_the_test_packages(stand_in: StandIn) -> None:
    stand_in.stamp("dev")
    assert stand_in.run("bench", "speed", "--rows", "9").returncode == 0
    script = str(stand_in.top / "benchmarks" / "speed.py")
    assert stand_in.calls() == [["python", script, "--rows", "9"]]


@pytest.mark.parametrize("had", ["run", "dev"])
def test_a_changed_lock_is_installed_and_never_less_than_before(
    had: str, stand_in: StandIn
) -> None:
    stand_in.stamp(had)
    changed = stand_in.top / "build" / "lock" / f"{had}.txt"
    changed.write_text("changed", encoding="utf-8")
    assert stand_in.run("demo").returncode == 0
    sync, install, demo = stand_in.calls()
    assert sync[:2] == ["uv", "pip"] and "--require-hashes" in sync and str(changed) in sync
    assert "--offline" in install and "--no-deps" in install
    assert demo[0] == "fleetdesk"
    stand_in.run("demo")
    assert [call[0] for call in stand_in.calls()] == ["fleetdesk"]


def test_a_failed_set_up_is_a_sentence_and_is_tried_again(stand_in: StandIn) -> None:
    stand_in.stamp("run")
    (stand_in.top / "build" / "lock" / "run.txt").write_text("changed", encoding="utf-8")
    failed = stand_in.run("demo", CODE="9")
    assert failed.returncode == 9
    assert "could not be installed" in failed.stderr and "Traceback" not in failed.stderr
    assert stand_in.run("demo").returncode == 0
    assert [call[0] for call in stand_in.calls()] == ["uv", "uv", "fleetdesk"]


def test_every_check_runs_and_the_first_failure_is_the_exit_code(stand_in: StandIn) -> None:
    stand_in.stamp("dev")
    result = stand_in.run("check", CODE="4")
    assert result.returncode == 4
    assert len(stand_in.calls()) == 4
    assert result.stderr.count("FAILED (4)") == 4


def test_the_exit_code_of_the_command_is_passed_through(stand_in: StandIn) -> None:
    stand_in.stamp("run")
    assert stand_in.run("demo", CODE="6").returncode == 6


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "A command is needed"),
        (("tets",), "There is no command 'tets'"),
        (("bench",), "Name a benchmark. There is: speed"),
        (("bench", "../dev"), "There is no benchmark '../dev'"),
        (("check", "tests"), "check takes no options"),
    ],
)
def test_wrong_usage_is_a_sentence(args: tuple[str, ...], says: str, stand_in: StandIn) -> None:
    result = stand_in.run(*args)
    assert result.returncode == 2
    assert says in result.stderr and "Traceback" not in result.stderr
