"""Who FleetDesk is to Google: a person who signed in, or a service account shared by a team.

Keys and tokens come in as text and go out as credentials; nothing is stored here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fleetdesk.errors import FleetDeskError, WorkbookRefused

SCOPES = (
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
)
"""Read and write sheets; of Drive only what tells whether a file has changed."""
SERVICE_ACCOUNT, ACCOUNT = "google-service-account", "google-account"

SecretOf = Callable[[str], str | None]


def no_secrets(_name: str) -> str | None:
    """For callers that hold no keys."""
    return None


def credentials(secret: SecretOf) -> Any:
    """The service account when there is one, else the person's; refused when there is neither."""
    for name, make in ((SERVICE_ACCOUNT, _service_account), (ACCOUNT, _account)):
        text = secret(name)
        if text:
            return make(_fields(text, name))
    raise WorkbookRefused(
        "FleetDesk is not signed in to Google",
        found="no key in this computer's keyring or environment",
        fix="Sign in with: fleetdesk login google. On a server set the environment variable "
        "FLEETDESK_GOOGLE_SERVICE_ACCOUNT to a key file's path",
    )


def sign_in(client: str, open_page: Callable[[Mapping[str, Any]], Any] | None = None) -> str:
    """Ask a person in the browser; returns what lets FleetDesk act for them, as text to be kept.

    `client` is the JSON of an OAuth client of type Desktop app.
    """
    fields = _fields(client, "OAuth client")
    if "installed" not in fields:
        raise FleetDeskError(
            "This file is no OAuth client of the type Desktop app",
            found=", ".join(sorted(fields)[:5]) or "an empty file",
            fix="In the Google Cloud console: APIs and services, Credentials, Create credentials, "
            "OAuth client ID, Desktop app; then download the JSON file",
        )
    account = json.loads((open_page or _open_page)(fields).to_json())
    account.pop("token", None)
    return json.dumps(account)


def service_account_email(key: str) -> str:
    """The address to share sheets with; refused when the text is no service account's key."""
    fields = _fields(key, "service account key")
    wanted = ("client_email", "private_key", "token_uri")
    if fields.get("type") != "service_account" or any(not fields.get(name) for name in wanted):
        raise FleetDeskError(
            "This file is no key of a service account",
            found=f"type {fields.get('type', 'not stated')}",
            fix="In the Google Cloud console: IAM, Service accounts, Keys, Add key, JSON",
        )
    return str(fields["client_email"])


def _open_page(fields: Mapping[str, Any]) -> Any:
    from google_auth_oauthlib.flow import InstalledAppFlow

    return InstalledAppFlow.from_client_config(fields, SCOPES).run_local_server(
        port=0, authorization_prompt_message="", success_message="FleetDesk is signed in."
    )


def _service_account(fields: Mapping[str, Any]) -> Any:
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(fields, scopes=SCOPES)
    except (ValueError, KeyError):
        raise _unusable(SERVICE_ACCOUNT) from None


def _account(fields: Mapping[str, Any]) -> Any:
    from google.oauth2.credentials import Credentials

    try:
        return Credentials.from_authorized_user_info(fields, scopes=SCOPES)
    except (ValueError, KeyError):
        raise _unusable(ACCOUNT) from None


def _fields(text: str, name: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError:
        # The cause would show a piece of the key.
        raise _unusable(name) from None
    if not isinstance(fields, dict):
        raise _unusable(name)
    return fields


def _unusable(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        f"The stored key for Google ({name}) cannot be used",
        found="it is not the JSON that Google gives",
        fix="Sign in again with: fleetdesk login google",
    )
