"""The examples do what their pages and comments say, by the commands that stand there."""

import json
import pathlib
import re
import shlex

import pytest

from harness.gateway import binary, run_verb
from harness.ports import free_admin_base, free_port
from harness.processes import OwnedProcess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "examples/README.md").read_text()
CHECKS = re.findall(r"`(sallyport check [^`]+)`", PAGE)
RUNS = [(path.relative_to(ROOT), line) for folder in ("examples", "gateways") for path in sorted((ROOT / folder).rglob("*.yaml"))
        for line in re.findall(r"^# +(sallyport run .*)$", path.read_text(), re.MULTILINE)]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> pathlib.Path:
    """The repository's folders as somebody has them after `certs init`."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("examples", "gateways"):
        (folder / name).symlink_to(ROOT / name)
    made = run_verb("certs", "init", "--host", "httpbin.example.com", "--host", "inventory.example.com", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_every_folder_has_its_command():
    folders = {path.name for path in (ROOT / "examples").iterdir() if any(path.glob("*.yaml"))} | {"gateways"}
    assert {pathlib.Path(shlex.split(line)[2]).name for line in CHECKS} == folders


@pytest.mark.parametrize("line", CHECKS)
def test_the_command_of_the_page_finds_nothing_wrong(place, line):
    result = run_verb(*shlex.split(line)[1:], "--output-threshold", "warning", cwd=place)
    assert result.returncode == 0 and result.stdout == "", result.stdout + result.stderr


@pytest.mark.parametrize("path, line", RUNS, ids=[f"{path}: {line.split('--instance ')[-1]}" for path, line in RUNS])
def test_the_command_of_the_comment_starts_an_instance(place, tmp_path, path, line):
    arguments = shlex.split(line)[1:]
    for index, word in enumerate(arguments):
        if arguments[index - 1] == "--publish":
            arguments[index] = f"{free_port()}:{word.split(':')[1]}"
    if "--admin-base" in arguments:
        at = arguments.index("--admin-base")
        del arguments[at:at + 2]
    # Relative paths are those of the folder that has the examples.
    arguments = [str(place / word) if (place / word).exists() else word for word in arguments]
    instance = OwnedProcess("example", [binary(), *arguments, "--admin-base", free_admin_base(), "--bind", "127.0.0.1"], tmp_path)
    try:
        instance.wait_until(lambda: " serves " in instance.stderr, "serves")
        assert "error" not in instance.stderr.split(" serves ")[0], instance.stderr
    finally:
        instance.stop()


def help_lines() -> list[str]:
    """The command lines that the help of all verbs shows."""
    described = json.loads(run_verb("--experimental-dump-help").stdout)["command"]
    commands = [described]
    for command in commands:
        commands += command.get("subcommands", [])
    texts = [command.get("discussion", "") for command in commands]
    return [line for text in texts for line in text.splitlines() if re.match(r"sallyport |.*\| sallyport ", line)]


def test_command_lines_in_the_help_are_not_wrapped():
    lines = help_lines()
    assert len(lines) > 15 and [line for line in lines if len(line) > 80] == []


# What needs an instance, or writes, is held by tests of its own.
OFFLINE = re.compile(r"sallyport (check|explain|fmt \S+ -l|schema [A-Z]|register|pc .*--from)")


def test_command_lines_of_the_help_work(place):
    lines = [line for line in help_lines() if OFFLINE.match(line)]
    assert len(lines) > 10
    for line in lines:
        result = run_verb(*shlex.split(line.split(">")[0])[1:], cwd=place)
        assert result.returncode in (0, 1, 79) and (result.stdout or result.returncode == 0), (line, result)
