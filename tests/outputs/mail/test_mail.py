"""Mails to workers against a real SMTP server on loopback, with encryption and with trouble."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.services.smtp import PASSWORD, Box, make_certificate, smtp_server

from fleetdesk.errors import FleetDeskError
from fleetdesk.outputs.crew.stops import CrewRoute, crew_route
from fleetdesk.outputs.mail.message import route_mail
from fleetdesk.outputs.mail.send import MailServer, Security, send
from fleetdesk.settings.mail_sheet import Mail

MAIL = Mail(sender="planner@example.org", intro_text="Call <Anna> when in doubt.")
AT = datetime(2025, 6, 2, 18, 0, tzinfo=UTC)


@pytest.fixture
def route(day) -> CrewRoute:
    van = day.vans[0]
    own = next(route for route in day.plan.routes if route.worker == van.worker)
    return crew_route(own, van, {task.task_id: task for task in day.tasks}, day.settings)


def mail_to(route: CrewRoute, to: str = "eleni@example.org") -> EmailMessage:
    return route_mail(route, (), MAIL, to=to, at=AT)


def test_the_text_part_is_complete_without_pictures(route: CrewRoute) -> None:
    text = mail_to(route).get_body(("plain",)).get_content()
    for stop in route.stops:
        assert stop.vehicle in text and stop.place in text
        assert route.clock(stop.arrive_at) in text
    assert "https://www.google.com/maps/dir/" in text and "geo:" in text


def test_the_mail_has_all_parts_and_nothing_fetched_from_elsewhere(route: CrewRoute) -> None:
    mail = mail_to(route)
    assert str(mail["Subject"]).startswith("Θεσσαλονίκη: your route")
    html = mail.get_body(("html",)).get_content()
    assert 'src="cid:route.picture@fleetdesk"' in html and "data:" not in html
    assert 'src="http' not in html
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == ["route 2025-06-03.pdf", "route 2025-06-03.gpx", "route 2025-06-03.ics"]
    calendar = list(mail.iter_attachments())[2].get_content()
    assert "DTSTART:20250603T060000Z" in calendar
    assert all(len(line.encode()) <= 75 for line in calendar.splitlines())


def test_nothing_that_workers_must_not_see(day, route: CrewRoute) -> None:
    mail = mail_to(route)
    seen = mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content()
    for secret in ("EUR", "ROI", "profit", "rider", *(task.task_id for task in day.tasks)):
        assert secret not in seen, secret


def test_markup_in_names_stays_text(route: CrewRoute) -> None:
    odd = replace(route, worker="<script>", stops=(replace(route.stops[0], place="<b>&"),))
    html = mail_to(odd).get_body(("html",)).get_content()
    assert "<script>" not in html and "<b>&" not in html and "&lt;b&gt;&amp;" in html


def test_the_sheet_says_subject_intro_and_language(route: CrewRoute) -> None:
    mail = Mail(sender="a@example.org", subject="{worker} in {city} am {day}", language="German")
    found = route_mail(route, (), mail, to="e@example.org", at=AT)
    assert found["Subject"] == "Ελένη in Θεσσαλονίκη am Dienstag, 3. Juni 2025"
    assert "Akku tauschen" in found.get_body(("plain",)).get_content()
    assert '<html lang="de">' in found.get_body(("html",)).get_content()
    greek = route_mail(route, (), Mail(sender="a@b.gr", language="Greek"), to="e@b.gr", at=AT)
    assert greek["Subject"] == "Θεσσαλονίκη: η διαδρομή σου, Τρίτη 3 Ιουνίου 2025"
    assert greek.as_bytes().isascii(), "the subject travels encoded"
    plain = mail_to(route).get_body(("plain",)).get_content()
    assert "Call <Anna> when in doubt." in plain
    assert "Call &lt;Anna&gt;" in mail_to(route).get_body(("html",)).get_content()


def test_the_same_route_is_the_same_mail(route: CrewRoute) -> None:
    first, again = mail_to(route), mail_to(route)
    assert first["Message-ID"] == again["Message-ID"]
    other = mail_to(replace(route, stops=route.stops[:1]))
    assert other["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize("to", ["nobody", "a@b@c", "a@example.org\nBcc: all@example.org"])
def test_an_address_that_is_none_is_refused(route: CrewRoute, to: str) -> None:
    with pytest.raises(FleetDeskError, match="not a mail address"):
        mail_to(route, to)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trust(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
def box(certificate: Path) -> Iterator[tuple[Box, MailServer]]:
    with smtp_server(certificate) as (box, port):
        yield box, MailServer("localhost", port, Security.STARTTLS, "planner", timeout_s=1)


def test_a_mail_arrives_whole_over_an_encrypted_connection(route, box, trust) -> None:
    mails, server = box
    (sent,) = send([mail_to(route)], server, PASSWORD, trust)
    assert sent.trouble == ""
    (arrived,) = mails.mails
    assert arrived["Subject"].startswith("Θεσσαλονίκη")
    assert "Ελένη" in arrived["To"]
    assert len(list(arrived.iter_attachments())) == 3
    assert arrived.get_body(("plain",)).get_content().splitlines()[0].startswith("Ελένη")


def test_one_refused_address_does_not_stop_the_others(route, box, trust) -> None:
    mails, server = box
    three = [mail_to(route, f"{name}@example.org") for name in ("a", "refused", "c")]
    sent = list(send(three, server, PASSWORD, trust))
    assert [one.trouble for one in sent] == [
        "", "the server refuses the address: 550 no such user here", ""
    ]  # fmt: skip
    assert len(mails.mails) == 2


def test_a_connection_that_breaks_is_made_anew_for_the_others(route, box, trust) -> None:
    mails, server = box
    four = [mail_to(route, f"{name}@example.org") for name in ("a", "slow", "broken", "d")]
    sent = list(send(four, server, PASSWORD, trust))
    assert [one.trouble == "" for one in sent] == [True, False, False, True]
    assert sent[1].trouble == "the server did not answer in time"
    assert sent[2].trouble.startswith("the connection broke")
    assert len(mails.mails) == 2


def test_a_wrong_password_is_said_and_nothing_sent(route, box, trust) -> None:
    mails, server = box
    with pytest.raises(FleetDeskError, match="does not accept the sign-in") as caught:
        list(send([mail_to(route)], server, "wrong", trust))
    assert "wrong" not in str(caught.value)
    assert mails.mails == []


def test_a_certificate_that_nobody_vouches_for_is_refused(route, box) -> None:
    mails, server = box
    with pytest.raises(FleetDeskError, match="cannot be trusted"):
        list(send([mail_to(route)], server, PASSWORD))
    assert mails.mails == []


def test_a_port_without_tls_is_told_from_a_certificate_without_trust(route, box, trust) -> None:
    _, server = box
    with pytest.raises(FleetDeskError, match="does not answer in TLS"):
        list(send([mail_to(route)], replace(server, security=Security.TLS), PASSWORD, trust))


def test_a_server_that_never_answers_ends_in_a_sentence(route) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        server = MailServer("127.0.0.1", port, Security.STARTTLS, timeout_s=0.3)
        with pytest.raises(FleetDeskError, match="cannot be reached") as caught:
            list(send([mail_to(route)], server, None))
    assert caught.value.retry_helps


def test_nothing_leaves_the_computer_without_encryption(route) -> None:
    server = MailServer("mail.example.org", 25, Security.NONE)
    with pytest.raises(FleetDeskError, match="without encryption"):
        list(send([mail_to(route)], server, None))


def test_no_mails_no_connection() -> None:
    assert list(send([], MailServer("nowhere.invalid", 25, Security.TLS), None)) == []
