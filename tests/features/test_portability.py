"""The expressions must run on every engine: each must compile for all three, by portable verbs."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import ibis
import pytest
from ibis.backends.sql.compilers import (
    DuckDBCompiler,
    PostgresCompiler,
    PySparkCompiler,
    pyspark,
)
from ibis.expr.operations import DatabaseTable
from tests.features.expressions import expressions

from fleetdesk import features
from fleetdesk.model.tables import TABLES
from fleetdesk.settings.schema import Settings

START, END = datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 6, 4, tzinfo=UTC)
FORBIDDEN = {
    "asof_join", "bucket", "mode", "first", "last", "sample", "udf", "to_timezone",
    "execute", "to_pyarrow", "to_pandas", "raw_sql", "epoch_seconds",
}  # fmt: skip


class _SparkOptions:
    treat_nan_as_null = False


def all_expressions(table):
    return expressions({name: table(name, []) for name in TABLES}, Settings(), START, END)


@pytest.fixture(scope="module")
def unbound(table):
    return {name: found.unbind() for name, found in all_expressions(table).items()}


@pytest.mark.parametrize("compiler", [DuckDBCompiler, PostgresCompiler, PySparkCompiler])
def test_every_expression_compiles_for_every_engine(unbound, compiler, monkeypatch):
    # The option is only there where pyspark is installed; its compiler asks for it all the same.
    monkeypatch.setattr(pyspark, "options", SimpleNamespace(pyspark=_SparkOptions))
    for name, expression in unbound.items():
        sql = compiler().to_sqlglot(expression).sql(compiler.dialect)
        assert "SELECT" in sql, name
        assert "decimal" not in sql.lower(), name


@pytest.mark.parametrize("marked", ["events", "trips", "telemetry", "sightings"])
def test_columns_that_may_not_be_empty_do_no_harm_beside_others(table, marked):
    def strict(name, rows):
        made = table(name, rows)
        if name != marked:
            return engine.create_table(name, made.to_pyarrow(), overwrite=True)
        schema = ibis.schema({n: t.copy(nullable=False) for n, t in made.schema().items()})
        return engine.create_table(name, made.to_pyarrow(), schema=schema, overwrite=True)

    engine = ibis.duckdb.connect()
    assert not strict(marked, []).schema()["vehicle_id"].nullable
    asked = {
        name: expression
        for name, expression in all_expressions(strict).items()
        if marked in {source.name for source in expression.op().find(DatabaseTable)}
    }
    assert len(asked) > 3
    for name, expression in asked.items():
        assert engine.to_pyarrow(expression).num_rows == (1 if name == "facts" else 0)


def test_no_verb_that_engines_disagree_on():
    for path in Path(features.__path__[0]).glob("*.py"):
        called = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not called & FORBIDDEN, path.name
