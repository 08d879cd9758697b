"""Stores of trusted authorities: added to, asked, taken back; and what is left to a person."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from kindctl.actions.purge import planned_removals, purge
from kindctl.actions.trust import Outcome, standing, trust, untrust
from kindctl.errors import KindctlError, ToolError
from kindctl.trust.authority import LIFE, Authority, LocalCa
from kindctl.trust.macos import Keychain, keychain
from kindctl.trust.nss import Nss, nss_stores
from kindctl.trust.pki import authority
from kindctl.trust.stores import trusted_by
from kindctl.trust.system import LAYOUTS, SystemStore, system_store
from tests.fakes.host import Failed, FakeHost
from tests.fakes.tools import fake_tools
from tests.fakes.trust import FOLDER, HOME, NOW, Programs, an_authority, with_authority

CHROMIUM = HOME / ".pki/nssdb"
FIREFOX = HOME / ".mozilla/firefox"
DATA = HOME / ".local/share"
PEM = an_authority().cert.decode()
CA = LocalCa("kindctl local CA 1a2b3c4d", PEM, FOLDER / "ca.crt")


class Machine:
    """Debian with Chromium, two profiles of Firefox, and an authority."""

    def __init__(self, *, root: bool = True, made: bool = True) -> None:
        self.host = FakeHost(root=root)
        self.programs = Programs(self.host)
        self.host.programs["chromium"] = lambda arguments, stdin, env: ""
        self.host.files[FIREFOX / "profiles.ini"] = (
            "[Install4F96D1932A9F858E]\nDefault=x.work\n\n"
            "[Profile0]\nName=work\nIsRelative=1\nPath=x.work\n\n"
            "[Profile1]\nName=never started\nIsRelative=1\nPath=y.new\n"
        )
        self.programs.database(FIREFOX / "x.work")
        if made:
            with_authority(self.host)
        self.asked: list[Sequence[str]] = []
        self.said: list[str] = []

    def trust(self, answer: bool = True) -> Outcome:
        return trust(self.host, HOME, agree=lambda w: self._agree(w, answer), say=self.said.append)

    def untrust(self, answer: bool = True) -> Outcome:
        agree = lambda wishes: self._agree(wishes, answer)  # noqa: E731
        return untrust(self.host, HOME, agree=agree, say=self.said.append)

    def _agree(self, wishes: Sequence[str], answer: bool) -> bool:
        self.asked.append(wishes)
        return answer


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authority's where the fakes put it; its lock in a folder that is real."""
    monkeypatch.setattr("kindctl.trust.authority.data_dir", lambda: FOLDER.parent)
    monkeypatch.setattr("kindctl.trust.stores.data_dir", lambda: FOLDER.parent)
    monkeypatch.setattr("kindctl.trust.authority.now", lambda: NOW)
    monkeypatch.setattr("kindctl.tools.lock.data_dir", lambda: tmp_path)
    monkeypatch.setattr(Path, "home", lambda: HOME)


def words(outcome: Outcome) -> dict[str, str]:
    return {row.store: row.trust for row in outcome.standings}


ALL = ("this system", "Chromium and Chrome", "Firefox (work)")


def test_it_is_added_everywhere_and_taken_back() -> None:
    machine = Machine()
    before = dict(machine.host.files)
    assert words(standing(machine.host, HOME)) == dict.fromkeys(ALL, "no")
    assert machine.host.files == before

    added = machine.trust()
    assert words(added) == dict.fromkeys(ALL, "yes")
    assert added.left == ()
    assert added.authority == str(FOLDER / "ca.crt")
    file = Path("/usr/local/share/ca-certificates/kindctl-local-ca-1a2b3c4d.crt")
    assert machine.host.files[file] == PEM
    assert machine.host.modes[file] == 0o644
    assert PEM in machine.host.files[Programs.BUNDLE]
    assert words(standing(machine.host, HOME)) == dict.fromkeys(ALL, "yes")
    assert trusted_by(machine.host, HOME) == list(ALL)

    assert words(machine.untrust()) == dict.fromkeys(ALL, "no")
    machine.host.files.pop(CHROMIUM / "cert9.db")  # an empty one: Chromium makes it at its start
    assert machine.host.files == before


