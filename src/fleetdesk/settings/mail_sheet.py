"""The sheet Mail: through which server routes are sent, and in which words."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from fleetdesk.settings import sheet as base

setting = partial(base.setting, since=3)

Language = Literal["English", "Greek", "German"]


class Mail(base.Sheet):
    """How routes reach the workers; the password is in the keyring, never in a sheet."""

    sheet: ClassVar[str] = "Mail"
    intro: ClassVar[str] = (
        "How routes reach the workers. The password is kept apart: fleetdesk login smtp."
    )
    since: ClassVar[int] = 3

    host: str = setting(
        "", "Mail server", "The server for outgoing mail; empty = no mail is sent.",
        example="a host name such as smtp.example.org", max_length=200, pattern=r"^$|^[^\s/@:]+$",
    )  # fmt: skip
    port: int = setting(587, "Port", "587 for STARTTLS, 465 for TLS.", ge=1, le=65_535)
    security: Literal["STARTTLS", "TLS", "none"] = setting(
        "STARTTLS", "Encryption", "none is for a server on this computer only."
    )
    user: str = setting(
        "", "User", "Name to sign in with; empty = nobody signs in.", max_length=200
    )
    sender: str = setting(
        "", "Sender", "Address that the mails come from.",
        example="a mail address such as planning@example.org", max_length=200,
        pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
    )  # fmt: skip
    subject: str = setting(
        "", "Subject", "{city}, {worker} and {day} are filled in; empty = City: route for day.",
        max_length=200,
    )  # fmt: skip
    intro_text: str = setting(
        "", "Text above the route", "A line for everybody, such as whom to call.", max_length=500
    )
    language: Language = setting(
        "English", "Language", "Of the mails and stop lists that workers get."
    )
    timeout_s: float = setting(
        20, "Patience", "How long the server may take for an answer.", unit="s", ge=1, le=300
    )
