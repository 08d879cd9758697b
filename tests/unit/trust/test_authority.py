"""The local certificate authority: where it is kept, when it is made, and what is not taken for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kindctl.errors import KindctlError
from kindctl.models import Absent, Ready
from kindctl.steps.local_ca import LocalCaMade
from kindctl.trust.authority import LIFE, NAME, ONLY, Authority
from kindctl.trust.pki import Pair, authority
from tests.fakes.component import Heard
from tests.fakes.host import FakeHost
from tests.fakes.trust import FOLDER, NOW, an_authority, with_authority


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeHost:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # for the lock
    return FakeHost(root=False)


def at(host: FakeHost, when: datetime = NOW) -> Authority:
    return Authority(host, FOLDER, lambda: when)


def test_it_lies_in_the_data_folder(host: FakeHost, tmp_path: Path) -> None:
    assert Authority(host).file == tmp_path / "kindctl/ca/ca.crt"


def test_its_key_is_its_users_alone(host: FakeHost) -> None:
    assert at(host).make()
    assert host.modes == {FOLDER / "ca.key": 0o600, FOLDER / "ca.crt": 0o644}
    assert "PRIVATE KEY" in host.files[FOLDER / "ca.key"]
    assert "PRIVATE KEY" not in host.files[FOLDER / "ca.crt"]


def test_a_good_one_stays(host: FakeHost) -> None:
    at(host).make()
    before = dict(host.files)
    assert not at(host, NOW + LIFE - timedelta(days=31)).make()
    assert host.files == before
    assert at(host).missing() == ""


def test_each_has_a_name_of_its_own(host: FakeHost) -> None:
    at(host).make()
    first = at(host).local()
    other = FakeHost()
    at(other).make()
    second = at(other).local()
    assert first
    assert second
    assert first.name.startswith(f"{NAME} ")
    assert first.name != second.name
    assert first.file_name == f"kindctl-local-ca-{first.name[-8:]}.crt"
    assert first.pem == host.files[FOLDER / "ca.crt"]
    assert x509.load_pem_x509_certificate(first.pem.encode())


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ((), "no authority exists yet"),
        (("ca.key",), "no authority exists yet"),  # interrupted before the certificate was written
        (("ca.crt",), "the authority's key is missing"),
    ],
)
def test_what_is_not_whole_is_made_anew(host: FakeHost, left: tuple[str, ...], why: str) -> None:
    with_authority(host)
    host.files = {path: text for path, text in host.files.items() if path.name in left}
    assert at(host).missing() == why
    assert at(host).pair() is None
    assert at(host).pem() is None
    assert (at(host).local() is not None) == ("ca.crt" in left)  # stores may trust it still
    assert at(host).make()
    assert at(host).pair() not in (None, an_authority())


def test_it_is_renewed_within_its_last_30_days(host: FakeHost) -> None:
    with_authority(host)
    late = at(host, NOW + LIFE - timedelta(days=29))
    assert late.missing() == f"the certificate expires on {NOW + LIFE:%Y-%m-%d}"
    assert late.make()
    assert late.missing() == ""


def test_those_that_are_replaced_stay_known_until_they_are_forgotten(host: FakeHost) -> None:
    first = with_authority(host).local()
    for _ in range(2):
        host.delete(FOLDER / "ca.key")
        assert at(host).make()
    current, *replaced = at(host).known()
    assert current == at(host).local()
    assert len(replaced) == 2
    assert first
    assert (replaced[0].name, replaced[0].pem) == (first.name, first.pem)
    assert [host.files[ca.file] for ca in replaced] == [ca.pem for ca in replaced]
    at(host).drop_replaced(replaced[:1])
    assert at(host).known() == [current, replaced[1]]
    at(host).drop_replaced(replaced[1:])
    assert at(host).known() == [current]
    assert set(host.files) >= {FOLDER / "ca.key", FOLDER / "ca.crt"}
    assert not [path for path in host.files if path.parent == FOLDER and path.stem != "ca"]


def test_a_certificate_of_others_is_not_overwritten_for_want_of_its_key(host: FakeHost) -> None:
    theirs = bad(()).cert.decode()
    host.write(FOLDER / "ca.crt", theirs)
    with pytest.raises(KindctlError):
        at(host).make()
    assert host.files[FOLDER / "ca.crt"] == theirs


def bad(only: tuple[str, ...]) -> Pair:
    return authority("mine", NOW, LIFE, only=only)


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (bad(()), "the certificate is not limited to the names of this machine"),
        (
            bad(("localhost", "127.0.0.0/8")),
            "the certificate is not limited to the names of this machine",
        ),
        (
            bad((*ONLY, "example.com")),
            "the certificate is not limited to the names of this machine",
        ),
        (Pair(an_authority().cert, bad(ONLY).key), "the key belongs to another certificate"),
        (Pair(b"no PEM", an_authority().key), "the certificate cannot be read"),
        (Pair(an_authority().cert, b"no PEM"), "the key cannot be read"),
    ],
)
def test_another_authority_in_its_place_is_neither_used_nor_overwritten(
    host: FakeHost, pair: Pair, why: str
) -> None:
    found = with_authority(host, made=pair)
    before = dict(host.files)
    certificate_only = () if pair.cert == an_authority().cert else (found.local, found.known)
    for use in (found.pair, found.pem, found.missing, found.make, *certificate_only):
        with pytest.raises(KindctlError) as caught:
            use()
        assert caught.value.code == "local-ca"
        assert why in caught.value.why
        assert "PRIVATE" not in str(vars(caught.value))
    assert host.files == before


def test_the_step_makes_it_once(host: FakeHost) -> None:
    step = LocalCaMade(authority=at(host))
    assert step.observe() == Absent("no authority exists yet")
    change = step.apply(Heard())
    assert change.done == (
        f"created certificate authority {FOLDER / 'ca.crt'} (no authority exists yet)",
    )
    assert step.observe() == Ready()
    assert not step.apply(Heard())
