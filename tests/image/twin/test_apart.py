"""Two twins at once: neither knows of the other."""

from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

HELD = "[Service]\nType=exec\nExecStart=/usr/bin/sleep infinity\n"


def test_what_one_ends_goes_on_in_the_other(twin: Twin, new_twin: Twin) -> None:
    """Their systemds had one control group above them: what one killed, died in both, and units did not start."""
    assert new_twin.boot() == "running", new_twin.tell()
    for device in (twin, new_twin):
        device.run("tee", "/run/systemd/system/held.service", given=HELD)
        device.run("systemctl", "daemon-reload")
        device.run("systemctl", "start", "held.service")
    new_twin.run("systemctl", "kill", "--signal=KILL", "held.service")
    until(lambda: new_twin.properties("held.service", "ActiveState")["ActiveState"] == "failed", new_twin.tell)
    assert twin.properties("held.service", "ActiveState", "Result") == {"ActiveState": "active", "Result": "success"}