def test_a_second_time_nothing_is_asked_and_nothing_done() -> None:
    machine = Machine()
    machine.trust()
    files, said = dict(machine.host.files), list(machine.said)
    assert words(machine.trust()) == dict.fromkeys(ALL, "yes")
    assert (machine.host.files, machine.said, len(machine.asked)) == (files, said, 1)
    machine.untrust()
    files, said = dict(machine.host.files), list(machine.said)
    assert words(machine.untrust()) == dict.fromkeys(ALL, "no")
    assert (machine.host.files, machine.said, len(machine.asked)) == (files, said, 2)


def test_what_is_done_is_said_before_and_can_be_refused() -> None:
    machine = Machine(made=False)
    before = dict(machine.host.files)
    assert machine.trust(answer=False) == Outcome()
    assert machine.host.files == before
    ((make, *adds),) = machine.asked
    assert make.startswith("create a certificate authority, only for names of this machine")
    assert [line.partition(" (")[0] for line in adds] == [
        "add the CA to the trust store of this system",
        "add the CA to the trust store of Chromium and Chrome",
        "add the CA to the trust store of Firefox",
    ]
    machine = Machine()
    machine.trust()
    files = dict(machine.host.files)
    assert words(machine.untrust(answer=False)) == dict.fromkeys(ALL, "yes")
    assert machine.host.files == files


def test_an_authority_is_made_where_there_is_none() -> None:
    machine = Machine(made=False)
    assert standing(machine.host, HOME) == Outcome()
    assert machine.untrust() == Outcome()
    assert trusted_by(machine.host, HOME) == []
    assert words(machine.trust()) == dict.fromkeys(ALL, "yes")
    assert Authority(machine.host).local()


def test_who_is_not_root_gets_the_commands_for_the_system() -> None:
    machine = Machine(root=False)
    outcome = machine.trust()
    assert words(outcome) == {**dict.fromkeys(ALL, "yes"), "this system": "no"}
    target = "/usr/local/share/ca-certificates/kindctl-local-ca-1a2b3c4d.crt"
    assert outcome.left == (
        f"sudo install -m 0644 {FOLDER}/ca.crt {target}",
        "sudo update-ca-certificates",
    )
    assert outcome.standings[0].note == "only root may change this store"
    assert "this system" not in str(machine.asked)


def test_what_root_has_added_a_user_is_told_how_to_remove() -> None:
    machine = Machine()
    machine.trust()
    machine.host.root = False
    outcome = machine.untrust()
    assert words(outcome) == {**dict.fromkeys(ALL, "no"), "this system": "yes"}
    assert outcome.left == (
        "sudo rm -f /usr/local/share/ca-certificates/kindctl-local-ca-1a2b3c4d.crt",
        "sudo update-ca-certificates --fresh",
    )


def test_without_certutil_the_commands_for_browsers_are_printed() -> None:
    machine = Machine()
    del machine.host.programs["certutil"]
    outcome = machine.trust()
    assert words(outcome) == {
        "this system": "yes",
        "Chromium and Chrome": "no",
        "Firefox (work)": "unknown",
    }
    install, *lines = outcome.left
    assert install.startswith("sudo apt-get install libnss3-tools")
    name = shlex.quote("kindctl local CA 1a2b3c4d")
    assert lines == [
        f"mkdir -p -m 0700 {CHROMIUM}",
        f"certutil -N -d sql:{CHROMIUM} --empty-password",
        f"certutil -A -d sql:{CHROMIUM} -t C,, -n {name} -i {FOLDER}/ca.crt",
        f"certutil -A -d sql:{FIREFOX}/x.work -t C,, -n {name} -i {FOLDER}/ca.crt",
    ]


def test_a_store_that_refuses_is_left_to_the_person_and_the_others_go_on() -> None:
    machine = Machine()

    def locked(arguments: Sequence[str], *more: object) -> str:
        raise Failed(255, "certutil: SEC_ERROR_BAD_PASSWORD")

    machine.host.programs["certutil"] = locked
    outcome = machine.trust()
    assert outcome.standings[0].trust == "yes"
    assert all("BAD_PASSWORD" in row.note for row in outcome.standings[1:])
    assert len(outcome.left) == 4


@pytest.mark.parametrize("only", [(), ("localhost", "127.0.0.0/8", "::1/128", "example.com")])
def test_an_authority_that_could_sign_for_others_is_never_added(only: tuple[str, ...]) -> None:
    machine = Machine(made=False)
    with_authority(machine.host, made=authority("open", NOW, timedelta(days=365), only=only))
    before = dict(machine.host.files)
    for act in (machine.trust, machine.untrust):
        with pytest.raises(KindctlError) as caught:
            act()
        assert caught.value.code == "local-ca"
    assert machine.host.files == before


