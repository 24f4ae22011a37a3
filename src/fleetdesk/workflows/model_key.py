"""The key that kept models are sealed with, so that nobody else can put one in their place.

It lies in the keyring, or comes from FLEETDESK_MODEL_KEY on a server. Where there is neither, it is
a file in the workspace that only its owner may read. Who loses it learns the models anew.
"""

from __future__ import annotations

import secrets as random
from pathlib import Path

from fleetdesk.settings import secrets
from fleetdesk.workflows.context import STORE_FOLDER

KEY_FILE = "model.key"


def model_key(folder: Path) -> bytes:
    """The key of the workspace `folder`, made at the first need."""
    key = known_key(folder)
    if not key:
        made = random.token_hex(32)
        secrets.put_or_write(secrets.MODEL_KEY, made, _file(folder))
        key = made.encode()
    return key


def known_key(folder: Path) -> bytes:
    """The key as far as there is one; empty where none was made, which opens no model."""
    key, path = secrets.reveal(secrets.MODEL_KEY), _file(folder)
    if not key and path.is_file():
        key = secrets.Secret(path.read_text(encoding="utf-8").strip()).reveal()
    return (key or "").encode()


def _file(folder: Path) -> Path:
    return folder / STORE_FOLDER / KEY_FILE
