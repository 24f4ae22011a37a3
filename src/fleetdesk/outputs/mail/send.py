"""Sending mails by SMTP, each for itself: one refused address does not stop the others."""

from __future__ import annotations

import contextlib
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


_CLOSING = 421  # the reply after which the server hangs up
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def send(
    mails: Sequence[EmailMessage],
    server: MailServer,
    password: str | None,
    trust: ssl.SSLContext | None = None,
) -> Iterator[Sent]:
    """Hand in the mails one after the other and yield what became of each.

    A connection that breaks at one mail is made anew for the next. `trust` says which certificates
    count; by default the system's. FleetDeskError when nothing can be sent at all: no connection,
    no encryption, no sign-in.
    """
    if not mails:
        return
    trust = trust or ssl.create_default_context()
    connection: smtplib.SMTP | None = _connected(server, password, trust)
    lost = ""
    try:
        for mail in mails:
            if connection is None and not lost:
                try:
                    connection = _connected(server, password, trust)
                except FleetDeskError as error:
                    # It went a moment ago, so it is not asked again for every mail.
                    lost = error.cause
            if connection is None:
                yield Sent(str(mail["To"]), str(mail["Message-ID"]), lost)
                continue
            trouble, broken = _handed_in(connection, mail)
            if broken:
                connection.close()
                connection = None
            yield Sent(str(mail["To"]), str(mail["Message-ID"]), trouble)
    finally:
        if connection is not None:
            _say_goodbye(connection)


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
        raise _without_tls(where, error) from error
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
        raise _without_tls(where, error) from error
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


def _without_tls(where: str, error: ssl.SSLError) -> FleetDeskError:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return FleetDeskError(
            f"The mail server {where} does not answer in TLS",
            found=_said(error),
            fix="Choose STARTTLS, or the port that offers TLS from the start (465)",
        )
    return FleetDeskError(
        f"The certificate of the mail server {where} cannot be trusted",
        found=_said(error),
        fix="Use the name that its certificate is for, or ask who runs the server; a certificate "
        "of your own is trusted when the variable SSL_CERT_FILE names its file",
    )


def _handed_in(connection: smtplib.SMTP, mail: EmailMessage) -> tuple[str, bool]:
    """What went wrong with the mail, if anything, and whether the connection broke by it."""
    try:
        connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        ((code, said),) = error.recipients.values()
        return f"the server refuses the address: {code} {_plain(said)}", False
    except smtplib.SMTPSenderRefused as error:
        return f"the server refuses the sender: {_said(error)}", False
    except smtplib.SMTPResponseException as error:
        return f"the server does not take it: {_said(error)}", error.smtp_code == _CLOSING
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # smtplib raises its own error in place of the timeout.
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            return "the server did not answer in time", True
        return f"the connection broke: {_said(error)}", True
    return "", False


def _say_goodbye(connection: smtplib.SMTP) -> None:
    """All mails are handed in by now, so nothing that goes wrong here matters."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        connection.quit()
    connection.close()


def _said(error: Exception) -> str:
    """The server's or the system's own words, without what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_plain(error.smtp_error)}"
    return str(error) or type(error).__name__


def _plain(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