@pytest.mark.parametrize("key", ["", "damaged"])
def test_one_whose_key_is_gone_is_taken_back(key: str) -> None:
    machine = Machine()
    machine.trust()
    machine.host.files[FOLDER / "ca.key"] = key
    if not key:
        del machine.host.files[FOLDER / "ca.key"]
    assert trusted_by(machine.host, HOME) == list(ALL)
    assert words(machine.untrust()) == dict.fromkeys(ALL, "no")
    assert PEM not in machine.host.files[Programs.BUNDLE]


def test_one_that_is_about_to_end_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    machine.trust()
    monkeypatch.setattr("kindctl.trust.authority.now", lambda: NOW + LIFE)
    assert words(machine.untrust()) == dict.fromkeys(ALL, "no")


def test_one_that_was_replaced_is_named_and_taken_back() -> None:
    machine = Machine()
    machine.trust()
    del machine.host.files[FOLDER / "ca.key"]
    Authority(machine.host).make()  # as `up` does
    stale = {f"{name} (replaced: {CA.name})": "yes" for name in ALL}
    assert words(standing(machine.host, HOME)) == dict.fromkeys(ALL, "no") | stale
    assert words(machine.trust()) == dict.fromkeys(ALL, "yes")
    assert sum(CA.name in wish for wish in machine.asked[-1]) == len(ALL)
    assert PEM not in machine.host.files[Programs.BUNDLE]
    assert CA.name not in machine.host.files[CHROMIUM / "cert9.db"]
    assert Authority(machine.host).replaced() == []


def test_trusting_anew_replaces_in_one_go() -> None:
    machine = Machine()
    machine.trust()
    del machine.host.files[FOLDER / "ca.key"]
    assert words(machine.trust()) == dict.fromkeys(ALL, "yes")
    assert PEM not in machine.host.files[Programs.BUNDLE]


def test_a_replaced_one_that_only_root_can_remove_stays_known() -> None:
    machine = Machine()
    machine.trust()
    machine.host.root = False
    del machine.host.files[FOLDER / "ca.key"]
    outcome = machine.trust()
    old = f"this system (replaced: {CA.name})"
    assert words(outcome) == dict.fromkeys(ALL, "yes") | {"this system": "no", old: "yes"}
    assert f"sudo rm -f /usr/local/share/ca-certificates/{CA.file_name}" in outcome.left
    machine.host.root = True
    assert words(machine.untrust()) == dict.fromkeys(ALL, "no")


# --- the kinds of store --------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.folder))
def test_each_distribution_has_its_folder_and_bundle(layout: object) -> None:
    found = next(one for one in LAYOUTS if one is layout)
    host = FakeHost()
    host.files[found.bundle] = "others"
    host.programs[found.add[0]] = lambda arguments, stdin, env: ""
    assert system_store(host) == SystemStore(host, found)
    assert system_store(host).trusts(CA) is False
    body = PEM.splitlines()
    host.files[found.bundle] = "\n".join([body[0], "".join(body[1:-1]), body[-1]])
    assert system_store(host).trusts(CA) is True  # however the lines are broken


def test_a_system_without_the_program_is_told_which() -> None:
    store = system_store(FakeHost())
    assert store.obstacle() == "update-ca-certificates is not installed"
    assert store.trusts(CA) is False


def test_chromiums_database_is_where_it_has_it() -> None:
    host = FakeHost()
    assert list(nss_stores(host, HOME, DATA)) == []
    host.programs["google-chrome"] = lambda arguments, stdin, env: ""
    assert [store.folder for store in nss_stores(host, HOME, DATA)] == [CHROMIUM]
    # made in the old place, it would be read instead of the one that is there
    Programs(host).database(DATA / "pki/nssdb")
    assert [store.folder for store in nss_stores(host, HOME, DATA)] == [DATA / "pki/nssdb"]
    Programs(host).database(CHROMIUM)
    Programs(host).database(HOME / "snap/chromium/current/.pki/nssdb")
    assert len(list(nss_stores(host, HOME, DATA))) == 3


