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
from fleetdesk.outputs.crew.kept import to_json
from fleetdesk.outputs.crew.lists import stop_text
from fleetdesk.outputs.crew.stops import CrewRoute
from fleetdesk.outputs.crew.tracks import gpx
from fleetdesk.outputs.crew.words import Words, words_of
from fleetdesk.outputs.ground import PLAIN, Ground
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import number_ranges
from fleetdesk.settings.mail_sheet import Mail

_PICTURE = "route.picture@fleetdesk"
_ENCODED = "quoted-printable"
"""Not every server takes 8-bit texts."""


def route_mail(
    route: CrewRoute,
    parkings: Sequence[Parking],
    mail: Mail,
    *,
    to: str,
    at: datetime,
    ground: Ground = PLAIN,
) -> EmailMessage:
    """The mail of one route; the same route to the same address has the same Message-ID.

    `at` (UTC-aware) is its date. FleetDeskError when an address cannot be one.
    """
    words = words_of(mail.language)
    message = EmailMessage()
    message["Subject"] = subject(route, mail)
    message["From"] = _address("FleetDesk", mail.sender, "Mail")
    message["To"] = _address(route.worker, to, "Workers & vans")
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_key(route, to)}@{mail.sender.rpartition('@')[2]}>"
    message["Content-Language"] = words.code
    message.set_content(stop_text(route, words, mail.intro_text), cte=_ENCODED)
    message.add_alternative(mail_page(route, mail, f"cid:{_PICTURE}"), subtype="html", cte=_ENCODED)
    body = message.get_body(("html",))
    assert body is not None  # it was added just now
    body.add_related(
        picture(route, parkings, words, ground),
        "image",
        "png",
        cid=f"<{_PICTURE}>",
        filename="route.png",
        disposition="inline",
    )
    name = f"route {route.day:%Y-%m-%d}"
    pdf, track = paper(route, parkings, words, ground), gpx(route, words)
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{name}.pdf")
    message.add_attachment(track, maintype="application", subtype="gpx+xml", filename=f"{name}.gpx")
    invitation = _calendar(route, words, at)
    message.add_attachment(invitation, subtype="calendar", cte="base64", filename=f"{name}.ics")
    return message


def subject(route: CrewRoute, mail: Mail) -> str:
    """The sheet's subject, or the language's own, with city, worker and day filled in."""
    words = words_of(mail.language)
    text = mail.subject or words.subject
    filled = {"{city}": route.city, "{worker}": route.worker, "{day}": words.day(route.day)}
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


def mail_key(route: CrewRoute, to: str) -> str:
    """What a route is known by at an address: as long as it is the same, nobody needs it again."""
    return hashlib.sha256(f"{to} {to_json([route])}".encode()).hexdigest()[:32]


def mail_page(route: CrewRoute, mail: Mail, picture_at: str) -> str:
    """The mail as HTML with the picture at `picture_at`.

    Styles stand in the elements, because mail programs drop those of the head.
    """
    words, colours = words_of(mail.language), palette()
    cell = (
        f"padding:6px 8px;border-bottom:1px solid {colours.ground};text-align:left;"
        "vertical-align:top"
    )
    stop, _, _, todo, _, _, on_board, *_ = words.headers
    heads = "".join(f'<th style="{cell}">{escape(text)}</th>' for text in (stop, todo, on_board))
    rows = "".join(_rows(route, words, cell, colours.ground))
    links = "".join(
        f'<li style="margin:6px 0"><a href="{escape(leg.url)}">{escape(leg.label)}</a></li>'
        for leg in legs(route, words)
    )
    intro = f"<p>{escape(mail.intro_text)}</p>" if mail.intro_text else ""
    numbers = number_ranges([stop.number for stop in route.stops])
    return (
        f'<!DOCTYPE html><html lang="{words.code}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words.title(route))}</title></head>"
        f'<body style="font-family:sans-serif;color:{colours.ink};font-size:15px;'
        'max-width:760px;margin:16px auto;padding:0 12px">'
        f'<h2 style="margin:0 0 4px">{escape(words.title(route))}</h2>'
        f'<p style="margin:0 0 12px">{escape(route.city)}: {escape(words.summary(route))}</p>'
        f'{intro}<p><img src="{escape(picture_at)}" width="640" style="max-width:100%;height:auto"'
        f' alt="{escape(words.map_of.format(numbers))}"></p>'
        f'<table style="border-collapse:collapse;width:100%;font-size:14px"><thead><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table>"
        f"<p>{escape(words.whole_way)}</p><ul>{links}</ul></body></html>"
    )


def _rows(route: CrewRoute, words: Words, cell: str, ground: str) -> list[str]:
    """A row for each stop, with breaks and reloads between them across the whole table.

    Three columns, so that it fits the width of a phone: when, what and where, what is in the van.
    """

    def pauses(after: int) -> list[str]:
        return [
            f'<tr><td colspan="3" style="{cell};background:{ground}">'
            f"{escape(words.pause(route, pause))}</td></tr>"
            for pause in route.pauses
            if pause.after_stop == after
        ]

    rows = pauses(0)
    for stop in route.stops:
        where = f'<a href="{escape(geo(stop))}">{escape(stop.place)}</a>, {stop.leg_km:.1f} km'
        in_van = [words.on_board.format(stop.on_board)] if stop.on_board else []
        in_van.append(words.batteries_left.format(stop.batteries_left))
        if stop.pay is not None:
            in_van.append(words.pay.format(f"{stop.pay:.2f} {route.currency}"))
        rows.append(
            # Ids such as TH-0056 stay on one line, so that they can be found beside the vehicle.
            f'<tr><td style="{cell};white-space:nowrap"><b>{stop.number}</b><br>'
            f"{route.clock(stop.arrive_at)}</td>"
            f'<td style="{cell}"><b style="white-space:nowrap">{escape(stop.vehicle)}</b> '
            f"{escape(words.todo(stop))}<br>{where}</td>"
            f'<td style="{cell}">{"<br>".join(map(escape, in_van))}</td></tr>'
        )
        rows += pauses(stop.number)
    return rows


def _address(name: str, address: str, sheet: str) -> Address:
    try:
        return Address(name, addr_spec=address)
    except (ValueError, HeaderParseError) as error:
        raise FleetDeskError(
            f"{address!r} is not a mail address",
            found=f"for {name}",
            fix=f"Correct it in the sheet {sheet}, such as maria@example.org",
        ) from error


def _calendar(route: CrewRoute, words: Words, at: datetime) -> str:
    """The shift for the calendar; a later plan of that day takes its place. Source: RFC 5545."""
    shift = f"{route.city} {route.worker} {route.day:%Y-%m-%d}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//FleetDesk//route//EN",
        "BEGIN:VEVENT",
        f"UID:{hashlib.sha256(shift.encode()).hexdigest()[:32]}@fleetdesk",
        f"SEQUENCE:{int(at.timestamp()) // 60}",
        f"DTSTAMP:{_stamp(at)}",
        f"DTSTART:{_stamp(route.starts_at)}",
        f"DTEND:{_stamp(max(route.ends_at, route.starts_at + timedelta(minutes=1)))}",
        f"SUMMARY:{_escaped(f'{route.city}: {words.summary(route)}')}",
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
