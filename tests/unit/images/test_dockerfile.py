"""The images that a Dockerfile starts from and copies from."""

from __future__ import annotations

import pytest

from kindctl.images.dockerfile import asks_platform, bases, syntax, without_syntax

PYTHON = "python:3.13-slim"


def bases_of(text: str, target: str | None = None, **args: str) -> tuple[str, ...]:
    return bases(text, args, target, "arm64")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM python:3.13-slim\n", (PYTHON,)),
        ("from python:3.13-slim as app\n", (PYTHON,)),
        (
            "FROM --platform=$BUILDPLATFORM golang:1.26 AS b\nFROM scratch\nCOPY --from=b /a /\n",
            ("golang:1.26",),
        ),
        ("FROM a AS x\nFROM b\nCOPY --from=x / /\n", ("b", "a")),
        ("FROM a AS x\nFROM X\n", ("a",)),
        ("FROM a\nFROM b\nCOPY --from=0 / /\n", ("b", "a")),
        ("FROM a AS unused\nFROM b\n", ("b",)),
        ("FROM b\nCOPY --from=ghcr.io/acme/uv:1 /uv /\n", ("b", "ghcr.io/acme/uv:1")),
        ("FROM b\nCOPY --chown=1 --from=tools:1 /uv /\n", ("b", "tools:1")),
        ("FROM b\nCOPY a --from=no /\n", ("b",)),
        ("FROM b\nRUN --mount=type=bind,from=tools:1,target=/t true\n", ("b", "tools:1")),
        ("ARG V=3.13\nFROM python:${V}-slim\n", (PYTHON,)),
        ("ARG V=3\nARG T=$V.13\nFROM python:$T-slim\n", (PYTHON,)),
        ('ARG BASE="python:3.13-slim"\nFROM ${BASE}\n', (PYTHON,)),
        ("FROM python:${V:-3.13}-slim\n", (PYTHON,)),
        ("FROM a${V:+-b}\n", ("a",)),
        ("ARG BASE\nFROM $BASE\n", ()),
        ("FROM tools-$TARGETARCH\n", ("tools-arm64",)),
        ("FROM python:3.13-slim\nARG V=1\nFROM b:$V\n", ()),
        ("# a comment\n\nFROM \\\n  # in between\n  python:3.13-slim \\\n  AS app\n", (PYTHON,)),
        ("FROM a\nRUN <<EOF\necho\nFROM nowhere\nEOF\nCOPY --from=c / /\n", ("a", "c")),
        ("FROM a\nRUN cat <<-'SQL' | db\n\tFROM t\n\tSQL\n", ("a",)),
        ("# escape=`\nFROM a `\n AS b\n", ("a",)),
        ("", ()),
    ],
)
def test_the_bases_of_a_dockerfile(text: str, found: tuple[str, ...]) -> None:
    assert bases_of(text) == found


def test_a_build_argument_chooses_the_base() -> None:
    assert bases_of("ARG V=3.12\nFROM python:$V-slim\n", V="3.13") == (PYTHON,)


def test_the_engine_is_asked_for_its_platform_where_a_dockerfile_asks() -> None:
    assert asks_platform("FROM --platform=$BUILDPLATFORM golang\n")
    assert asks_platform("FROM tools-${TARGETARCH}\n")
    assert not asks_platform("ARG TARGET=1\nFROM a:$TARGET\n")


def test_only_what_the_target_needs_counts() -> None:
    text = "FROM a AS base\nFROM base AS dev\nCOPY --from=tools:1 / /\nFROM base AS prod\nFROM z\n"
    assert bases_of(text, "prod") == ("a",)
    assert bases_of(text, "dev") == ("a", "tools:1")
    assert bases_of(text) == ("z",)


def test_the_frontend_is_read_and_left_out() -> None:
    text = "# check=skip=all\n#syntax = docker/dockerfile:1\nFROM a\n# syntax=x\n"
    assert syntax(text) == "docker/dockerfile:1"
    assert syntax("FROM a\n# syntax=docker/dockerfile:1\n") is None
    assert syntax("") is None
    assert "docker/dockerfile" not in without_syntax(text)
    assert bases_of(without_syntax(text)) == ("a",)
