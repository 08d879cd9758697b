"""Ports that two want, node ports that are chosen, and those that cannot be."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from kindctl.config.load import load
from kindctl.errors import ConfigError
from kindctl.manifests.lint import NODE_PORTS, STATIC_NODE_PORTS
from kindctl.manifests.manifest import Manifest
from kindctl.planning.parts import Parts, parts_of
from kindctl.planning.ports import NodePorts
from tests.fakes.tools import fake_tools

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: web}, ports: [{name: http, port: 80NODE}]MORE}
"""


def services(folder: Path, **node_ports: str) -> None:
    """Name of a Service -> what follows its port."""
    texts = [
        SERVICE.replace("NAME", name).replace("NODE", text).replace("MORE", "")
        for name, text in node_ports.items()
    ]
    (folder / "web.yaml").write_text("---".join(texts))


def parts(folder: Path, expose: str, top: str = "ingress: {controller: none}") -> Parts:
    (folder / "kindctl.yaml").write_text(
        f"name: shop\n{top}\napps:\n- name: shop\n  manifests: [web.yaml]\n  expose:\n"
        + indent(expose, "    ")
    )
    return parts_of(load(folder / "kindctl.yaml"), fake_tools())


def refused(folder: Path, expose: str, top: str = "ingress: {controller: none}") -> tuple[int, str]:
    """(line, message and hint) of the only problem."""
    with pytest.raises(ConfigError) as caught:
        parts(folder, expose, top)
    (problem,) = caught.value.problems
    assert problem.file == str(folder / "kindctl.yaml")
    return problem.line, f"{problem.message} ({problem.hint})"


def a_service(name: str = "web") -> Manifest:
    return Manifest({"kind": "Service", "metadata": {"name": name, "namespace": "shop"}}, "f")


def test_a_chosen_node_port_stays_the_same_and_is_one() -> None:
    port = NodePorts().choose(a_service(), 80)
    assert port in NODE_PORTS
    assert port == NodePorts().choose(a_service(), 80) != NodePorts().choose(a_service(), 81)


def test_a_chosen_node_port_makes_way_for_one_that_is_taken() -> None:
    first = NodePorts().choose(a_service(), 80)
    around = NodePorts({first: "somebody"})
    second = around.choose(a_service(), 80)
    after = (STATIC_NODE_PORTS.index(first) + 1) % len(STATIC_NODE_PORTS)
    assert second == STATIC_NODE_PORTS[after]
    assert around.choose(a_service(), 80) not in (first, second)


def test_one_is_chosen_that_the_api_server_does_not_take_by_itself() -> None:
    ports = NodePorts()
    chosen = [ports.choose(a_service(), number) for number in range(1, 88)]
    assert set(chosen[:86]) == set(STATIC_NODE_PORTS)
    assert chosen[86] == 30086


def test_the_order_of_the_file_changes_nothing(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(20)]  # some of them want the same one
    services(tmp_path, **dict.fromkeys(names, ""))
    ways = [f"- {{service: {n}, via: node-port, local: {80 + i}}}\n" for i, n in enumerate(names)]
    found = [set(parts(tmp_path, "".join(some)).mappings) for some in (ways, ways[::-1])]
    assert found[0] == found[1]


def test_the_order_of_the_apps_changes_nothing(tmp_path: Path) -> None:
    services(tmp_path, web="")
    apps = [
        f"- {{name: a{number}, manifests: [web.yaml], "
        f"expose: [{{service: web, via: node-port, local: {80 + number}}}]}}\n"
        for number in range(20)
    ]
    found = []
    for some in (apps, apps[::-1]):
        text = "name: shop\ningress: {controller: none}\napps:\n" + "".join(some)
        (tmp_path / "kindctl.yaml").write_text(text)
        found.append(set(parts_of(load(tmp_path / "kindctl.yaml"), fake_tools()).mappings))
    assert found[0] == found[1]


def test_two_automatic_ports_and_those_of_the_file_and_the_manifests_differ(tmp_path: Path) -> None:
    chosen = NodePorts().choose(a_service("one"), 80)
    services(tmp_path, one="", two="", three=f", nodePort: {chosen}", four=", nodePort: 30004")
    found = parts(
        tmp_path,
        "- {service: one, via: node-port}\n- {service: two, via: node-port}\n"
        "- {service: four, via: node-port}\n",
    )
    one, two, four = (mapping.node_port for mapping in found.mappings)
    assert four == 30004  # its own
    assert len({one, two, four, chosen}) == 4


