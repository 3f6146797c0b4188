"""Statements whose text is made once: the few that every scan and every message needs, said again with other values.

Strategy: the ORM compiles a query as it is written where it is used, the first time a connection needs it; text and
columns are kept with that connection, so they are always the models' own. Compiling anew costs five times as much as
asking. PostgreSQL keeps its plans of them as well; `?server_side_binding=false` in DATABASE_URL spares it that, for
poolers between that cannot. For hot paths only: no signals; a `Prepared` compares exactly, and never with `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final, Generic, TypeVar

from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Field, Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)
Value = int | str | date

_KEPT: Final = "interlend_prepared"
_SEEN_BEFORE: Final = 2  # times a statement is said before it is worth preparing
_MANY: Final = 100  # statements whose cursors stay open


@dataclass(frozen=True, slots=True)
class _Text:
    """A compiled query: `places` say which parameter takes which value, `make` turns a database row into a model's."""

    sql: str
    params: tuple[Any, ...]
    places: tuple[tuple[int, int, Callable[[Any], Any]], ...]
    make: Callable[[Sequence[Any]], Any]


class Prepared(Generic[Row]):
    """`build` makes a query from one value of each of `kinds` (int, str or date); calling it gives the rows.

    `select_for_update` works as ever; whoever calls must be in a transaction then.
    """

    def __init__(self, build: Callable[..., QuerySet[Row]], *kinds: type[Value]) -> None:
        self.build, self.kinds = build, kinds

    def __call__(self, *values: Value) -> list[Row]:
        connection = _connection(None)
        kept = connection.__dict__.setdefault(_KEPT, {})
        text: _Text | None = kept.get(self)
        if text is None:
            text = kept[self] = self._compiled(connection)
        params = list(text.params)
        for place, number, adapt in text.places:
            params[place] = adapt(values[number])
        return [text.make(row) for row in said(connection, text.sql, params).fetchall()]

    def one(self, *values: Value) -> Row | None:
        """The first row, for queries that find one at most."""
        return next(iter(self(*values)), None)

    def _compiled(self, connection: BaseDatabaseWrapper) -> _Text:
        marks = [_mark(kind, number) for number, kind in enumerate(self.kinds)]
        compiler = self.build(*marks).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        places = []
        for number, (kind, mark) in enumerate(zip(self.kinds, marks, strict=True)):
            said = connection.ops.adapt_datefield_value(mark) if isinstance(mark, date) else mark
            found = [place for place, param in enumerate(params) if param == said and isinstance(param, type(said))]
            if not found:
                raise TypeError(f"value {number} of this query is nowhere in its SQL: {sql}")
            for place in found:
                adapt = connection.ops.adapt_datefield_value if kind is date else type(params[place])
                places.append((place, number, adapt))
        return _Text(sql, tuple(params), tuple(places), _maker(compiler, connection))


def _mark(kind: type[Value], number: int) -> Value:
    """A value that no query has of its own, to find its place among the parameters.

    Patterns escape `%` and `_`, so the mark of a text would not be found in one: only exact comparisons are prepared.
    """
    if kind is date:
        return date(9999, 12, 31 - number)
    return 2_147_483_600 - number if kind is int else f"\x1a%_\\{number}"


def _maker(compiler: Any, connection: BaseDatabaseWrapper) -> Callable[[Sequence[Any]], Any]:
    """How Django's own `ModelIterable` makes a model's row, related ones included; all that is alike for every row."""
    select, info, alias = compiler.select, compiler.klass_info, connection.alias
    model: type[Model] = info["model"]
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in select[start:end]]
    populators = get_related_populators(info, select, alias)  # type: ignore[call-arg]  # of a later Django
    expressions = [column[0] for column in select[: compiler.col_count]]
    converters = list(compiler.get_converters(expressions).items())

    def make(row: Sequence[Any]) -> Any:
        if converters:
            row = list(row)
            for place, (steps, expression) in converters:
                value = row[place]
                for step in steps:
                    value = step(value, expression, connection)
                row[place] = value
        made = model.from_db(alias, names, row[start:end])
        for populator in populators:
            populator.populate(row, made)
        return made

    return make


