"""Models come back as they were kept, and what was changed on the way is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import skops.io
from tests.riders.test_churn import planted
from tests.riders.test_lifetime_value import visitors
from tests.riders.test_retention import planted as planted_stays

from fleetdesk.errors import StoreUnusable
from fleetdesk.riders.churn import BOOSTING, base_rate, train
from fleetdesk.riders.drift import spreads, stability_index
from fleetdesk.riders.lifetimes import fit_lifetimes
from fleetdesk.riders.matrix import Scale
from fleetdesk.riders.purchases import fit_bg_nbd, fit_gamma_gamma
from fleetdesk.riders.segments import SegmentModel
from fleetdesk.store.model_files import Manifest, card_of, load_model, model_files

AT = datetime(2026, 6, 1, tzinfo=UTC)
KEY = b"a key"


def manifest(name: str, frame=None) -> Manifest:
    told = spreads(frame, ["growth_pct"]) if frame is not None else {}
    return Manifest(
        name, AT, None, AT, "abc" * 8, 1, 200, {"auc": 0.8, "brier": None}, told, "A note.", {}
    )


def save_model(folder: Path, manifest: Manifest, parts, card: str) -> None:
    place = folder / manifest.name
    place.mkdir()
    for name, content in model_files(manifest, parts, card, KEY).items():
        (place / name).write_bytes(content)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    frame, left, _ = planted(200, 1)
    model = train(frame, left, BOOSTING, 1)
    save_model(folder, manifest("churn", frame), {"churn": model}, "card")
    return folder


def write_manifest(folder: Path, told, key: bytes = KEY) -> None:
    """As one who has the key writes it."""
    del told["seal"]
    seal = hmac.digest(key, json.dumps(told, sort_keys=True).encode(), "sha256").hex()
    (folder / "churn" / "manifest.json").write_text(json.dumps(told | {"seal": seal}))


@pytest.fixture
def copy(kept, tmp_path) -> Path:
    shutil.copytree(kept / "churn", tmp_path / "churn")
    return tmp_path


def test_a_churn_model_foretells_the_same_after_a_round_trip(kept):
    frame, left, _ = planted(200, 1)
    found = load_model(kept / "churn", KEY)
    assert (
        found.parts["churn"].chances(frame) == train(frame, left, BOOSTING, 1).chances(frame)
    ).all()
    assert found.manifest.metrics == {"auc": 0.8, "brier": None}
    assert found.manifest.made_at == AT and found.manifest.data_from is None
    assert stability_index(found.manifest.spreads, frame)["growth_pct"] < 1e-9


def test_survival_and_segment_models_are_plain_json(tmp_path):
    stays, (history, _) = planted_stays(400), visitors(300)
    scale = Scale(("km",), (True,), (1.0,), (0.0,), (2.0,), ())
    parts = {
        "lifetimes": fit_lifetimes(stays, 1),
        "often": fit_bg_nbd(history),
        "much": fit_gamma_gamma(history),
        "segments": SegmentModel(("Light", "Power"), scale, np.array([[0.0], [1.0]])),
        "churn": base_rate(np.array([True, False])),
    }
    save_model(tmp_path, manifest("values"), parts, "card")
    assert sorted(path.name for path in (tmp_path / "values").iterdir()) == [
        "card.md", "manifest.json", "model.json",
    ]  # fmt: skip
    found = load_model(tmp_path / "values", KEY).parts
    at = np.array([3.0, 30.0])
    assert (found["lifetimes"].survival(stays, at) == parts["lifetimes"].survival(stays, at)).all()
    assert found["often"] == parts["often"] and found["much"] == parts["much"]
    assert found["churn"] == parts["churn"] and found["segments"].names == ("Light", "Power")


def test_there_may_be_no_model(tmp_path):
    assert load_model(tmp_path / "churn", KEY) is None


@pytest.mark.parametrize("file", ["model.json", "model.skops", "card.md"])
def test_a_tampered_file_is_refused(copy, file):
    path = copy / "churn" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StoreUnusable, match="refused"):
        load_model(copy / "churn", KEY)


@pytest.mark.parametrize("file", ["model.json", "model.skops"])
def test_a_missing_file_is_refused(copy, file):
    (copy / "churn" / file).unlink()
    with pytest.raises(StoreUnusable, match=file):
        load_model(copy / "churn", KEY)


def test_a_pickle_in_a_models_clothes_is_refused_and_not_run(copy):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (copy / "sprung",))

    path = copy / "churn" / "model.skops"
    path.write_bytes(pickle.dumps(Trap()))
    told = json.loads((copy / "churn" / "manifest.json").read_text())
    told["files"]["model.skops"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_manifest(copy, told)
    with pytest.raises(StoreUnusable, match="refused"):
        load_model(copy / "churn", KEY)
    assert not (copy / "sprung").exists()


def test_a_type_that_is_not_trusted_is_refused(copy):
    path = copy / "churn" / "model.skops"
    skops.io.dump({"run": np.load}, path)
    told = json.loads((copy / "churn" / "manifest.json").read_text())
    told["files"]["model.skops"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_manifest(copy, told)
    with pytest.raises(StoreUnusable, match="not trusted"):
        load_model(copy / "churn", KEY)


def test_a_manifest_rewritten_to_fit_is_refused(copy):
    path = copy / "churn" / "model.json"
    plain = json.loads(path.read_text())
    plain["churn"]["base_rate"] = 0.0
    path.write_text(json.dumps(plain))
    told = json.loads((copy / "churn" / "manifest.json").read_text())
    told["files"]["model.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    bare = {name: value for name, value in told.items() if name != "seal"}
    for forged in (told, bare | {"seal": "0" * 64}, bare):
        (copy / "churn" / "manifest.json").write_text(json.dumps(forged))
        with pytest.raises(StoreUnusable, match="manifest"):
            load_model(copy / "churn", KEY)
    write_manifest(copy, told)
    assert load_model(copy / "churn", KEY).parts["churn"].base_rate == 0.0
    with pytest.raises(StoreUnusable, match="seal"):
        load_model(copy / "churn", b"another key")


def test_where_no_key_is_known_a_seal_of_none_opens_nothing(copy):
    told = json.loads((copy / "churn" / "manifest.json").read_text())
    write_manifest(copy, told, b"")
    with pytest.raises(StoreUnusable, match="seal"):
        load_model(copy / "churn", b"")


def test_a_broken_manifest_is_refused(copy):
    (copy / "churn" / "manifest.json").write_text("{}")
    with pytest.raises(StoreUnusable, match="manifest"):
        load_model(copy / "churn", KEY)


def test_drift_is_seen():
    frame, _, _ = planted(1000, 1)
    same, _, _ = planted(1000, 2)
    then = spreads(frame, ["growth_pct", "complaints_30d"])
    assert max(stability_index(then, same).values()) < 0.1
    assert stability_index(then, same.assign(growth_pct=-60.0))["growth_pct"] > 1
    assert stability_index(then, same.assign(growth_pct=None))["growth_pct"] > 1


def test_the_card_tells_what_and_how_well():
    card = card_of(manifest("churn"), "Who leaves.", "With few riders.")
    assert "auc: 0.8" in card and "brier: not known" in card and "With few riders." in card