def test_a_node_port_twice_in_the_file_is_refused_at_the_second(tmp_path: Path) -> None:
    services(tmp_path, one="", two="")
    line, text = refused(
        tmp_path,
        "- {service: one, via: node-port, nodePort: 30001}\n"
        "- {service: two, via: node-port, nodePort: 30001, local: 8080}\n",
    )
    assert line == 8
    assert text == (
        "node port 30001 is already used by Service 'one' of app 'shop' "
        "(nodePort: 30002, or leave it out)"
    )


def test_a_node_port_of_the_controller_is_refused(tmp_path: Path) -> None:
    services(tmp_path, one="")
    line, text = refused(
        tmp_path,
        "- {service: one, via: node-port, nodePort: 30080}\n",
        "ingress: {expose: {via: node-port}}",
    )
    assert line == 7
    assert "node port 30080 is already used by the ingress controller" in text


def test_a_node_port_of_another_services_manifest_is_refused(tmp_path: Path) -> None:
    services(tmp_path, one="", two=", nodePort: 30001")
    line, text = refused(tmp_path, "- {service: one, via: node-port, nodePort: 30001}\n")
    assert line == 7
    assert "node port 30001 is already used by the manifest of Service shop/two" in text


def test_the_controllers_node_port_in_another_services_manifest_is_refused(tmp_path: Path) -> None:
    services(tmp_path, one=", nodePort: 30443")
    line, text = refused(tmp_path, "[]\n", "ingress: {expose: {via: node-port}}")
    assert line == 2
    assert text == (
        "node port 30443 is already used by the manifest of Service shop/one "
        "(nodePorts.https: 30444)"
    )


def test_a_node_port_of_another_service_is_taken_whatever_it_speaks(tmp_path: Path) -> None:
    services(tmp_path, one="", two=", nodePort: 30001, protocol: UDP")
    _, text = refused(tmp_path, "- {service: one, via: node-port, nodePort: 30001}\n")
    assert "node port 30001 is already used by the manifest of Service shop/two" in text


def test_a_node_port_of_another_port_of_the_service_is_taken(tmp_path: Path) -> None:
    services(tmp_path, one="}, {name: admin, port: 81, nodePort: 30001")
    way = "- {service: one, port: http, via: node-port, nodePort: 30001}\n"
    _, text = refused(tmp_path, way)
    assert "node port 30001 is already used by the manifest of Service shop/one" in text


def test_one_service_may_have_a_node_port_for_both_protocols(tmp_path: Path) -> None:
    both = ", nodePort: 30053, protocol: UDP}, {name: tcp, port: 80, nodePort: 30053, protocol: TCP"
    services(tmp_path, one=both)
    found = parts(tmp_path, "- {service: one, via: node-port}\n")
    assert [mapping.node_port for mapping in found.mappings] == [30053]


@pytest.mark.parametrize(
    ("first", "second", "hint"),
    [
        ("nodePort: 32767", "nodePort: 32767, local: 80", "nodePort: 30000, or leave it out"),
        ("local: 65535", "local: 65535", "local: 1024"),
    ],
)
def test_what_is_suggested_can_be_had(tmp_path: Path, first: str, second: str, hint: str) -> None:
    services(tmp_path, one="", two="")
    ways = f"- {{service: one, via: node-port, {first}}}\n"
    _, text = refused(tmp_path, ways + f"- {{service: two, via: node-port, {second}}}\n")
    assert text.endswith(f"already used by Service 'one' of app 'shop' ({hint})")


@pytest.mark.parametrize(("one", "two"), [("0.0.0.0", "fd00::1"), ("::", "127.0.0.2")])
def test_addresses_of_two_families_share_no_port(tmp_path: Path, one: str, two: str) -> None:
    services(tmp_path, one="", two="")
    found = parts(
        tmp_path,
        f"- {{service: one, via: port-forward, local: 8080, address: '{one}'}}\n"
        f"- {{service: two, via: port-forward, local: 8080, address: '{two}'}}\n",
    )
    assert len(found.forwards) == 2


def test_what_file_and_manifest_say_of_one_port_must_not_differ(tmp_path: Path) -> None:
    services(tmp_path, one=", nodePort: 30001")
    line, text = refused(tmp_path, "- {service: one, via: node-port, nodePort: 30002}\n")
    assert line == 7
    assert "sets nodePort 30001, but `expose` sets 30002" in text
    assert "web.yaml:5" in text
    same = parts(tmp_path, "- {service: one, via: node-port, nodePort: 30001}\n")
    assert same.mappings[0].node_port == 30001


def test_one_port_of_a_service_has_one_node_port(tmp_path: Path) -> None:
    services(tmp_path, one="")
    way = "- {service: one, via: node-port}\n"
    line, text = refused(tmp_path, way + "- {service: one, via: node-port, local: 8080}\n")
    assert line == 8
    assert "port 80 of Service 'one' of app 'shop' already has a node port" in text


