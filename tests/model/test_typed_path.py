"""Paths as planners type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetdesk.model.typed_path import typed_path
from fleetdesk.workflows.import_options import as_place


def test_a_home_is_found_and_one_that_is_not_there_is_a_folder_of_that_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert typed_path("~/city.csv") == tmp_path / "city.csv"
    assert typed_path("maps/city.csv") == Path("maps/city.csv")
    monkeypatch.chdir(tmp_path)
    nobody = "~nobody of that name/city.csv"
    assert as_place(nobody) == str(tmp_path.resolve() / nobody)
