"""The page of canonical tables is what the code says."""

from __future__ import annotations

from pathlib import Path

from fleetdesk.model.reference import tables_page

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    page = (CHECKOUT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert page == tables_page(), "run: python -m fleetdesk.model.reference > docs/tables.md"