@pytest.mark.parametrize(
    ("top", "way", "message"),
    [
        ("", "local: 80", "port 80 is already used by the ingress controller (local: 81)"),
        ("", "local: 80, address: 0.0.0.0", "port 80 is already used by the ingress controller"),
        (
            "ingress: {expose: {http: 8080}}",
            "local: 8080",
            "port 8080 is already used by the ingress controller",
        ),
        (
            "ingress: {controller: none}\ncluster: {registry: {port: 5001}}",
            "local: 5001",
            "port 5001 is already used by the registry",
        ),
    ],
)
def test_a_port_of_this_machine_is_given_once(
    tmp_path: Path, top: str, way: str, message: str
) -> None:
    services(tmp_path, one="")
    _, text = refused(tmp_path, f"- {{service: one, via: node-port, {way}}}\n", top)
    assert message in text


def passed_on(mapping: str, more: str = "ingress: {controller: none}") -> str:
    return f"cluster: {{kind: {{extraPortMappings: [{mapping}]}}}}\n{more}"


@pytest.mark.parametrize(
    ("top", "message"),
    [
        (
            passed_on("{containerPort: 9, hostPort: 80}", "ingress: {expose: {http: 80}}"),
            "port 80 is already used by the ingress controller (hostPort: 81)",
        ),
        (
            "cluster: {registry: {}, kind: {extraPortMappings: [{containerPort: 9, hostPort: 5001}]}}",
            "port 5001 is already used by the registry (hostPort: 5002)",
        ),
        (
            passed_on("{containerPort: 9, hostPort: 9}, {containerPort: 8, hostPort: 9}"),
            "port 9 is already used by cluster.kind (hostPort: 10)",
        ),
    ],
)
def test_what_is_passed_on_to_kind_has_its_ports_too(
    tmp_path: Path, top: str, message: str
) -> None:
    services(tmp_path, one="")
    line, text = refused(tmp_path, "[]\n", top)
    assert (line, text) == (2, message)


@pytest.mark.parametrize(
    "mapping",
    [
        "{containerPort: 9, hostPort: 80, protocol: UDP}",
        "{containerPort: 9, hostPort: 0}",
        "{containerPort: 9, hostPort: 80, listenAddress: 127.0.0.2}",
        "{containerPort: 9}",
    ],
)
def test_a_port_that_nobody_else_wants_is_passed_on(tmp_path: Path, mapping: str) -> None:
    services(tmp_path, one="")
    parts(tmp_path, "[]\n", passed_on(mapping, "ingress: {expose: {http: 80}}"))


def test_the_machine_is_asked_for_every_port_with_its_key(tmp_path: Path) -> None:
    services(tmp_path, one="")
    found = parts(
        tmp_path,
        "- {service: one, via: node-port, nodePort: 30001}\n",
        passed_on("{containerPort: 9, hostPort: 9}").replace("{kind", "{registry: {}, kind"),
    )
    assert [(wanted.address, wanted.port, wanted.key) for wanted in found.ports] == [
        ("127.0.0.1", 5001, "cluster.registry.port"),
        ("0.0.0.0", 9, "cluster.kind.extraPortMappings[0].hostPort"),
        ("127.0.0.1", 30001, "apps[0].expose[0].local"),
    ]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("extraPortMappings: hello", "cluster.kind.extraPortMappings must be a list"),
        ("extraPortMappings: [hello]", "cluster.kind.extraPortMappings[0]: 'hello' is not valid"),
        (
            "extraPortMappings: [{containerPort: 9, hostPort: '80'}]",
            "cluster.kind.extraPortMappings[0].hostPort: '80' is not a port number",
        ),
        (
            "extraPortMappings: [{containerPort: 9, listenAddress: localhost}]",
            "cluster.kind.extraPortMappings[0].listenAddress: 'localhost' is not an IP address",
        ),
        ("kubeadmConfigPatches: null", "cluster.kind.kubeadmConfigPatches must be a list"),
        ("extraMounts: {}", "cluster.kind.extraMounts must be a list"),
    ],
)
def test_what_kind_could_not_take_is_refused(tmp_path: Path, kind: str, message: str) -> None:
    services(tmp_path, one="")
    line, text = refused(tmp_path, "[]\n", f"cluster: {{kind: {{{kind}}}}}")
    assert line == 2
    assert text.startswith(message)


