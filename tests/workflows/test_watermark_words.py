"""How far sources are in, in words."""

from __future__ import annotations

import json

import pytest

from fleetdesk.workflows.watermark_words import said


@pytest.mark.parametrize(
    ("kind", "watermark", "words"),
    [
        ("gbfs", {"vehicles last_updated": "2024-05-01T11:00:00+00:00", "vehicles etag": '"x"',
                  "vehicles digest": "ab12", "ids": "lasting"},
         "the snapshot of 2024-05-01 11:00 UTC; its vehicle ids last"),
        ("mds", {"trips": "2024-05-01T07", "events": "2024-05-01T06"},
         "the hour 2024-05-01 06:00 UTC of events; the hour 2024-05-01 07:00 UTC of trips"),
        ("mysql", {"rides": json.dumps({"since": ["2024-05-01 10:00:00", []], "hashes": "AAAA"}),
                   "cities": json.dumps({"since": None})},
         "all of cities; the change of 2024-05-01 10:00 in rides"),
        ("victoriametrics", {"through": "2024-05-01"}, "2024-05-01"),
        ("tables", {"files": "0f3a"}, ""),
        ("files", {"rides.csv": "0f3a|120"}, ""),
        ("mysql", {"rides": "no JSON"}, ""),
    ],
)  # fmt: skip
def test_a_watermark_is_said_in_words(kind: str, watermark: dict[str, str], words: str) -> None:
    assert said(kind, watermark) == words
