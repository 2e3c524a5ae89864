"""The verbs that need no instance: version, help, certs, demo."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading

import pytest
import yaml

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


@pytest.fixture
def demo_ports():
    """The demo's ports are fixed: one at a time, also of tests that run in other processes."""
    with open(pathlib.Path(tempfile.gettempdir()) / "sallyport-demo-ports.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_the_demo_answers_the_curl_that_it_prints(tmp_path, demo_ports):
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


def test_the_demo_ends_when_one_of_its_instances_does(tmp_path, demo_ports):
    (tmp_path / "gateways").symlink_to(pathlib.Path(__file__).resolve().parents[2] / "gateways")
    assert run_verb("certs", "init", cwd=tmp_path).returncode == 0
    demo = OwnedProcess("demo", [binary(), "demo"], tmp_path)
    try:
        demo.wait_until(lambda: "curl " in demo.stdout, "prints the curl line", 30)
        children = pathlib.Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
        assert len(children) == 2
        os.kill(int(children[0]), signal.SIGKILL)
        assert demo.wait() == 1
        assert "ended early" in demo.stdout
    finally:
        demo.stop()


def test_the_demo_takes_a_real_upstream(tmp_path, demo_ports, owner, authority):
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


def test_completion_of_bash_completes_verbs_and_flags(tmp_path):
    script = tmp_path / "completion.bash"
    script.write_text(run_verb("completion", "bash").stdout)
    line = (f'source {script}; COMP_WORDS=(sallyport che); COMP_CWORD=1; COMP_LINE="sallyport che"; COMP_POINT=13; '
            '_sallyport sallyport che sallyport; echo "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert "check" in result.stdout.split(), result.stdout + result.stderr


@pytest.mark.parametrize("line, offered", [
    ("sallyport p", "pc"), ("sallyport an", "analyze"), ("sallyport pc ", "listener"), ("sallyport pc lis", "listeners"),
    ("sallyport pc l --ty", "--type"), ("sallyport pc listeners --type ", "HTTP+TCP"),
    ("sallyport analyze --fail", "--failure-threshold"), ("sallyport help re", "register"),
])
def test_completion_of_bash_knows_the_other_names_of_verbs(tmp_path, line, offered):
    script = tmp_path / "completion.bash"
    script.write_text(run_verb("completion", "bash").stdout)
    words = line.split(" ")
    command = (f'source {script}; COMP_WORDS=({" ".join(word or chr(34) * 2 for word in words)}); '
               f'COMP_CWORD={len(words) - 1}; COMP_LINE="{line}"; COMP_POINT={len(line)}; '
               f'_sallyport sallyport "{words[-1]}" "{words[-2]}"; echo "${{COMPREPLY[@]}}"')
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert offered in result.stdout.split(), result.stdout + result.stderr


@pytest.mark.parametrize("shell, lines", [
    ("zsh", ["pc) words[1]=proxy-config ;;", "analyze) words[1]=check ;;", "listeners|l) words[1]=listener ;;"]),
    ("fish", ["case 'proxy-config' 'pc'", "case 'sallyport analyze'", "case 'listener' 'listeners' 'l'",
              "case 'sallyport proxy-config l'"]),
])
def test_completion_of_other_shells_knows_the_other_names(shell, lines):
    script = [line.strip() for line in run_verb("completion", shell).stdout.splitlines()]
    for line in lines:
        assert line in script, line


@pytest.mark.parametrize("shell, part", [("zsh", "#compdef sallyport"), ("fish", "complete -c 'sallyport'")])
def test_completion_of_other_shells(shell, part):
    result = run_verb("completion", shell)
    assert result.returncode == 0 and part in result.stdout
    assert run_verb("completion", "tcsh").returncode == 64


# Lines, one completion that must be offered, and one that must not.
COMPLETIONS = [
    ("sallyport ", "explain", "listener"), ("sallyport an", "analyze", "run"), ("sallyport pc ", "listener", "run"),
    ("sallyport pc lis", "listeners", "route"), ("sallyport analyze --fail", "--failure-threshold", "--output"),
    ("sallyport check --failure-threshold ", "warning", "log"), ("sallyport completion ", "fish", "info"),
    ("sallyport check --analyzer virtualservice.P", "virtualservice.PathAnalyzer", "gateway.CertificateAnalyzer"),
    ("sallyport certs ", "init", "check"),
]


@pytest.mark.parametrize("line, offered, absent", COMPLETIONS)
def test_completion_of_fish(tmp_path, line, offered, absent):
    script = tmp_path / "sallyport.fish"
    script.write_text(run_verb("completion", "fish").stdout)
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{named_sallyport(tmp_path)}:{os.environ['PATH']}"}
    assert subprocess.run(["fish", "-n", script], env=environment, capture_output=True, text=True).stderr == ""
    result = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"], env=environment,
                            capture_output=True, text=True)
    found = [said.split("\t")[0] for said in result.stdout.splitlines()]
    assert result.stderr == "" and offered in found and absent not in found, result


ZSH = """
PS1=; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D
compadd() {{
  if [[ " $* " == *" -"[OAD]" "* ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -O hits "$@"; print -rl -- $hits >> {folder}/offered
  builtin compadd "$@"
}}
ended() {{ print done > {folder}/done }}
comppostfuncs=(ended)
bindkey '^I' complete-word; print ready > {folder}/ready
"""


@pytest.mark.parametrize("line, offered, absent", COMPLETIONS)
def test_completion_of_zsh(tmp_path, line, offered, absent):
    """A shell at a terminal, whose Tab writes down what is offered."""
    script = tmp_path / "_sallyport"
    script.write_text(run_verb("completion", "zsh").stdout)
    assert subprocess.run(["zsh", "-n", script], capture_output=True, text=True).stderr == ""
    (tmp_path / "setup").write_text(ZSH.format(folder=tmp_path))
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{named_sallyport(tmp_path)}:{os.environ['PATH']}",
                   "TERM": "xterm"}
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
                             start_new_session=True)
    os.close(theirs)
    said = []
    threading.Thread(target=drain, args=(ours, said), daemon=True).start()
    try:
        os.write(ours, f"source {tmp_path}/setup\n".encode())
        eventually((tmp_path / "ready").exists, "the shell is ready")
        os.write(ours, f"{line}\t".encode())
        eventually((tmp_path / "done").exists, "the completion has ended")
    finally:
        shell.kill()
        shell.wait()
    text = b"".join(said).decode(errors="replace")
    found = (tmp_path / "offered").read_text().splitlines() if (tmp_path / "offered").exists() else []
    assert offered in found and absent not in found, (found, text)
    assert "command not found" not in text and "bad pattern" not in text


