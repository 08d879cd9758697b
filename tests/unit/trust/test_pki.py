"""Certificates in general: what an authority is held to, and what it signs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from kindctl.trust.authority import ONLY
from kindctl.trust.pki import Pair, authority, certificate, constraints_of, names_in, rejection
from tests.fakes.trust import NOW, an_authority

YEAR = timedelta(days=365)


def load(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.cert)


def verify(ca: Pair, leaf: Pair, name: str) -> None:
    policy = PolicyBuilder().store(Store([load(ca)])).time(NOW)
    policy.build_server_verifier(x509.DNSName(name)).verify(load(leaf), [])


def test_it_is_held_to_names_by_a_critical_constraint_and_signs_no_other_authority() -> None:
    ca = load(an_authority())
    found = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    assert [str(name.value) for name in found.value.permitted_subtrees or ()] == list(ONLY)
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert set(constraints_of(ca)) == set(ONLY)


@pytest.mark.parametrize("name", ["localhost", "shop.localhost", "a.b.localhost"])
def test_what_it_signs_for_this_machine_is_accepted(name: str) -> None:
    verify(an_authority(), certificate(an_authority(), (name,), NOW, NOW + YEAR), name)


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com", "notlocalhost"])
def test_what_it_signs_for_others_is_refused(name: str) -> None:
    leaf = certificate(an_authority(), (name,), NOW, NOW + YEAR)
    with pytest.raises(VerificationError):
        verify(an_authority(), leaf, name)


def test_names_and_addresses_are_told_apart() -> None:
    leaf = certificate(an_authority(), ("localhost", "127.0.0.1", "::1"), NOW, NOW + YEAR)
    assert names_in(load(leaf)) == ["localhost", "127.0.0.1", "::1"]
    assert rejection(an_authority().cert, leaf, ("127.0.0.1", "localhost"), NOW) == ""
    assert (
        rejection(an_authority().cert, leaf, ("127.0.0.2",), NOW)
        == "the certificate is not valid for 127.0.0.2"
    )


def test_a_certificate_does_not_outlive_its_authority() -> None:
    ca = authority("short", NOW, timedelta(days=60))
    leaf = load(certificate(ca, ("localhost",), NOW, NOW + YEAR))
    assert leaf.not_valid_after_utc == load(ca).not_valid_after_utc


@pytest.mark.parametrize("only", [(), ("localhost",), ("127.0.0.0/8",)])
def test_an_authority_that_leaves_names_or_addresses_open_is_not_constrained(
    only: tuple[str, ...],
) -> None:
    assert constraints_of(load(authority("open", NOW, YEAR, only=only))) == []
