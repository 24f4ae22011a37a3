"""Signing in keeps what is secret in the keyring and shows it nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from click.testing import CliRunner, Result
from keyring.backend import KeyringBackend
from keyring.backends import fail

from fleetdesk.apps.cli import cli
from fleetdesk.apps.console import run_command
from fleetdesk.settings import secrets
from fleetdesk.sheets import google_auth

KEY = {
    "type": "service_account",
    "client_email": "bot@city.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n-----END PRIVATE KEY-----",
    "token_uri": "https://oauth2.googleapis.com/token",
}


class Drawer(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[username]


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawer]:
    for name in ("google-account", "google-service-account", "smtp-password"):
        monkeypatch.delenv(secrets.variable(name), raising=False)
    before, drawer = keyring.get_keyring(), Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


def login(*args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["login", *args], input=typed)


def file(folder: Path, content: Any) -> str:
    path = folder / "key.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_mail_password_is_kept_and_not_shown(drawer: Drawer) -> None:
    done = login("smtp", "--json", typed="correct horse\n")
    assert json.loads(done.stdout)["ok"] is True
    assert drawer.entries == {"smtp-password": "correct horse"}
    assert "horse" not in done.output
    assert login("smtp", "--forget").exit_code == 0
    assert drawer.entries == {}


def test_no_password_is_refused(drawer: Drawer) -> None:
    assert login("smtp", typed="\n").exit_code == 1
    assert drawer.entries == {}


def test_a_bots_key_is_kept_and_its_address_told(drawer: Drawer, tmp_path: Path) -> None:
    done = login("google", "--service-account", file(tmp_path, KEY))
    assert done.exit_code == 0 and KEY["client_email"] in done.output
    assert "MIIE" not in done.output
    assert secrets.reveal("google-service-account") == json.dumps(KEY)
    login("google", "--forget")
    assert drawer.entries == {}


def test_a_person_signs_in_through_the_browser(
    drawer: Drawer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"client_id": "c", "client_secret": "GOCSPX-x", "refresh_token": "1//abc"}

    class Granted:
        def to_json(self) -> str:
            return json.dumps({**account, "token": "ya29.short-lived"})

    monkeypatch.setattr(google_auth, "_open_page", lambda fields: Granted())
    done = login("google", "--client", file(tmp_path, {"installed": {"client_id": "c"}}))
    assert done.exit_code == 0 and "1//abc" not in done.output
    assert json.loads(secrets.reveal("google-account") or "") == account


@pytest.mark.parametrize(
    ("args", "content", "says"),
    [
        ((), None, "--service-account"),
        (("--service-account",), "no json s3cret", "cannot be used"),
        (("--service-account",), {"type": "authorized_user"}, "no key of a service account"),
        (("--client",), {"web": {}}, "Desktop app"),
        (("--client",), "[1]", "cannot be used"),
    ],
)
def test_wrong_files_are_sentences(
    args: tuple[str, ...], content: Any, says: str, drawer: Drawer, tmp_path: Path
) -> None:
    given = [*args, file(tmp_path, content)] if args else []
    done = login("google", *given)
    assert done.exit_code != 0 and says in done.output
    assert "Traceback" not in done.output and "s3cret" not in done.output
    assert drawer.entries == {}


def test_without_a_keyring_the_variable_is_named(drawer: Drawer, tmp_path: Path) -> None:
    keyring.set_keyring(fail.Keyring())
    done = login("smtp", "--json", typed="correct horse\n")
    parts = json.loads(done.stdout)
    assert parts["ok"] is False and "FLEETDESK_SMTP_PASSWORD" in parts["fix"]
    done = login("google", "--service-account", file(tmp_path, KEY))
    assert "FLEETDESK_GOOGLE_SERVICE_ACCOUNT" in done.output
    assert "horse" not in done.output and "MIIE" not in done.output


def test_a_crash_report_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    secrets.Secret("correct horse battery")

    def crash() -> Any:
        raise RuntimeError("refused: correct horse battery, Bearer ya29.abcdefghijkl")

    assert run_command(crash, as_json=True) == 70
    shown = capsys.readouterr().out
    report = Path(json.loads(shown)["report"])
    text = report.read_text(encoding="utf-8")
    report.unlink()
    assert "RuntimeError" in text and secrets.MASK in text
    for part in ("horse", "abcdefghijkl"):
        assert part not in text and part not in shown


def test_a_sources_key_is_kept_under_the_name_that_it_asks_for(drawer: Drawer) -> None:
    result = login("source", "mds-token", typed="sesame-sesame\n")
    assert result.exit_code == 0 and "sesame" not in result.output
    assert secrets.reveal("mds-token") == "sesame-sesame"
    assert login("source", "mds-token", typed="\n").exit_code == 1
    assert login("source", "mds-token", "--forget").exit_code == 0
    assert secrets.reveal("mds-token") is None