def named_sallyport(folder: pathlib.Path) -> pathlib.Path:
    """A folder for PATH with the binary under its own name."""
    (folder / "bin").mkdir()
    (folder / "bin/sallyport").symlink_to(binary())
    return folder / "bin"


def drain(descriptor: int, into: list[bytes]) -> None:
    """What the shell writes to its terminal, until it is gone."""
    with contextlib.suppress(OSError):
        while chunk := os.read(descriptor, 4096):
            into.append(chunk)
    os.close(descriptor)


def commands(command: dict, parents: tuple = ()) -> list[tuple[tuple, dict]]:
    """Every command that is shown, with the names above it."""
    path = (*parents, command["commandName"])
    shown = [(path, command)]
    for nested in command.get("subcommands", []):
        if nested.get("shouldDisplay", True):
            shown += commands(nested, path)
    return shown


@pytest.fixture(scope="module")
def described() -> list[tuple[tuple, dict]]:
    return commands(json.loads(run_verb("--experimental-dump-help").stdout)["command"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_has_every_verb_flag_and_choice(described, shell):
    script = run_verb("completion", shell).stdout
    for path, command in described:
        assert command["commandName"] in script, path
        for argument in command.get("arguments", []):
            for name in argument.get("names", []):
                assert name["name"] in script, (path, name)
            for value in argument.get("allValues", []):
                assert value in script, (path, value)
    # Choices that are known although any text is taken.
    for word in ("IST0101", "virtualservice.PathAnalyzer", "VirtualService"):
        assert word in script, word


def test_the_bash_completion_is_a_script_and_offers_files(tmp_path):
    script = tmp_path / "completion.bash"
    script.write_text(run_verb("completion", "bash").stdout)
    assert subprocess.run(["bash", "-n", script], capture_output=True, text=True).stderr == ""
    (tmp_path / "saved.har").write_text("")
    line = (f'source {script}; COMP_WORDS=(sallyport explain --har {tmp_path}/sav); COMP_CWORD=3; '
            f'COMP_LINE="sallyport explain --har {tmp_path}/sav"; COMP_POINT=${{#COMP_LINE}}; '
            f'_sallyport sallyport {tmp_path}/sav --har; echo "${{COMPREPLY[@]}}"')
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert result.stdout.strip() == f"{tmp_path}/saved.har", result.stdout + result.stderr


STORED_PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "man" / "sallyport.1"


def test_the_stored_manual_page_is_what_the_program_prints():
    assert STORED_PAGE.read_text() == run_verb("man").stdout, "write it anew: make man"


def test_the_manual_page_describes_every_verb_and_flag(described):
    page = STORED_PAGE.read_text().replace("\\-", "-")
    for path, command in described[1:]:
        if path[1] == "help":
            continue
        assert f'.SS "{" ".join(path)}"' in page, path
        for argument in command.get("arguments", []):
            for name in argument.get("names", []):
                assert f"\\fB{'--' if name['kind'] == 'long' else '-'}{name['name']}\\fR" in page, (path, name)


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_manual_page_is_rendered_without_a_word_of_warning():
    result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", STORED_PAGE], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    text = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", STORED_PAGE], capture_output=True, text=True).stdout
    for part in ("sallyport - a gateway appliance", "sallyport explain --curl \"curl", "-o, --output output", "NAME",
                 "EXIT STATUS"):
        assert part in text, part


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_man_shows_the_page():
    result = subprocess.run(["man", "--warnings", "-l", STORED_PAGE], capture_output=True, text=True,
                            env={**os.environ, "MANPAGER": "cat", "MAN_KEEP_FORMATTING": "0"})
    assert result.returncode == 0 and result.stderr == "" and "SALLYPORT(1)" in result.stdout, result.stderr


