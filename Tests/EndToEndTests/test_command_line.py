"""The verbs that need no instance: version, help, certs, demo."""

import pathlib
import re
import stat
import subprocess

import pytest

from harness.gateway import binary, run_verb
from harness.http_client import curl
from harness.ports import free_port
from harness.processes import OwnedProcess
from harness.waiting import eventually


def test_version_names_itself():
    result = run_verb("version")
    assert result.returncode == 0
    assert re.match(r"sallyport \d+\.\d+\.\d+", result.stdout)


@pytest.mark.parametrize("verb", ["run", "check", "status", "healthcheck", "proxy-config", "certs", "demo", "version"])
def test_every_verb_has_help(verb):
    result = run_verb(verb, "--help")
    assert result.returncode == 0 and "USAGE" in result.stdout


def test_analyze_is_check(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    assert run_verb("analyze", tmp_path).returncode == run_verb("check", tmp_path).returncode


def test_certs_init_makes_a_ca_and_certificates_once(tmp_path):
    result = run_verb("certs", "init", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "certs"
    ca, leaf, key = folder / "ca.crt", folder / "httpbin-credential" / "tls.crt", folder / "httpbin-credential" / "tls.key"
    verified = subprocess.run(["openssl", "verify", "-CAfile", ca, leaf], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    names = subprocess.run(["openssl", "x509", "-in", leaf, "-noout", "-ext", "subjectAltName"], capture_output=True,
                           text=True).stdout
    assert "DNS:httpbin.example.com" in names
    for secret in (key, folder / "ca.key"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600, secret
    before = ca.read_bytes()
    run_verb("certs", "init", cwd=tmp_path)
    assert ca.read_bytes() == before


def test_certs_list_shows_names_and_days_left(tmp_path):
    assert run_verb("certs", "init", cwd=tmp_path).returncode == 0
    result = run_verb("certs", "list", cwd=tmp_path)
    assert result.returncode == 0
    assert "httpbin.example.com" in result.stdout and re.search(r"\b\d+\b", result.stdout)


def test_the_demo_answers_the_curl_that_it_prints(tmp_path):
    """`make run` on a fresh machine: the line that is printed answers 200."""
    root = pathlib.Path(__file__).resolve().parents[2]
    (tmp_path / "gateways").symlink_to(root / "gateways")
    assert run_verb("certs", "init", cwd=tmp_path).returncode == 0
    demo = OwnedProcess("demo", [binary(), "demo"], tmp_path)
    try:
        demo.wait_until(lambda: "curl " in demo.stdout + demo.stderr, "prints the curl line", 30)
        line = next(line for line in (demo.stdout + demo.stderr).splitlines() if "--resolve" in line and "curl " in line)
        command = line[line.index("curl "):].strip()
        assert "--cacert" in command and "httpbin.example.com" in command

        def answers() -> bool:
            result = subprocess.run(f"{command} -s -o /dev/null -w '%{{http_code}}'", shell=True, cwd=tmp_path,
                                    capture_output=True, text=True, timeout=30)
            return result.stdout.strip().endswith("200")

        eventually(answers, "the printed curl answers 200", 30)
    finally:
        assert demo.stop() == 0


def test_the_demo_takes_a_real_upstream(tmp_path, owner, authority):
    root = pathlib.Path(__file__).resolve().parents[2]
    (tmp_path / "gateways").symlink_to(root / "gateways")
    assert run_verb("certs", "init", cwd=tmp_path).returncode == 0
    assert run_verb("demo", "--help").stdout.count("--upstream") >= 1


def test_an_unknown_verb_is_a_usage_error():
    result = run_verb("chek")
    assert result.returncode == 64
    assert "chek" in result.stderr


def test_nothing_listens_after_a_verb_that_failed(tmp_path):
    port = free_port()
    assert run_verb("run", tmp_path / "nowhere", "--publish", f"{port}:80").returncode == 66
    assert curl(f"http://127.0.0.1:{port}/").exit_code == 7
