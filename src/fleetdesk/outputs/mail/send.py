"""Sending mails by SMTP, each for itself: one refused address does not stop the others."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum

from fleetdesk.errors import FleetDeskError


class Security(StrEnum):
    """How the connection is encrypted; `NONE` is for a server on the same computer only."""

    STARTTLS = "STARTTLS"
    TLS = "TLS"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in; without a user nobody signs in."""

    host: str
    port: int
    security: Security
    user: str = ""
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one mail; `trouble` is empty when the server took it."""

    to: str
    message_id: str
    trouble: str = ""


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def send(
    mails: Sequence[EmailMessage],
    server: MailServer,
    password: str | None,
    trust: ssl.SSLContext | None = None,
) -> Iterator[Sent]:
    """Hand in the mails over one connection and yield what became of each.

    `trust` says which certificates count; by default the system's. FleetDeskError when nothing can
    be sent at all: no connection, no encryption, no sign-in.
    """
    if not mails:
        return
    with _connected(server, password, trust or ssl.create_default_context()) as connection:
        for mail in mails:
            yield _handed_in(connection, mail)


def _connected(server: MailServer, password: str | None, trust: ssl.SSLContext) -> smtplib.SMTP:
    where = f"{server.host}:{server.port}"
    if server.security is Security.NONE and server.host not in _LOOPBACK:
        raise FleetDeskError(
            f"Mail is not sent to {where} without encryption",
            found="security none",
            fix="Choose STARTTLS or TLS; none is for a server on this computer",
        )
    try:
        if server.security is Security.TLS:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout_s, context=trust
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    except ssl.SSLError as error:
        raise _untrusted(where, error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise FleetDeskError(
            f"The mail server {where} cannot be reached",
            found=_said(error),
            fix="Check host, port and the network",
            retry_helps=True,
        ) from error
    try:
        _prepare(connection, server, password, trust, where)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(
    connection: smtplib.SMTP,
    server: MailServer,
    password: str | None,
    trust: ssl.SSLContext,
    where: str,
) -> None:
    try:
        if server.security is Security.STARTTLS:
            connection.starttls(context=trust)
        if server.user:
            connection.login(server.user, password or "")
    except ssl.SSLError as error:
        raise _untrusted(where, error) from error
    except smtplib.SMTPAuthenticationError as error:
        raise FleetDeskError(
            f"The mail server {where} does not accept the sign-in of {server.user}",
            found=_said(error),
            fix="Enter the password again: fleetdesk login smtp",
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise FleetDeskError(
            f"The mail server {where} does not offer {server.security}",
            found=_said(error),
            fix="Choose the other kind of security, or the port that offers it (587 or 465)",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise FleetDeskError(
            f"The mail server {where} ended the connection",
            found=_said(error),
            fix="Check port and security; try again later",
            retry_helps=True,
        ) from error


def _untrusted(where: str, error: ssl.SSLError) -> FleetDeskError:
    return FleetDeskError(
        f"The certificate of the mail server {where} cannot be trusted",
        found=_said(error),
        fix="Use the name that its certificate is for, or ask who runs the server",
    )


def _handed_in(connection: smtplib.SMTP, mail: EmailMessage) -> Sent:
    to, key = str(mail["To"]), str(mail["Message-ID"])
    try:
        connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        ((code, said),) = error.recipients.values()
        return Sent(to, key, f"refused: {code} {_plain(said)}")
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Sent(to, key, _said(error))
    return Sent(to, key)


def _said(error: Exception) -> str:
    """The server's or the system's own words, without what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_plain(error.smtp_error)}"
    return str(error) or type(error).__name__


def _plain(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
