"""Fixtures: certificates and upstreams for the session, gateways for a test or a module."""

import contextlib
import pathlib

import pytest

from harness.certificates import Authority
from harness.dns_server import DNSServer
from harness.gateway import Gateway
from harness.pair import Pair
from harness.processes import OwnedProcess
from harness.upstreams import HTTPBin, Nginx, ScriptedUpstream

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the processes of its test or module said."""
    report = yield
    if report.when in ("setup", "call") and report.failed:
        for process in OwnedProcess.started[-6:]:
            report.sections.append((f"process {process.name}", process.report()))
    return report


def pytest_sessionfinish(session):
    """Ends what a test failed to take over because its start failed."""
    for process in OwnedProcess.started:
        if process.running:
            process.stop()


class Owner:
    """Starts things and ends them, newest first, when the test or module is over."""

    def __init__(self, folder: pathlib.Path, stack: contextlib.ExitStack):
        self._folder, self._stack, self._count = folder, stack, 0

    def own(self, thing):
        self._stack.callback(thing.stop)
        return thing

    def folder(self, name: str) -> pathlib.Path:
        self._count += 1
        path = self._folder / f"{name}-{self._count}"
        path.mkdir(parents=True)
        return path

    def gateway(self, resources, **options) -> Gateway:
        return self.own(Gateway(self.folder(options.get("name", "gateway")), resources, **options))

    def upstream(self, script=None, **options) -> ScriptedUpstream:
        return self.own(ScriptedUpstream(script, **options))

    def nginx(self, *arguments, **options) -> Nginx:
        return self.own(Nginx(self.folder("nginx"), *arguments, **options))

    def httpbin(self, *arguments, **options) -> HTTPBin:
        return self.own(HTTPBin(self.folder("httpbin"), *arguments, **options))

    def dns(self) -> DNSServer:
        return self.own(DNSServer())


@pytest.fixture(autouse=True)
def nothing_crashes():
    """Whatever a test looks at: a gateway that trapped is a failure, also one that nobody talks to any more."""
    yield
    crashed = [process for process in OwnedProcess.started if process.has_crashed]
    OwnedProcess.started = [process for process in OwnedProcess.started if process not in crashed]
    assert not crashed, "\n".join(process.report() for process in crashed)


@pytest.fixture
def owner(tmp_path):
    """Owns what one test starts."""
    with contextlib.ExitStack() as stack:
        yield Owner(tmp_path, stack)


@pytest.fixture(scope="module")
def module_owner(tmp_path_factory):
    """Owns what the tests of a module share."""
    with contextlib.ExitStack() as stack:
        yield Owner(tmp_path_factory.mktemp("module"), stack)


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """The CA that everyone trusts, unless the test says otherwise."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory) -> Authority:
    """A CA that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "Unknown CA")


@pytest.fixture(scope="session")
def nginx(tmp_path_factory) -> Nginx:
    """A plain nginx for the tests that only need some upstream."""
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def httpbin(tmp_path_factory) -> HTTPBin:
    """A plain httpbin that shows what reached it."""
    server = HTTPBin(tmp_path_factory.mktemp("httpbin"))
    yield server
    server.stop()


@pytest.fixture
def pair(owner):
    """A scripted upstream behind a gateway."""
    return Pair(owner)
