"""Any row of any table, with what it must stand on."""

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Enum, Integer, String, Table, insert

from idp.clients.registration import Registration, Stored
from idp.extensions import UtcDateTime, db

FAR = datetime(2099, 1, 1, tzinfo=UTC)
"""What no purge reaches."""


def make(table: Table, **values: Any) -> Any:
    """Insert a row with these values, and parents that live on; its primary key.

    Runs in the caller's transaction.
    """
    row = dict(values)
    for column in table.columns:
        if column.name in row or column.nullable or _counts_up(column):
            continue
        row[column.name] = _parent(column) if column.foreign_keys else _anything(column)
    return db.session.execute(insert(table).values(**row)).inserted_primary_key[0]


def _counts_up(column: Column[Any]) -> bool:
    return column.primary_key and isinstance(column.type, Integer)


def _parent(column: Column[Any]) -> Any:
    (key,) = column.foreign_keys
    return make(key.column.table)


def _anything(column: Column[Any]) -> Any:  # noqa: PLR0911 - one for each type
    """A value that the column takes, and no other row has where that matters."""
    match column.type:
        case UtcDateTime():
            return FAR
        case Enum(enum_class=kind) if kind:
            return next(iter(kind))
        case Boolean():
            return True
        case Integer():
            return 1
        case Stored():
            return Registration("", ())
        case JSON():
            return {}
        case String(length=length):
            return secrets.token_urlsafe(64)[: length or 64]
    raise TypeError(f"no value for {column}")
