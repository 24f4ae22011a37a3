"""The account of an import adds up and survives JSON."""

from __future__ import annotations

import json

import pytest

from fleetdesk.model.quality import DroppedRows, QualityReport


def test_an_account_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="5 rows in, but 3 kept and 1 dropped"):
        QualityReport("x", 5, 3, (DroppedRows("bad", 1),))


def test_it_survives_json() -> None:
    report = QualityReport(
        "x", 5, 3, (DroppedRows("bad", 2, ("row 1", "row 2")),), ("A note.",), {"share, %": 1.5}
    )
    assert QualityReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report
    assert report.rows_dropped == 2
