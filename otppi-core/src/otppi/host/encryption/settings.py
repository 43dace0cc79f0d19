"""The settings of encrypted envelopes: where nothing else is taken, and how long a replaced key still works."""

from otppi.api.settings import Section, integer, text_list

EVERYWHERE = "all"

ENCRYPTION = Section(
    key="encryption",
    title="Encryption",
    help="Envelopes that senders encrypt to this gateway's key (JWE, RFC 7516), which a broker's administrator cannot "
    "read. They are always taken; `otppi keys` shows the key.",
    reset_group="api",
    settings=(
        text_list(
            "required_on",
            "Required On",
            "Ways in where envelopes in plain text are refused with 1206, such as ingress-rabbitmq; all: on every one.",
            pattern=r"[a-z][a-z0-9_-]*",
            closed=[EVERYWHERE],
        ),
        integer(
            "keep_days",
            "Keep Replaced Keys",
            "How long a key that was replaced still opens envelopes, so that senders can move; 0: not at all.",
            30,
            minimum=0,
            maximum=3650,
            unit="days",
        ),
    ),
)
