"""Each third-party library has one home, so that replacing it means changing one folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOMES = {
    "PySide6": ("apps/desktop",),
    "shiboken6": ("apps/desktop",),
    "pyqtgraph": ("apps/desktop",),
    "qtawesome": ("apps/desktop",),
    "platformdirs": ("apps/desktop",),
    "xlwings": ("sheets",),
    "gspread": ("sheets",),
    "google": ("sheets",),
    "google_auth_oauthlib": ("sheets",),
    "keyring": ("settings/secrets",),
    "openpyxl": ("sheets", "sources/mapped_xlsx"),
    "xlsxwriter": ("sheets",),
    "smtplib": ("outputs/mail",),
    "folium": ("outputs/map",),
    "branca": ("outputs/map",),
    "pmtiles": ("outputs/city_map",),
    "ortools": ("routes",),
    "pyvrp": ("routes",),
    "osmium": ("routes/streets",),
    "osrm": ("routes/osrm",),
    "duckdb": ("store", "sources"),
    "sqlite3": ("store", "sources"),
    "pymysql": ("store", "sources"),
    "MySQLdb": ("store", "sources"),
    "psycopg": ("store", "sources"),
    "psycopg2": ("store", "sources"),
    "pyspark": ("store", "sources"),
    "skops": ("store/model_files",),
    "threadpoolctl": ("riders/threads",),
    "fastapi": ("apps/serving_api", "apps/worker"),
    "uvicorn": ("apps/serving", "apps/worker"),
    "mlxtend": ("riders/baskets",),
    "statsmodels": ("riders",),
}


def strangers(relative: str, source: str) -> list[str]:
    """The libraries that `source`, at `relative` inside the package, must not import there."""
    module = relative.removesuffix(".py").removesuffix("/__init__")
    return sorted(
        name
        for name in {imported.split(".")[0] for imported in imports(ast.parse(source))}
        if name in HOMES
        and not any(module == home or module.startswith(f"{home}/") for home in HOMES[name])
    )


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_library_stays_at_home(checkout: Path, source_files: list[Path]) -> None:
    package = checkout / "src" / "fleetdesk"
    found = {
        file.relative_to(package).as_posix(): names
        for file in source_files
        if (
            names := strangers(
                file.relative_to(package).as_posix(), file.read_text(encoding="utf-8")
            )
        )
    }
    assert not found


@pytest.mark.parametrize(
    ("relative", "source", "expected"),
    [
        ("routes/solve.py", "from pyvrp import Model", []),
        ("outputs/map/__init__.py", "import folium", []),
        ("outputs/mapping.py", "import folium", ["folium"]),
        ("tasks/select.py", "def f():\n    import ortools.constraint_solver", ["ortools"]),
        ("apps/cli.py", "import importlib\nimportlib.import_module('PySide6.QtGui')", ["PySide6"]),
        ("features/trips.py", "import duckdb, sqlite3", ["duckdb", "sqlite3"]),
        ("sheets/xlsx_file.py", "from fleetdesk.routes import pyvrp_engine", []),
    ],
)
def test_the_rule_tells_home_from_abroad(relative: str, source: str, expected: list[str]) -> None:
    assert strangers(relative, source) == expected