# --- the database's part ----------------------------------------------------------------------------------------


def said(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> CursorWrapper:
    """Run a statement with other values than the last time; read all its rows before it is said again.

    PostgreSQL: prepared, on a cursor of its own that stays open. Django binds values in the client, so that every
    statement is parsed and planned anew: as long as running it takes.
    """
    if connection.vendor == "postgresql" and _may_prepare(connection):
        cursor = _kept_cursor(connection, sql)
    else:
        cursor = connection.cursor()
    cursor.execute(sql, params)
    return cursor


def _may_prepare(connection: BaseDatabaseWrapper) -> bool:
    return str(connection.settings_dict["OPTIONS"].get("server_side_binding", "true")).casefold() not in {"false", "0"}


def _kept_cursor(connection: BaseDatabaseWrapper, sql: str) -> CursorWrapper:
    """The statement's open cursor on the driver's connection, wrapped as Django wraps every cursor."""
    connection.ensure_connection()
    theirs: Any = connection.connection
    cursors = theirs.__dict__.get(_KEPT)
    if cursors is None or len(cursors) > _MANY:  # rows of one insert vary in number, and each number is a text
        theirs.prepare_threshold = _SEEN_BEFORE
        cursors = theirs.__dict__[_KEPT] = {}
    cursor = cursors.get(sql)
    if cursor is None:
        cursor = cursors[sql] = _server_binding()(theirs)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


@cache
def _server_binding() -> Any:
    """Found late: without PostgreSQL's driver this module works as well."""
    from django.db.backends.postgresql.base import ServerBindingCursor

    return ServerBindingCursor


# --- writing ----------------------------------------------------------------------------------------------------


def insert(*rows: Row) -> None:
    """Write new rows of one model in one statement, and give them their keys."""
    if not rows:
        return
    model = type(rows[0])
    connection = _connection(model)
    kept = connection.__dict__.setdefault(_KEPT, {})
    if (text := kept.get(model)) is None:
        text = kept[model] = _insertion(model, connection)
    head, values, tail, fields = text
    params = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    keys = said(connection, head + ", ".join([values] * len(rows)) + tail, params).fetchall()
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        state = row._state  # noqa: SLF001 - as `save` does
        state.adding, state.db = False, connection.alias


def _insertion(model: type[Model], connection: BaseDatabaseWrapper) -> tuple[str, str, str, list[Field[Any, Any]]]:
    quote, meta = connection.ops.quote_name, _meta(model)
    fields = [field for field in meta.local_concrete_fields if not isinstance(field, AutoField)]
    columns = ", ".join(quote(field.column) for field in fields)
    head = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES "  # noqa: S608 - names of our own models
    return head, f"({', '.join(['%s'] * len(fields))})", f" RETURNING {quote(meta.pk.column)}", fields


def update(row: Model, *names: str) -> None:
    """Write the named columns of a row that is there; like `save(update_fields=...)`, without its signals."""
    model, connection = type(row), _connection(type(row))
    kept = connection.__dict__.setdefault(_KEPT, {})
    if (text := kept.get((model, names))) is None:
        text = kept[model, names] = _change(model, names, connection)
    sql, fields = text
    params = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
    if said(connection, sql, [*params, row.pk]).rowcount != 1:
        raise DatabaseError(f"{model.__name__} {row.pk} is not there any more.")


def _change(
    model: type[Model], names: tuple[str, ...], connection: BaseDatabaseWrapper
) -> tuple[str, list[Field[Any, Any]]]:
    quote, meta = connection.ops.quote_name, _meta(model)
    fields: list[Any] = [meta.get_field(name) for name in names]
    changes = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    return f"UPDATE {quote(meta.db_table)} SET {changes} WHERE {quote(meta.pk.column)} = %s", fields  # noqa: S608


def _meta(model: type[Model]) -> Any:
    return model._meta  # noqa: SLF001 - Django's documented way to a model's columns


def _connection(model: type[Model] | None) -> BaseDatabaseWrapper:
    return connections[router.db_for_write(model) if model is not None else "default"]
