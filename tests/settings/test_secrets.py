"""Secrets come from the environment or the keyring, and show in no text."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import PasswordDeleteError

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings import secrets
from fleetdesk.settings.secrets import MASK, Secret

MOST = 1_280  # characters in an entry of the Windows Credential Manager
KEY = json.dumps(
    {
        "type": "service_account",
        "client_email": "bot@city.iam.gserviceaccount.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 60
        + "-----END PRIVATE KEY-----\n",
    }
)  # fmt: skip


class Drawer(KeyringBackend):
    """A keyring in memory that is as narrow as Windows' own."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password) <= MOST
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError(username)
        del self.entries[service, username]


class Broken(Drawer):
    """A keyring whose error repeats what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawer]:
    yield from use(Drawer(), monkeypatch)


def use(backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringBackend]:
    for name in ("google-account", "google-service-account", "smtp-password"):
        monkeypatch.delenv(secrets.variable(name), raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield backend
    finally:
        keyring.set_keyring(before)


def test_what_is_put_is_got_until_it_is_forgotten(drawer: Drawer) -> None:
    assert secrets.get("smtp-password") is None
    secrets.put("smtp-password", "correct horse")
    assert secrets.reveal("smtp-password") == "correct horse"
    assert secrets.forget("smtp-password")
    assert secrets.get("smtp-password") is None
    assert not secrets.forget("smtp-password")


def test_a_key_file_longer_than_an_entry_is_kept_whole_and_leaves_nothing(drawer: Drawer) -> None:
    assert len(KEY) > MOST
    secrets.put("google-service-account", KEY)
    assert secrets.reveal("google-service-account") == KEY
    secrets.put("google-service-account", "short now")
    assert secrets.reveal("google-service-account") == "short now"
    assert len(drawer.entries) == 1
    secrets.forget("google-service-account")
    assert not drawer.entries


def test_the_environment_comes_first_as_content_or_as_a_path(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets.put("google-service-account", KEY)
    monkeypatch.setenv("FLEETDESK_GOOGLE_SERVICE_ACCOUNT", '{"a": 1}')
    assert secrets.reveal("google-service-account") == '{"a": 1}'
    path = tmp_path / "bot.json"
    monkeypatch.setenv("FLEETDESK_GOOGLE_SERVICE_ACCOUNT", str(path))
    with pytest.raises(FleetDeskError, match="FLEETDESK_GOOGLE_SERVICE_ACCOUNT"):
        secrets.get("google-service-account")
    path.write_text('{"b": 2}', encoding="utf-8")
    assert secrets.reveal("google-service-account") == '{"b": 2}'


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), Broken()])
def test_a_machine_without_a_keyring_is_told_the_variable(
    backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in use(backend, monkeypatch):
        with pytest.raises(FleetDeskError) as refused:
            secrets.put("smtp-password", "correct horse")
        assert "FLEETDESK_SMTP_PASSWORD" in str(refused.value)
        assert "correct horse" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert secrets.get("smtp-password") is None
        monkeypatch.setenv("FLEETDESK_SMTP_PASSWORD", "from the server")
        assert secrets.reveal("smtp-password") == "from the server"


def test_without_a_keyring_a_file_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store" / "model.key"
    for _ in use(fail.Keyring(), monkeypatch):
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
            with pytest.raises(OSError, match="No space left"):
                secrets.put_or_write("model-key", "correct horse", path)
        assert list(path.parent.iterdir()) == []
        secrets.put_or_write("model-key", "correct horse", path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text() == "correct horse\n"
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_shows_only_that_it_is_one() -> None:
    secret = Secret("correct horse")
    shown = f"{secret} {secret!r} {secret:>20} {[secret]}"
    assert "horse" not in shown and MASK in shown
    assert secret == Secret("correct horse") != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "text",
    [
        "SMTP 535: 'correct horse battery' was wrong",
        "Authorization: Bearer abcdefghijklmnop.qrstuv",
        "token ya29.a0AfH6SMBx-abc_def",
        "refresh 1//09abcdefghijklmnopqrstuvw",
        "mysql://planner:hunter2hunter2@db/fleet",
        json.loads(KEY)["private_key"],
        KEY,
        repr(KEY),
    ],
)
def test_scrub_masks_what_was_seen_and_what_looks_like_it(text: str) -> None:
    Secret("correct horse battery")
    Secret(KEY)
    clean = secrets.scrub(text)
    assert MASK in clean
    for part in ("horse", "abcdefghijklmnop", "a0AfH6", "hunter2", "MIIEv"):
        assert part not in clean


def test_scrub_knows_the_environment_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETDESK_SMTP_PASSWORD", "only in the environment")
    assert secrets.scrub("sent only in the environment.") == f"sent {MASK}."
    Secret(KEY)
    plain = "Share it with bot@city.iam.gserviceaccount.com at https://docs.google.com/d/1"
    assert secrets.scrub(plain) == plain
