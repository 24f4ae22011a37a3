"""What the frozen app's libraries lose is not missed: they load, and do what FleetDesk asks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux's libraries are made lighter"),
    pytest.mark.skipif(not shutil.which("ld"), reason="needs binutils"),
]

SORTED = """
from PySide6.QtCore import QCollator, QLocale
words = ["Ωμέγα", "άλφα", "Ärger", "Zebra", "ñandú", "nz", "llama", "luz", "ısı", "I", "北京"]
for name in ("el_GR", "de_DE", "sv_SE", "es_ES", "tr_TR", "zh_CN", "C"):
    where = QLocale(name)
    order = QCollator(where)
    order.setNumericMode(True)
    print(sorted([*words, "10", "9"], key=order.sortKey), where.toUpper("istanbul"))
"""

ROUTED = """
from ortools.constraint_solver import pywrapcp, routing_enums_pb2 as enums
manager = pywrapcp.RoutingIndexManager(8, 2, 0)
routing = pywrapcp.RoutingModel(manager)
far = routing.RegisterTransitCallback(
    lambda a, b: abs(manager.IndexToNode(a) - manager.IndexToNode(b))
)
routing.SetArcCostEvaluatorOfAllVehicles(far)
routing.AddDimension(far, 5, 30, False, "time")
routing.GetDimensionOrDie("time").SetGlobalSpanCostCoefficient(3)
search = pywrapcp.DefaultRoutingSearchParameters()
search.first_solution_strategy = enums.FirstSolutionStrategy.GLOBAL_CHEAPEST_ARC
search.use_cp_sat = 3
search.time_limit.FromMilliseconds(300)
print(routing.SolveWithParameters(search).ObjectiveValue())
"""


@pytest.fixture(scope="module")
def lighten(checkout: Path) -> ModuleType:
    path = checkout / "build" / "lighten.py"
    spec = importlib.util.spec_from_file_location("lighten", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def place_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def told(code: str, **around: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **around},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_library_of_a_wheel_works_without_what_only_tools_read(
    lighten: ModuleType, tmp_path: Path
) -> None:
    (whole,) = (place_of("numpy").parent / "numpy.libs").glob("libscipy_openblas*")
    packed = tmp_path / whole.name
    packed.write_bytes(lighten.loaded_parts(whole.read_bytes()))
    assert packed.stat().st_size < whole.stat().st_size - 500_000
    for other in whole.parent.iterdir():
        if other.name != whole.name:
            (tmp_path / other.name).symlink_to(other)
    code = f"import ctypes; print(ctypes.CDLL({str(packed)!r}).scipy_openblas_get_num_threads64_())"
    assert told(code, OPENBLAS_NUM_THREADS="1") == "1\n"


def test_words_are_ordered_as_before_without_the_tables_that_qt_does_not_ask(
    lighten: ModuleType, tmp_path: Path
) -> None:
    pytest.importorskip("PySide6")
    (whole,) = (place_of("PySide6") / "Qt" / "lib").glob("libicudata.so.*")
    lighter = Path(shutil.copy(whole, tmp_path))
    lighten._replace_icu(lighter)
    assert lighter.stat().st_size < whole.stat().st_size / 4
    assert told(SORTED, LD_PRELOAD=str(lighter)) == told(SORTED)


def test_routes_are_found_without_the_solvers_of_linear_programs(
    lighten: ModuleType, tmp_path: Path
) -> None:
    whole = place_of("ortools")
    for name in ("ortools", "ortools.libs"):
        shutil.copytree(whole.with_name(name), tmp_path / name)
    lighten.hollow(tmp_path / "ortools" / ".libs", lighten._UNCALLED)
    assert told("import ortools; print(ortools.__file__)", PYTHONPATH=str(tmp_path)).startswith(
        str(tmp_path)
    )
    assert told(ROUTED, PYTHONPATH=str(tmp_path)) == told(ROUTED)


def test_the_same_library_at_two_places_becomes_one(lighten: ModuleType, tmp_path: Path) -> None:
    whole = next((place_of("numpy").parent / "numpy.libs").glob("libquadmath*"))
    for name in ("a", "b/c"):
        (tmp_path / name).mkdir(parents=True)
        shutil.copy(whole, tmp_path / name)
    lighten.link_copies(tmp_path)
    second = tmp_path / "b" / "c" / whole.name
    assert second.is_symlink() and second.read_bytes() == whole.read_bytes()
    assert not second.readlink().is_absolute()