def test_fmt_prints_lists_and_writes(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("kind: 'Service' # what\napiVersion: v1\nspec: {ports: [{port: 80, name: http}]}\nmetadata: {name: a}\n")
    file.chmod(0o640)
    formatted = ("apiVersion: v1\nkind: Service # what\nmetadata:\n  name: a\nspec:\n  ports:\n  - port: 80\n"
                 "    name: http\n")
    assert run_verb("fmt", file).stdout == formatted
    assert run_verb("fmt", "-", stdin=file.read_text()).stdout == formatted
    listed = run_verb("fmt", "-l", tmp_path)
    assert listed.returncode == 1 and listed.stdout == f"{file}\n"
    written = run_verb("fmt", "-w", tmp_path)
    assert written.returncode == 0 and written.stdout == f"{file}\n"
    assert file.read_text() == formatted and stat.S_IMODE(file.stat().st_mode) == 0o640
    assert run_verb("fmt", "-l", tmp_path).returncode == 0


ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = [file for folder in ("gateways", "examples", "Tests/Corpus/broken") for file in (ROOT / folder).rglob("*.yaml")]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: str(file.relative_to(ROOT)))
def test_fmt_changes_neither_meaning_nor_comments_and_is_done_at_once(file):
    text = file.read_text()
    once = run_verb("fmt", file)
    if once.returncode == 65:
        with pytest.raises((yaml.YAMLError, AssertionError)):
            assert not has_equal_keys(text)
            list(yaml.safe_load_all(text))
        return
    assert once.returncode == 0, once.stderr
    assert run_verb("fmt", "-", stdin=once.stdout).stdout == once.stdout
    meant = [document for document in yaml.safe_load_all(text) if document is not None]
    assert [document for document in yaml.safe_load_all(once.stdout) if document is not None] == meant
    comments = [sorted(re.findall(r"(?m)(?:^|\s)(#.*?)\s*$", version)) for version in (text, once.stdout)]
    assert comments[0] == comments[1]


