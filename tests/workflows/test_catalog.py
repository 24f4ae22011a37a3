"""The one list of analyses: what it promises is what the modules and the sheet Questions hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.analyses import ANALYSES
from fleetdesk.model.analysis import Analysis
from fleetdesk.model.tables import TABLES
from fleetdesk.settings.fields import SECTIONS
from fleetdesk.settings.schema import Questions, Settings
from fleetdesk.workflows import answers
from fleetdesk.workflows.catalog import asked, empty_sheets_of, listing
from fleetdesk.workflows.run import run_workbook
from tests.workflows.conftest import Clock, edit_all

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_sheet_asks_for_every_analysis_in_its_words() -> None:
    fields = Questions.model_fields
    assert list(fields) == [known.name for known in ANALYSES]
    for known in ANALYSES:
        assert fields[known.name].title == known.title
        assert fields[known.name].description == known.question


def test_every_analysis_has_one_module_and_no_module_is_left_over() -> None:
    modules = {path.stem for path in Path(answers.__file__).parent.glob("[!_]*.py")}
    assert modules == {known.name for known in ANALYSES}


def test_the_sheets_promised_are_the_sheets_made() -> None:
    promised = [name for known in ANALYSES for name in known.sheets]
    assert [sheet.sheet for sheet in empty_sheets_of(Settings())] == promised
    assert len(set(promised)) == len(promised)


@pytest.mark.parametrize("known", ANALYSES, ids=lambda known: known.name)
def test_what_an_analysis_names_is_there(known: Analysis) -> None:
    assert set(known.inputs) <= set(TABLES)
    assert set(known.settings) <= set(SECTIONS)
    assert (DOCS / known.page).is_file()
    assert known.question.endswith("?")


def test_the_overview_leads_to_the_page_of_every_question() -> None:
    text = (DOCS / "analyses" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| \[(.+)\]\((.+)\) \|$", text, re.MULTILINE)
    told = [(a, b, c, (DOCS / "analyses" / page).resolve()) for a, b, c, page in rows]
    assert told == [(a.name, a.question, a.title, DOCS / a.page) for a in ANALYSES]


def test_listing_names_all() -> None:
    assert [entry["name"] for entry in listing()["questions"]] == [a.name for a in ANALYSES]


def test_what_is_named_is_asked_and_nothing_else() -> None:
    assert [known.name for known in asked(Settings(), ["plan"])] == ["plan"]
    with pytest.raises(FleetDeskError, match=r"no question named chrun.*mean 'churn'") as said:
        asked(Settings(), ["plan", "chrun"])
    assert said.value.exit_code == 2
    assert ", ".join(a.name for a in ANALYSES) in said.value.found


def test_a_workbook_that_asks_nothing_is_told_so(workspace: Path) -> None:
    workbook = workspace / "FleetDesk.xlsx"
    edit_all(workbook, *(("Questions", known.title, "no") for known in ANALYSES))
    before = workbook.read_bytes()
    with pytest.raises(FleetDeskError, match="No question is asked"):
        run_workbook(workbook, clock=Clock())
    assert workbook.read_bytes() == before
