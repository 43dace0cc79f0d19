#!/bin/bash
# Sends an SMS through RabbitMQ's management API with rabbitmqadmin, waits for the gateway's answer, and says what became
# of it. Good for trying and for a person at a keyboard; a program should speak AMQP (send_rabbitmq.py).
#
#   printf 'OTP Anda adalah 1234' | ./send-rabbitmq.sh 08126666666 [ID]
#
# Environment: RABBITMQ_HOST (localhost), RABBITMQ_MANAGEMENT_PORT (15672), RABBITMQ_VHOST (/), RABBITMQ_USER,
# RABBITMQ_PASSWORD, RABBITMQADMIN (the program), SMS_QUEUE (sms). Neither the password nor the text is an argument of any
# program: others who are logged in can read those.
# Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known yet: it is in the queue; only the same ID may be
# sent again. 4: not sent, try later.
set -euo pipefail
umask 077

if [[ $# -lt 1 || -z ${RABBITMQ_USER:-} || -z ${RABBITMQ_PASSWORD:-} ]]; then
    echo "usage: RABBITMQ_USER=... RABBITMQ_PASSWORD=... $0 RECEIVER [ID] < TEXT" >&2
    exit 2
fi
receiver=$1
id=${2:-$(cat /proc/sys/kernel/random/uuid)}
text=$(cat)

quoted() { # writes "..." as JSON wants it
    local s=${1//\\/\\\\}
    s=${s//\"/\\\"} s=${s//$'\n'/\\n} s=${s//$'\r'/\\r} s=${s//$'\t'/\\t}
    printf '"%s"' "$s"
}

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<< "$answer"; }

config=$(mktemp)
trap 'rm -f "$config"' EXIT
printf '%s\n' "[default]" "hostname = ${RABBITMQ_HOST:-localhost}" "port = ${RABBITMQ_MANAGEMENT_PORT:-15672}" \
    "username = $RABBITMQ_USER" "password = $RABBITMQ_PASSWORD" "vhost = ${RABBITMQ_VHOST:-/}" > "$config"
admin() { "${RABBITMQADMIN:-rabbitmqadmin}" --config "$config" --node default "$@"; }

# A queue for the answer, which goes by itself when nobody has used it for two minutes.
answers=sms-answers-$(cat /proc/sys/kernel/random/uuid)
if ! admin --quiet declare queue name="$answers" durable=false arguments='{"x-expires": 120000}'; then
    echo "not sent: the broker refuses, or cannot be reached" >&2
    exit 4
fi

if ! said=$(printf '{"command":"send-sms","callback_topic":"%s","data":{"id":%s,"receiver":%s,"message":%s,"expiration":%d}}' \
    "$answers" "$(quoted "$id")" "$(quoted "$receiver")" "$(quoted "$text")" "$(($(date +%s) + 300))" |
    admin publish routing_key="${SMS_QUEUE:-sms}" properties='{"delivery_mode": 2}'); then
    echo "the broker did not take it, or it is not known whether it did" >&2
    exit 3
fi
if [[ $said == *"NOT routed"* ]]; then
    echo "not sent: there is no such queue" >&2
    exit 4
fi

while ((SECONDS < 60)); do
    # The answer is a text within JSON: without its backslashes it reads as it was written.
    answer=$(admin --format raw_json get queue="$answers" ackmode=ack_requeue_false | sed 's:\\::g') || answer=
    if [[ -n $(field response_code) ]]; then
        state=$(field state)
        echo "${state:-refused} $(field response_code) $(field message_id)"
        case $state in
            sent | delivered) exit 0 ;;
            unconfirmed | lost) exit 3 ;;
        esac
        reason=$(field cause)$(field reason)
        echo "${reason:-$(field response_text)}" >&2
        exit 1
    fi
    sleep 1
done
echo "no answer yet; the message waits in the queue" >&2
exit 3
