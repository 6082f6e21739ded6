"""The files in deploy/: accepted by the programs that read them, and true of the server that they run."""

import os
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tandem.keys.keyring import KEY_VARIABLE
from tandem.net.descriptors import SPARE_DESCRIPTORS
from tandem.server.serve import STOP_TIMEOUT
from tandem.server.serve_options import MAX_CONNECTIONS
from tandem.server.states_and_limits import COMMITTING, DRAINING, LIMITS
from testing.deploy.cluster import BALANCER, DATABASE, PORT, SERVERS
from testing.deploy.tools import DEPLOY, run, tool
from testing.processes import ROOT, tandem, wait_until
from testing.processes import running_server as serving
from testing.raw_sockets import encoded, message_1, visit

CONFIGURATION = (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")
UNIT = (DEPLOY / "tandem.service").read_text(encoding="utf-8")
PAGE = (DEPLOY / "README.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
COMPOSED = [SERVICES[f"server{number}"] for number in (1, 2, 3)]
ROTATION = (DEPLOY / "tandem.logrotate").read_text(encoding="utf-8")
RECIPE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")

EXPOSURE = 15  # tenths, of 100: what systemd-analyze makes of the hardening


def seconds(text: str) -> float:
    """Return the seconds of 30s, 16m or 500ms."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def assert_known(words: list[str]) -> None:
    """A tandem command, its name first: it exists, has these options, and takes their values."""
    name, options = words[0], [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    code, out, err = tandem(*words, "--help")
    assert code == 0, err
    assert set(options) <= set(re.findall(r"--[a-z-]+", out)), f"{name}: {options}"


# HAProxy


def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    done = run(tool("haproxy"), "-c", "-f", str(DEPLOY / "haproxy.cfg"))
    assert done.returncode == 0, done.stderr
    wrong = tmp_path / "wrong.cfg"
    wrong.write_text(CONFIGURATION.replace("balance leastconn", "balance leastcon"))
    assert run(tool("haproxy"), "-c", "-f", str(wrong)).returncode != 0


def timeout(name: str) -> float:
    [text] = re.findall(rf"^ +timeout {name} +(\S+)", CONFIGURATION, re.MULTILINE)
    return seconds(text)


def server_setting(name: str) -> str:
    [line] = re.findall(r"^ +default-server (.*)", CONFIGURATION, re.MULTILINE)
    words = line.split()
    return str(words[words.index(name) + 1])


def test_every_limit_of_the_server_comes_before_the_balancers() -> None:
    for side in ("client", "server"):
        assert timeout(side) > max(LIMITS.values())
        assert timeout(f"{side}-fin") > LIMITS[COMMITTING] + LIMITS[DRAINING]
    assert int(server_setting("maxconn")) < MAX_CONNECTIONS


def test_a_server_that_stops_has_finished_before_its_connections_are_cut() -> None:
    checks_between = int(server_setting("fall")) - 1
    assert checks_between * seconds(server_setting("inter")) > STOP_TIMEOUT


def test_the_balancer_names_the_servers_and_introduces_students() -> None:
    assert re.findall(r"^ +server server\d (\S+)$", CONFIGURATION, re.MULTILINE) == [f"{at}:{PORT}" for at in SERVERS]
    assert re.search(r"^ +default-server send-proxy-v2 check ", CONFIGURATION, re.MULTILINE)


# systemd


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program in it that is there."""
    copy = tmp_path / "tandem.service"
    copy.write_text(UNIT.replace("/opt/tandem/bin/tandem", "/bin/true"))
    return copy


def test_systemd_accepts_the_unit(unit: Path) -> None:
    done = run(tool("systemd-analyze"), "verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    assert "strictly" in run(tool("systemd-analyze"), "verify", str(unit)).stderr


def test_the_unit_is_hardened(unit: Path) -> None:
    exposure = ("security", "--offline=true", f"--threshold={EXPOSURE}")
    done = run(tool("systemd-analyze"), *exposure, str(unit))
    assert done.returncode == 0, done.stdout
    unit.write_text(re.sub(r"^(?:Protect|Private|Restrict|System|Capab).*\n", "", unit.read_text(), flags=re.MULTILINE))
    assert run(tool("systemd-analyze"), *exposure, str(unit)).returncode != 0


def test_the_unit_is_true_of_the_server() -> None:
    [command] = re.findall(r"^ExecStart=/opt/tandem/bin/tandem (.*)", UNIT, re.MULTILINE)
    assert_known([word for word in shlex.split(command) if word != "$TANDEM_OPTIONS"])
    [options] = re.findall(r"^#   TANDEM_OPTIONS=(.*)", UNIT, re.MULTILINE)
    assert_known(["serve", *shlex.split(options)])
    [files] = re.findall(r"^LimitNOFILE=(\d+)", UNIT, re.MULTILINE)
    assert int(files) == MAX_CONNECTIONS + SPARE_DESCRIPTORS
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)", UNIT, re.MULTILINE)
    assert int(stop) > STOP_TIMEOUT


def test_a_server_is_started_again_however_long_the_database_is_away() -> None:
    of_the_unit, of_the_service = UNIT.split("[Service]\n")
    assert "\nStartLimitIntervalSec=0\n" in of_the_unit
    assert "\nRestart=on-failure\n" in of_the_service


# The log


def test_the_unit_the_page_and_logrotate_speak_of_one_log_file() -> None:
    [folder] = re.findall(r"^LogsDirectory=(\S+)", UNIT, re.MULTILINE)
    [file] = re.findall(r"^(/\S+) {", ROTATION, re.MULTILINE)
    assert Path(file).parent == Path("/var/log") / folder
    assert f"TANDEM_OPTIONS=--log {file}\n" in PAGE
    assert f"TANDEM_OPTIONS=--log {file}\n" in ROTATION
    assert f"mv {file} {file}.1\nsystemctl reload tandem\n" in PAGE
    assert "        systemctl reload tandem || true\n    endscript\n" in ROTATION
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in UNIT


def test_logrotate_rotates_the_log_of_a_running_server(tmp_path: Path) -> None:
    """With its own configuration, but for the user and the way in which the signal is sent."""
    program = shutil.which("logrotate", path=f"{os.environ.get('PATH')}:/usr/sbin")
    if not program:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("logrotate is not installed; tests/robustness/test_outputs.py renames and signals without it")
    log, old = tmp_path / "serve.log", tmp_path / "serve.log.1"
    with serving(tmp_path / "data", "--log", str(log)) as running:
        visit(running.host, running.port, encoded(message_1(teamname="before")))
        wait_until(lambda: log.exists() and "/before" in log.read_text())
        configuration = tmp_path / "logrotate.conf"
        mine = ROTATION.replace("systemctl reload tandem", f"kill -HUP {running.process.pid}")
        mine = mine.replace("    su tandem tandem\n", "").replace("/var/log/tandem/serve.log {", f"{log} {{")
        configuration.write_text(mine)
        configuration.chmod(0o644)
        done = run(program, "--force", "--state", str(tmp_path / "state"), str(configuration))
        assert (done.returncode, done.stderr) == (0, "")
        wait_until(log.exists)
        visit(running.host, running.port, encoded(message_1(teamname="after")))
        wait_until(lambda: "/after" in log.read_text())
        assert "/before" in old.read_text()
        assert "/after" not in old.read_text()


# Containers


def address(service: dict[str, Any]) -> str:
    return str(service["networks"]["servers"]["ipv4_address"])


def test_the_containers_have_the_addresses_of_the_configuration() -> None:
    assert [address(server) for server in COMPOSED] == list(SERVERS)
    assert address(SERVICES["balancer"]) == BALANCER
    assert address(SERVICES["database"]) == DATABASE
    assert SERVICES["balancer"]["volumes"][0].startswith("./haproxy.cfg:")


def test_the_composed_servers_are_started_rightly_and_share_what_they_must() -> None:
    for server in COMPOSED:
        assert_known(server["command"])
        options = server["command"]
        assert options[options.index("--proxy-from") + 1] == BALANCER
        assert set(server["environment"]) == {KEY_VARIABLE, "TANDEM_DATABASE"}
        assert server["environment"] == COMPOSED[0]["environment"]
        assert f"@{DATABASE}/" in server["environment"]["TANDEM_DATABASE"]
        assert server["ulimits"]["nofile"] == MAX_CONNECTIONS + SPARE_DESCRIPTORS
        assert seconds(server["stop_grace_period"]) > STOP_TIMEOUT
        assert server["build"] == {"context": "..", "dockerfile": "deploy/Containerfile"}


def test_the_recipe_takes_what_is_there() -> None:
    for sources in re.findall(r"^COPY (.*) \S+$", RECIPE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    [extra] = re.findall(r"/build\[(\w+)\]", RECIPE)
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert extra in tomllib.load(file)["project"]["optional-dependencies"]
    [command] = re.findall(r"^CMD \[(.*)\]", RECIPE, re.MULTILINE)
    assert_known([word.strip(' "') for word in command.split(",")])


# The page


def test_the_commands_of_the_page_are_known() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [re.sub(r"^(python3 -m |/opt/tandem/bin/)", "", line) for block in blocks for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("tandem ")]
    assert {words[0] for words in commands} >= {"serve", "results", "backup", "key"}
    for words in commands:
        assert_known(words)
    service_options = re.findall(r"^TANDEM_OPTIONS=(.*)", PAGE, re.MULTILINE)
    assert service_options
    for options in service_options:
        assert_known(["serve", *shlex.split(options)])
    [check] = [line for line in lines if line.startswith("haproxy ")]
    assert run(tool("haproxy"), *shlex.split(check)[1:]).returncode == 0


def test_a_backup_of_the_page_is_a_new_file_each_day() -> None:
    [copy] = re.findall(r"tandem backup .* (\S+)$", PAGE.replace("date +%F", "date+%F"), re.MULTILINE)
    assert "$(date+%F)" in copy


def test_the_database_of_the_page_lets_in_the_servers_alone() -> None:
    assert re.findall(r"^host +tandem +tandem +(\S+)/32 +scram-sha-256$", PAGE, re.MULTILINE) == list(SERVERS)
    [listen] = re.findall(r"^listen_addresses = '(.*)'$", PAGE, re.MULTILINE)
    assert listen.split(", ") == ["localhost", DATABASE]
