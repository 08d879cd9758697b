"""Works out the URLs of an app, from its Ingress objects and from `expect`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from kindctl.kube_objects import annotations_of, entries, spec_of
from kindctl.models import Endpoint, Object, Route
from kindctl.schema import ExpectConfig
from kindctl.trust.serving import SECRET, is_local

PREFIX = "nginx.ingress.kubernetes.io"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"  # before Kubernetes 1.18

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - bound address -> one to ask


@dataclass(frozen=True)
class ServedPath:
    """A host and path for which an Ingress or an HTTPRoute has a rule. An empty host means any host."""

    host: str
    path: str
    tls: bool
    own_certificate: bool = False  # a certificate that the app brings


def app_routes(
    ingresses: Sequence[Object],
    expect: Sequence[ExpectConfig],
    endpoints: Sequence[Endpoint],
    *,
    app: str,
    namespace: str,
    ingress_classes: Collection[str],
    more: Sequence[ServedPath] = (),
) -> list[Route]:
    """Return one route for each `expect`. Without any `expect`, return one route for each path that the
    Ingress objects serve, and one for each path in `more`. `more` contains the paths that HTTPRoutes
    serve.

    Ingress objects of other classes are left out, as other controllers serve them. The result is empty
    without endpoints, and also if there are no Ingress objects, no `more` and no `expect`.
    """
    ours = [i for i in ingresses if class_of(i) in ("", *ingress_classes)]
    served = [*(path for ingress in ours for path in _served_paths(ingress)), *more]
    by_scheme = {endpoint.scheme: endpoint for endpoint in endpoints}
    if not by_scheme:
        return []

    def route(path: ServedPath, wanted: ExpectConfig | None = None) -> Route:
        fallback = endpoints[0]
        endpoint = by_scheme.get("https" if path.tls else "http", fallback)
        url, host = _url(endpoint, path)
        return Route(
            url=url,
            host=host,
            connect=_connect(endpoint),
            contains=(wanted.contains if wanted else None) or "",
            status=wanted.status if wanted else None,
            app=app,
            namespace=namespace,
            external=endpoint.external,
            certified=_is_certified(endpoint, url, path),
        )

    if expect:
        return [route(_expected_path(wanted, served), wanted) for wanted in expect]
    return _once(route(path) for path in served)


def _once(routes: Iterable[Route]) -> list[Route]:
    """Return each URL once, even if several objects have a rule for it: an Ingress and an
    HTTPRoute, or one for `localhost` and one for any host. If one of them brings a certificate,
    it may be the one served."""
    found: dict[tuple[str, str], Route] = {}
    for route in routes:
        first = found.setdefault((route.url, route.host), route)
        if first.certified and not route.certified:
            found[route.url, route.host] = route
    return list(found.values())


def redirected_hosts(ingress: Object) -> list[str]:
    """Return the hosts that the controller redirects from HTTP to HTTPS. An empty name means any host."""
    return list(dict.fromkeys(path.host for path in _served_paths(ingress) if path.tls))


def service_routes(
    endpoints: Sequence[Endpoint], wanted: ExpectConfig | None, *, app: str
) -> list[Route]:
    """Return one route per endpoint of a Service that is exposed without the controller."""
    expect = wanted or ExpectConfig()
    return [
        Route(
            url=endpoint.url + ("" if endpoint.scheme == "tcp" else expect.path),
            host=expect.host or "",
            connect=_connect(endpoint),
            contains=expect.contains or "",
            status=expect.status,
            app=app,
            external=endpoint.external,
            via_controller=False,
        )
        for endpoint in endpoints
    ]


def _connect(endpoint: Endpoint) -> tuple[str, int]:
    return ANY_ADDRESS.get(endpoint.address, endpoint.address), endpoint.port


def class_of(ingress: Object) -> str:
    """Return the class of an Ingress. Returns an empty text if the Ingress sets no class; any controller
    may serve such an Ingress."""
    old = annotations_of(ingress).get(CLASS_ANNOTATION)
    return str(spec_of(ingress).get("ingressClassName") or old or "")


def rules(ingress: Object) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Yield (index of the rule, index of the path, path) for each path of each rule."""
    for index, rule in enumerate(entries(ingress, "spec", "rules")):
        for inner, path in enumerate(entries(rule, "http", "paths")):
            yield index, inner, path


def has_regex(ingress: Object) -> bool:
    """Return whether ingress-nginx reads the paths as regular expressions. A rewrite makes it do so
    too."""
    annotations = annotations_of(ingress)
    asked = str(annotations.get(f"{PREFIX}/use-regex", "")).lower() == "true"
    return asked or f"{PREFIX}/rewrite-target" in annotations


def _served_paths(ingress: Object) -> Iterator[ServedPath]:
    spec, annotations = spec_of(ingress), annotations_of(ingress)
    regex = has_regex(ingress)
    encrypted = {host for tls in entries(spec, "tls") for host in entries(tls, "hosts")}
    own = {
        host
        for tls in entries(spec, "tls")
        if tls.get("secretName") not in (None, "", SECRET)
        for host in entries(tls, "hosts")
    }
    redirects = str(annotations.get(f"{PREFIX}/ssl-redirect", "true")).lower() == "true"
    forced = str(annotations.get(f"{PREFIX}/force-ssl-redirect", "")).lower() == "true"

    def served(host: str, path: str) -> ServedPath:
        tls = forced or (redirects and host in encrypted)
        return ServedPath(host, concrete(path) if regex else path or "/", tls, host in own)

    for index, _, path in rules(ingress):
        yield served(str(spec["rules"][index].get("host") or ""), str(path.get("path") or ""))
    if spec.get("defaultBackend") and not spec.get("rules"):
        yield served("", "/")


