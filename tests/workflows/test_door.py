"""No rider's own id gets into the store; the same rider is the same pseudonym everywhere."""

from __future__ import annotations

import hashlib
import hmac
import stat
import sys
import time
from pathlib import Path

import keyring
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError

from fleetdesk.errors import FleetDeskError, StoreUnusable
from fleetdesk.sources.base import Checkpoint
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.door import Pseudonyms, through_the_door
from fleetdesk.workflows.refresh import import_source
from fleetdesk.workflows.rider_key import KEY_FILE, rider_key, where_kept
from fleetdesk.workflows.workspace import NewWorkbook

KEY = "0123456789abcdef0123456789abcdef"


class Memory(KeyringBackend):
    """A keyring that forgets when the test ends."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Absent(Memory):
    """A server's keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        raise NoKeyringError

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NoKeyringError


def use(ring: KeyringBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, name, getattr(ring, name))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.delenv("FLEETDESK_RIDER_KEY", raising=False)
    memory = Memory()
    use(memory, monkeypatch)
    return memory


@pytest.fixture
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEETDESK_RIDER_KEY", raising=False)
    use(Absent(), monkeypatch)


def records(folder: Path, *riders: str) -> Path:
    """Riders and their complaints as canonical tables."""
    folder.mkdir(exist_ok=True)
    (folder / "riders.csv").write_text(
        "rider_id,signed_up_at,consent,referrals\n"
        + "".join(f"{rider},2024-05-01T00:00:00Z,true,0\n" for rider in riders)
    )
    (folder / "complaints.csv").write_text(
        "complaint_id,rider_id,filed_at,topic\n"
        + "".join(f"c{n},{rider},2024-05-02T00:00:00Z,brake\n" for n, rider in enumerate(riders))
        + "anonymous,,2024-05-02T00:00:00Z,brake\n"
    )
    return folder


def bring(tables: Path, folder: Path) -> list[str]:
    """Import; the rider ids that the store then holds."""
    import_source("tables", str(tables), folder, NewWorkbook(), again=True)
    with open_store(folder / "store") as store:
        ids: list[str] = store.tables()["riders"].rider_id.to_pyarrow().to_pylist()
        complained = store.tables()["complaints"].rider_id.to_pyarrow().to_pylist()
    assert set(complained) == {*ids, None}
    return sorted(ids)


@pytest.mark.usefixtures("ring")
def test_ids_are_replaced_everywhere_and_stay_the_same(tmp_path: Path) -> None:
    tables = records(tmp_path / "tables", "anna@example.org", "4711")
    ids = bring(tables, tmp_path / "w")
    assert all(name.startswith("rp-") and len(name) == 35 for name in ids) and len(ids) == 2
    assert bring(tables, tmp_path / "w") == ids
    for path in (tmp_path / "w").rglob("*"):
        if path.is_file():
            assert b"anna@example" not in path.read_bytes()
    # What was pseudonymised before is not once more.
    assert bring(records(tmp_path / "tables", *ids), tmp_path / "w") == ids
    # Two workspaces do not share a key, so their riders cannot be matched.
    other = records(tmp_path / "tables", "anna@example.org", "4711")
    assert not set(bring(other, tmp_path / "v")) & set(ids)


def test_a_lost_key_is_noticed_before_riders_are_split(tmp_path: Path, ring: Memory) -> None:
    tables = records(tmp_path / "tables", "4711")
    ids = bring(tables, tmp_path / "w")
    (entry,) = ring.kept
    kept = ring.kept.pop(entry)
    with pytest.raises(StoreUnusable, match="no key at all"):
        bring(tables, tmp_path / "w")
    ring.kept[entry] = kept[::-1]
    with pytest.raises(StoreUnusable, match="another key in the keyring"):
        bring(tables, tmp_path / "w")
    ring.kept[entry] = kept
    assert bring(tables, tmp_path / "w") == ids


def test_a_servers_key_comes_from_the_environment(
    tmp_path: Path, ring: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETDESK_RIDER_KEY", KEY)
    tables = records(tmp_path / "tables", "4711")
    expected = hmac.digest(KEY.encode(), b"4711", "sha256").hex()[:32]
    assert bring(tables, tmp_path / "w") == [f"rp-{expected}"]
    assert ring.kept == {}
    monkeypatch.setenv("FLEETDESK_RIDER_KEY", KEY[::-1])
    with pytest.raises(StoreUnusable, match="another key in FLEETDESK_RIDER_KEY") as refusal:
        bring(tables, tmp_path / "w")
    assert KEY not in str(refusal.value) and KEY[::-1] not in str(refusal.value)
    monkeypatch.setenv("FLEETDESK_RIDER_KEY", "short")
    with pytest.raises(FleetDeskError, match="5 characters"):
        bring(tables, tmp_path / "v")


@pytest.mark.usefixtures("no_ring")
def test_without_a_keyring_the_key_is_a_file_for_its_owner(tmp_path: Path) -> None:
    tables = records(tmp_path / "tables", "4711")
    ids = bring(tables, tmp_path / "w")
    path = tmp_path / "w" / "store" / KEY_FILE
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert bring(tables, tmp_path / "w") == ids
    with open_store(tmp_path / "w" / "store") as store:
        assert str(path) in (where_kept(store, path.parent) or "")
        path.unlink()
        assert where_kept(store, path.parent) == ""


@pytest.mark.usefixtures("no_ring")
def test_a_key_file_made_before_a_crash_is_used(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", create=True) as store:
        (tmp_path / KEY_FILE).write_text(KEY + "\n")
        assert rider_key(store, tmp_path) == KEY.encode()


@pytest.mark.usefixtures("ring")
def test_records_without_riders_need_no_key(tmp_path: Path) -> None:
    asked: list[int] = []

    def key() -> bytes:
        asked.append(1)
        return KEY.encode()

    nobody = pa.table({"rider_id": pa.array([None, None], pa.string()), "n": [1, 2]})
    pieces = [("trips", nobody), Checkpoint({}), ("events", pa.table({"n": [1]}))]
    assert list(through_the_door(pieces, key)) == pieces
    assert asked == []


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_pseudonyms_are_hmacs_whatever_the_ids_and_their_chunks(ids: list[str | None]) -> None:
    key = b"k" * 70
    whole = pa.array(ids, pa.string())
    rows = pa.table({"rider_id": pa.chunked_array([whole[:3], whole[3:]], pa.string())})
    expected = [
        None if text is None else "rp-" + hmac.digest(key, text.encode(), hashlib.sha256).hex()[:32]
        for text in ids
    ]
    assert Pseudonyms(key).of(rows)["rider_id"].to_pylist() == expected
    assert [text if text is None else Pseudonyms(key).name_of(text) for text in ids] == expected
    assert Pseudonyms(key).of(Pseudonyms(key).of(rows))["rider_id"].to_pylist() == expected


def test_numbers_as_ids_do_not_slip_past() -> None:
    rows = pa.table({"rider_id": [4711]})
    ((_, out),) = through_the_door([("trips", rows)], lambda: b"key")  # type: ignore[misc]
    assert out["rider_id"].to_pylist()[0].startswith("rp-")


def test_a_million_riders_take_seconds() -> None:
    rows = pa.table({"rider_id": [f"rider-{number}" for number in range(100_000)]})
    begun = time.process_time()
    Pseudonyms(b"key").of(rows)
    assert time.process_time() - begun < 0.6
