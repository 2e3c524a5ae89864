"""VirtualServices that delegate: the root owns the host, delegates own parts of its paths."""

from harness.configuration import gateway, http_server, resource, route, static_entry, virtual_service
from harness.http_client import get
from harness.upstreams import answering, response


def delegate(name: str, *rules: dict, namespace: str = "team", **spec) -> dict:
    return resource("VirtualService", name, {"http": list(rules), **spec}, namespace=namespace)


def to_delegate(name: str, namespace: str | None = "team", **rule) -> dict:
    return {"delegate": {"name": name, **({"namespace": namespace} if namespace else {})}, **rule}


def test_delegates_route_what_the_root_gives_them(owner):
    echo = owner.upstream(answering(lambda request: response(request.target)))
    running = owner.gateway([
        gateway(http_server("*")), static_entry("up.example", echo.port),
        virtual_service(
            to_delegate("shop", match=[{"uri": {"prefix": "/shop"}}]),
            to_delegate("missing", match=[{"uri": {"prefix": "/missing"}}]),
            route("up.example", 80, match={"uri": {"prefix": "/rest"}})),
        delegate("shop",
                 {"match": [{"uri": {"exact": "/shop/old"}}], "redirect": {"uri": "/shop/new"}},
                 route("up.example", 80, match={"uri": {"prefix": "/shop/cart"}}, rewrite={"uri": "/c"}),
                 route("up.example", 80, match={"uri": {"prefix": "/elsewhere"}}),
                 {"directResponse": {"status": 418}})])
    got = {target: get(running.port(), target) for target in
           ("/shop/old", "/shop/cart/7", "/shop/x", "/elsewhere", "/missing", "/rest")}
    assert {target: answer.status for target, answer in got.items()} == {
        "/shop/old": 301, "/shop/cart/7": 200, "/shop/x": 418, "/elsewhere": 404, "/missing": 404, "/rest": 200}
    assert got["/shop/cart/7"].text == "/c/7"