def _expected_path(wanted: ExpectConfig, served: Sequence[ServedPath]) -> ServedPath:
    """Return the path of `wanted`, together with a host and scheme. If `wanted` names a host, these are
    that host and its scheme. Otherwise they come from the rules for any host, or, without such rules, from
    the first rule."""
    if wanted.host is not None:
        same = [path for path in served if path.host == wanted.host]
        own = any(path.own_certificate for path in same)
        known = ServedPath(wanted.host, "/", any(path.tls for path in same), own)
    else:
        first = served[0] if served else ServedPath("", "/", False)
        known = next((path for path in served if not path.host), first)
    tls = known.tls if wanted.scheme is None else wanted.scheme == "https"
    return replace(known, path=wanted.path, tls=tls)


def _is_certified(endpoint: Endpoint, url: str, path: ServedPath) -> bool:
    """Return whether the controller serves a certificate of the local authority at this URL.

    It does if the endpoint uses HTTPS and the URL's host is a name of this machine, unless the app brings a
    certificate of its own.
    """
    here = is_local(urlsplit(url).hostname or "")
    return endpoint.scheme == "https" and not path.own_certificate and here


def local_hosts(objects: Iterable[Object]) -> list[str]:
    """Return the names of this machine that the Ingresses, Gateways and routes among the objects serve,
    each once."""
    found: list[Any] = []
    for obj in objects:
        spec = spec_of(obj)
        if obj["kind"] == "Ingress":
            found += [rule.get("host") for rule in entries(spec, "rules")]
            found += [host for tls in entries(spec, "tls") for host in entries(tls, "hosts")]
        elif obj["kind"] == "Gateway":
            found += [listener.get("hostname") for listener in entries(spec, "listeners")]
        elif obj["kind"] in ("HTTPRoute", "GRPCRoute", "TLSRoute"):
            found += entries(spec, "hostnames")
    return [host for host in dict.fromkeys(found) if host and is_local(host)]


def _url(endpoint: Endpoint, path: ServedPath) -> tuple[str, str]:
    """Return (URL, Host header) for a request to this path.

    If the path's host itself leads to the endpoint, the URL contains that host and the header is empty.
    This is so for the endpoint's own host and, on this machine, for `localhost` and the names below it
    (RFC 6761). For any other host, the URL contains the endpoint's host, and the header is the path's host.
    """
    host = path.host.replace("*", "any", 1)
    if not host or host == endpoint.host:
        return endpoint.url + path.path, ""
    if _is_here(endpoint) and (host == "localhost" or host.endswith(".localhost")):
        return endpoint.url.replace(endpoint.host, host, 1) + path.path, ""
    return endpoint.url + path.path, host


def _is_here(endpoint: Endpoint) -> bool:
    """Return whether names of this machine lead to the endpoint: its address is neither a node's
    nor external."""
    address = endpoint.address
    return address in (*ANY_ADDRESS, "::1", "localhost") or address.startswith("127.")


def concrete(pattern: str) -> str:
    """Return a path that the regular expression of an Ingress matches, as short and plain as
    possible.

    `/?(.*)` -> `/` · `/api/?(.*)` -> `/api/` · `/api(/|$)(.*)` -> `/api/` · `/v[0-9]+/x` -> `/v0/x`
    """
    path = re.sub(r"/{2,}", "/", _example(pattern))
    return path if path.startswith("/") else f"/{path}"


def _example(pattern: str) -> str:
    """Return a text that the regular expression matches: its first alternatives, with the fewest
    repetitions; a literal before `?` is kept."""
    out, rest = "", pattern
    while rest:
        piece, rest, optional = _piece(rest)
        quantifier = re.match(r"[*+?]\??|\{(\d+)[^}]*\}", rest)
        if quantifier:
            rest = rest[quantifier.end() :]
            count = quantifier.group(1)
            if quantifier.group()[0] == "*" or (quantifier.group()[0] == "?" and optional):
                piece = ""
            elif count is not None:
                piece *= int(count)
        out += piece
    return out


def _piece(rest: str) -> tuple[str, str, bool]:
    """Return (example of the first element, what follows it, whether `?` after it leaves it out)."""
    first = rest[0]
    if first == "(":
        inside, after = _group(rest)
        return _example(re.sub(r"^\?(:|[a-zA-Z]+\)?)", "", inside)), after, True
    if first == "[":
        match = re.match(r"\[(\^?)(\]?[^\]]*)\]", rest)
        if match:
            letter = "x" if match.group(1) else match.group(2).lstrip("\\")[:1]
            return letter, rest[match.end() :], True
    if first == "\\" and len(rest) > 1:
        known = {"d": "0", "w": "x", "s": "", "b": "", "S": "x", "D": "x", "W": ""}
        return known.get(rest[1], rest[1]), rest[2:], rest[1] in known
    if first in "^$":
        return "", rest[1:], True
    if first == ".":
        followed = rest[1:2] in ("*", "+", "?")
        return ("x" if followed else "."), rest[1:], True
    return first, rest[1:], False


def _group(text: str) -> tuple[str, str]:
    """Return (first alternative in the parentheses that `text` starts with, what follows them)."""
    depth, bar = 0, None
    for index, letter in enumerate(text):
        if index and text[index - 1] == "\\":
            continue
        if letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return text[1 : bar or index], text[index + 1 :]
        elif letter == "|" and depth == 1:
            bar = bar or index
    return text[1:bar], ""
