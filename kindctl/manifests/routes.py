"""URLs of an app: found in its Ingress objects, and what `expect` says of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from kindctl.models import Endpoint, Object, Route
from kindctl.trust.serving import SECRET, is_local

PREFIX = "nginx.ingress.kubernetes.io"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"  # before Kubernetes 1.18

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - bound address -> one to ask


@dataclass(frozen=True)
class Expect:
    """What the answer of a path has to be. None: not asked."""

    path: str = "/"
    host: str | None = None
    contains: str | None = None
    status: int | None = None
    scheme: Literal["http", "https"] | None = None


@dataclass(frozen=True)
class Way:
    """A host and path that an Ingress or a route has a rule for. No host: any."""

    host: str
    path: str
    tls: bool
    own: bool = False  # with a certificate that the app brings


def app_routes(
    ingresses: Sequence[Object],
    expect: Sequence[Expect],
    endpoints: Sequence[Endpoint],
    *,
    app: str,
    namespace: str,
    ingress_classes: Collection[str],
    more: Sequence[Way] = (),
) -> list[Route]:
    """One route per `expect`; without any, one per host and path of the Ingress objects and of `more`.

    Ingresses of other classes are not ours to answer. Empty without endpoints, and without any of
    Ingress objects, `more` and `expect`.
    """
    ours = [i for i in ingresses if class_of(i) in ("", *ingress_classes)]
    ways = [*(way for ingress in ours for way in _ways(ingress)), *more]
    by_scheme = {endpoint.scheme: endpoint for endpoint in endpoints}
    if not by_scheme:
        return []

    def route(way: Way, wanted: Expect | None = None) -> Route:
        fallback = endpoints[0]
        endpoint = by_scheme.get("https" if way.tls else "http", fallback)
        url, host = _url(endpoint, way)
        return Route(
            url=url,
            host=host,
            connect=_connect(endpoint),
            contains=(wanted.contains if wanted else None) or "",
            status=wanted.status if wanted else None,
            app=app,
            namespace=namespace,
            external=endpoint.external,
            certified=_is_certified(endpoint, url, way),
        )

    if expect:
        return [route(_way_to(wanted, ways), wanted) for wanted in expect]
    return _once(route(way) for way in ways)


def _once(routes: Iterable[Route]) -> list[Route]:
    """Each URL once, though several objects may have a rule for it: an Ingress and an HTTPRoute, one for
    `localhost` and one for any host. Where one of them brings a certificate, ours may not be the one."""
    found: dict[tuple[str, str], Route] = {}
    for route in routes:
        first = found.setdefault((route.url, route.host), route)
        if first.certified and not route.certified:
            found[route.url, route.host] = route
    return list(found.values())


def redirected_hosts(ingress: Object) -> list[str]:
    """Hosts whose plain HTTP the controller sends to HTTPS. Empty: whatever host it is asked for."""
    return list(dict.fromkeys(way.host for way in _ways(ingress) if way.tls))


def service_routes(
    endpoints: Sequence[Endpoint], wanted: Expect | None, *, app: str
) -> list[Route]:
    """One route per endpoint of a Service that is reached past the controller."""
    expect = wanted or Expect()
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
    """Empty when it names none: every controller that watches for those serves it."""
    annotations = ingress["metadata"].get("annotations") or {}
    spec = ingress.get("spec") or {}
    return str(spec.get("ingressClassName") or annotations.get(CLASS_ANNOTATION) or "")


def rules(ingress: Object) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """(index of the rule, index of the path, path) for each path of each rule."""
    for index, rule in enumerate((ingress.get("spec") or {}).get("rules") or ()):
        for inner, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            yield index, inner, path


def has_regex(ingress: Object) -> bool:
    """Whether ingress-nginx takes the paths for regular expressions. A rewrite makes it do so too."""
    annotations = ingress["metadata"].get("annotations") or {}
    asked = str(annotations.get(f"{PREFIX}/use-regex", "")).lower() == "true"
    return asked or f"{PREFIX}/rewrite-target" in annotations


def _ways(ingress: Object) -> Iterator[Way]:
    spec, regex = ingress.get("spec") or {}, has_regex(ingress)
    annotations = ingress["metadata"].get("annotations") or {}
    encrypted = {host for tls in spec.get("tls") or () for host in tls.get("hosts") or ()}
    own = {
        host
        for tls in spec.get("tls") or ()
        if tls.get("secretName") not in (None, "", SECRET)
        for host in tls.get("hosts") or ()
    }
    redirects = str(annotations.get(f"{PREFIX}/ssl-redirect", "true")).lower() == "true"
    forced = str(annotations.get(f"{PREFIX}/force-ssl-redirect", "")).lower() == "true"

    def way(host: str, path: str) -> Way:
        tls = forced or (redirects and host in encrypted)
        return Way(host, concrete(path) if regex else path or "/", tls, host in own)

    for index, _, path in rules(ingress):
        yield way(str(spec["rules"][index].get("host") or ""), str(path.get("path") or ""))
    if spec.get("defaultBackend") and not spec.get("rules"):
        yield way("", "/")


def _way_to(wanted: Expect, ways: Sequence[Way]) -> Way:
    """The host and scheme for a path that is expected: of the named host, else of the rules for any
    host, else of the first rule."""
    if wanted.host is not None:
        its = [way for way in ways if way.host == wanted.host]
        known = Way(wanted.host, "/", any(w.tls for w in its), any(w.own for w in its))
    else:
        first = ways[0] if ways else Way("", "/", False)
        known = next((way for way in ways if not way.host), first)
    tls = known.tls if wanted.scheme is None else wanted.scheme == "https"
    return replace(known, path=wanted.path, tls=tls)


def _is_certified(endpoint: Endpoint, url: str, way: Way) -> bool:
    """Whether the controller serves the local authority's certificate there: over TLS, for a name of
    this machine, where the app does not bring its own."""
    return endpoint.scheme == "https" and not way.own and is_local(urlsplit(url).hostname or "")


def local_hosts(objects: Iterable[Object]) -> list[str]:
    """Host names of this machine that Ingresses, Gateways and HTTPRoutes are for."""
    found: dict[str, None] = {}
    for obj in objects:
        spec = obj.get("spec") or {}
        if obj["kind"] == "Ingress":
            found.update(dict.fromkeys(rule.get("host") for rule in spec.get("rules") or ()))
            for tls in spec.get("tls") or ():
                found.update(dict.fromkeys(tls.get("hosts") or ()))
        elif obj["kind"] == "Gateway":
            found.update(dict.fromkeys(one.get("hostname") for one in spec.get("listeners") or ()))
        elif obj["kind"] in ("HTTPRoute", "GRPCRoute", "TLSRoute"):
            found.update(dict.fromkeys(spec.get("hostnames") or ()))
    return [host for host in found if host and is_local(host)]


def _url(endpoint: Endpoint, way: Way) -> tuple[str, str]:
    """(URL, Host header). A name that leads to the endpoint is in the URL: on this machine those of
    RFC 6761. For any other, the URL has the endpoint's own, and the header has the name."""
    host = way.host.replace("*", "any", 1)
    if not host or host == endpoint.host:
        return endpoint.url + way.path, ""
    if _is_here(endpoint) and (host == "localhost" or host.endswith(".localhost")):
        return endpoint.url.replace(endpoint.host, host, 1) + way.path, ""
    return endpoint.url + way.path, host


