"""One worker's route as a mail: readable as text, with picture, table and files for the phone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.places import Parking
from fleetdesk.outputs.crew.directions import geo, legs
from fleetdesk.outputs.crew.drawing import paper, picture
from fleetdesk.outputs.crew.stops import HEADERS, CrewRoute
from fleetdesk.outputs.crew.tracks import gpx
from fleetdesk.outputs.palette import palette

_PICTURE = "route.picture@fleetdesk"


def route_mail(
    route: CrewRoute,
    parkings: Sequence[Parking],
    *,
    sender: str,
    to: str,
    run_id: str,
    at: datetime,
) -> EmailMessage:
    """The mail of one route; the same route of the same run is the same mail, id included.

    `at` (UTC-aware) is its date. FleetDeskError when an address cannot be one.
    """
    mail = EmailMessage()
    mail["Subject"] = f"{route.city}: your route, {route.day:%A} {route.day.day} {route.day:%B}"
    mail["From"] = _address("FleetDesk", sender)
    mail["To"] = _address(route.worker, to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{_key(route, to, run_id)}@{sender.rpartition('@')[2]}>"
    mail.set_content(_text(route))
    mail.add_alternative(_html(route), subtype="html")
    body = mail.get_body(("html",))
    assert body is not None  # it was added just now
    body.add_related(
        picture(route, parkings, dots=110),
        "image",
        "png",
        cid=f"<{_PICTURE}>",
        filename="route.png",
        disposition="inline",
    )
    name = f"route {route.day:%Y-%m-%d}"
    mail.add_attachment(
        paper(route, parkings), maintype="application", subtype="pdf", filename=f"{name}.pdf"
    )
    mail.add_attachment(
        gpx(route), maintype="application", subtype="gpx+xml", filename=f"{name}.gpx"
    )
    mail.add_attachment(_calendar(route, run_id, at), subtype="calendar", filename=f"{name}.ics")
    return mail


def _address(name: str, address: str) -> Address:
    try:
        return Address(name, addr_spec=address)
    except (ValueError, HeaderParseError) as error:
        raise FleetDeskError(
            f"{address!r} is not a mail address",
            found=f"for {name}",
            fix="Correct it in the sheet Workers & vans, such as maria@example.org",
        ) from error


def _key(route: CrewRoute, to: str, run_id: str) -> str:
    """What a second sending of the same route to the same address is known by."""
    return hashlib.sha256(f"{run_id} {to} {route!r}".encode()).hexdigest()[:32]


def _text(route: CrewRoute) -> str:
    lines = [route.title, f"{route.city}: {route.summary}", ""]
    for stop in route.stops:
        lines += [
            f"{stop.number}. {stop.arrive}  {stop.action}: {stop.vehicle}",
            f"   {stop.place} ({stop.leg_km:.1f} km), {stop.on_board} on board, "
            f"{stop.batteries_left} batteries left",
            f"   {geo(stop)}",
        ]
    lines += ["", "The whole way in Google Maps:"]
    lines += [f"{leg.label}: {leg.url}" for leg in legs(route)]
    return "\n".join(lines) + "\n"


def _html(route: CrewRoute) -> str:
    """Styles stand in the elements, because mail programs drop those of the head."""
    colours = palette()
    cell = f'style="padding:6px 8px;border-bottom:1px solid {colours.ground};text-align:left"'
    head = "".join(f"<th {cell}>{escape(text)}</th>" for text in HEADERS)
    rows = "".join(
        "<tr>"
        + "".join(f"<td {cell}>{escape(text)}</td>" for text in stop.cells[:4])
        + f'<td {cell}><a href="{escape(geo(stop))}">{escape(stop.place)}</a></td>'
        + "".join(f"<td {cell}>{escape(text)}</td>" for text in stop.cells[5:])
        + "</tr>"
        for stop in route.stops
    )
    links = "".join(
        f'<li><a href="{escape(leg.url)}">{escape(leg.label)}</a></li>' for leg in legs(route)
    )
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"></head>'
        f'<body style="font-family:sans-serif;color:{colours.ink};font-size:15px">'
        f"<h2>{escape(route.title)}</h2><p>{escape(route.city)}: {escape(route.summary)}</p>"
        f'<p><img src="cid:{_PICTURE}" width="640" style="max-width:100%"'
        f' alt="The way through the stops {", ".join(str(s.number) for s in route.stops)}"></p>'
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        f"<p>The whole way in Google Maps:</p><ul>{links}</ul></body></html>"
    )


def _calendar(route: CrewRoute, run_id: str, at: datetime) -> str:
    """The shift for the calendar. Source: RFC 5545."""
    end = route.ends_at
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//FleetDesk//route//EN",
        "BEGIN:VEVENT",
        f"UID:{run_id}-{hashlib.sha256(route.worker.encode()).hexdigest()[:16]}@fleetdesk",
        f"DTSTAMP:{_stamp(at)}",
        f"DTSTART:{_stamp(route.starts_at)}",
        f"DTEND:{_stamp(max(end, route.starts_at + timedelta(minutes=1)))}",
        f"SUMMARY:{_escaped(f'{route.city}: {route.summary}')}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(_folded(line) for line in lines)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, "\\" + sign)
    return text


def _folded(line: str) -> str:
    """At most 75 bytes a line; what goes on begins with a space."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > 74:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece]) + "\r\n"
