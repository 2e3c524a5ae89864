"""Broken resources beside good ones: said at their place, and the good route goes on serving."""

import json
import pathlib
import re

import pytest

from harness.configuration import IDENTITY, as_yaml, gateway, http_server, route, static_entry, virtual_service
from harness.gateway import run_verb
from harness.http_client import get
from harness.upstreams import answering, response

CORPUS = sorted((pathlib.Path(__file__).resolve().parents[1] / "Corpus" / "broken").glob("*.yaml"))


def good(upstream_port: int) -> list[dict]:
    return [gateway(http_server("*.example.com"), name="good"),
            virtual_service(route("good.upstream"), hosts=("good.example.com",), gateways=("good",), name="good"),
            static_entry("good.upstream", upstream_port, name="good")]


def marks(path: pathlib.Path) -> list[str]:
    """`line:column CODE` of each mark."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        before, _, mark = line.partition("#! ")
        for word in filter(None, mark.split(" + ")):
            code, at, token = word.partition("@")
            found.append(f"{number}:{before.index(token) + 1} {code}" if at else word)
    return sorted(found)


def served(running) -> tuple[int, str]:
    answer = get(running.port(), host="good.example.com")
    return answer.status, answer.text


@pytest.fixture(scope="module")
def upstream(module_owner):
    return module_owner.upstream(answering(lambda request: response("good")))


@pytest.fixture(scope="module")
def running(module_owner, upstream):
    return module_owner.gateway({"good.yaml": good(upstream.port)})


def test_the_corpus_is_large():
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_check_points_at_the_token(tmp_path, path):
    (tmp_path / "good.yaml").write_text(as_yaml(good(1)))
    (tmp_path / "broken.yaml").write_text(path.read_text())
    result = run_verb("check", *IDENTITY, "-o", "json", "-S", "SP1001=*", tmp_path)
    findings = [finding for finding in json.loads(result.stdout) if finding["file"].endswith("broken.yaml")]
    assert sorted(f"{f['line']}:{f['column']} {f['code']}" for f in findings) == marks(path), result.stdout
    errors = any(finding["level"] == "Error" for finding in findings)
    assert result.returncode in ((65, 79) if errors else (0,))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_reload_keeps_the_good_route(running, path):
    """Each broken file comes by reload, and goes by the next."""
    running.configure({"broken.yaml": path.read_text()})
    before = len(running.process.stderr)
    running.reload()
    running.process.wait_until(lambda: re.search(r"config\t.*(in force|was not reloaded)", running.process.stderr[before:]),
                               "has reloaded")
    assert served(running) == (200, "good")


def test_all_of_them_at_once_at_start(owner, upstream):
    files = {f"{path.stem}.yaml": path.read_text() for path in CORPUS}
    started = owner.gateway({"good.yaml": good(upstream.port), **files})
    assert served(started) == (200, "good")
