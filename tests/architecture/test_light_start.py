"""The command line starts at once, because nothing heavy is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("PySide6", "pandas", "ibis", "duckdb", "numpy", "scipy", "pyarrow", "pyvrp", "ortools")
LOADED = f"""
import sys
import fleetdesk.apps.cli
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
HELP = """
import atexit, sys, time
atexit.register(lambda: print(time.process_time(), file=sys.stderr))
sys.argv = ["fleetdesk", "--help"]
from fleetdesk.apps.cli import main
main()
"""
LIMIT_S = 0.3
TRIES = 8


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    result = python(LOADED)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


def test_help_takes_less_than_a_third_of_a_second_of_processor_time() -> None:
    measured: list[float] = []
    # The least of several runs is the program's own cost; the rest is the machine's noise.
    while not measured or (min(measured) >= LIMIT_S and len(measured) < TRIES):
        result = python(HELP)
        assert result.returncode == 0, result.stderr
        assert "demo" in result.stdout
        measured.append(float(result.stderr.split()[-1]))
    assert min(measured) < LIMIT_S, measured