def _is_here(endpoint: Endpoint) -> bool:
    """Whether names for this machine lead to it: not to an address of a node, or to one from outside."""
    address = endpoint.address
    return address in (*ANY_ADDRESS, "::1", "localhost") or address.startswith("127.")


def concrete(pattern: str) -> str:
    """A path that a regular expression of an Ingress matches, as short and plain as can be.

    `/?(.*)` -> `/` · `/api/?(.*)` -> `/api/` · `/api(/|$)(.*)` -> `/api/` · `/v[0-9]+/x` -> `/v0/x`
    """
    path = re.sub(r"/{2,}", "/", _example(pattern))
    return path if path.startswith("/") else f"/{path}"


def _example(pattern: str) -> str:
    """Of each choice the first, of each repetition as little as it allows; `?` keeps a literal."""
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
    """(example of the first element, what follows, whether `?` should rather leave it out)."""
    first = rest[0]
    if first == "(":
        inside, after = _group(rest)
        return _example(_alternatives(re.sub(r"^\?(:|[a-zA-Z]+\)?)", "", inside))[0]), after, True
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
    """(inside of the parentheses that `text` starts with, what follows them)."""
    depth = 0
    for index, letter in enumerate(text):
        if letter in "()" and (index == 0 or text[index - 1] != "\\"):
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return text[1:index], text[index + 1 :]
    return text[1:], ""


def _alternatives(inside: str) -> list[str]:
    """`a|b(c|d)` -> ["a", "b(c|d)"]"""
    found, depth = [""], 0
    for letter in inside:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found
