"""Each alert of docs/examples fires at what it is for, and none on a good day, by promtool's own tests of rules."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.prometheus import EXAMPLES, example_rules

RULES = [rule["alert"] for rule in example_rules()]
GW = 'instance="gw:8899",job="otppi"'
_EGRESS = f'{GW},channel="sms",name="m0"'
_BUCKET = f'otppi_message_sent_seconds_bucket{{{GW},channel="sms",priority="otp"'
GOOD = {
    f"up{{{GW}}}": "1x200",
    f"process_start_time_seconds{{{GW}}}": "1000x200",
    f"otppi_egress_usable{{{_EGRESS}}}": "1x200",
    f"otppi_egress_ready{{{_EGRESS}}}": "1x200",
    f'otppi_egress_state{{{_EGRESS},state="ready"}}': "1x200",
    f'otppi_egress_state{{{_EGRESS},state="blocked"}}': "0x200",
    f"otppi_egress_queued{{{_EGRESS}}}": "3x200",
    f"otppi_egress_queue_limit{{{_EGRESS}}}": "1000x200",
    f'otppi_egress_quota_segments{{{_EGRESS},period="day"}}': "200x200",
    f'otppi_egress_quota_left_segments{{{_EGRESS},period="day"}}': "100x200",
    f'otppi_modem_signal_dbm{{{GW},modem="m0"}}': "-71x200",
    f'otppi_modem_balance{{{GW},modem="m0"}}': "50000x200",
    f'otppi_modem_balance_limit{{{GW},modem="m0"}}': "10000x200",
    f'otppi_modem_recoveries_total{{{GW},modem="m0",step="radio"}}': "0x200",
    f'{_BUCKET},le="5.0"}}': "0+10x200",
    f'{_BUCKET},le="60.0"}}': "0+10x200",
    f'{_BUCKET},le="+Inf"}}': "0+10x200",
    f'otppi_message_failures_total{{{GW},channel="sms",cause="failed"}}': "0x200",
    f'otppi_message_failures_total{{{GW},channel="sms",cause="blocked"}}': "0+9x200",
    f'otppi_messages_taken_total{{{GW},ingress="ingress-rest"}}': "0+10x200",
    f'otppi_ingress_connected{{{GW},ingress="ingress-mqtt"}}': "1x200",
    f'otppi_thread_running{{{GW},thread="modem m0"}}': "1x200",
    f'otppi_logins_failed_total{{{GW},reason="password"}}': "0x200",
    f'otppi_administrator_logins_failed_total{{{GW},reason="password"}}': "0x200",
    f"otppi_device_storage_available_bytes{{{GW}}}": "8000x200",
    f"otppi_device_storage_size_bytes{{{GW}}}": "16000x200",
    f"otppi_device_memory_available_bytes{{{GW}}}": "500x200",
    f"otppi_device_memory_size_bytes{{{GW}}}": "1000x200",
    f"otppi_device_temperature_celsius{{{GW}}}": "55x200",
    f"otppi_device_undervoltage{{{GW}}}": "0x200",
    f'otppi_device_usb_over_currents_total{{{GW},port="1-1.2"}}': "0x200",
    f"otppi_device_storage_errors{{{GW}}}": "0x200",
    f"otppi_device_storage_life_used_ratio{{{GW}}}": "0.3x200",
    f"otppi_clock_trusted{{{GW}}}": "1x200",
}
"""A good day, a sample each minute."""
BAD: dict[str, tuple[str, str]] = {
    "GatewayDown": ("up{", "0x200"),
    "GatewayRestartsAgainAndAgain": ("process_start_time_seconds", "1000+60x200"),
    "NoModemSends": ("otppi_egress_usable", "0x200"),
    "ModemNeedsSomebody": ('state="blocked"', "1x200"),
    "ModemNotReady": ("otppi_egress_ready", "0x200"),
    "ModemSignalWeak": ("otppi_modem_signal_dbm", "-111x200"),
    "ModemRecoversAgainAndAgain": ("otppi_modem_recoveries_total", "0+1x200"),
    "BalanceLow": ("otppi_modem_balance{", "4500x200"),
    "QuotaNearlyUsedUp": ("otppi_egress_quota_left_segments", "5x200"),
    "QueueNearlyFull": ("otppi_egress_queued", "900x200"),
    "PasswordsAreSlow": ('le="5.0"', "0+1x200"),
    "MessagesFail": ('cause="failed"', "0+2x200"),
    "BrokerNotConnected": ("otppi_ingress_connected", "0x200"),
    "ThreadDoesNotRun": ("otppi_thread_running", "0x200"),
    "LoginsFail": ("otppi_logins_failed_total", "0+10x200"),
    "AdministratorLoginsFail": ("otppi_administrator_logins_failed_total", "0+5x200"),
    "StorageNearlyFull": ("otppi_device_storage_available_bytes", "80x200"),
    "MemoryShort": ("otppi_device_memory_available_bytes", "10x200"),
    "DeviceHot": ("otppi_device_temperature_celsius", "85x200"),
    "Undervoltage": ("otppi_device_undervoltage", "1x200"),
    "CardHasErrors": ("otppi_device_storage_errors", "1x200"),
    "UsbPortCutOff": ("otppi_device_usb_over_currents_total", "0+1x200"),
    "ClockNotSet": ("otppi_clock_trusted", "0x200"),
}
"""What is otherwise where an alert is to fire: the one series that this is in, and its values."""


def _test(name: str, firing: list[str]) -> dict[str, Any]:
    part, values = BAD.get(name, ("", ""))
    series = {one: values if part and part in one else usual for one, usual in GOOD.items()}
    assert not part or sum(part in one for one in GOOD) == 1, name
    expected = [{"labels": f'{{alertname="{one}"}}', "value": 1} for one in firing]
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": one, "values": what} for one, what in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "2h",
                "exp_samples": expected,
            }
        ],
    }


def test_each_alert_is_tried() -> None:
    assert BAD.keys() == set(RULES)


def test_alerts_fire_at_what_they_are_for_and_at_nothing_else(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; ./build.sh test does it")
    shutil.copy(EXAMPLES / "alerts.yml", tmp_path)
    cases = [_test("a good day", []), *(_test(name, [name]) for name in BAD)]
    tests = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": cases}
    (tmp_path / "tests.yml").write_text(json.dumps(tests))  # JSON is YAML
    done = subprocess.run(
        [promtool, "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