def test_profiles_of_firefox_are_those_of_its_ini_that_have_a_database() -> None:
    host = FakeHost()
    host.files[HOME / "snap/firefox/common/.mozilla/firefox/profiles.ini"] = "no ini"
    host.files[FIREFOX / "profiles.ini"] = (
        "[Profile0]\nPath=a\n[Profile1]\nName=b\nPath=/srv/b\n[Profile2]\nName=c\n[General]\nPath=d\n"
    )
    for folder in ("a", "/srv/b", "d"):
        Programs(host).database(FIREFOX / folder)
    found = [(store.name, store.folder) for store in nss_stores(host, HOME, DATA)]
    assert found == [("Firefox (a)", FIREFOX / "a"), ("Firefox (b)", Path("/srv/b"))]


@pytest.mark.parametrize(
    ("line", "trusts"),
    [
        ("kindctl local CA 1a2b3c4d                                    C,,  ", True),
        ("kindctl local CA 1a2b3c4d                                    CT,c,", True),
        ("kindctl local CA 1a2b3c4d                                    ,,   ", False),
        ("kindctl local CA 1a2b3c4d                                    c,C,C", False),
        ("my kindctl local CA 1a2b3c4d                                 C,,  ", False),
        ("kindctl local CA 99999999                                    C,,  ", False),
    ],
)
def test_certutils_flags_tell_whom_a_browser_trusts(line: str, trusts: bool) -> None:
    host = FakeHost()
    Programs(host).database(CHROMIUM)
    host.files[CHROMIUM / "cert9.db"] = line
    assert Nss(host, "Chromium", CHROMIUM).trusts(CA) is trusts


def test_macos_has_a_keychain() -> None:
    host = FakeHost()
    assert keychain(host, HOME) is None
    calls: list[Sequence[str]] = []
    trusted = [False]

    def security(arguments: Sequence[str], *more: object) -> str:
        calls.append(arguments)
        if arguments[0] == "verify-cert" and not trusted[0]:
            raise Failed(1, "CSSMERR_TP_NOT_TRUSTED")
        trusted[0] = {"add-trusted-cert": True, "remove-trusted-cert": False}.get(
            arguments[0], trusted[0]
        )
        return ""

    host.programs |= {"security": security, "sw_vers": lambda arguments, stdin, env: ""}
    store = keychain(host, HOME)
    assert store == Keychain(host, HOME / "Library/Keychains/login.keychain-db")
    assert store
    assert (store.trusts(CA), store.obstacle()) == (False, "")
    store.change(CA)
    assert store.trusts(CA)
    assert store.commands(CA) == (shlex.join(["security", *calls[1]]),)
    store.change(CA, remove=True)
    assert not store.trusts(CA)
    assert list(store.commands(CA, remove=True)) == [
        shlex.join(["security", *c]) for c in calls[3:5]
    ]


# --- purge ---------------------------------------------------------------------------------------


def test_purge_takes_the_trust_back_before_the_authority_goes() -> None:
    machine = Machine()
    machine.trust()
    tools = fake_tools(machine.host)
    wishes = planned_removals(tools, keep_engine=True)
    assert [f"the local certificate authority from {name}" for name in ALL] == wishes[:3]
    said: list[str] = []
    purge(tools, keep_engine=True, say=said.append)
    assert trusted_by(machine.host, HOME) == []
    assert sum("removed the CA from" in line for line in said) == 3


def test_purge_takes_back_one_that_was_replaced() -> None:
    machine = Machine()
    machine.trust()
    del machine.host.files[FOLDER / "ca.key"]
    Authority(machine.host).make()
    tools = fake_tools(machine.host)
    assert len(planned_removals(tools, keep_engine=True)) >= len(ALL)
    purge(tools, keep_engine=True, say=lambda _: None)
    assert PEM not in machine.host.files[Programs.BUNDLE]


def test_purge_says_what_it_may_not_take_back() -> None:
    machine = Machine()
    machine.trust()
    machine.host.root = False
    said: list[str] = []
    purge(fake_tools(machine.host), keep_engine=True, say=said.append)
    assert "run this yourself: sudo update-ca-certificates --fresh" in said


def test_a_store_that_cannot_be_asked_is_unknown() -> None:
    class Unreadable(FakeHost):
        def read(self, path: Path) -> str | None:
            if path == Programs.BUNDLE:
                raise ToolError("cannot read", code="host")
            return super().read(path)

    assert SystemStore(Unreadable(), LAYOUTS[0]).trusts(CA) is None
