"""`trust`: add the local certificate authority to this machine's trust stores, or remove it again."""

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
    """Whether one store trusts the local authority."""

    store: str
    place: str
    trust: str  # yes, no, unknown
    note: str = ""  # why kindctl cannot change it


@dataclass(frozen=True)
class Outcome:
    """The result of a command. `left` lists the shell commands that only the user may run."""

    standings: tuple[Standing, ...] = ()
    left: tuple[str, ...] = ()
    authority: str = ""  # path of its certificate; empty if there is no authority


def standing(host: Host, home: Path) -> Outcome:
    """Return which stores trust the authority, and the commands for those that kindctl cannot change.
    Nothing is changed. Raises KindctlError (code local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    return _outcome(authority, stores, {}, remove=False)


def trust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Add the authority to every store that lacks it and that kindctl may change. Creates the authority if
    there is no valid one, and removes those that it replaces. Raises KindctlError (code local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    missing, present = authority.missing(), authority.local()
    ca = None if missing else present
    lacking = [store for store in stores if ca is None or store.trusts(ca) is not True]
    old = [*authority.replaced(), *([present] if missing and present else [])]
    stale = _trusting(stores, old)
    first = f"create a certificate authority, only for names of this machine: {authority.file}"
    actions = [
        *([first] if missing else []),
        *(
            f"add the CA to the trust store of {s.name} ({s.place})"
            for s in lacking
            if not s.obstacle()
        ),
        *_removals(stale),
    ]
    if actions and not agree(actions):
        return standing(host, home)
    if authority.make():
        say(f"created {authority.file}")
    ca = authority.local()
    if ca is None:
        raise KindctlError(
            f"{authority.file} was deleted right after kindctl created it", code="local-ca"
        )
    notes = _change([(store, ca) for store in lacking], say, remove=False)
    notes |= _change(stale, say, remove=True)
    _forget(authority, stores)
    return _outcome(authority, stores, notes, remove=False)


def untrust(host: Host, home: Path, *, agree: Agree, say: Say) -> Outcome:
    """Remove the authority, and those that it has replaced, from every store. The authority's files stay.
    Raises KindctlError (code local-ca)."""
    authority, stores = Authority(host), find_stores(host, home)
    trusting = _trusting(stores, authority.known())
    actions = _removals(trusting)
    if actions and not agree(actions):
        return standing(host, home)
    notes = _change(trusting, say, remove=True)
    _forget(authority, stores)
    return _outcome(authority, stores, notes, remove=True)


def _trusting(stores: Sequence[Store], cas: Sequence[LocalCa]) -> list[Trust]:
    return [(store, ca) for ca in cas for store in stores if store.trusts(ca) is not False]


def _removals(trusting: Sequence[Trust]) -> list[str]:
    return [
        f"remove {ca.name} from the trust store of {store.name} ({store.place})"
        for store, ca in trusting
        if not store.obstacle()
    ]


def _forget(authority: Authority, stores: Sequence[Store]) -> None:
    """Delete the replaced authorities that no store trusts any more."""
    gone = [ca for ca in authority.replaced() if not _trusting(stores, [ca])]
    if gone:
        authority.drop_replaced(gone)


def _change(trusts: Sequence[Trust], say: Say, *, remove: bool) -> dict[tuple[str, str], str]:
    """Change the stores. Return a mapping from (place, name of the authority) to the reason why the store
    could not be changed, or to an empty string if it was changed."""
    notes = {}
    for store, ca in trusts:
        key = store.place, ca.name
        notes[key] = store.obstacle()
        if notes[key]:
            continue
        try:
            store.change(ca, remove=remove)
        except KindctlError as error:
            notes[key] = error.why or error.what
        else:
            done = "removed the CA from" if remove else "added the CA to"
            say(f"{done} the trust store of {store.name} ({store.place})")
    return notes


def _outcome(
    authority: Authority,
    stores: Sequence[Store],
    notes: Mapping[tuple[str, str], str],
    *,
    remove: bool,
) -> Outcome:
    """Return a row for each store, and an extra row for each store that still trusts a replaced
    authority."""
    local = authority.local()
    current = [(store, local, "", not remove) for store in stores] if local else []
    stale = _trusting(stores, authority.replaced())
    replaced = [(store, old, f" (replaced: {old.name})", False) for store, old in stale]
    rows: list[Standing] = []
    left: list[str] = []
    for store, ca, suffix, wanted in [*current, *replaced]:
        trusts = store.trusts(ca)
        note = "" if trusts is wanted else notes.get((store.place, ca.name), store.obstacle())
        rows.append(Standing(store.name + suffix, store.place, TRUST[trusts], note))
        if note:
            left += store.commands(ca, remove=not wanted)
    return Outcome(tuple(rows), tuple(dict.fromkeys(left)), str(local.file) if local else "")
