"""A workbook of an older version is brought to this one by a run, and by nothing else."""

from __future__ import annotations

import errno
import re
import shutil
import zipfile
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from fleetdesk.errors import WorkbookRefused
from fleetdesk.settings.fields import SECTIONS
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import SCHEMA_VERSION, SHEET_ORDER, Settings
from fleetdesk.sheets import file_switch
from fleetdesk.sheets.base import SCHEMA_ROW, WritePlan
from fleetdesk.sheets.memory import MemoryWorkbook
from fleetdesk.sheets.xlsx_file import XlsxFile
from fleetdesk.workflows.context import workbook_in
from fleetdesk.workflows.dry_run import dry_run
from fleetdesk.workflows.migrate_workbook import plan_migration
from fleetdesk.workflows.run import RunResult, check_workbook, run_workbook
from fleetdesk.workflows.undo import undo_run

from .conftest import Clock
from .old_workbook import LABELS_OF_2, decorate, write_version_1

FORMS = ("City", "Thresholds", "Costs & prices")
LIST = "Workers & vans"
NEW_SHEETS = [SECTIONS[s].sheet for s in SHEET_ORDER if SECTIONS[s].since > 1]
ADDED = [
    *(f"{sheet}: {label}" for sheet in (*FORMS, LIST) for label in LABELS_OF_2[sheet]),
    *(f"{sheet}: the whole sheet" for sheet in NEW_SHEETS),
]


@dataclass(frozen=True)
class Migrated:
    """The old workbook after a run."""

    path: Path
    before: bytes
    result: RunResult


