"""The main job: the article's resources as published, an egress and an ingress instance, an upstream over TLS."""

import pathlib

import pytest

from harness.gateway import parse_access_line, run_verb
from harness.http_client import curl, s_client
from harness.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = "httpbin.example.com"
EGRESS = "httpbin-egress.httpbin.svc.cluster.local"


class Chain:
    """curl ▸ ingress ▸ egress ▸ httpbin over TLS, all from gateways/."""

    def __init__(self, owner, authority, certificate):
        self.authority = authority
        self.upstream = owner.httpbin(authority.issue("httpbin.org", usage="server"))
        files = {path.name: path.read_text() for path in sorted((ROOT / "gateways").glob("*.yaml"))}
        environment = {"SSL_CERT_FILE": str(authority.certificate)}
        self.egress = owner.gateway(
            files, instance="httpbin-egress", environment=environment, name="egress",
            flags=("--resolve", f"httpbin.org:443:127.0.0.1:{self.upstream.port}"))
        # Where the egress instance is: what Kubernetes would keep up to date.
        files["services.yaml"] = files["services.yaml"].replace("port: 18080", f"port: {self.egress.port(80)}")
        files["readiness.yaml"] = files["readiness.yaml"].replace("port: 15021", f"port: {self.egress.health_port}")
        self.ingress = owner.gateway(
            files, ports=(80, 443), instance="istio-ingressgateway", environment=environment, name="ingress",
            secrets={"httpbin-credential": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})

    def curl(self, path: str, *more: str):
        port = self.ingress.port(443)
        return curl("-k", f"-HHost:{HOST}", "--resolve", f"{HOST}:{port}:127.0.0.1", "--cacert",
                    self.authority.certificate, *more, f"https://{HOST}:{port}{path}")


@pytest.fixture(scope="module")
def chain(module_owner, authority):
    return Chain(module_owner, authority, authority.issue(HOST))


def test_the_articles_curl_answers_200(chain):
    result = chain.curl("/status/200")
    assert (result.exit_code, result.status) == (0, 200), result


def test_the_certificate_verifies_against_the_ca(chain):
    port = chain.ingress.port(443)
    result = curl("--resolve", f"{HOST}:{port}:127.0.0.1", "--cacert", chain.authority.certificate,
                  f"https://{HOST}:{port}/status/418")
    assert (result.exit_code, result.status) == (0, 418), result


@pytest.mark.parametrize("code", [204, 404, 500, 503])
def test_the_upstreams_status_comes_back(chain, code):
    assert chain.curl(f"/status/{code}").status == code


def test_a_body_makes_the_round_trip(chain, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"0123456789abcdef" * 65536)
    result = chain.curl("/anything", "--data-binary", f"@{body}", "-H", "content-type: text/plain")
    assert result.status == 200
    assert "0123456789abcdef" * 65536 in result.text


def test_bytes_of_every_value_come_back_as_sent(chain):
    assert len(chain.curl("/bytes/102400?seed=7").body) == 102400


def test_the_egress_instance_is_called_as_the_host_of_the_request(chain):
    """The article rewrites nothing: the upstream sees the Host that the client sent."""
    assert HOST in chain.curl("/headers").text


def test_plain_http_is_redirected_to_https(chain):
    port = chain.ingress.port(80)
    result = curl("--resolve", f"{HOST}:{port}:127.0.0.1", f"http://{HOST}:{port}/status/200?a=b")
    assert result.status == 301
    assert result.header("location").startswith(f"https://{HOST}")
    assert result.header("location").endswith("/status/200?a=b")


def test_the_egress_instance_serves_mesh_clients_on_plain_http(chain):
    assert curl(f"-HHost:{HOST}", chain.egress.url("/status/200")).status == 200


def test_another_host_is_not_served(chain):
    assert curl("-HHost:other.example", chain.egress.url("/status/200")).status == 404


def test_an_unknown_server_name_gets_no_certificate(chain):
    output = s_client(chain.ingress.port(443), "-servername", "other.example")
    assert "unrecognized name" in output and "BEGIN CERTIFICATE" not in output


def test_both_instances_are_ready(chain):
    chain.egress.wait_until_ready()
    chain.ingress.wait_until_ready()


def test_the_logs_name_the_clusters_of_the_article(chain):
    assert chain.curl("/anything/marker").status == 200
    ingress = parse_access_line(chain.ingress.wait_for_access_line("/anything/marker"))
    egress = parse_access_line(chain.egress.wait_for_access_line("/anything/marker"))
    assert ingress["upstream_cluster"] == f"outbound|80||{EGRESS}"
    assert ingress["requested_server_name"] == HOST
    assert egress["upstream_cluster"] == "outbound|443|http-egress-subset|httpbin.org"
    assert ingress["request_id"] == egress["request_id"] != "-"
    assert (egress["response_code"], egress["response_flags"], egress["response_code_details"]) == (
        "200", "-", "via_upstream")


def test_check_says_which_name_the_upstream_is_verified_by(tmp_path):
    """The Host of the article is not a host of its ServiceEntry: the inference is said, not silent."""
    result = run_verb("check", ROOT / "gateways")
    assert "httpbin.org" in result.stdout + result.stderr


def test_readiness_follows_the_upstream_down_and_up(owner, authority):
    """Kill the upstream: both instances turn not ready, saying which and why; it comes back by itself."""
    own = Chain(owner, authority, authority.issue(HOST))
    own.egress.wait_until_ready()
    own.ingress.wait_until_ready()
    # The overlay's failureThreshold is 30 at a period of 2 s: too slow for a test, so a probe of our own is added.
    fast = """
apiVersion: sallyport.dev/v1alpha1
kind: UpstreamProbe
metadata: {name: httpbin-fast, namespace: httpbin}
spec:
  host: httpbin.org
  subset: http-egress-subset
  port: 443
  probe:
    httpGet: {path: /status/200}
    periodSeconds: 1
    failureThreshold: 2
"""
    own.egress.configure({"fast.yaml": fast})
    own.egress.reload_and_wait()
    own.upstream.stop()
    assert "httpbin.org" in own.egress.wait_until_ready(False)
    assert EGRESS in own.ingress.wait_until_ready(False)
    own.upstream.start()
    own.egress.wait_until_ready()
    own.ingress.wait_until_ready()
    assert own.curl("/status/200").status == 200


def test_the_gateway_port_is_found_through_the_service_when_nothing_is_published(owner, authority):
    """Service port 80, targetPort N: the instance binds N."""
    port = free_port()
    text = (ROOT / "gateways" / "services.yaml").read_text().replace("18080", str(port))
    files = {path.name: path.read_text() for path in (ROOT / "gateways").glob("*.yaml")} | {"services.yaml": text}
    gateway = owner.gateway(files, instance="httpbin-egress", ports=(), wait=None)
    gateway.process.wait_until(lambda: curl(f"-HHost:{HOST}", f"http://127.0.0.1:{port}/").status in (200, 503),
                               "serves at the Service's targetPort")
