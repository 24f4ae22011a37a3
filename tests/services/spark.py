"""Whether Spark can be started here; the stores start it themselves, once per process."""

from __future__ import annotations

import os

import pytest
from tests.services.common import program


def needs_spark() -> None:
    """Skip with the reason where Spark's Java or its Python package is missing."""
    pytest.importorskip("pyspark", reason="the extra 'cluster' is not installed")
    program("java", "usr/lib/jvm/*/bin")
    # The queries of tests are short: compiling them well takes longer than running them badly.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
