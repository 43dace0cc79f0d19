"""What the computer tells of itself, and what it does not."""

from pathlib import Path

from otppi.host.gateway.machine import machine


def write(root: Path, **files: str) -> None:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_this_computer_tells_its_memory_and_its_storage(tmp_path: Path) -> None:
    told = machine(tmp_path)
    for part in (told["memory"], told["storage"]):
        assert 0 < part["free"] <= part["total"]
    assert told["load"] >= 0
    assert told["cores"] >= 1


def test_a_raspberry_pi(tmp_path: Path) -> None:
    write(
        tmp_path,
        proc__meminfo="MemTotal:  1000 kB\nMemAvailable:  250 kB\nHugePages_Total:  0\nSwapTotal: 0 kB\n",
        proc__loadavg="0.42 0.30 0.20 1/100 1234\n",
        sys__class__thermal__thermal_zone0__type="gpu-thermal\n",
        sys__class__thermal__thermal_zone0__temp="61000\n",
        sys__class__thermal__thermal_zone1__type="cpu-thermal\n",
        sys__class__thermal__thermal_zone1__temp="48312\n",
    )
    told = machine(tmp_path, tmp_path)
    assert told["memory"] == {"total": 1_024_000, "free": 256_000}
    assert told["swap"] is None
    assert told["load"] == 0.42
    assert told["temperature"] == 48.312


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    told = machine(tmp_path / "nothing", tmp_path)
    assert [name for name, value in told.items() if value is not None] == ["cores", "usb_over_currents"]
    write(
        tmp_path,
        proc__loadavg="",
        sys__class__thermal__thermal_zone0__type="x",
        sys__class__thermal__thermal_zone0__temp="?",
    )
    told = machine(tmp_path, tmp_path)
    assert (told["load"], told["temperature"]) == (None, None)


def test_the_voltage_is_that_of_a_sensor_or_of_a_supply(tmp_path: Path) -> None:
    write(tmp_path, sys__class__power_supply__usb__voltage_now="5021000\n")
    assert machine(tmp_path, tmp_path)["voltage"] == 5.021
    write(tmp_path, sys__class__hwmon__hwmon0__in1_input="4987\n")
    assert machine(tmp_path, tmp_path)["voltage"] == 4.987


def test_a_raspberry_pi_tells_only_whether_its_voltage_is_too_low(tmp_path: Path) -> None:
    write(tmp_path, sys__class__hwmon__hwmon1__name="rpi_volt\n", sys__class__hwmon__hwmon1__in0_lcrit_alarm="0\n")
    told = machine(tmp_path, tmp_path)
    assert (told["voltage"], told["undervoltage"]) == (None, False)
    write(tmp_path, sys__class__hwmon__hwmon1__in0_lcrit_alarm="1\n")
    assert machine(tmp_path, tmp_path)["undervoltage"] is True
