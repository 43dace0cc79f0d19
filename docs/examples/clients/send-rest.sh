#!/bin/bash
# Sends an SMS through OTP-Pi's REST API with curl, and says what became of it.
#
#   printf 'OTP Anda adalah 1234' | ./send-rest.sh 08126666666 [ID]
#
# Environment: OTPPI_URL, OTPPI_USER, OTPPI_PASSWORD. Neither the password nor the text is an argument of any program:
# others who are logged in can read those.
# Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known; only the same ID may be sent again. 4: not sent,
# try later.
set -euo pipefail

url=${OTPPI_URL:-http://127.0.0.1:8899}
if [[ $# -lt 1 || -z ${OTPPI_USER:-} || -z ${OTPPI_PASSWORD:-} ]]; then
    echo "usage: OTPPI_USER=... OTPPI_PASSWORD=... $0 RECEIVER [ID] < TEXT" >&2
    exit 2
fi
receiver=$1
id=${2:-$(cat /proc/sys/kernel/random/uuid)}
text=$(cat)

quoted() { # writes "..." as JSON and curl's configuration both want it
    local s=${1//\\/\\\\}
    s=${s//\"/\\\"} s=${s//$'\n'/\\n} s=${s//$'\r'/\\r} s=${s//$'\t'/\\t}
    printf '"%s"' "$s"
}

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<< "$answer"; }

ask() { # ask METHOD PATH BODY: sets status, after and answer; fails where there is no answer
    local reply
    reply=$(printf '%s' "$3" | curl --silent --max-time 20 \
        --config <(printf 'user = %s\n' "$(quoted "$OTPPI_USER:$OTPPI_PASSWORD")") \
        --request "$1" --data-binary @- --write-out '\n%{http_code} %header{retry-after}' "$url$2") || return 1
    read -r status after <<< "${reply##*$'\n'}"
    answer=${reply%$'\n'*}
}

tell() { # tell STATE: says how it ended, and ends
    echo "$1 $(field response_code) $(field message_id)"
    case $1 in
        sent | delivered) exit 0 ;;
        unconfirmed | lost | queued | sending) exit 3 ;;
        *)
            reason=$(field cause)$(field reason)
            echo "${reason:-$(field response_text)}" >&2
            exit 1
            ;;
    esac
}

body=$(printf '{"command":"send-sms","data":{"id":%s,"receiver":%s,"message":%s,"expiration":%d}}' \
    "$(quoted "$id")" "$(quoted "$receiver")" "$(quoted "$text")" "$(($(date +%s) + 300))")
status=none
while ((SECONDS < 60)); do
    # No answer: it may have been taken in all the same. The same ID again is never sent twice.
    if ! ask POST /api/message "$body"; then
        status=none
        sleep 2
        continue
    fi
    case $status in
        202) # queued: its state can be asked
            message=$(field message_id)
            while ((SECONDS < 60)); do
                sleep 1
                if ask GET "/api/messages/$message" "" && [[ $(field state) != queued && $(field state) != sending ]]; then
                    tell "$(field state)"
                fi
            done
            tell queued
            ;;
        503) sleep "${after:-5}" ;; # nothing was sent, and it may be in so many seconds
        429)
            echo "too many requests; again in ${after:-60} s" >&2
            exit 4
            ;;
        *)
            state=$(field state)
            if [[ $(field response_code) == 1201 && $state == failed ]]; then
                continue # the one before was not sent after all
            fi
            tell "${state:-refused}"
            ;;
    esac
done
if [[ $status == none ]]; then
    echo "no answer from $url" >&2
    exit 3
fi
echo "not sent: $(field response_text)" >&2
exit 4
