"""The routes of the last plan to its workers by mail: each once, unless asked for again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from fleetdesk.errors import FleetDeskError
from fleetdesk.outputs.crew.kept import from_json
from fleetdesk.outputs.crew.stops import CrewRoute
from fleetdesk.outputs.ground import Ground
from fleetdesk.outputs.mail.message import mail_key, route_mail, subject
from fleetdesk.outputs.mail.send import MailServer, Security, send
from fleetdesk.outputs.tables.mail_log import MailRow
from fleetdesk.settings import secrets
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import RunRecord
from fleetdesk.workflows.context import OUTPUTS_FOLDER, Context
from fleetdesk.workflows.crew_files import ROUTES_FILE
from fleetdesk.workflows.kept_results import last_plan
from fleetdesk.workflows.mail_log import MailEntry, note, read_log
from fleetdesk.workflows.map_ground import map_ground
from fleetdesk.workflows.moment import parkings
from fleetdesk.workflows.progress import OnProgress


@dataclass(frozen=True, slots=True)
class MailOptions:
    """What was said on the command line; without `workers` all get theirs."""

    workers: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Letter:
    """One worker's route and where it goes; `skipped` says why it is not mailed."""

    route: CrewRoute
    to: str
    skipped: str = ""

    @property
    def key(self) -> str:
        """What the route is known by at its address."""
        return mail_key(self.route, self.to)


@dataclass(frozen=True)
class Post:
    """All letters of a plan."""

    plan: RunRecord
    letters: tuple[Letter, ...]

    @property
    def going(self) -> tuple[Letter, ...]:
        """Those to be mailed."""
        return tuple(letter for letter in self.letters if not letter.skipped)


def post(context: Context, options: MailOptions) -> Post:
    """Who gets a mail of the last plan, and who does not and why.

    FleetDeskError when there is no plan, when its files are gone, or for an unknown worker.
    """
    plan = last_plan(context.store)
    if plan is None:
        raise FleetDeskError(
            "There is no plan to mail", found="no finished run", fix="fleetdesk plan makes one"
        )
    routes = _routes(context.folder / OUTPUTS_FOLDER / plan.run_id / ROUTES_FILE)
    _refuse_strangers(options.workers, routes)
    addresses = {worker.name: worker.email for worker in context.settings.workers}
    sent = {entry.key: entry.at for entry in read_log(context.folder) if not entry.trouble}
    return Post(plan, tuple(_letters(routes, addresses, sent, options)))


def deliver(
    context: Context, post: Post, on_progress: OnProgress
) -> tuple[tuple[MailRow, ...], tuple[MailEntry, ...]]:
    """Send what goes and note each try at once: all rows of the log, and the tries of this call.

    FleetDeskError when nothing can be sent: no server or sender, no password, no connection.
    """
    going, at = post.going, context.clock()
    tries = []
    if going:
        server, password = _server(context.settings), _password(context.settings)
        ground, _ = map_ground(context.settings, context.folder)
        mails = messages(post, context.settings, at, ground)
        results = send(mails, server, password)
        for number, (letter, sent) in enumerate(zip(going, results, strict=True), start=1):
            entry = _entry(post, letter, context.settings, context.clock(), sent.trouble)
            note(context.folder, entry)
            tries.append(entry)
            on_progress(f"Mailing routes, {number} of {len(going)} done", number / len(going))
    rows = [_row(entry) for entry in read_log(context.folder)]
    rows += [_skipped(post, letter, context.settings, at) for letter in post.letters]
    return tuple(row for row in rows if row.result), tuple(tries)


def messages(post: Post, settings: Settings, at: datetime, ground: Ground) -> list[EmailMessage]:
    """The mails of those to be mailed, in their order; their pictures are drawn on `ground`."""
    places = parkings(settings)
    return [
        route_mail(letter.route, places, settings.mail, to=letter.to, at=at, ground=ground)
        for letter in post.going
    ]


def lacking(settings: Settings) -> list[str]:
    """What the sheet Mail does not say yet, though mail cannot be sent without it."""
    needed = (("Mail server", settings.mail.host), ("Sender", settings.mail.sender))
    return [label for label, value in needed if not value]


def _refuse_without_server(settings: Settings) -> None:
    missing = lacking(settings)
    if missing:
        raise FleetDeskError(
            "Mail cannot be sent because the sheet Mail is not filled in",
            found=f"nothing in {' and '.join(missing)}",
            fix="Enter it there; your mail provider calls it the outgoing or SMTP server",
        )


def _routes(path: Path) -> tuple[CrewRoute, ...]:
    if not path.is_file():
        raise FleetDeskError(
            "The files of the last plan are gone",
            found=f"no {path}",
            fix="Run again: fleetdesk plan",
        )
    return from_json(path.read_text(encoding="utf-8"))


def _refuse_strangers(asked: Sequence[str], routes: Sequence[CrewRoute]) -> None:
    there = {route.worker.casefold() for route in routes}
    strangers = [name for name in asked if name.casefold() not in there]
    if strangers:
        raise FleetDeskError(
            f"{strangers[0]} has no route in the last plan",
            found=", ".join(route.worker for route in routes) or "no routes",
            fix="Name one of those that have",
        )


def _letters(
    routes: Sequence[CrewRoute],
    addresses: Mapping[str, str],
    sent: Mapping[str, datetime],
    options: MailOptions,
) -> Iterator[Letter]:
    asked = {name.casefold() for name in options.workers}
    for route in routes:
        if asked and route.worker.casefold() not in asked:
            continue
        to = addresses.get(route.worker, "")
        letter = Letter(route, to)
        if not route.stops:
            yield Letter(route, to, "the route has no stops")
        elif not to:
            yield Letter(route, to, "the sheet Workers & vans has no mail address")
        elif letter.key in sent and not options.again:
            at = route.local(sent[letter.key])
            yield Letter(route, to, f"got this same route {at:%Y-%m-%d %H:%M}; --again repeats it")
        else:
            yield letter


def _server(settings: Settings) -> MailServer:
    _refuse_without_server(settings)
    mail = settings.mail
    return MailServer(mail.host, mail.port, Security(mail.security), mail.user, mail.timeout_s)


def _password(settings: Settings) -> str | None:
    if not settings.mail.user:
        return None
    password = secrets.reveal(secrets.SMTP_PASSWORD)
    if password is None:
        raise FleetDeskError(
            f"There is no password for {settings.mail.user} at the mail server",
            found="none in the keyring",
            fix="Enter it once: fleetdesk login smtp",
        )
    return password


def _entry(post: Post, letter: Letter, settings: Settings, at: datetime, trouble: str) -> MailEntry:
    return MailEntry(
        at=at,
        worker=letter.route.worker,
        to=letter.to,
        key=letter.key,
        plan=post.plan.run_id,
        day=f"{letter.route.day:%Y-%m-%d}",
        subject=subject(letter.route, settings.mail),
        trouble=trouble,
    )


def _row(entry: MailEntry) -> MailRow:
    return MailRow(
        at=entry.at,
        worker=entry.worker,
        to=entry.to,
        result="not sent" if entry.trouble else "sent",
        why=entry.trouble,
        day=entry.day,
        subject=entry.subject,
        plan=entry.plan,
    )


def _skipped(post: Post, letter: Letter, settings: Settings, at: datetime) -> MailRow:
    return MailRow(
        at=at,
        worker=letter.route.worker,
        to=letter.to,
        result="left out" if letter.skipped else "",
        why=letter.skipped,
        day=f"{letter.route.day:%Y-%m-%d}",
        subject=subject(letter.route, settings.mail),
        plan=post.plan.run_id,
    )
