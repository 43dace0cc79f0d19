"""The README's examples, executed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi_ingress_stomp.settings import SECTION

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_a_message_is_sent_and_answered(
    serve: Any, rabbitmq: RabbitMq, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    answers = client.declare(f"{client.queue}-answers")
    program = program.replace("61613", str(rabbitmq.stomp_port)).replace("/queue/sms-answers", f"/queue/{answers}")
    program = program.replace('"/queue/sms"', f'"/queue/{client.queue}"')
    serve().connected()
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
    assert json.loads(client.get(answers)[1])["data"]["state"] == "sent"
    assert gateway.taken[0][0].items[0].id == "123456"


def test_the_settings_are_valid() -> None:
    (document,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert not SECTION.validate(json.loads(document)["ingress-stomp"])[1]
