"""`trust`: make programs and browsers of this machine accept `https://localhost`, and take that back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.actions.up import Agree
from kindctl.errors import KindctlError
from kindctl.models import Say
from kindctl.tools.protocols import Host
from kindctl.trust.authority import Authority, LocalCa
from kindctl.trust.base import Store
from kindctl.trust.stores import find_stores

Trust = tuple[Store, LocalCa]
TRUST = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class Standing:
    """How one store stands to the local authority."""

    store: str
    place: str
    trust: str  # yes, no, unknown
    note: str = ""  # what keeps kindctl from changing it


@dataclass(frozen=True)
class Outcome:
    """`left`: what kindctl may not do itself, one command a line, to be pasted into a shell."""

    standings: tuple[Standing, ...] = ()
    left: tuple[str, ...] = ()
    authority: str = ""  # its file; empty: there is none


def standing(host: Host, home: Path) -> Outcome:
    """Who trusts it, and how the others would. Changes nothing. Raises KindctlError (local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    return _outcome(authority, stores, {}, remove=False)


def trust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Add the authority to every store that lacks it and that kindctl may change; makes the authority
    where there is no good one, and takes those out that it replaces. Raises KindctlError (local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    missing, there = authority.missing(), authority.local()
    ca = None if missing else there
    lacking = [store for store in stores if ca is None or store.trusts(ca) is not True]
    old = [*authority.replaced(), *([there] if missing and there else [])]
    stale = _having(stores, old)
    first = f"make a certificate authority, for names of this machine only: {authority.file}"
    wishes = [
        *([first] if missing else []),
        *(f"add it to the store of {s.name} ({s.place})" for s in lacking if not s.hindrance()),
        *_removals(stale),
    ]
    if wishes and not agree(wishes):
        return standing(host, home)
    if authority.make():
        say(f"made {authority.file}")
    ca = authority.local()
    if ca is None:
        raise KindctlError(f"{authority.file} is gone as soon as it was made", code="local-ca")
    notes = _change([(store, ca) for store in lacking], say, remove=False)
    notes |= _change(stale, say, remove=True)
    _forget(authority, stores)
    return _outcome(authority, stores, notes, remove=False)


def untrust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Take the authority, and those that it has replaced, out of every store; its own files stay. Raises
    KindctlError (local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    having = _having(stores, authority.known())
    wishes = _removals(having)
    if wishes and not agree(wishes):
        return standing(host, home)
    notes = _change(having, say, remove=True)
    _forget(authority, stores)
    return _outcome(authority, stores, notes, remove=True)


def _having(stores: Sequence[Store], cas: Sequence[LocalCa]) -> list[Trust]:
    return [(store, ca) for ca in cas for store in stores if store.trusts(ca) is not False]


def _removals(having: Sequence[Trust]) -> list[str]:
    return [
        f"take {ca.name} out of the store of {store.name} ({store.place})"
        for store, ca in having
        if not store.hindrance()
    ]


def _forget(authority: Authority, stores: Sequence[Store]) -> None:
    gone = [ca for ca in authority.replaced() if not _having(stores, [ca])]
    if gone:
        authority.forget(gone)


def _change(trusts: Sequence[Trust], say: Say, *, remove: bool) -> dict[tuple[str, str], str]:
    """(place, authority) -> why it could not be changed; empty where it could."""
    notes = {}
    for store, ca in trusts:
        at = store.place, ca.name
        notes[at] = store.hindrance()
        if notes[at]:
            continue
        try:
            (store.remove if remove else store.add)(ca, lambda _: None)
        except KindctlError as error:
            notes[at] = error.why or error.what
        else:
            done = "took it out of" if remove else "added it to"
            say(f"{done} the store of {store.name} ({store.place})")
    return notes


def _outcome(
    authority: Authority,
    stores: Sequence[Store],
    notes: Mapping[tuple[str, str], str],
    *,
    remove: bool,
) -> Outcome:
    """One row a store; and one for each that trusts an authority that was replaced."""
    ca = authority.local()
    wanted = [(store, ca, "", not remove) for store in stores] if ca else []
    stale = _having(stores, authority.replaced())
    unwanted = [(store, old, f" (replaced: {old.name})", False) for store, old in stale]
    rows: list[Standing] = []
    left: list[str] = []
    for store, of, more, wish in [*wanted, *unwanted]:
        trusts = store.trusts(of)
        note = "" if trusts is wish else notes.get((store.place, of.name), store.hindrance())
        rows.append(Standing(store.name + more, store.place, TRUST[trusts], note))
        if note:
            left += store.how(of, remove=not wish)
    return Outcome(tuple(rows), tuple(dict.fromkeys(left)), str(ca.file) if ca else "")