def has_equal_keys(text: str) -> bool:
    """What YAML forbids and this library lets pass."""
    def check(node) -> bool:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            return len(keys) != len(set(keys)) or any(check(value) for _, value in node.value)
        return isinstance(node, yaml.SequenceNode) and any(check(item) for item in node.value)
    try:
        return any(check(node) for node in yaml.compose_all(text) if node)
    except yaml.YAMLError:
        return False


def test_fmt_keeps_comments_of_every_kind_of_place(tmp_path):
    text = """# the file
---
# before the first key
apiVersion: v1 # version
kind: Service
# before metadata
metadata:
  # inside
  name: a   # name
  annotations: # of annotations
    a: "#no comment"
    b: |
      # text, no comment
      second
    c: x#y
spec:
  ports:
  # before an item
  - port: 80 # item
    # between fields
    name: http
  # behind the last item
# at the end
---
# a document of comments alone
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b} # flow
data: {
  a: b, # inside flow
}
"""
    once = run_verb("fmt", "-", stdin=text)
    assert once.returncode == 0, once.stderr
    for comment in ("the file", "before the first key", "version", "before metadata", "inside", "name", "of annotations",
                    "before an item", "item", "between fields", "behind the last item", "at the end",
                    "a document of comments alone", "flow", "inside flow"):
        assert re.search(rf"(?m)(^|\s)# {comment}$", once.stdout), (comment, once.stdout)
    assert run_verb("fmt", "-", stdin=once.stdout).stdout == once.stdout
    assert [d for d in yaml.safe_load_all(once.stdout) if d] == [d for d in yaml.safe_load_all(text) if d]


