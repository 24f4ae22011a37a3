"""The launcher is made from what the installed xlwings ships, and holds nothing else."""

from __future__ import annotations

import ast
import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest
from tests.workbooks.vba import modules

from fleetdesk.sheets.excel_launcher import ACTION, NAME, SHEET, Action

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("maker", CHECKOUT / "build" / "make_launcher.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return maker.make(tmp_path_factory.mktemp("launcher"), python=r"C:\Tools\python.exe")


def test_the_modules_read_back_as_expected(made: tuple[Path, Path]) -> None:
    found = modules(made[0])
    assert set(found) == {
        "ThisWorkbook", "Sheet1", "Sheet2", "Module1", "xlwings", "Dictionary"
    }  # fmt: skip
    call = found["Module1"]
    assert "Sub SampleCall()" in call
    assert 'RunPython "import " & mymodule & ";" & mymodule & ".main()"' in call
    assert "BSD 3-clause license" in found["xlwings"]
    assert "Public Function RunPython(" in found["xlwings"]
    assert not [
        name for name, code in found.items() if "Auto_Open" in code or "Workbook_Open" in code
    ]


def test_the_project_is_the_shipped_one(made: tuple[Path, Path], maker: ModuleType) -> None:
    with zipfile.ZipFile(made[0]) as archive:
        assert archive.read("xl/vbaProject.bin") == maker.vba_project()


def test_the_sheets_fit_the_project(made: tuple[Path, Path]) -> None:
    book = openpyxl.load_workbook(made[0], keep_vba=True)
    assert book.sheetnames == [SHEET, "xlwings.conf"]
    assert [page.sheet_properties.codeName for page in book.worksheets] == ["Sheet1", "Sheet2"]
    assert book.vba_archive is not None
    assert book["xlwings.conf"]["B1"].value == r"C:\Tools\python.exe"


def test_what_run_does_is_chosen_from_a_list(made: tuple[Path, Path]) -> None:
    page = openpyxl.load_workbook(made[0])[SHEET]
    (choice,) = page.data_validations.dataValidation
    assert choice.sqref == openpyxl.worksheet.cell_range.MultiCellRange(ACTION)
    assert choice.formula1 == '"run,check,undo,open map"'
    assert page[ACTION].value == Action.RUN


def test_the_button_calls_the_macro(made: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(made[0]) as archive:
        drawing = next(archive.read(n) for n in archive.namelist() if n.endswith(".vml")
                       and b"Button" in archive.read(n))  # fmt: skip
    assert b"[0]!SampleCall" in drawing
    assert b"Run" in drawing


def test_the_names_fit_together(made: tuple[Path, Path]) -> None:
    workbook, module = made
    assert workbook.stem == module.stem == NAME
    assert NAME.isidentifier(), "the macro imports the module by this name"
    tree = ast.parse(module.read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert [(node.module, node.names[0].name) for node in imports] == [
        ("fleetdesk.apps.excel", "main")
    ]


def test_the_same_sources_make_the_same_file(maker: ModuleType, tmp_path: Path) -> None:
    first, second = maker.make(tmp_path / "a")[0], maker.make(tmp_path / "b")[0]
    assert first.read_bytes() == second.read_bytes()


def test_no_macro_is_kept_with_the_sources() -> None:
    kept = [f for folder in ("workbooks", "src", "build") for f in (CHECKOUT / folder).rglob("*")]
    assert (CHECKOUT / "workbooks" / "planner.xlsx") in kept
    assert not [file for file in kept if file.suffix in (".xlsm", ".xlam", ".bin")]
