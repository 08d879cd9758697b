"""Tests of machine/debian_sources.py."""

from __future__ import annotations

from kindctl.machine.debian_sources import AptSource, archive, parse


def test_one_line_sources_are_read_with_their_options() -> None:
    text = """
    # deb http://old.example/debian buster main
    deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://a.example/debian bookworm main contrib
    deb-src http://a.example/debian bookworm main
    deb http://b.example/debian-security bookworm-security main # comment
    deb
    """
    assert list(parse("sources.list", text)) == [
        AptSource(
            ("http://a.example/debian",),
            ("bookworm",),
            ("main", "contrib"),
            "/usr/share/keyrings/k.gpg",
        ),
        AptSource(("http://b.example/debian-security",), ("bookworm-security",), ("main",)),
    ]


def test_deb822_sources_are_read_with_embedded_keys_and_without_disabled_ones() -> None:
    text = """\
# a comment
Types: deb deb-src
URIs: mirror+file:/etc/apt/mirrors/debian.list
# in between
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY

Types: deb
URIs: http://b.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb-src
URIs: http://c.example/debian
Suites: bookworm
Components: main
"""
    (source,) = parse("debian.sources", text)
    assert source.uris == ("mirror+file:/etc/apt/mirrors/debian.list",)
    assert source.suites == ("bookworm", "bookworm-updates")
    assert source.signed_by.splitlines()[-1] == " mDMEY"


def test_the_archive_is_the_first_with_main_of_a_suite() -> None:
    sources = [
        AptSource(("http://contrib.example",), ("bookworm",), ("contrib",)),
        AptSource(("http://security.example",), ("bookworm-security",), ("main",)),
        AptSource(("http://main.example",), ("bookworm",), ("main",)),
    ]
    assert archive(sources, ["bookworm"]) == sources[2]
    assert archive(sources, ["sid"]) is None