def test_fmt_leaves_a_broken_file_alone(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a: [\n")
    result = run_verb("fmt", "-w", file)
    assert result.returncode == 65 and f"{file}:2:1:" in result.stderr
    assert file.read_text() == "a: [\n"


def test_fmt_keeps_line_endings_and_says_what_it_leaves_alone(tmp_path):
    file = tmp_path / "crlf.yaml"
    file.write_bytes(b"kind: VirtualService\r\napiVersion: networking.istio.io/v1\r\nmetadata: {name: v} # c1\r\n")
    assert run_verb("fmt", "-w", file).returncode == 0
    text = file.read_bytes()
    assert text == (b"apiVersion: networking.istio.io/v1\r\nkind: VirtualService\r\nmetadata: # c1\r\n  name: v\r\n")
    assert run_verb("fmt", "-l", file).returncode == 0
    file.write_bytes(b"a: &x 1\nb:   *x")
    result = run_verb("fmt", "-w", file)
    assert result.returncode == 65 and "anchors" in result.stderr and result.stdout == ""
    assert file.read_bytes() == b"a: &x 1\nb:   *x"


def test_register_prints_resources_that_load(tmp_path):
    result = run_verb("register", "mysql", "1.2.3.4", "3306", "http:7000", "-n", "onprem", "-l", "version=v1")
    assert result.returncode == 0, result.stderr
    entry, workload = yaml.safe_load_all(result.stdout)
    assert entry["spec"]["hosts"] == ["mysql.onprem.svc.cluster.local"]
    assert [(port["name"], port["protocol"]) for port in entry["spec"]["ports"]] == [("mysql", "MYSQL"), ("http", "HTTP")]
    assert workload["spec"] == {"address": "1.2.3.4", "labels": {"app": "mysql", "version": "v1"}}
    assert run_verb("check", "-", stdin=result.stdout).returncode == 0
    assert run_verb("register", "mysql", "1.2.3.4", "http:none").returncode == 64


def test_register_names_ports_as_istioctl_does():
    """The name that is given, else the usual one of the port; names differ."""
    result = run_verb("register", "web", "1.2.3.4", "80", "8080", "9999", "grpc-x:7000", "-l", "a=b,c=d", "-a", "e=f",
                      "-s", "robot")
    entry, workload = yaml.safe_load_all(result.stdout)
    assert [(port["name"], port["number"], port["protocol"]) for port in entry["spec"]["ports"]] == [
        ("http", 80, "HTTP"), ("http-8080", 8080, "HTTP"), ("tcp-9999", 9999, "TCP"), ("grpc-x", 7000, "GRPC")]
    assert workload["spec"]["labels"] == {"app": "web", "a": "b", "c": "d"}
    assert workload["spec"]["serviceAccount"] == "robot"
    assert entry["metadata"]["annotations"] == workload["metadata"]["annotations"] == {"e": "f"}
    assert run_verb("register", "web", "1.2.3.4", "80", "-l", "nonsense").returncode == 64
    assert run_verb("register", "Not_a_name", "1.2.3.4", "80").returncode == 64


def test_register_adds_a_machine_to_a_service_that_is_known(tmp_path):
    file = tmp_path / "onprem.yaml"
    for address in ("1.2.3.4", "1.2.3.5"):
        more = ("--known", tmp_path) if file.exists() else ()
        with file.open("a") as target:
            target.write(run_verb("register", "svc1", address, "http:7000", "-n", "onprem", *more).stdout)
    kinds = [document["kind"] for document in yaml.safe_load_all(file.read_text())]
    assert kinds == ["ServiceEntry", "WorkloadEntry", "WorkloadEntry"]
    result = run_verb("check", file)
    assert result.returncode == 0 and "SP1003" not in result.stdout, result.stdout
    listed = run_verb("pc", "ep", "--from", file, "--label", "a=b", "--namespace", "onprem", "-o", "json")
    assert listed.returncode == 0
    assert run_verb("register", "svc1", "1.2.3.4", "80", "--known", tmp_path / "nowhere").returncode == 66


def test_register_keeps_what_it_is_told(tmp_path):
    first = run_verb("register", "svc1", "1.2.3.4", "http:7000", "-n", "onprem", "-l", "app=x,tier=t")
    service, machine = yaml.safe_load_all(first.stdout)
    assert service["spec"]["workloadSelector"]["labels"] == {"app": "x"}
    assert machine["spec"]["labels"] == {"app": "x", "tier": "t"}
    known = tmp_path / "known.yaml"
    known.write_text(first.stdout)

    def another(*words):
        return run_verb("register", "svc1", *words, "-n", "onprem", "--known", known)
    # Its own port under the service's name, and the labels that the service selects by.
    for port in ("7001", "http:7001"):
        machine = yaml.safe_load(another("1.2.3.5", port).stdout)
        assert machine["spec"] == {"address": "1.2.3.5", "labels": {"app": "x"}, "ports": {"http": 7001}}
    for words, message in ((("1.2.3.5", "grpc:7000"), "has http:7000"), (("1.2.3.5", "7000", "-l", "app=y"), "app=x"),
                           (("machine.test", "7000"), "STATIC")):
        result = another(*words)
        assert result.returncode == 64 and message in result.stderr, result.stderr
    for address in ("not..a..host", "1.2.3.4.5", "a b"):
        assert run_verb("register", "svc1", address, "80").returncode == 64


@pytest.mark.parametrize("arguments, said", [
    (("run", "--dns-server", "foo"), "--dns-server foo: write it as ADDRESS or ADDRESS:PORT"),
    (("run", "--dns-server", "1.1.1.1:99999"), "--dns-server 1.1.1.1:99999"),
    (("run", "--dns-server", "1.1.1.1:0"), "--dns-server 1.1.1.1:0"),
    (("run", "--max-connections", "0"), "--max-connections 0: it must be 1 or more"),
    (("run", "--workers", "0"), "--workers 0: it must be 1 to 1024"),
    (("run", "--workers=-1"), "--workers -1: it must be 1 to 1024"),
    (("run", "--drain=-1"), "--drain -1: it must be 0 to 86400"),
    (("run", "--header-timeout=-1"), "--header-timeout -1.0: it must be a number of seconds"),
    (("run", "--header-timeout", "inf"), "--header-timeout inf"),
    (("run", "--idle-timeout", "nan"), "--idle-timeout nan"),
    (("run", "--stream-idle-timeout", "1e30"), "--stream-idle-timeout 1e+30"),
    (("run", "--max-header-bytes", "0"), "--max-header-bytes 0: it must be 256 to 98304"),
    (("run", "--max-header-bytes", "1000000"), "--max-header-bytes 1000000: it must be 256 to 98304"),
    (("run", "--max-header-count", "0"), "--max-header-count 0: it must be 1 to 10000"),
    (("run", "--max-request-line-bytes", "0"), "--max-request-line-bytes 0: it must be 16 to 98304"),
    (("run", "--admin-base", "0"), "--admin-base 0: it must be 1 to 65445"),
    (("run", "--admin-base", "65446"), "--admin-base 65446: it must be 1 to 65445"),
    (("run", "--admin", "127.0.0.1"), "--admin 127.0.0.1: write it as ADDRESS:PORT"),
    (("run", "--resolve", "a.test:0:127.0.0.1"), "--resolve a.test:0:127.0.0.1: write it as HOST:PORT:ADDRESS"),
    (("run", "--resolve", "a.test:80:127.0.0.1:0"), "--resolve a.test:80:127.0.0.1:0"),
    (("run", "--bind", "foo"), "--bind foo: it must be an IP address"),
    (("run", "--label", "=x"), "--label =x: write it as key=value"),
    (("status", "--admin-base", "99999"), "--admin-base 99999: it must be 1 to 65445"),
    (("status", "--admin", "127.0.0.1:0"), "--admin 127.0.0.1:0: write it as ADDRESS:PORT"),
    (("status", "-o", "table"), "table"),
    (("healthcheck", "--admin-base", "0"), "--admin-base 0: it must be 1 to 65445"),
    (("healthcheck", "--admin", "foo"), "--admin foo: write it as ADDRESS:PORT"),
    (("explain", "--url", "http://a.test/", "--method", "G T"), '--method "G T"'),
    (("explain", "--url", "http://a.test/", "-H", "a b: c"), '-H "a b"'),
    (("explain", "--url", "http://a.test/", "-H", ": c"), '-H ""'),
    (("explain", "--url", "https://a.test/", "--sni", "a b"), "--sni: domain name"),
    (("explain", "--url", "http://a.test:99999/"), "has no port from 1 to 65535"),
    (("pc", "cluster", "--port", "99999"), "--port 99999: it must be 1 to 65535"),
    (("pc", "listener", "--port", "0"), "--port 0: it must be 1 to 65535"),
    (("pc", "endpoint", "--port=-3"), "--port -3: it must be 1 to 65535"),
    (("pc", "endpoint", "--status", "well"), "well"),
    (("pc", "secret", "--admin-base", "70000"), "--admin-base 70000: it must be 1 to 65445"),
    (("demo", "--upstream", "foo"), "--upstream foo: write it as HOST:PORT"),
    (("demo", "--upstream", "foo:99999"), "--upstream foo:99999: write it as HOST:PORT"),
    (("demo", "--upstream", ":80"), "--upstream :80: write it as HOST:PORT"),
])
def test_values_that_cannot_be_meant_are_usage_errors(tmp_path, arguments, said):
    result = run_verb(*arguments, cwd=tmp_path)
    assert result.returncode == 64, result.stdout + result.stderr
    assert said in result.stderr


@pytest.mark.parametrize("arguments", [
    ("--dns-server", "127.0.0.1"), ("--dns-server", "127.0.0.1:5353"), ("--dns-server", "[::1]:53"),
    ("--dns-server", "::1"), ("--drain", "0"), ("--header-timeout", "0"), ("--idle-timeout", "0.5"),
    ("--max-connections", "1"), ("--max-header-bytes", "98304"), ("--bind", "::1"),
])
def test_values_at_the_edge_are_taken(tmp_path, arguments):
    """There is nothing to run, which is said after the command line was read."""
    assert run_verb("run", tmp_path / "none.yaml", *arguments).returncode == 66
