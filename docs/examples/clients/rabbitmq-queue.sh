#!/bin/bash
# Declares the queues of OTP-Pi with rabbitmqadmin: sms, sms-bulk for bulk, and sms-dead for what can never be sent. Once,
# by the broker's administrator; to do it again does no harm.
#
#   RABBITMQ_USER=admin RABBITMQ_PASSWORD=... ./rabbitmq-queue.sh
#
# Environment: RABBITMQ_HOST (localhost), RABBITMQ_MANAGEMENT_PORT (15672), RABBITMQ_VHOST (/), RABBITMQ_USER,
# RABBITMQ_PASSWORD, RABBITMQADMIN (the program, which every broker serves at http://HOST:15672/cli/).
set -euo pipefail
umask 077

config=$(mktemp) # the password is no argument: others who are logged in can read those
trap 'rm -f "$config"' EXIT
printf '%s\n' "[default]" "hostname = ${RABBITMQ_HOST:-localhost}" "port = ${RABBITMQ_MANAGEMENT_PORT:-15672}" \
    "username = $RABBITMQ_USER" "password = $RABBITMQ_PASSWORD" "vhost = ${RABBITMQ_VHOST:-/}" > "$config"
admin=("${RABBITMQADMIN:-rabbitmqadmin}" --config "$config" --node default)

"${admin[@]}" declare queue name=sms-dead durable=true \
    arguments='{"x-queue-type": "quorum", "x-max-length": 100000, "x-overflow": "drop-head"}'
for queue in sms sms-bulk; do
    "${admin[@]}" declare queue name="$queue" durable=true \
        arguments='{"x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "sms-dead",
                    "x-delivery-limit": 100}'
done
