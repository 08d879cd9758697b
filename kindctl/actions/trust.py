"""`trust`: make programs and browsers of this machine accept `https://localhost`, and take that back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.actions.up import Agree
from kindctl.errors import KindctlError
from kindctl.tools.protocols import Host
from kindctl.trust.authority import Authority, LocalCa
from kindctl.trust.base import Store
from kindctl.trust.stores import find_stores

Say = Callable[[str], None]
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
    ca = Authority(host).local()
    stores = find_stores(host, home)
    notes = {store.place: store.hindrance() for store in stores}
    return _outcome(stores, ca, notes, remove=False) if ca else Outcome()


def trust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Add the authority to every store that lacks it and that kindctl may change; makes the authority
    where there is none. Raises KindctlError (local-ca)."""
    authority = Authority(host)
    stores = find_stores(host, home)
    ca = authority.local()
    lacking = [store for store in stores if ca is None or store.trusts(ca) is not True]
    wishes = [f"add it to the store of {s.name} ({s.place})" for s in lacking if not s.hindrance()]
    first = f"make a certificate authority, for names of this machine only: {authority.file}"
    wishes = [*([] if ca else [first]), *wishes]
    if wishes and not agree(wishes):
        return standing(host, home)
    if authority.make():
        say(f"made {authority.file}")
    ca = authority.local()
    if ca is None:
        raise KindctlError(f"{authority.file} is gone as soon as it was made", code="local-ca")
    notes = _change(lacking, ca, say, remove=False)
    return _outcome(stores, ca, notes, remove=False)


def untrust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Take the authority out of every store that has it; its own files stay. Raises KindctlError
    (local-ca)."""
    ca = Authority(host).local()
    if ca is None:
        return Outcome()
    stores = find_stores(host, home)
    having = [store for store in stores if store.trusts(ca) is not False]
    wishes = [
        f"take it out of the store of {s.name} ({s.place})" for s in having if not s.hindrance()
    ]
    if wishes and not agree(wishes):
        return standing(host, home)
    notes = _change(having, ca, say, remove=True)
    return _outcome(stores, ca, notes, remove=True)


def _change(stores: Sequence[Store], ca: LocalCa, say: Say, *, remove: bool) -> Mapping[str, str]:
    """Place -> why it could not be changed; empty where it could."""
    notes = {}
    for store in stores:
        notes[store.place] = store.hindrance()
        if notes[store.place]:
            continue
        try:
            (store.remove if remove else store.add)(ca, lambda _: None)
        except KindctlError as error:
            notes[store.place] = error.why or error.what
        else:
            done = "took it out of" if remove else "added it to"
            say(f"{done} the store of {store.name} ({store.place})")
    return notes


def _outcome(
    stores: Sequence[Store], ca: LocalCa, notes: Mapping[str, str], *, remove: bool
) -> Outcome:
    rows: list[Standing] = []
    left: list[str] = []
    wanted = not remove
    for store in stores:
        trusts = store.trusts(ca)
        note = "" if trusts is wanted else notes.get(store.place, "")
        rows.append(Standing(store.name, store.place, TRUST[trusts], note))
        if note:
            left += store.how(ca, remove=remove)
    return Outcome(tuple(rows), tuple(dict.fromkeys(left)), str(ca.file))
