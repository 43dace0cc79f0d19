#!/bin/bash
# Sends an SMS with mosquitto_pub, waits for the gateway's answer with mosquitto_sub, and says what became of it.
#
#   printf 'OTP Anda adalah 1234' | ./send-mqtt.sh 08126666666 [ID]
#
# Environment: MQTT_HOST, MQTT_PORT (1883), MQTT_USER, MQTT_PASSWORD, MQTT_CAFILE (for TLS), SMS_TOPIC (sms). Neither the
# password nor the text is an argument of any program: others who are logged in can read those.
# Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known yet; only the same ID may be sent again. 4: not
# sent, try later.
set -euo pipefail
umask 077

if [[ $# -lt 1 || -z ${MQTT_HOST:-} ]]; then
    echo "usage: MQTT_HOST=... $0 RECEIVER [ID] < TEXT" >&2
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

# Both programs read their options from a file of their name in this folder.
XDG_CONFIG_HOME=$(mktemp -d)
export XDG_CONFIG_HOME
trap 'rm -rf "$XDG_CONFIG_HOME"' EXIT
for program in mosquitto_pub mosquitto_sub; do
    {
        printf '%s\n' "-h $MQTT_HOST" "-p ${MQTT_PORT:-1883}" "-V mqttv5" "-q 1"
        [[ -z ${MQTT_USER:-} ]] || printf '%s\n' "-u $MQTT_USER" "-P $MQTT_PASSWORD"
        [[ -z ${MQTT_CAFILE:-} ]] || printf '%s\n' "--cafile $MQTT_CAFILE"
    } > "$XDG_CONFIG_HOME/$program"
done

# Subscribe first, in a session that stays: an answer that comes before we listen again waits in it, for two minutes.
client=answers-$(cat /proc/sys/kernel/random/uuid)
topic=sms-answers/$client
if ! mosquitto_sub -i "$client" -c -x 120 -t "$topic" -E; then
    echo "not sent: the broker refuses, or cannot be reached" >&2
    exit 4
fi

if ! printf '{"command":"send-sms","callback_topic":"%s","data":{"id":%s,"receiver":%s,"message":%s,"expiration":%d}}' \
    "$topic" "$(quoted "$id")" "$(quoted "$receiver")" "$(quoted "$text")" "$(($(date +%s) + 300))" |
    mosquitto_pub -t "${SMS_TOPIC:-sms}" -s; then
    echo "the broker did not take it, or it is not known whether it did" >&2
    exit 3
fi

if ! answer=$(mosquitto_sub -i "$client" -c -x 0 -t "$topic" -C 1 -W 60); then
    echo "no answer yet" >&2
    exit 3
fi
state=$(field state)
echo "${state:-refused} $(field response_code) $(field message_id)"
case $state in
    sent | delivered) exit 0 ;;
    unconfirmed | lost) exit 3 ;;
esac
reason=$(field cause)$(field reason)
echo "${reason:-$(field response_text)}" >&2
exit 1
