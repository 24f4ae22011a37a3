"""Columns of texts, made without what takes long to load."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from fleetdesk.sources.parsing import text_column


@pytest.mark.parametrize(
    "texts", [[], [None], ["a"], ["", None, "Ωß"], [None] * 9 + ["x" * 1000], ["a\0b", "'"]]
)
def test_texts_become_a_column(texts: list[str | None]) -> None:
    column = text_column(texts)
    column.validate(full=True)
    assert column.type == pa.string()
    assert column.to_pylist() == texts
    assert column.null_count == texts.count(None)


def test_a_column_of_texts_loads_no_pandas() -> None:
    code = (
        "import sys; from fleetdesk.sources.parsing import text_column; text_column(['a']);"
        "import fleetdesk.sources.mysql, fleetdesk.sources.gbfs, fleetdesk.sources.mds;"
        "print([name for name in ('pandas', 'ibis', 'scipy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert said.stdout.strip() == "[]"
