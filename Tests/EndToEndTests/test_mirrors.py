"""VirtualService mirror and mirrors: copies of requests that never matter to the original."""

import threading

import pytest

from harness.configuration import destination, gateway, http_server, route, static_entry, virtual_service
from harness.http_client import Connection, get, post
from harness.ports import free_port
from harness.upstreams import answering, response
from harness.waiting import eventually


def mirrored(owner, main_port: int, hosts: dict[str, int], flags: tuple = (), **rule):
    """A gateway whose requests go to `main_port`; `hosts` are further ones with their ports."""
    entries = [static_entry(f"{name}.example", port) for name, port in {"main": main_port, **hosts}.items()]
    return owner.gateway([gateway(http_server("*")), *entries, virtual_service(route("main.example", 80, **rule))],
                         flags=flags)


def to(name: str, percentage: float | None = None) -> dict:
    value = {"destination": destination(f"{name}.example", 80)}
    return value if percentage is None else {**value, "percentage": {"value": percentage}}


def test_a_mirror_gets_what_the_destination_gets(owner):
    main, copy = owner.upstream(), owner.upstream(answering(lambda request: response("secret", "500 No")))
    running = mirrored(owner, main.port, {"copy": copy.port}, mirror=destination("copy.example", 80),
                       rewrite={"uri": "/new/"}, headers={"request": {"set": {"x-a": "b"}}})
    answer = get(running.port(), "/old?q", x_mine="yes")
    assert (answer.status, answer.text) == (200, "ok")
    request = copy.wait_for_requests(1)[0]
    assert (request.method, request.target) == ("GET", "/new/old?q")
    assert sorted(request.headers) == sorted(main.requests[0].headers)
    assert request.header("host") == "any.example" and request.header("x-a") == "b"


@pytest.mark.parametrize("size", [1, 60_000, 900_000])
def test_a_body_is_copied(owner, size):
    main, copy = owner.upstream(), owner.upstream()
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")])
    body = bytes(index % 251 for index in range(size))
    assert post(running.port(), body).status == 200
    copy.wait_for_requests(1)
    eventually(lambda: copy.requests[0].body == body, "the copy has the body")


def test_a_chunked_body_is_copied(owner):
    main, copy = owner.upstream(), owner.upstream()
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")])
    with Connection(running.port()) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")
        assert connection.read_response().status == 200
    copy.wait_for_requests(1)
    eventually(lambda: copy.requests[0].body == b"abcde", "the copy has the body")


def test_a_body_beyond_the_bound_goes_through_and_is_not_copied(owner):
    main, copy = owner.upstream(), owner.upstream()
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")])
    assert post(running.port(), b"b" * 3_000_000, "/large").status == 200
    assert len(main.requests[0].body) == 3_000_000
    assert get(running.port(), "/small").status == 200
    assert [request.target for request in copy.wait_for_requests(1)] == ["/small"]


def test_several_mirrors_with_percentages(owner):
    main, all_of, some, none = (owner.upstream() for _ in range(4))
    running = mirrored(owner, main.port, {"all": all_of.port, "some": some.port, "none": none.port},
                       mirrors=[to("all"), to("some", 30), to("none", 0)])
    with Connection(running.port()) as connection:
        for _ in range(600):
            assert connection.request().status == 200
    all_of.wait_for_requests(600)
    # Seven standard deviations around 180; all copies were begun before the last answer.
    eventually(lambda: 100 < len(some.requests) < 260, f"about a third, has {len(some.requests)}")
    assert not none.requests


@pytest.mark.parametrize("how", ["refuses", "hangs", "resets", "unknown host"])
def test_a_mirror_that_fails_does_not_matter(owner, how):
    go = threading.Event()
    main = owner.upstream()
    scripts = {"hangs": lambda connection: (connection.read_request(), go.wait(20)),
               "resets": lambda connection: (connection.read_request(), connection.reset())}
    port = owner.upstream(scripts[how]).port if how in scripts else free_port()
    running = mirrored(owner, main.port, {} if how == "unknown host" else {"copy": port}, mirrors=[to("copy")])
    with Connection(running.port()) as connection:
        for number in range(30):
            assert connection.request("POST", body=b"b" * number or b"x").status == 200
    go.set()
    assert len(main.requests) == 30


def test_copies_are_neither_logged_nor_counted_as_requests(owner):
    main, copy = owner.upstream(), owner.upstream()
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")])
    assert [get(running.port(), f"/{number}").status for number in range(5)] == [200] * 5
    copy.wait_for_requests(5)
    running.wait_for_access_line("/4")
    assert len(running.access_lines()) == 5
    stats = dict(line.rsplit(": ", 1) for line in running.admin("/stats")[1].splitlines() if ": " in line)
    assert stats["cluster.outbound|80||copy.example.upstream_rq_total"] == "5"
    assert stats["cluster.outbound|80||main.example.upstream_rq_total"] == "5"


def test_a_mirror_that_never_answers_is_given_up(owner):
    go = threading.Event()
    main = owner.upstream()
    copy = owner.upstream(lambda connection: (connection.read_request(), go.wait(20)))
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")], timeout="100ms")
    assert get(running.port()).status == 200
    copy.wait_for_requests(1)

    def active():
        text = running.admin("/stats?filter=copy.example.upstream_rq_active$")[1]
        return int(text.split(":")[1]) == 0
    eventually(active, "the copy is given up")
    go.set()


def test_a_mirror_beside_a_retry_is_one_copy(owner):
    answers = iter(["503 No", "200 OK", "200 OK"])
    main, copy = owner.upstream(answering(lambda request: response("m", next(answers)))), owner.upstream()
    running = mirrored(owner, main.port, {"copy": copy.port}, mirrors=[to("copy")],
                       retries={"attempts": 1, "retryOn": "5xx", "backoff": "1ms"})
    assert post(running.port(), b"body").status == 200
    assert [request.body for request in main.requests] == [b"body"] * 2
    assert get(running.port(), "/next").status == 200
    assert [request.target for request in copy.wait_for_requests(2)] == ["/", "/next"]