def test_one_port_on_two_addresses_is_two(tmp_path: Path) -> None:
    services(tmp_path, one="")
    found = parts(tmp_path, "- {service: one, via: node-port, local: 80, address: 127.0.0.2}\n", "")
    assert len(found.mappings) == 3


HEADLESS, ELSEWHERE = ", clusterIP: None", ", type: ExternalName"
BALANCED = "ingress: {controller: none}\naddons: [metallb]"


@pytest.mark.parametrize(
    ("more", "via", "message"),
    [
        (HEADLESS, "node-port", "is headless, so it has no node port"),
        (HEADLESS, "load-balancer", "is headless, so it has no external address"),
        (ELSEWHERE, "node-port", "is an ExternalName, so it has no node port"),
        (ELSEWHERE, "load-balancer", "is an ExternalName, so it has no external address"),
        (ELSEWHERE, "port-forward", "is an ExternalName, so it has no pods to forward to"),
        (", selector: {}", "port-forward", "has no selector, so there are no pods to forward to"),
        (", selector: {}", "load-balancer, local: 81", "has no selector"),
    ],
)
def test_a_service_that_cannot_be_reached_so_is_refused(
    tmp_path: Path, more: str, via: str, message: str
) -> None:
    text = SERVICE.replace("NAME", "one").replace("NODE", "").replace("MORE", more)
    (tmp_path / "web.yaml").write_text(
        text.replace("selector: {app: web}, ", "") if "sel" in more else text
    )
    line, text = refused(tmp_path, f"- {{service: one, via: {via}}}\n", BALANCED)
    assert line == 8
    assert f"Service 'one' {message}" in text
    assert "web.yaml:" in text


def test_endpoints_of_the_users_own_have_a_node_port(tmp_path: Path) -> None:
    text = SERVICE.replace("NAME", "one").replace("NODE", "").replace("MORE", "")
    (tmp_path / "web.yaml").write_text(text.replace("selector: {app: web}, ", ""))
    assert parts(tmp_path, "- {service: one, via: node-port}\n").mappings


def test_a_headless_service_is_forwarded_to(tmp_path: Path) -> None:
    text = SERVICE.replace("NAME", "one").replace("NODE", "").replace("MORE", HEADLESS)
    (tmp_path / "web.yaml").write_text(text)
    assert parts(tmp_path, "- {service: one, via: port-forward}\n").forwards


@pytest.mark.parametrize("via", ["node-port", "load-balancer", "port-forward"])
def test_udp_is_refused(tmp_path: Path, via: str) -> None:
    services(tmp_path, one=", protocol: UDP")
    assert "speaks UDP" in refused(tmp_path, f"- {{service: one, via: {via}}}\n", BALANCED)[1]


def test_one_external_address_is_enough(tmp_path: Path) -> None:
    services(tmp_path, one="")
    way = "- {service: one, via: load-balancer}\n"
    line, text = refused(tmp_path, way + way, BALANCED)
    assert line == 9
    assert "port 80 of Service 'one' already has an external address" in text


def test_a_number_of_a_port_is_no_text(tmp_path: Path) -> None:
    services(tmp_path, one="")
    _, text = refused(tmp_path, "- {service: one, port: '80', via: node-port}\n")
    assert "write the number without quotes: port: 80" in text


@pytest.mark.parametrize(
    ("expose", "top", "message"),
    [
        (
            "- {service: one, via: node-port, nodePort: 80}\n",
            "",
            "apps[0].expose[0].nodePort: 80 is not a node port "
            "(node ports are 30000 to 32767; the port of this machine is set with `local`, and can be "
            "any port)",
        ),
        (
            "[]\n",
            "ingress: {expose: {via: node-port, nodePorts: {http: 32768}}}",
            "32768 is not a node port "
            "(node ports are 30000 to 32767; the port of this machine is set with `http`",
        ),
        (
            "- {service: one, via: port-forward, nodePort: 30001}\n",
            "",
            "nodePort has no effect with `via: port-forward`",
        ),
        (
            "- {service: one, via: node-port, address: localhost}\n",
            "",
            "apps[0].expose[0].address: 'localhost' is not an IP address",
        ),
    ],
)
def test_what_cannot_be_is_said_with_what_can(
    tmp_path: Path, expose: str, top: str, message: str
) -> None:
    services(tmp_path, one="")
    assert message in refused(tmp_path, expose, top)[1]


def test_a_node_port_of_a_manifest_out_of_range_is_refused_at_its_place(tmp_path: Path) -> None:
    services(tmp_path, one=", nodePort: 8080")
    with pytest.raises(ConfigError) as caught:
        parts(tmp_path, "[]\n")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (str(tmp_path / "web.yaml"), 5)
    assert problem.message == "nodePort 8080 is out of range"
