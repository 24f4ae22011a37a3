"""Keys and passwords: kept in the operating system's keyring, never in a sheet, log or report.

A machine without a keyring (a server, for one) gives them as environment variables, which come
first wherever they are set. No function here prints, and a `Secret` shows only that it is one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from fleetdesk.errors import FleetDeskError

SERVICE = "FleetDesk"
GOOGLE_ACCOUNT = "google-account"
GOOGLE_SERVICE_ACCOUNT = "google-service-account"
SMTP_PASSWORD = "smtp-password"  # noqa: S105 - its name
RIDER_KEY = "rider-key"
MODEL_KEY = "model-key"
MASK = "[secret]"

_PART = 1_000
"""Characters per entry: Windows keeps at most 2,560 bytes in one, and a key file is longer."""
_PARTS = "fleetdesk-parts:"
_SHORTEST = 6
"""A shorter value is no secret worth the name, and masking it would garble ordinary words."""
_FIELDS = ("private_key", "private_key_id", "refresh_token", "token", "client_secret", "password")
"""What is secret in a key file; its e-mail address, for one, has to be shown."""
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bya29\.[\w.-]+|\b1//[\w-]{20,}|\bGOCSPX-[\w-]+|\bAIza[\w-]{30,}"
    r"|(?<=Bearer )[\w.~+/-]{12,}=*|(?<=://)[^\s\"'<>]{0,200}:[^\s\"'<>]{0,200}(?=@)"
    r"|(?<=password=)[^\s&]+",
    re.S,
)
"""What a secret looks like even where its value was never seen here: keys, tokens, URLs' logins."""
# Write-only memory of what must not be shown: a crash report is written where nobody can hand over
# the secrets that were in use.
_seen: set[str] = set()


class Secret:
    """A value that shows itself only when asked by `reveal`; `repr`, `str` and formats mask it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _remember(value)

    def reveal(self) -> str:
        """The value itself; hand it to the library that needs it and to nothing else."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never stored outside the keyring")


def get(name: str) -> Secret | None:
    """The secret of this name from its environment variable, else from the keyring, else None.

    A variable that ends in a JSON file's path gives the file's content.
    """
    given = os.environ.get(variable(name))
    if given:
        return Secret(_content(name, given))
    value = _read(name)
    return Secret(value) if value else None


def reveal(name: str) -> str | None:
    """The value of a secret, for what takes plain text; None when there is none."""
    secret = get(name)
    return secret.reveal() if secret else None


def put(name: str, value: str | Secret) -> None:
    """Keep a secret in the keyring; FleetDeskError on a machine without one."""
    text = value.reveal() if isinstance(value, Secret) else value
    _remember(text)
    parts = [text[at : at + _PART] for at in range(0, len(text), _PART)]
    _forget(name)
    if len(parts) > 1:
        for number, part in enumerate(parts):
            _keyring(name, "set_password", f"{name}/{number}", part)
        text = f"{_PARTS}{len(parts)}"
    _keyring(name, "set_password", name, text)
    if _keyring(name, "get_password", name) != text:
        raise _no_keyring(name, "the keyring does not keep what it is given")


def put_or_write(name: str, value: str, path: Path) -> None:
    """Keep a secret in the keyring; without one in a file that only its owner may read.

    The file is there whole or not at all, whatever happens meanwhile; OSError where it cannot be.
    """
    try:
        put(name, value)
    except _NoKeyring:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = mkstemp(dir=path.parent)  # such a file is its owner's alone
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(value + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)


def forget(name: str) -> bool:
    """Remove a secret from the keyring; false when it held none."""
    return _forget(name)


def variable(name: str) -> str:
    """The environment variable of a secret: `smtp-password` -> `FLEETDESK_SMTP_PASSWORD`."""
    return "FLEETDESK_" + name.upper().replace("-", "_")


def scrub(text: str) -> str:
    """The text with every secret known here, and all that looks like one, masked."""
    known = set(_seen)
    for name in (GOOGLE_ACCOUNT, GOOGLE_SERVICE_ACCOUNT, SMTP_PASSWORD, RIDER_KEY, MODEL_KEY):
        known.update(_shown_forms(os.environ.get(variable(name), "")))
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, MASK)
    return _SHAPES.sub(MASK, text)


def _content(name: str, given: str) -> str:
    if not _is_path(given):
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except OSError as error:
        raise FleetDeskError(
            f"The file named by {variable(name)} cannot be read",
            found=f"{given}: {error.strerror}",
            fix=f"Set {variable(name)} to the file's path, or to its content",
        ) from error


def _is_path(given: str) -> bool:
    return given.endswith(".json") and not given.lstrip().startswith("{")


def _remember(value: str) -> None:
    _seen.update(_shown_forms(value))


def _shown_forms(value: str) -> Iterator[str]:
    """The ways a secret can appear in a text: as it is, escaped, by its fields, by its lines."""
    if len(value) < _SHORTEST or _is_path(value):
        return
    yield value
    yield repr(value)[1:-1]
    try:
        fields = json.loads(value)
    except ValueError:
        return
    for field in [fields.get(key) for key in _FIELDS] if isinstance(fields, dict) else []:
        if isinstance(field, str) and len(field) >= _SHORTEST:
            yield field
            yield json.dumps(field)[1:-1]
            yield from (line for line in field.splitlines() if len(line) >= 20)


def _read(name: str) -> str | None:
    try:
        first = _keyring(name, "get_password", name)
        if first is None or not first.startswith(_PARTS):
            return first
        count = int(first.removeprefix(_PARTS))
        parts = [_keyring(name, "get_password", f"{name}/{number}") for number in range(count)]
    except _NoKeyring:
        return None
    return None if None in parts else "".join(part for part in parts if part)


def _forget(name: str) -> bool:
    first = _keyring(name, "get_password", name)
    if first is None:
        return False
    if first.startswith(_PARTS):
        for number in range(int(first.removeprefix(_PARTS))):
            if _keyring(name, "get_password", f"{name}/{number}") is not None:
                _keyring(name, "delete_password", f"{name}/{number}")
    _keyring(name, "delete_password", name)
    return True


class _NoKeyring(FleetDeskError):
    """The machine has no keyring that keeps secrets safely."""


def _keyring(name: str, action: str, *arguments: str) -> str | None:
    """One call of the keyring; whatever it raises is the machine's lack of a usable one."""
    import keyring

    backend = type(keyring.get_keyring()).__module__
    if backend.startswith("keyrings.alt"):
        raise _no_keyring(name, "a keyring that keeps passwords in a plain file")
    try:
        answer = getattr(keyring, action)(SERVICE, *arguments)
    except Exception as error:  # noqa: BLE001
        # Backends raise what their system raises (D-Bus, COM, Security framework). Its text may
        # hold the value, so only the kind of the error is told.
        raise _no_keyring(name, type(error).__name__) from None
    return answer if isinstance(answer, str) else None


def _no_keyring(name: str, found: str) -> _NoKeyring:
    return _NoKeyring(
        "This machine has no keyring that FleetDesk can use",
        found=found,
        fix=f"Set the environment variable {variable(name)} instead, where only FleetDesk sees it",
    )
