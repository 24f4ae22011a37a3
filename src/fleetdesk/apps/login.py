"""`fleetdesk login google | smtp | source`: keep a key or password in this computer's keyring.

What is kept is never shown, and comes from a file, a browser or a hidden prompt, never from an
option: what is typed as an option stays in the shell's history.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from fleetdesk.apps.console import run_command
from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets

_file = click.Path(path_type=Path, dir_okay=False)
_forget_option = click.option("--forget", is_flag=True, help="Remove what was kept.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def login() -> None:
    """Keep a key or password in this computer's keyring."""


@login.command()
@click.option("--client", type=_file, help="OAuth client file (Desktop app); opens the browser.")
@click.option("--service-account", type=_file, help="Key file of a service account.")
@_forget_option
@_json_option
def google(client: Path | None, service_account: Path | None, forget: bool, as_json: bool) -> None:
    """Sign in to Google, so that WORKBOOK can be a Google Sheet's address."""

    def work() -> Mapping[str, Any]:
        if forget:
            return _forgotten(secrets.GOOGLE_ACCOUNT, secrets.GOOGLE_SERVICE_ACCOUNT)
        if (client is None) == (service_account is None):
            raise FleetDeskError(
                "It is not clear who should sign in",
                found="neither or both of --client and --service-account",
                fix="Give one of them; docs/google-sheets.md says where the file comes from",
            )
        return _person(client) if client else _bot(_text(service_account))

    _finish(work, as_json)


@login.command()
@_forget_option
@_json_option
def smtp(forget: bool, as_json: bool) -> None:
    """Keep the password of the mail server; it is asked for, or read from standard input."""

    def work() -> Mapping[str, Any]:
        if forget:
            return _forgotten(secrets.SMTP_PASSWORD)
        password = _asked("Password of the mail server (not shown)")
        if not password:
            raise FleetDeskError("No password was given", fix="Type it, or pipe it in")
        secrets.put(secrets.SMTP_PASSWORD, password)
        return {"kept": secrets.SMTP_PASSWORD, "text": "The password is kept in the keyring."}

    _finish(work, as_json)


@login.command()
@click.argument("name")
@_forget_option
@_json_option
def source(name: str, forget: bool, as_json: bool) -> None:
    """Keep the password or key NAME that a source asks for; it is asked for, or read from input.

    The source's page in docs/sources says the name, such as mds-token.
    """

    def work() -> Mapping[str, Any]:
        if forget:
            return _forgotten(name)
        value = _asked(f"{name} (not shown)")
        if not value:
            raise FleetDeskError("Nothing was given", fix="Type it, or pipe it in")
        secrets.put(name, value)
        return {"kept": name, "text": f"{name} is kept in the keyring."}

    _finish(work, as_json)


def _person(client: Path) -> Mapping[str, Any]:
    from fleetdesk.sheets.google_auth import sign_in

    account = sign_in(_text(client))
    secrets.put(secrets.GOOGLE_ACCOUNT, account)
    return {
        "kept": secrets.GOOGLE_ACCOUNT,
        "text": "Signed in. What lets FleetDesk act for you is kept in the keyring; "
        f"the file {client.name} is no longer needed here.",
    }


def _bot(key: str) -> Mapping[str, Any]:
    from fleetdesk.sheets.google_auth import service_account_email

    email = service_account_email(key)
    secrets.put(secrets.GOOGLE_SERVICE_ACCOUNT, key)
    return {
        "kept": secrets.GOOGLE_SERVICE_ACCOUNT,
        "email": email,
        "text": f"The key is kept in the keyring. Share your Google Sheet with {email}, as "
        "editor, and delete the key file.",
    }


def _forgotten(*names: str) -> Mapping[str, Any]:
    gone = [name for name in names if secrets.forget(name)]
    text = "Removed from the keyring." if gone else "The keyring held nothing of this."
    return {"forgotten": gone, "text": text}


def _asked(prompt: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, err=True, default="", show_default=False))
    return sys.stdin.readline().rstrip("\r\n")


def _text(path: Path | None) -> str:
    assert path is not None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FleetDeskError(
            f"{path.name} cannot be read", found=type(error).__name__, fix="Check the file's path"
        ) from error


def _finish(work: Callable[[], Mapping[str, Any]], as_json: bool) -> None:
    sys.exit(run_command(work, as_json=as_json))
