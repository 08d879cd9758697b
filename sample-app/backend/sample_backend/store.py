"""The table `text` in Postgres, asked through a pool of connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from sample_backend.texts import DuplicateTextError, StoreUnavailableError, Text, TextNotFoundError

POOL_WAIT = 1.0
"""Seconds that a request waits for a connection before it is told 503."""


@dataclass(frozen=True)
class Settings:
    """How the database is reached."""

    host: str
    username: str
    password: str = field(repr=False)
    port: int = 5432
    name: str = "example"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read DATABASE_URI (a host name), _USERNAME, _PASSWORD and, optionally, _PORT and _NAME.

        Raises RuntimeError naming every variable that is missing.
        """
        required = ("DATABASE_URI", "DATABASE_USERNAME", "DATABASE_PASSWORD")
        if missing := [name for name in required if not environ.get(name)]:
            raise RuntimeError(f"not set in the environment: {', '.join(missing)}")
        return cls(
            host=environ["DATABASE_URI"],
            username=environ["DATABASE_USERNAME"],
            password=environ["DATABASE_PASSWORD"],
            port=int(environ.get("DATABASE_PORT") or cls.port),
            name=environ.get("DATABASE_NAME") or cls.name,
        )


class PostgresStore:
    """A TextStore that outlives its database: it may come up late, restart or move."""

    def __init__(self, settings: Settings, *, max_connections: int = 4) -> None:
        options: dict[str, Any] = {
            "host": settings.host,
            "port": settings.port,
            "user": settings.username,
            "password": settings.password,
            "dbname": settings.name,
            "application_name": "sample-backend",
            "autocommit": True,
            "connect_timeout": 2,
            # A database whose node vanished never says so: give up on silence, in milliseconds.
            "tcp_user_timeout": 3000,
            "options": "-c statement_timeout=5000",
        }
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            kwargs=options,
            min_size=1,
            max_size=max_connections,
            timeout=POOL_WAIT,
            # The pool's own back-off doubles without end: a database that comes up after half a
            # minute would be met half a minute late. Giving up soon hands the pace to the
            # requests, of which the readiness probe sends one a second.
            reconnect_timeout=0.5,
            check=ConnectionPool.check_connection,
            open=False,
            name="postgres",
        )

    def open(self) -> None:
        """Start connecting in the background; returns at once."""
        self._pool.open()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close(timeout=1.0)

    def ping(self) -> None:
        """Return when the database answers and has the table."""
        with self._connection() as connection:
            connection.execute("SELECT 1 FROM text LIMIT 1")

    def all(self) -> list[Text]:
        """Every row, oldest first."""
        with self._connection() as connection:
            return (
                self._rows(connection).execute("SELECT id, text FROM text ORDER BY id").fetchall()
            )

    def add(self, text: str) -> Text:
        """Insert a row and return it. Raises DuplicateTextError."""
        # ON CONFLICT instead of catching the violation, which Postgres would log as an error.
        insert = (
            "INSERT INTO text (text) VALUES (%s) ON CONFLICT (text) DO NOTHING RETURNING id, text"
        )
        with self._connection() as connection:
            row = self._rows(connection).execute(insert, [text]).fetchone()
        if row is None:
            raise DuplicateTextError("This text is already in the list.")
        return row

    def delete(self, text_id: int) -> Text:
        """Delete a row and return what it was. Raises TextNotFoundError."""
        delete = "DELETE FROM text WHERE id = %s RETURNING id, text"
        with self._connection() as connection:
            row = self._rows(connection).execute(delete, [text_id]).fetchone()
        if row is None:
            raise TextNotFoundError(f"There is no text with the id {text_id}.")
        return row

    @staticmethod
    def _rows(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Text]:
        return connection.cursor(row_factory=class_row(Text))

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, PoolClosed) as error:
            raise StoreUnavailableError("The database does not answer.") from error
        except psycopg.errors.UndefinedTable as error:
            raise StoreUnavailableError(
                "The database has no table `text`: pg-init-script has not run in it."
            ) from error
        except psycopg.OperationalError as error:
            raise StoreUnavailableError("The database broke off.") from error