@pytest.fixture(scope="module")
def made_old(made_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample workspace's workbook as version 1 had it, with the planner's own work."""
    path = workbook_in(shutil.copytree(made_workspace, tmp_path_factory.mktemp("old") / "city"))
    settings = read_settings(XlsxFile(path).snapshot()).settings
    path.unlink()
    write_version_1(path, settings)
    decorate(path)
    return path


@pytest.fixture(scope="module")
def made_migrated(made_old: Path, tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    path = _copied(made_old, tmp_path_factory.mktemp("migrated"))
    return Migrated(path, path.read_bytes(), run_workbook(path, clock=Clock()))


@pytest.fixture
def old(made_old: Path, tmp_path: Path) -> Path:
    return _copied(made_old, tmp_path)


@pytest.fixture
def migrated(made_migrated: Migrated, tmp_path: Path) -> Migrated:
    return replace(made_migrated, path=_copied(made_migrated.path, tmp_path))


def _copied(workbook: Path, to: Path) -> Path:
    return Path(shutil.copytree(workbook.parent, to / "my city")) / workbook.name


def settings_of(path: Path) -> Settings:
    return read_settings(XlsxFile(path).snapshot()).settings


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_run_adds_what_the_old_workbook_lacks(made_old: Path, migrated: Migrated) -> None:
    old, result, before = migrated.path, migrated.result, settings_of(made_old)
    assert list(result.added_settings) == ADDED
    snapshot = XlsxFile(old).snapshot()
    reading = read_settings(snapshot)
    assert snapshot.settings_schema == SCHEMA_VERSION
    assert reading.settings == before and reading.new == ()
    text = str(result.as_dict()["text"])
    assert f"Backup    {result.published.backup}" in text
    assert "Thresholds: 8 settings are new, with defaults: Tasks are made by = ROI" in text
    issues = [str(value) for value in snapshot.sheets["Issues"].cells.values()]
    assert any("Data store = empty" in value for value in issues)
    assert any("Added below the table" in v and "folder backups" in v for v in issues)
    again = run_workbook(old, clock=Clock())
    assert again.added_settings == () and again.published.changed == ()
    assert "are new" not in str(again.as_dict()["text"])


def test_the_new_rows_look_and_behave_as_their_neighbours(made_migrated: Migrated) -> None:
    book = openpyxl.load_workbook(made_migrated.path)
    for name in FORMS:
        page = book[name]
        (table,) = (t for t in page.tables.values() if t.displayName != "MyList")
        last = int(table.ref.rpartition("D")[2])
        labels = [page.cell(row, 1).value for row in range(5, last + 1)]
        assert labels[-len(LABELS_OF_2[name]) :] == LABELS_OF_2[name]
        first = last - len(LABELS_OF_2[name]) + 1
        rules = {str(area): rule for rule in page.data_validations.dataValidation
                 for area in rule.sqref.ranges}  # fmt: skip
        for row in range(first, last + 1):
            for column in (1, 3, 4):
                assert page.cell(row, column)._style == page.cell(5, column)._style
            value = page.cell(row, 2)
            assert value.fill.fgColor.rgb == page.cell(5, 2).fill.fgColor.rgb
            assert not value.protection.locked
            assert page.cell(row, 4).value and page.row_dimensions[row].height
            assert rules[f"B{row}"].promptTitle == str(page.cell(row, 1).value)[:32]
    costs, thresholds = book["Costs & prices"], book["Thresholds"]
    pay = next(row for row in costs.iter_rows() if row[0].value == "Lowest pay per task")
    assert (pay[1].value, pay[1].number_format, pay[2].value) == (2, "0.00", "=City_currency")
    choice = next(row for row in thresholds.iter_rows() if row[0].value == "ROI estimated by")
    (rule,) = (r for r in thresholds.data_validations.dataValidation
               if choice[1].coordinate in r.sqref)  # fmt: skip
    assert rule.formula1 == '"Method 2,Method 1,v0 E[min],v0 min"'
    target = book.defined_names["Thresholds_estimator"].attr_text
    assert target == f"'Thresholds'!$B${choice[1].row}"


def test_nothing_of_the_planners_is_touched(made_migrated: Migrated) -> None:
    before = openpyxl.load_workbook(BytesIO(made_migrated.before))
    after = openpyxl.load_workbook(made_migrated.path)
    for page in before:
        if page.title in {*FORMS, "My sums", "Weights", "Parkings"}:
            new = after[page.title]
            for row in page.iter_rows():
                for cell in row:
                    same = new[cell.coordinate]
                    if cell.value is not None:
                        assert (same.value, same._style) == (cell.value, cell._style)
                        assert (same.comment and same.comment.text) == (
                            cell.comment and cell.comment.text
                        )
    page = after["Thresholds"]
    assert page.tables["MyList"].ref == before["Thresholds"].tables["MyList"].ref
    (chart,) = page._charts
    assert (chart.anchor._from.col, chart.anchor._from.row) == (8, 2)
    assert [str(r.sqref) for r in page.conditional_formatting] == [
        str(r.sqref) for r in before["Thresholds"].conditional_formatting
    ]
    assert "G5:G40" in [str(rule.sqref) for rule in page.data_validations.dataValidation]


def test_only_the_parts_of_the_settings_tables_change(old: Path) -> None:
    before = parts(old)
    workbook = XlsxFile(old)
    snapshot = workbook.snapshot()
    migration = plan_migration(workbook, read_settings(snapshot), writing=True)
    plan = WritePlan((), migration.additions, settings_schema=migration.settings_schema)
    workbook.commit(plan, snapshot.fingerprint)
    after = parts(old)
    assert before.keys() == after.keys()
    changed = {name for name in before if after[name] != before[name]}
    tables = {n for n in changed if n.startswith("xl/tables/")}
    sheets = {n for n in changed if n.startswith("xl/worksheets/")}
    assert {re.search(rb'displayName="(\w+)"', before[n])[1] for n in tables} == {
        b"City", b"Thresholds", b"Costs", b"Workers",
    }  # fmt: skip
    manifest = {n for n in sheets if b"manifest_version" in after[n]}
    assert len(sheets) == 5 and len(manifest) == 1
    assert changed - tables - sheets <= {"xl/workbook.xml", "xl/styles.xml"}
    for name in sheets - manifest:
        # Insertions alone: what was there is still there, in its order.
        assert is_within(before[name], after[name]), name


def is_within(old: bytes, new: bytes) -> bool:
    """Whether every element of the old text stands in the new one, in the same order."""
    grown = (rb'(<dimension ref=")[^"]*', rb'(<dataValidations count=")[^"]*')
    for pattern in grown:
        old, new = re.sub(pattern, rb"\1", old), re.sub(pattern, rb"\1", new)
    found = iter(re.findall(rb"<[^>]*>[^<]*", new))
    return all(piece in found for piece in re.findall(rb"<[^>]*>[^<]*", old))


def test_undo_restores_the_old_workbook_exactly(migrated: Migrated) -> None:
    assert Path(migrated.result.published.backup).read_bytes() == migrated.before
    undo_run(migrated.path, clock=Clock())
    assert migrated.path.read_bytes() == migrated.before


def test_check_and_dry_run_only_say_what_would_be_added(old: Path) -> None:
    before = old.read_bytes()
    checked = str(check_workbook(old).as_dict()["text"])
    told = dry_run(old, clock=Clock())
    assert list(told.added_settings) == ADDED
    for text in (checked, str(told.as_dict()["text"])):
        assert "Thresholds: 8 settings are new, with defaults: " in text
        assert "A run adds that below the table and keeps the workbook as it was" in text
    assert old.read_bytes() == before


def test_where_something_is_in_the_way_the_sheet_stays_and_the_planner_is_told(old: Path) -> None:
    book = openpyxl.load_workbook(old)
    page = book["Costs & prices"]
    page.cell(19, 3).value = "=1+1"
    book.create_sheet("Questions")["A1"] = "What Maria asked"
    book.save(old)
    result = run_workbook(old, clock=Clock())
    assert "Costs & prices: Pay workers per task" not in result.added_settings
    assert "City: Data store" in result.added_settings
    (note,) = (text for w in result.warnings if "Pay workers per task" in (text := str(w)))
    assert "Pay workers per task = no; Lowest pay per task = 2" in note
    assert "Not added because C19 is in use; to change one, add its row" in note
    assert any("a sheet of your own named Questions" in str(note) for note in result.warnings)
    assert settings_of(old).questions.plan is True
    snapshot = XlsxFile(old).snapshot()
    assert snapshot.settings_schema == 1, "so that the next run tries again"
    book = openpyxl.load_workbook(old)
    assert book["Questions"]["A1"].value == "What Maria asked"
    del book["Questions"]
    book["Costs & prices"].cell(19, 3).value = None
    book.save(old)
    again = run_workbook(old, clock=Clock())
    assert list(again.added_settings) == [
        *(f"Costs & prices: {label}" for label in LABELS_OF_2["Costs & prices"]),
        "Questions: the whole sheet",
    ]
    assert XlsxFile(old).snapshot().settings_schema == SCHEMA_VERSION


def test_a_run_that_fails_adds_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_switch, "_back_up", full_disk)
    with pytest.raises(WorkbookRefused, match="no room on the disk"):
        run_workbook(old, clock=Clock())
    assert old.read_bytes() == before


def test_a_new_workbook_has_the_present_version(workspace: Path) -> None:
    assert XlsxFile(workbook_in(workspace)).snapshot().settings_schema == SCHEMA_VERSION


def test_a_workbook_of_a_newer_program_is_refused_untouched(workspace: Path) -> None:
    path = workbook_in(workspace)
    book = openpyxl.load_workbook(path)
    (row,) = (r for r in book["_fleetdesk"].iter_rows() if r[0].value == SCHEMA_ROW)
    row[1].value = SCHEMA_VERSION + 1
    book.save(path)
    before = path.read_bytes()
    for act in (lambda: run_workbook(path, clock=Clock()), lambda: check_workbook(path)):
        with pytest.raises(WorkbookRefused, match="newer FleetDesk"):
            act()
    assert path.read_bytes() == before


def test_an_adapter_that_cannot_add_is_told_of_and_keeps_its_version(old: Path) -> None:
    class Stubborn(MemoryWorkbook):
        def obstacles(self, new, whole=()):
            return {sheet.table: "this is a Google Sheet" for sheet in (*new, *whole)}

    snapshot = XlsxFile(old).snapshot()
    workbook = Stubborn({name: page.cells for name, page in snapshot.sheets.items()})
    reading = read_settings(snapshot)
    migration = plan_migration(workbook, reading, writing=True)
    assert migration.additions == migration.sheets == () and migration.settings_schema == 1
    told = sum("because this is a Google Sheet" in str(w) for w in migration.warnings)
    assert told == len(reading.new) > len(NEW_SHEETS)


def test_whole_new_sheets_are_added_and_are_the_planners_from_then_on(migrated: Migrated) -> None:
    old = migrated.path
    assert "Questions: the whole sheet" in migrated.result.added_settings
    book = openpyxl.load_workbook(old)
    page = book["Questions"]
    assert page["A4"].value == "Setting" and page["B5"].value == "yes"
    assert page.tables["Questions"].ref.startswith("A4:D")
    rules = {str(rule.sqref): rule.type for rule in page.data_validations.dataValidation}
    assert rules["B5"] == "list"
    assert "Questions_plan" in book.defined_names
    owned = [row[0].value for row in book["_fleetdesk"].iter_rows()]
    assert "Questions" not in owned
    page["B5"].value = "no"
    book.save(old)
    assert settings_of(old).questions.plan is False
