"""From the plan to the workers' mail boxes and the sheet Mail log, through a real SMTP server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.errors import FleetDeskError
from fleetdesk.workflows.context import fingerprint
from fleetdesk.workflows.mail_log import LOG_NAME, MailEntry, note, read_log
from fleetdesk.workflows.run import run_workbook
from tests.services.smtp import PASSWORD, Box, make_certificate, smtp_server

from .conftest import START, Clock, column, edit, edit_all


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[tuple[Box, int]]:
    with smtp_server(certificate) as server:
        yield server


@pytest.fixture
def box(
    server: tuple[Box, int], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Box, int]:
    """The server with an empty box, and all that is needed to sign in."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("FLEETDESK_SMTP_PASSWORD", PASSWORD)
    server[0].mails.clear()
    return server


@pytest.fixture(scope="module")
def planned(
    made_workspace: Path, server: tuple[Box, int], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The sample workspace with the mail server, an address for each of the two workers, and work
    for both."""
    folder = shutil.copytree(made_workspace, tmp_path_factory.mktemp("planned") / "city")
    path = folder / "FleetDesk.xlsx"
    edit_all(
        path,
        ("Mail", "Mail server", "localhost"),
        ("Mail", "Port", server[1]),
        ("Mail", "User", "planner"),
        ("Mail", "Sender", "planning@example.org"),
        ("Mail", "Subject", "Δρομολόγιο {worker}, {day}"),
        ("Mail", "Patience", 2),
        # Swaps everywhere, whatever they bring.
        ("Thresholds", "Low battery below", 90),
        ("Thresholds", "Lowest ROI", -100),
        ("Weights", "Bonus at priority 100", 50),
    )
    addresses(path, Maria="maria@example.org", Nikos="nikos@example.org")
    run_workbook(path, only=("plan",), clock=Clock())
    return folder


@pytest.fixture
def book(planned: Path, tmp_path: Path, box: tuple[Box, int]) -> Path:
    """Its workbook."""
    return Path(shutil.copytree(planned, tmp_path / "city")) / "FleetDesk.xlsx"


def addresses(path: Path, **mails: str) -> None:
    """Type the mail addresses of workers."""
    book = openpyxl.load_workbook(path)
    page = book["Workers & vans"]
    heads = {str(cell.value).split(" (")[0]: cell for row in page.iter_rows() for cell in row}
    for worker, mail in mails.items():
        row = next(r for r in range(1, 30) if page.cell(r, heads["Worker"].column).value == worker)
        page.cell(row, heads["Mail"].column).value = mail
    book.save(path)


def mail(path: Path, *options: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["mail", str(path), "--json", *options])
    assert result.exit_code == code, result.output
    return json.loads(result.output.splitlines()[-1])


def test_each_worker_gets_the_own_route_once(book: Path, box: tuple[Box, int]) -> None:
    first = mail(book)
    assert first["mailed"] == ["Maria", "Nikos"] and first["not_mailed"] == {}
    maria, nikos = box[0].mails
    assert str(maria["Subject"]).startswith("Δρομολόγιο Maria, ")
    assert nikos["To"] == "Nikos <nikos@example.org>"
    text = maria.get_body(("plain",)).get_content()
    assert "Maria" in text and "Nikos" not in text
    assert column(book, "Mail log", "Result")[:2] == ["sent", "sent"]
    log = column(book, "Run log", "Result")
    assert log[-1] == "done", "mailing is a run of its own"

    again = mail(book)
    assert again["mailed"] == [] and set(again["left_out"]) == {"Maria", "Nikos"}
    assert "got this same route" in again["left_out"]["Maria"]
    assert len(box[0].mails) == 2
    assert mail(book, "--again", "--only", "Maria")["mailed"] == ["Maria"]
    assert box[0].mails[2]["Message-ID"] == maria["Message-ID"]


def test_a_refused_address_is_told_and_tried_again_next_time(book, box) -> None:
    addresses(book, Maria="refused@example.org")
    told = mail(book, code=1)
    assert told["mailed"] == ["Nikos"]
    assert "550 no such user here" in told["not_mailed"]["Maria"]
    whys = column(book, "Mail log", "Why")
    assert any("550 no such user" in str(why) for why in whys)
    addresses(book, Maria="maria@example.org")
    assert mail(book)["mailed"] == ["Maria"]


def test_a_dry_run_writes_the_mails_and_sends_none(book, box) -> None:
    before = book.read_bytes()
    shown = mail(book, "--dry-run", "--only", "Nikos")
    assert box[0].mails == [] and book.read_bytes() == before
    page, letter = (Path(name) for name in shown["files"])
    assert (page.name, letter.name) == ("Nikos.html", "Nikos.eml")
    assert "data:image/png" in page.read_text() and "http-equiv" not in page.read_text()
    assert "Subject: =?utf-8?" in letter.read_text()
    assert list(shown["mails"]) == ["Nikos"]


def test_a_dry_run_needs_no_server_and_says_what_is_missing(book, box) -> None:
    edit_all(book, ("Mail", "Sender", None), ("Mail", "Mail server", None))
    shown = mail(book, "--dry-run", "--only", "Nikos")
    assert len(shown["files"]) == 2 and shown["missing"] == ["Mail server", "Sender"]
    assert "fill in Mail server and Sender on Mail" in shown["text"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (("Mail server", None), "the sheet Mail is not filled in"),
        (("Sender", None), "the sheet Mail is not filled in"),
        (("Port", 9), "cannot be reached"),
    ],
)
def test_what_stops_all_mail_is_a_sentence_and_changes_nothing(book, box, change, cause) -> None:
    edit(book, "Mail", *change)
    before = book.read_bytes()
    told = mail(book, code=1)
    assert cause in told["cause"] and told["fix"]
    assert book.read_bytes() == before and read_log(book.parent) == ()


def test_a_wrong_and_a_missing_password_are_told_apart(book, box, monkeypatch) -> None:
    monkeypatch.setenv("FLEETDESK_SMTP_PASSWORD", "wrong-horse")
    told = mail(book, code=1)
    assert "does not accept the sign-in of planner" in told["cause"]
    assert "wrong-horse" not in json.dumps(told)
    monkeypatch.delenv("FLEETDESK_SMTP_PASSWORD")
    monkeypatch.setattr("fleetdesk.settings.secrets._read", lambda name: None)
    assert mail(book, code=1)["fix"] == "Enter it once: fleetdesk login smtp"


def test_who_has_no_address_and_who_is_unknown(book, box) -> None:
    addresses(book, Nikos="")
    told = mail(book)
    assert told["left_out"] == {"Nikos": "the sheet Workers & vans has no mail address"}
    assert "Anna has no route in the last plan" in mail(book, "--only", "Anna", code=1)["cause"]


def test_nothing_is_mailed_before_there_is_a_plan_or_when_its_files_are_gone(book, box) -> None:
    for file in book.parent.glob("outputs/*/routes/routes.json"):
        file.unlink()
    told = mail(book, code=1)
    assert told["cause"] == "The files of the last plan are gone"
    assert "fleetdesk plan" in told["fix"]


def test_plan_and_mail_in_one_run_mails_the_new_plan_where_it_is_another(book, box) -> None:
    edit(book, "Questions", "Mail the routes", "yes")
    first = run_workbook(book, clock=Clock())
    assert len(box[0].mails) == 2
    assert first.headlines[-1].startswith(f"Mailed 2 routes of plan {first.published.run_id}")
    assert first.published.summary["questions"][-1] == "mail"
    assert first.as_dict()["exit_code"] == 0
    assert first.published.fingerprint == fingerprint(str(book)), "the watch knows it as its own"
    addresses(book, Maria="refused@example.org")
    again = run_workbook(book, clock=Clock()).as_dict()
    assert len(box[0].mails) == 2, "the new plan has the same routes"
    assert "1 left out" in again["text"] and again["tasks_planned"] > 0
    assert list(again["not_mailed"]) == ["Maria"] and again["exit_code"] == 1
    assert sum("Maria (refused@example.org) got no mail" in n for n in again["warnings"]) == 1


def test_the_log_outlives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    entry = MailEntry(START, "Maria", "m@example.org", "k", "R1", "2026-06-17", "s")
    note(tmp_path, entry)
    path = tmp_path / "outputs" / LOG_NAME
    with path.open("a") as file:
        file.write('{"at": "2026-06-')
    note(tmp_path, entry)
    assert read_log(tmp_path) == (entry, entry)


def test_mail_needs_a_plan(workspace: Path, box, tmp_path: Path) -> None:
    from fleetdesk.workflows.context import open_context
    from fleetdesk.workflows.mailing import MailOptions, post

    path = workspace / "FleetDesk.xlsx"
    with open_context(str(path), None, Clock(), writing=False) as context:
        for run in context.store.runs.list():
            context.store.runs.undone(run.run_id, ended_at=START)
        with pytest.raises(FleetDeskError, match="no plan to mail"):
            post(context, MailOptions())
