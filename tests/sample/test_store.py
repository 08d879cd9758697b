"""What the Postgres store makes of its environment and of psycopg's errors; no database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg_pool
import pytest

if TYPE_CHECKING:
    from sample_backend.store import PostgresStore, Settings

ENVIRONMENT = {
    "DATABASE_URI": "pg-service",
    "DATABASE_USERNAME": "sample",
    "DATABASE_PASSWORD": "secret-word",
}


def settings(**more: str) -> Settings:
    from sample_backend.store import Settings

    return Settings.from_environment(ENVIRONMENT | more)


def store_whose_pool_raises(error: Exception) -> PostgresStore:
    from sample_backend.store import PostgresStore

    class FailingPool(psycopg_pool.ConnectionPool[Any]):
        @contextmanager
        def connection(self, timeout: float | None = None) -> Iterator[Any]:
            raise error
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sample_backend.store.ConnectionPool", FailingPool)
        return PostgresStore(settings())


def test_the_contract_of_three_variables_is_enough() -> None:
    found = settings()
    assert (found.host, found.port, found.name) == ("pg-service", 5432, "example")
    assert (found.username, found.password) == ("sample", "secret-word")


def test_port_and_name_may_be_given() -> None:
    found = settings(DATABASE_PORT="15432", DATABASE_NAME="other")
    assert (found.port, found.name) == (15432, "other")


def test_every_missing_variable_is_named() -> None:
    from sample_backend.store import Settings

    with pytest.raises(RuntimeError, match=r"DATABASE_USERNAME, DATABASE_PASSWORD$"):
        Settings.from_environment({"DATABASE_URI": "pg-service", "DATABASE_PASSWORD": ""})


def test_the_password_is_not_in_a_repr() -> None:
    assert "secret-word" not in repr(settings())


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (psycopg_pool.PoolTimeout("late"), "does not answer"),
        (psycopg_pool.PoolClosed("closed"), "does not answer"),
        (psycopg.OperationalError("server closed the connection"), "broke off"),
        (psycopg.errors.AdminShutdown("terminating connection"), "broke off"),
        (psycopg.errors.UndefinedTable("no table"), "no table `text`"),
    ],
)
def test_a_database_that_cannot_be_asked_is_unavailable(error: Exception, says: str) -> None:
    from sample_backend.texts import StoreUnavailableError

    store = store_whose_pool_raises(error)
    for ask in (store.ping, store.all, lambda: store.add("a"), lambda: store.delete(1)):
        with pytest.raises(StoreUnavailableError, match=says) as raised:
            ask()
        assert raised.value.__cause__ is error


def test_a_mistake_in_the_sql_is_not_hidden() -> None:
    error = psycopg.errors.SyntaxError("oops")
    with pytest.raises(psycopg.errors.SyntaxError):
        store_whose_pool_raises(error).ping()
