"""Fitted models on disk: plain JSON and skops, each named by its digest in a sealed manifest.

One folder per model: `manifest.json`, `card.md`, `model.json` and, for what scikit-learn fitted,
`model.skops`. Nothing is ever unpickled: a skops file may hold only the types on the trust list. A
file whose digest is not the manifest's is refused, and so is a manifest without the key's seal.
"""

from __future__ import annotations

import hmac
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import skops.io as skops_io

from fleetdesk.errors import StoreUnusable
from fleetdesk.riders.churn import ChurnModel
from fleetdesk.riders.drift import Spread
from fleetdesk.riders.lifetimes import Lifetimes
from fleetdesk.riders.matrix import Scale
from fleetdesk.riders.purchases import BgNbd, GammaGamma
from fleetdesk.riders.segments import SegmentModel
from fleetdesk.store.files import sha256_of

FORMAT = 2
TRUSTED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""Types beyond those that skops trusts by itself."""
_PLAIN: dict[str, type] = {
    kind.__name__: kind
    for kind in (ChurnModel, Lifetimes, Scale, BgNbd, GammaGamma, SegmentModel, Spread)
}
_MANIFEST, _CARD, _MODEL, _PIPELINE = "manifest.json", "card.md", "model.json", "model.skops"


@dataclass(frozen=True)
class Manifest:
    """What a kept model is: when and from which records it was learnt, and how well it did.

    `spreads` tells how the riders it learnt from were spread, for drift; `files` are digests.
    """

    name: str
    made_at: datetime
    data_from: datetime | None
    data_until: datetime
    settings_hash: str
    seed: int
    riders: int
    metrics: Mapping[str, float | None]
    spreads: Mapping[str, Spread]
    note: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Kept:
    """A model as it was kept: its parts by name, and its manifest."""

    manifest: Manifest
    parts: Mapping[str, Any]


def model_files(
    manifest: Manifest, parts: Mapping[str, Any], card: str, key: bytes
) -> dict[str, bytes]:
    """The files of a model by name, among them the manifest with their digests, sealed by `key`."""
    files: dict[str, bytes] = {_CARD: card.encode()}
    plain = {}
    for name, part in parts.items():
        if isinstance(part, ChurnModel) and part.pipeline is not None:
            files[_PIPELINE] = skops_io.dumps(part.pipeline, compression=zipfile.ZIP_DEFLATED)
            plain[name] = _packed(replace(part, pipeline=None))
        else:
            plain[name] = _packed(part)
    files[_MODEL] = json.dumps(plain, allow_nan=False).encode()
    digests = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    told = _packed(replace(manifest, files=digests)) | {"format": FORMAT}
    told["seal"] = _seal(told, key)
    return files | {_MANIFEST: json.dumps(told, indent=2).encode()}


def load_model(place: Path, key: bytes) -> Kept | None:
    """The model kept in a folder; None when there is none.

    Raises StoreUnusable when it was not sealed by `key` (HMAC) or that is empty, or a file is
    missing, was changed since it was kept, or holds a type that is not trusted.
    """
    if not (place / _MANIFEST).is_file():
        return None
    manifest = _manifest(place, key)
    for file, digest in manifest.files.items():
        path = place / file
        if Path(file).name != file or not path.is_file() or sha256_of(path) != digest:
            raise _refused(path, "its content is not what was kept")
    if _MODEL not in manifest.files:
        raise _refused(place / _MODEL, "the manifest does not name it")
    try:
        plain = json.loads((place / _MODEL).read_text(encoding="utf-8"))
        parts = {key: _unpacked(value) for key, value in plain.items()}
    except (ValueError, TypeError, KeyError) as error:
        raise _refused(place / _MODEL, "it is not a model of this version") from error
    if _PIPELINE in manifest.files:
        pipeline = _pipeline(place / _PIPELINE)
        parts = {
            key: replace(part, pipeline=pipeline) if isinstance(part, ChurnModel) else part
            for key, part in parts.items()
        }
    return Kept(manifest, parts)


def _pipeline(path: Path) -> Any:
    try:
        foreign = set(skops_io.get_untrusted_types(file=path)) - set(TRUSTED)
    except (zipfile.BadZipFile, ValueError, KeyError) as error:
        raise _refused(path, "it is no skops file") from error
    if foreign:
        raise _refused(path, f"it holds {', '.join(sorted(foreign))}, which is not trusted")
    return skops_io.load(path, trusted=list(TRUSTED))


def _seal(told: Mapping[str, Any], key: bytes) -> str:
    return hmac.digest(key, json.dumps(told, sort_keys=True).encode(), "sha256").hex()


def _manifest(place: Path, key: bytes) -> Manifest:
    path = place / _MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError("another format")
        seal = told.pop("seal")
        # Everybody can seal with an empty key.
        if not key or not hmac.compare_digest(str(seal), _seal(told, key)):
            raise _refused(path, "it does not bear the seal of the key that is known here", _KEY)
        del told["format"], told["type"]
        for moment in ("made_at", "data_from", "data_until"):
            told[moment] = datetime.fromisoformat(told[moment]) if told[moment] else None
        told["spreads"] = {name: _unpacked(value) for name, value in told["spreads"].items()}
        return Manifest(**told)
    except (ValueError, TypeError, KeyError) as error:
        raise _refused(path, "it is not a manifest of this version") from error


def _packed(value: Any) -> Any:
    """Dataclasses and arrays as plain JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = {field.name: _packed(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__} | inner
    if isinstance(value, np.ndarray):
        return {"type": "array", "shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, Mapping):
        return {str(key): _packed(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_packed(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpacked(inner) for inner in value)
    if not isinstance(value, dict):
        return value
    if value.get("type") == "array":
        return np.asarray(value["values"], dtype=np.float64).reshape(value["shape"])
    inner = {key: _unpacked(part) for key, part in value.items() if key != "type"}
    return _PLAIN[value["type"]](**inner) if "type" in value else inner


_KEY = (
    "If another account or computer made it, set FLEETDESK_MODEL_KEY to the key it has. Else remove"
)


def _refused(path: Path, why: str, first: str = "Remove") -> StoreUnusable:
    return StoreUnusable(
        f"The kept model in {path.parent} is refused",
        found=f"{path.name}: {why}",
        fix=f"{first} the folder and answer the question again, which learns it anew",
    )


def card_of(manifest: Manifest, purpose: str, limits: str) -> str:
    """The model card: what it is for, what it was learnt from, how well it did, and its limits."""
    figures = "\n".join(
        f"- {name.replace('_', ' ')}: {'not known' if value is None else f'{value:.4g}'}"
        for name, value in manifest.metrics.items()
    )
    since = f"{manifest.data_from:%Y-%m-%d}" if manifest.data_from else "the first record"
    return (
        f"# {manifest.name.replace('_', ' ').capitalize()}\n\n{purpose}\n\n"
        f"Learnt {manifest.made_at:%Y-%m-%d %H:%M} UTC from {manifest.riders} rows, records from "
        f"{since} to {manifest.data_until:%Y-%m-%d}, seed {manifest.seed}, settings "
        f"{manifest.settings_hash[:12]}.\n\n{manifest.note}\n\n## Figures\n\n{figures}\n\n"
        f"## When not to trust it\n\n{limits}\n"
    )
