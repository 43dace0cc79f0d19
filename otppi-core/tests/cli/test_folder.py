"""Commands where no gateway runs: directly on the data folder."""

import getpass
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs
import pytest

from otppi.api.settings import RENAMED_FROM
from otppi.cli.talk import running
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder, boot_folder_of
from otppi.host.settings.password_hash import is_password
from otppi.testing.waiting import PATIENCE

Cli = Callable[..., Any]


@pytest.mark.parametrize(
    "line", ["status", "send 081234567890 hello", "phone", "phone --follow", "modem list", "modem test m0"]
)
def test_what_needs_a_gateway_says_so(otppi: Cli, data: Path, line: str) -> None:
    result = otppi(*line.split())
    assert (result.code, result.out) == (3, "")
    assert result.err == f"otppi: no gateway is running on {data} (start it with: otppi run --data {data})\n"


def test_a_socket_left_by_a_killed_gateway_is_not_a_gateway(otppi: Cli, data: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    (data / "control").symlink_to(tmp_path / "left")
    assert otppi("status").code == 3
    assert otppi("block", "list").code == 0


@pytest.fixture
def listening(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a control socket, while the link names another one, as on a card that has become read-only."""
    (data / "control").symlink_to(tmp_path / "before/control")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    folder = boot_folder_of(data)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "control"))
        server.listen()
        yield folder


def test_a_gateway_is_found_beside_a_link_that_leads_nowhere(data: Path, listening: Path) -> None:
    assert running(data) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a folder away")
def test_a_socket_in_a_folder_of_another_user_is_told_nothing(data: Path, listening: Path) -> None:
    os.chown(listening, 65534, 65534)
    assert running(data) is None
    (data / "control").unlink()
    (data / "control").symlink_to(listening / "control")
    assert running(data) is None


@pytest.mark.parametrize("line", ["settings show", "user list", "block list", "settings export", "user remove a"])
def test_reading_makes_no_data_folder(otppi: Cli, tmp_path: Path, line: str) -> None:
    result = otppi(*line.split(), "--data", tmp_path / "typo")
    assert result.code == 2
    assert result.err == f"otppi: there is no data folder {tmp_path / 'typo'} (name it with --data DIR)\n"
    assert not (tmp_path / "typo").exists()


def test_a_folder_in_use_is_to_be_tried_again(otppi: Cli, data: Path) -> None:
    folder = DataFolder(data, plugins=load_plugins(()))
    result = otppi("user", "list")
    folder.close()
    assert result.code == 4
    assert "is in use" in result.err
    assert otppi("user", "list").code == 0


def test_a_damaged_store_is_one_line(otppi: Cli, data: Path) -> None:
    (data / "settings.json").write_text("")
    result = otppi("settings", "show")
    assert result.code == 1
    assert result.err == (
        f"otppi: {data}: settings.json is damaged, or was edited and settings.json.bak is missing; "
        "bring a backup, or the file that you edited, with: otppi settings import FILE --discard-damaged\n"
    )


def test_a_damaged_store_is_replaced_by_a_backup_where_that_is_asked_for(
    otppi: Cli, data: Path, tmp_path: Path
) -> None:
    for name in ("settings.json", "settings.json.bak"):
        (data / name).write_text("{")
    backup = tmp_path / "backup.json"
    backup.write_text(json.dumps({"sms": {"attempts": 7}}))
    assert otppi("settings", "import", backup).code == 1
    backup.write_text(json.dumps({"sms": {"attempts": 7000}}))
    assert otppi("settings", "import", backup, "--discard-damaged").code == 2
    assert (data / "settings.json").read_text() == "{", "a document that cannot be used replaces nothing"
    backup.write_text(json.dumps({"sms": {"attempts": 7}}))
    assert otppi("settings", "import", backup, "--discard-damaged").code == 0
    assert otppi("settings", "show", "sms", "--json").json["sms"]["attempts"] == 7
    assert (data / "settings.json.damaged").read_text() == "{"


def test_an_edited_file_is_not_used_until_it_is_imported(otppi: Cli, data: Path) -> None:
    """Issue 9, row 26: what an administrator edits is told from damage by the administrator, not by us."""
    otppi(
        "settings",
        "import",
        "-",
        stdin=json.dumps({"modems": [{"name": "m0", "port": "/dev/x"}], "sms": {"attempts": 2}}),
    )
    file = data / "settings.json"
    file.write_text(file.read_text().replace('"attempts":2', '"attempts":5'))
    assert otppi("settings", "show", "sms", "--json").json["sms"]["attempts"] == 2
    assert otppi("settings", "import", file, "--json").json == {"changed": ["sms"]}
    assert otppi("settings", "show", "sms", "--json").json["sms"]["attempts"] == 5
    assert [modem["name"] for modem in otppi("settings", "show", "--json").json["modems"]] == ["m0"]


def test_a_folder_that_cannot_be_made_is_one_line(otppi: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = otppi("settings", "set", "sms.attempts", "2", "--data", tmp_path / "file/data")
    assert (result.code, result.err) == (1, f"otppi: {tmp_path}/file/data: Not a directory\n")


# -- settings ---------------------------------------------------------------------------------------------------------


def test_set_and_show(otppi: Cli, data: Path) -> None:
    assert otppi("settings", "set", "sms.country_code", "63", "--json").json == {"changed": ["sms"]}
    assert otppi("settings", "set", "sms.country_code", "+63").out == "nothing changed\n"
    assert otppi("settings", "set", "sms.country_code", "-", stdin="62\n").out == "changed: sms\n"
    assert otppi("settings", "show", "sms", "--json").json["sms"]["country_code"] == "62"
    assert 'sms.country_code = "62"\n' in otppi("settings", "show").out


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("nothing.at_all", "1", "nothing: is not a section; there are sms"),
        ("sms.nothing", "1", "sms.nothing: is not a setting"),
        ("sms.attempts", "many", "sms.attempts: must be a whole number"),
        ("sms.attempts", "0", "sms.attempts: must be at least 1"),
        ("sms.fail_over", "maybe", "sms.fail_over: must be true or false"),
        ("modems.m9.port", "/dev/x", "modems.m9.port: there is no name 'm9'"),
    ],
)
def test_a_wrong_setting_is_named(otppi: Cli, data: Path, path: str, value: str, says: str) -> None:
    result = otppi("settings", "set", path, value)
    assert result.code == 2
    assert result.err.startswith(f"otppi: {says}")
    assert result.err.count("\n") == 1


def test_a_modem_is_set_by_its_name(otppi: Cli, data: Path) -> None:
    document = {"modems": [{"name": "a.b", "type": "simulated", "faults": ["silence"], "sim_card_pin": "1234"}]}
    assert otppi("settings", "import", "-", stdin=json.dumps(document)).code == 0
    assert otppi("settings", "set", "modems.a.b.recipient_prefixes", "62812, 62813").code == 0
    assert otppi("settings", "set", "modems.a.b.network_time", "0.1").code == 0
    assert otppi("settings", "set", "modems.a.b.imei", "123").err.startswith(
        "otppi: modems.a.b.imei: must be 14 to 16 digits"
    )
    assert "modems.a.b.port: must not be empty" in otppi("settings", "set", "modems.a.b.type", "at").err
    assert otppi("settings", "set", "modems.a.b.port", "/dev/ttyUSB0").code == 0
    assert otppi("settings", "set", "modems.a.b.type", "at").code == 0, "the other type's settings stay behind"
    (modem,) = otppi("settings", "show", "--json").json["modems"]
    assert modem["recipient_prefixes"] == ["62812", "62813"]
    assert modem["sim_card_pin"] == "********"
    assert "faults" not in modem


def test_all_problems_of_a_document_at_once(otppi: Cli, data: Path, tmp_path: Path) -> None:
    document = {"sms": {"attempts": 0, "nothing": 1}, "modems": [{"type": "no such"}], "unknown": {}}
    (tmp_path / "document.json").write_text(json.dumps(document))
    result = otppi("settings", "import", tmp_path / "document.json")
    assert (result.code, result.out) == (2, "")
    fields = {line.split(": ")[1] for line in result.err.splitlines()}
    assert fields == {"sms.attempts", "sms.nothing", "modems[0].name", "modems[0].type", "unknown"}
    assert otppi("settings", "show", "sms", "--json").json["sms"]["attempts"] == 3


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "is not JSON: Expecting property name"),
        (b"", "is not JSON"),
        (b"\xff", "is not UTF-8 (byte 0)"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"9" * 5_000, "has a number of too many digits"),
        (b"[]", "document: must be an object of sections"),
    ],
)
def test_a_document_that_cannot_be_read(otppi: Cli, data: Path, tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "document.json").write_bytes(raw)
    result = otppi("settings", "import", tmp_path / "document.json")
    assert result.code == 2
    assert says in result.err
    assert result.err.count("\n") == 1


def test_a_document_that_is_not_there(otppi: Cli, data: Path) -> None:
    result = otppi("settings", "import", "/nowhere.json")
    assert (result.code, result.err) == (2, "otppi: /nowhere.json cannot be read: No such file or directory\n")


def test_export_and_import_on_another_device(otppi: Cli, data: Path, tmp_path: Path) -> None:
    modem = {"name": "m0", "type": "simulated", "sim_card_pin": "7391"}
    document = {"modems": [modem], "api_users": [{"username": "app", "password": "made up"}]}
    otppi("settings", "import", "-", stdin=json.dumps(document))
    assert "7391" not in otppi("settings", "export").out + otppi("settings", "show").out
    assert "argon2" not in otppi("settings", "export").out + otppi("settings", "show").out
    secret = otppi("settings", "export", "--secrets")
    assert "made up" not in secret.out
    assert secret.json["modems"][0]["sim_card_pin"] == "7391"
    other = tmp_path / "other"
    assert otppi("settings", "import", "-", "--data", other, stdin=secret.out).code == 0
    assert otppi("settings", "export", "--secrets", "--data", other).json == secret.json


def test_the_schema_describes_the_export(otppi: Cli, data: Path) -> None:
    modems = [{"name": "m0", "type": "simulated"}, {"name": "m1", "port": "/dev/x", "result_timeout": 3}]
    assert otppi("settings", "import", "-", stdin=json.dumps({"modems": modems})).code == 0
    validator = jsonschema_rs.validator_for(otppi("settings", "schema").json)
    assert [str(error) for error in validator.iter_errors(otppi("settings", "export").json)] == []
    assert not validator.is_valid({"modems": [{"name": "m0", "network_time": 1}]}), "at has no network time"
    assert validator.is_valid({"modems": [{"name": "m0", "type": "simulated", "network_time": 1}]})
    assert not validator.is_valid({"sms": {"attempts": 0}})


def test_the_reference_has_every_setting(otppi: Cli) -> None:
    schema = otppi("settings", "reference", "--json").json
    page = otppi("settings", "reference").out
    for section in schema["properties"].values():
        for shape in section["items"].get("anyOf", [section["items"]]) if "items" in section else [section]:
            for key in shape.get("properties", ()):
                assert f"| `{key}` |" in page or (key == RENAMED_FROM and f"`{key}`" in page)


# -- users and blocking list ------------------------------------------------------------------------------------------


def test_a_user_with_a_password_from_stdin(otppi: Cli, data: Path) -> None:
    result = otppi("user", "add", "shop", "--password-stdin", "--email", "shop@example.org", stdin="made up\nmore\n")
    assert (result.code, result.out) == (0, "user shop may send now\n")
    (user,) = otppi("settings", "export", "--secrets").json["api_users"]
    assert is_password(user["password_hash"], "made up")
    assert otppi("user", "list", "--json").json == [
        {
            "username": "shop",
            "active": True,
            "blocked": False,
            "password": True,
            "tokens": 0,
            "metrics_only": False,
            "phone": "",
            "email": "shop@example.org",
        }
    ]
    assert "made up" not in (data / "settings.json").read_text()


def test_a_user_with_a_token(otppi: Cli, data: Path) -> None:
    token = otppi("user", "add", "shop", "--token", "--json").json["token"]
    assert token.startswith("otppi_")
    assert token not in (data / "settings.json").read_text()
    assert "token: otppi_" in otppi("user", "add", "second", "--token").out
    assert [user["tokens"] for user in otppi("user", "list", "--json").json] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["shop"], "", "password: give it with --password-stdin"),
        (["shop", "--password-stdin"], "\n", "password: is empty"),
        (["shop", "--password-stdin", "--token"], "", "password: is empty"),
        (["a:b", "--token"], "", "api_users[0].username: must be at most 64 characters without spaces and colons"),
    ],
)
def test_a_user_that_cannot_be(otppi: Cli, data: Path, arguments: list[str], stdin: str, says: str) -> None:
    result = otppi("user", "add", *arguments, stdin=stdin)
    assert result.code == 2
    assert result.err.startswith(f"otppi: {says}")
    assert otppi("user", "list", "--json").json == []


def test_a_user_name_is_used_once(otppi: Cli, data: Path) -> None:
    assert otppi("user", "add", "shop", "--token").code == 0
    result = otppi("user", "add", "shop", "--token")
    assert (result.code, result.err) == (2, "otppi: username: is used already\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_password_is_asked_for_twice(otppi: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["made up", "made up", "made up", "other", ""])
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return next(typed)

    monkeypatch.setattr(getpass, "getpass", ask)
    assert otppi("user", "add", "shop", stdin=Terminal()).code == 0
    assert asked == ["Password of shop: ", "The same again: "]
    assert otppi("user", "add", "two", stdin=Terminal()).err == "otppi: password: the two are not the same\n"
    assert otppi("user", "add", "two", stdin=Terminal()).err == "otppi: password: is empty\n"


def control_d(_: str) -> str:
    raise EOFError


def test_a_setting_is_asked_for(otppi: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _: "64")
    assert otppi("settings", "set", "sms.country_code", stdin=Terminal()).out == "changed: sms\n"
    assert otppi("settings", "show", "sms", "--json").json["sms"]["country_code"] == "64"
    monkeypatch.setattr(getpass, "getpass", lambda _: "")
    result = otppi("settings", "set", "sms.country_code", stdin=Terminal())
    assert (result.code, result.err) == (2, "otppi: sms.country_code: nothing was typed; '' as VALUE empties it\n")
    monkeypatch.setattr(getpass, "getpass", control_d)
    result = otppi("settings", "set", "sms.country_code", stdin=Terminal())
    assert (result.code, result.err) == (2, "otppi: nothing was typed, and nothing is changed\n")
    result = otppi("settings", "set", "sms.country_code", stdin="65\n")  # of a script that lost its value
    assert (result.code, result.err) == (2, "otppi: VALUE is missing; - reads it from stdin\n")
    assert otppi("settings", "show", "sms", "--json").json["sms"]["country_code"] == "64"


def test_removing_a_user(otppi: Cli, data: Path) -> None:
    otppi("user", "add", "shop", "--token")
    assert otppi("user", "remove", "shop", "--json").json == {"username": "shop", "removed": True}
    result = otppi("user", "remove", "shop")
    assert (result.code, result.err) == (1, "otppi: there is no API user 'shop'\n")


def test_the_blocking_list(otppi: Cli, data: Path) -> None:
    assert otppi("block", "add", "081234567890", "--json").json == {"receiver": "6281234567890", "changed": True}
    assert otppi("block", "add", "+62 812-3456-7890").out == "6281234567890 was blocked already\n"
    (entry,) = otppi("block", "list", "--json").json
    assert entry["receiver"] == "6281234567890"
    assert "6281234567890" in otppi("block", "list").out
    assert otppi("block", "remove", "6281234567890").out == "6281234567890 is not blocked any more\n"
    assert otppi("block", "remove", "6281234567890", "--json").json["changed"] is False
    assert otppi("block", "list").out == ""
    result = otppi("block", "add", "12")
    assert result.code == 2
    assert result.err.startswith("otppi: receiver: ")


# -- plugins ----------------------------------------------------------------------------------------------------------


def test_the_plugins_and_what_they_offer(otppi: Cli) -> None:
    plugins = {one["name"]: one for one in otppi("plugins", "--json").json}
    assert plugins["modem-at"]["offers"] == ["modem type at"]
    assert plugins["ingress-rest"]["offers"] == ["ingress ingress-rest"]
    assert plugins["modem-simulated"]["distribution"] == "otppi-modem-simulated"
    assert all(one["error"] is None and one["version"] for one in plugins.values())


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that finds a plugin which cannot be imported."""
    info = tmp_path / "site/broken-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[otppi]\nbroken = no_such_module_of_ours\n")
    return os.environ | {"PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_broken_plugin_is_shown(broken: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "otppi", "--data", str(tmp_path / "data")]
    listed = subprocess.run(
        [*command, "plugins", "--json"], env=broken, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (listed.returncode, listed.stderr) == (1, "")
    (one,) = (one for one in json.loads(listed.stdout) if one["name"] == "broken")
    assert (one["version"], one["offers"]) == ("1.2", [])
    assert "no_such_module_of_ours" in one["error"]
    other = subprocess.run(
        [*command, "user", "add", "a", "--token"], env=broken, capture_output=True, text=True, timeout=PATIENCE
    )
    assert other.returncode == 0
    assert other.stderr == "otppi: plugin broken is left out (No module named 'no_such_module_of_ours')\n"


# -- how a command ends -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_root_works_as_the_owner_of_the_folder() -> None:
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        os.chown(data, 65534, 65534)
        Path(folder).chmod(0o755)
        command = [sys.executable, "-m", "otppi", "block", "add", "081234567890", "--data", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stderr) == (0, "")
        assert {path.stat().st_uid for path in data.iterdir()} == {65534}


def test_a_broken_pipe_is_quiet(data: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as gone:
        command = [sys.executable, "-m", "otppi", "settings", "schema"]
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (141, "")


def test_ctrl_c_is_quiet(otppi: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("otppi.cli.generated.ask", interrupt)
    result = otppi("block", "list")
    assert (result.code, result.out, result.err) == (130, "", "")


def test_a_mistake_of_our_own_is_one_line_without_what_it_says(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom otppi.cli import generated, main\n"
        "def ask(*a, **k): raise ValueError('a secret text')\n"
        "generated.ask = ask\nsys.exit(main(['block', 'list']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "otppi: internal error, please report it: ValueError (<string>:3 in ask < generated.py:"
    )
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
