#!/bin/bash
# Encrypts an envelope to the key of a gateway, with openssl 1.1.1 or newer: ECDH-ES with A128CBC-HS256.
# bash encrypt.sh KEY.pem < ENVELOPE.json > ENVELOPE.jwe            (KEY.pem: otppi keys --pem > KEY.pem)
#
# openssl takes the keys of this one message as arguments: whoever else is logged in to this computer can see them.
set -euo pipefail
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
octets() { printf '%b' "$(sed 's/../\\x&/g' <<< "$1")"; }
# The point of a public key: x, then y, the last 64 octets of its DER form (RFC 5480 2.2).
point() { openssl pkey -pubin -in "$1" -outform DER | tail -c 64; }
coordinates() { # the members of a JWK, in the order of RFC 7638
    local x y
    x=$(point "$1" | head -c 32 | base64url)
    y=$(point "$1" | tail -c 32 | base64url)
    printf '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' "$x" "$y"
}

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ephemeral" 2> "$work/log"
openssl pkey -in "$work/ephemeral" -pubout -out "$work/epk"
kid=$(coordinates "$1" | openssl dgst -sha256 -binary | base64url)
header=$(printf '{"alg":"ECDH-ES","enc":"A128CBC-HS256","kid":"%s","epk":%s}' "$kid" "$(coordinates "$work/epk")" | base64url)

# RFC 7518 4.6.2: what both sides agree on is hashed once: 128 bits to authenticate with, 128 bits to encrypt with.
openssl pkeyutl -derive -inkey "$work/ephemeral" -peerkey "$1" -out "$work/secret"
key=$({ octets 00000001; cat "$work/secret"; octets 0000000d; printf 'A128CBC-HS256'; octets 000000000000000000000100; } |
    openssl dgst -sha256 -binary | hex)
iv=$(openssl rand -hex 16)
openssl enc -aes-128-cbc -K "${key:32:32}" -iv "$iv" -out "$work/ciphertext"
# RFC 7518 5.2.2.1: the tag is half of the HMAC over header, IV, ciphertext, and the header's length in bits.
tag=$({ printf '%s' "$header"; octets "$iv"; cat "$work/ciphertext"; octets "$(printf '%016x' $((8 * ${#header})))"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:${key:0:32}" -binary | head -c 16 | base64url)
printf '%s..%s.%s.%s\n' "$header" "$(octets "$iv" | base64url)" "$(base64url < "$work/ciphertext")" "$tag"
