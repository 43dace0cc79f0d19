"""Metrics as Prometheus reads them (text format 0.0.4), and who may read what."""

from typing import Any

from otppi_ingress_rest.metrics import render


def test_a_family_has_its_help_and_type_once_and_before_its_numbers() -> None:
    assert render(
        {
            "modem_queued": {'modem="m0"': 3},
            "egress_queued": {},
            "message_sent_seconds_bucket": {
                'channel="sms",priority="otp",le="0.5"': 1,
                'channel="sms",priority="otp",le="+Inf"': 2,
            },
            "message_sent_seconds_sum": {'channel="sms",priority="otp"': 42.25},
            "message_sent_seconds_count": {'channel="sms",priority="otp"': 2},
            "process_open_fds": {"": 21},
        }
    ).splitlines() == [
        "# HELP otppi_modem_queued As otppi_egress_queued.",
        "# TYPE otppi_modem_queued gauge",
        'otppi_modem_queued{modem="m0"} 3',
        "# HELP otppi_message_sent_seconds Seconds from taking a message in until the network had accepted it.",
        "# TYPE otppi_message_sent_seconds histogram",
        'otppi_message_sent_seconds_bucket{channel="sms",priority="otp",le="0.5"} 1',
        'otppi_message_sent_seconds_bucket{channel="sms",priority="otp",le="+Inf"} 2',
        'otppi_message_sent_seconds_sum{channel="sms",priority="otp"} 42.25',
        'otppi_message_sent_seconds_count{channel="sms",priority="otp"} 2',
        "# HELP process_open_fds File descriptors that it has open.",
        "# TYPE process_open_fds gauge",
        "process_open_fds 21",
    ]


def test_a_plugins_metrics_replace_none_of_the_gateways() -> None:
    lines = render(
        {"messages_total": {"": 1}, "otppi_messages_total": {"": 2}, "sim-stock_cards": {"": 4}}
    ).splitlines()
    assert lines[2:] == [
        "otppi_messages_total 1",
        "# HELP otppi_sim_stock_cards Counted by a plugin.",
        "# TYPE otppi_sim_stock_cards gauge",
        "otppi_sim_stock_cards 4",
    ]


def test_requests_are_counted_by_their_status(serve: Any, http: Any) -> None:
    served = serve(metrics_enable=True)
    assert served.ask(http.post(http.SMS))[0] == 200
    assert served.ask(http.get("/nothing"))[0] == 404
    assert served.ask(http.get("/metrics"))[0] == 401
    body = served.connect(http.get("/metrics", http.BASIC)).response()[2].decode()
    for status in ("200", "401", "404"):
        assert f'otppi_rest_requests_total{{code="{status}"}} 1' in body.splitlines()


def test_who_may_only_read_metrics_sends_nothing(serve: Any, http: Any) -> None:
    served = serve(metrics_enable=True)
    served.gateway.only_metrics = True
    assert served.connect(http.get("/metrics", http.BASIC)).response()[0] == 200
    assert served.connect(http.get("/api/health", http.BASIC)).response()[0] == 200
    for query in ("", "?wait=0"):
        status, answer = served.ask(http.post(http.SMS, path=f"/api/message{query}"))
        assert (status, answer["response_code"]) == (403, "1100")
        assert "metrics_only" in answer["data"]["cause"]
    assert served.gateway.taken == []
