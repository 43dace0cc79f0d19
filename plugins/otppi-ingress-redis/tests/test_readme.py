"""The README's examples, executed."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from otppi.testing.brokers.redis import Redis
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi_ingress_redis.settings import SECTION

README = (Path(__file__).parents[1] / "README.md").read_text()


def shell(block: int, server: Redis) -> str:
    script = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)[block].replace(
        "redis-cli", f"redis-cli -p {server.port}"
    )
    return subprocess.run(["sh", "-ec", script], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def test_a_message_is_sent_and_answered(serve: Any, redis_server: Redis, client: Any, gateway: StandInGateway) -> None:
    serve().connected()
    assert '"state":"sent"' in shell(0, redis_server).replace('": "', '":"').replace("\\", "")
    assert gateway.taken[0][0].items[0].id == "123456"


def test_a_processing_list_is_moved_back(redis_server: Redis, client: Any) -> None:
    client.lpush("sms:processing:otppi-0a1b2c3d", "older", "newer")
    shell(1, redis_server)
    assert client.rpop("sms", 2) in ([b"older", b"newer"], [b"newer", b"older"])
    assert not client.keys("sms:processing:*")


def test_the_settings_are_valid() -> None:
    (document,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert not SECTION.validate(json.loads(document)["ingress-redis"])[1]
