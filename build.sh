#!/usr/bin/env bash
# The only script a newcomer needs: ./build.sh run | setup | test | image | flash | … (./build.sh help tells all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly VENV=${OTPPI_VENV:-.venv}
readonly PYTHON=${OTPPI_PYTHON:-python3}
readonly DISTRIBUTIONS=(otppi-core plugins/otppi-*)

usage() {
  cat <<'TXT'
usage: ./build.sh COMMAND

  run      start the gateway with a simulated modem and a demo user; Ctrl-C ends it
  setup    install the gateway for use with a modem (README.md), without the developers' tools;
           --modemmanager: with D-Bus, for modems that ModemManager drives (docs/modemmanager.md)
  test     linters, types, architecture, and all tests (arguments go to pytest);
           --image: then also the card image in a virtual machine, but for the three longest tests of test-image
  bench    measure the budgets of the specification (--quick, --only NAME, --json FILE)
  soak     64 modems with random faults for 20 minutes (--minutes, --modems, --seed)
  texts    bring the catalogues of translations up to date with the source (docs/translating.md)
  lock     choose the versions of all packages anew (requirements*.lock)

The card image (docs/image.md), as root on Debian:

  image        make it: build/card/card.img.zst, by pi-gen on Raspberry Pi OS Lite;
               --base debian: on plain Debian, where the internet has only Debian's packages; these are kept for the next
               time: --fresh takes those of today, with Debian's security updates
  personalise  give the image a Wi-Fi name, passphrase and code of its own, and make its brochure (--help)
  brochure     make the brochure of a card that is personalised already (--help)
  bundle       make the file by which devices update themselves to this version, signed with a private key:
               ./build.sh bundle KEY.pem [amd64|arm64] (docs/update.md)
  flash        write an image to a card, and read it back: ./build.sh flash IMG DEVICE
  twin         build the image's twin of this computer's architecture, boot it in a container and test it (two minutes)
  test-image   build the image of arm64, boot it in a virtual machine and test it there (a quarter of an hour);
               OTPPI_TESTED_IMAGE names a folder with another card.img
  power-cuts   record what a device writes to its card in the virtual machine, cut its power at 1000 places of that, look at
               each card, and boot every twentieth (docs/crash-and-power.md; hours: --cuts N, --boots M; --seed S repeats);
               --recorded: of what was recorded last

Each installs what is missing: Debian packages with apt where it is root or has sudo, and Python packages into .venv.
OTPPI_RELEASE_KEY names the public key (PEM) by which an image knows its updates; without one it takes none.
OTPPI_PYTHON names another Python than python3, OTPPI_VENV another folder than .venv, OTPPI_BUILD than build; OTPPI_HTTP_PORT,
OTPPI_HTTPS_PORT and OTPPI_PAGE_PORT other ports for run than 8899, 10443 and 8888.
TXT
}

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

fail() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# need_packages PROGRAM=PACKAGE …: installs the Debian packages whose program is not there
need_packages() {
  local pair missing=()
  for pair in "$@"; do
    PATH=$PATH:/usr/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

apt_install() {
  local sudo=()
  command -v apt-get >/dev/null || fail "please install: $*"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "please install as root: apt-get install $*"
    sudo=(sudo)
  fi
  say "installing Debian packages: $*"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 \
    --no-install-recommends "$@" >&2
}

# need_python LOCKFILE …: a virtual environment with exactly what the lock files say, and our own distributions
need_python() {
  command -v "$PYTHON" >/dev/null || apt_install python3
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed"
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
  local mark=$VENV/installed locked wanted editable=() distribution
  for locked in "$@"; do mark+=-${locked%.lock}; done
  wanted=$(cat requirements-build.lock "$@" otppi-core/pyproject.toml plugins/*/pyproject.toml | sha256sum)
  [ "$(cat "$mark" 2>/dev/null)" != "$wanted" ] || return 0
  [ ! -e "$VENV" ] || [ -w "$VENV" ] || fail "$VENV is another user's, such as root's: remove it, or name another with OTPPI_VENV"
  say "installing Python packages into $VENV (a minute or two, once)"
  # One that was cut short while it was made has no pip; making it again mends it.
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m venv "$VENV"
  for distribution in "${DISTRIBUTIONS[@]}"; do editable+=(-e "$distribution"); done
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
  for locked in "$@"; do
    PATH=$(cd "$VENV/bin" && pwd):$PATH "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
      --require-hashes --no-build-isolation -r "$locked"
  done
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps "${editable[@]}"
  echo "$wanted" >"$mark"
}

# need_free_port PORT: the gateway waits for a port that is taken, and a newcomer would wait with it
need_free_port() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null ||
    fail "another program uses port $1 (OTPPI_HTTP_PORT, OTPPI_HTTPS_PORT and OTPPI_PAGE_PORT name others)"
}

run() {
  need_packages curl=curl
  need_python requirements.lock
  local port=${OTPPI_HTTP_PORT:-8899} tls_port=${OTPPI_HTTPS_PORT:-10443} page_port=${OTPPI_PAGE_PORT:-8888}
  local data=var/demo password gateway provision device_code
  need_free_port "$port"
  need_free_port "$tls_port"
  need_free_port "$page_port"
  password=$("$VENV/bin/python" -c 'import secrets; print(secrets.token_urlsafe(9))')
  provision=$(mktemp)
  # shellcheck disable=SC2064 # the name is wanted as it is now
  trap "rm -f '$provision'" EXIT
  cat >"$provision" <<JSON
{"ingress-rest": {"http_port": $port, "https_port": $tls_port},
 "administration": {"port": $page_port},
 "api_users": [{"username": "demo", "password": "$password"}]}
JSON
  "$VENV/bin/otppi" --data "$data" run --provision "$provision" &
  gateway=$!
  # The gateway gets its own signal from a terminal's Ctrl-C; a second one would cut its farewell short.
  trap ':' INT
  # shellcheck disable=SC2064
  trap "kill -TERM $gateway 2>/dev/null || true" TERM
  until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/api/health"; do
    kill -0 "$gateway" 2>/dev/null || { wait "$gateway"; exit; }
    sleep 0.2
  done
  device_code=$("$VENV/bin/otppi" --data "$data" admin code)
  device_code=${device_code%%$'\n'*} # not by head: it hangs up, and the command ends with 141 where it is still writing
  cat <<TXT

OTP-Pi runs, with a simulated modem: what it sends arrives on a simulated phone.

  pages           http://127.0.0.1:$page_port   (the first administrator gives the code $device_code)
  REST API        http://127.0.0.1:$port/api/message   https://127.0.0.1:$tls_port/api/message
  its description http://127.0.0.1:$port/api/docs

Send a message, in another terminal:

  curl -u demo:$password http://127.0.0.1:$port/api/message -d '{"command": "send-sms", "data": {"id": $(date +%s), "receiver": "08126666666", "message": "OTP Anda adalah 1234"}}'

and see it arrive:

  $VENV/bin/otppi --data $data phone

Ctrl-C stops it.

TXT
  local code=0
  while kill -0 "$gateway" 2>/dev/null; do
    code=0
    wait "$gateway" || code=$?
  done
  return "$code"
}

# setup: the gateway for use; what tests and benchmarks need besides, these install themselves
setup() {
  local locked=(requirements.lock)
  if [ "${1:-}" = --modemmanager ]; then
    need_compiler
    locked+=(requirements-modemmanager.lock)
    shift
  fi
  [ $# -eq 0 ] || fail "setup knows no $1"
  need_python "${locked[@]}"
  "$VENV/bin/otppi" --version >&2
}

# need_compiler: what compiling dbus-python takes
need_compiler() {
  need_packages gcc=gcc pkg-config=pkg-config patchelf=patchelf python3-config=python3-dev
  pkg-config --exists dbus-1 glib-2.0 || apt_install libdbus-1-dev libglib2.0-dev
}

# need_developer: all that building, testing and measuring takes
need_developer() {
  need_compiler
  need_python requirements-dev.lock
}

# need_brokers: what the ingresses are tested and measured with; each test starts its own, on free ports
need_brokers() {
  need_packages mosquitto=mosquitto mosquitto_pub=mosquitto-clients rabbitmqctl=rabbitmq-server redis-server=redis-server \
    ip=iproute2
}

# need_network_manager: a real one for tests, in namespaces of their own; this computer's network is left as it is
need_network_manager() {
  if ! PATH=$PATH:/usr/sbin command -v NetworkManager >/dev/null; then
    if [ -d /run/systemd/system ]; then
      if [ "$(id -u)" -eq 0 ]; then systemctl mask NetworkManager.service; else sudo systemctl mask NetworkManager.service; fi
    fi
    apt_install network-manager
  fi
  need_packages dnsmasq=dnsmasq-base ip=iproute2
}

# need_postman: newman and Postman's importer as the lock file says; nothing of theirs runs while they are installed
need_postman() {
  local folder=tests/postman mark=tests/postman/node_modules/installed wanted
  need_packages npm=npm
  wanted=$(sha256sum <"$folder/package-lock.json")
  [ "$(cat "$mark" 2>/dev/null)" != "$wanted" ] || return 0
  say "installing newman into $folder/node_modules (a minute, once)"
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  echo "$wanted" >"$mark"
}

# need_image: what making the card image and looking at it takes
need_image() {
  need_packages mmdebstrap=mmdebstrap arch-test=arch-test mcopy=mtools mkfs.fat=dosfstools sfdisk=fdisk mke2fs=e2fsprogs \
    zstd=zstd cpio=cpio modprobe=kmod xz=xz-utils unshare=util-linux mkfs.exfat=exfatprogs
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || apt_install debian-archive-keyring
}

# need_twin: what booting the twin takes, and the phone at its access point
need_twin() {
  need_packages systemd-nspawn=systemd-container nsenter=util-linux ip=iproute2 busybox=busybox curl=curl nft=nftables
}

# need_machine: what booting the card in a virtual machine takes
need_machine() {
  need_packages qemu-system-aarch64=qemu-system-arm qemu-img=qemu-utils chromium=chromium
}

# need_card: what a personalised card and its brochure take
need_card() {
  need_packages mcopy=mtools pdftoppm=poppler-utils
  [ -e /usr/share/fonts/truetype/lato/Lato-Regular.ttf ] || apt_install fonts-lato
  [ -e /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf ] || apt_install fonts-dejavu-core
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "$1 needs root: sudo ./build.sh $1"
}

twin() {
  need_root twin
  need_image
  need_twin
  need_developer
  exec "$VENV/bin/python" -m pytest tests/image/twin "$@"
}

# image [--base raspios|debian] [--fresh]
image() {
  local base=raspios fresh='' folder=${OTPPI_BUILD:-build}/card
  while [ $# -gt 0 ]; do
    case $1 in
      --base)
        base=${2:-}
        shift 2 || fail "--base wants raspios or debian"
        ;;
      --fresh)
        fresh=1
        shift
        ;;
      *) fail "image knows no $1" ;;
    esac
  done
  need_root image
  need_image
  need_python requirements-image.lock
  case $base in
    debian)
      OTPPI_VENV=$VENV OTPPI_FOR_CARD=1 OTPPI_FRESH=$fresh image/bin/build arm64 "$folder"
      say "with Debian's packages of $(cat "$folder/packages-of") (--fresh takes those of today)"
      ;;
    raspios)
      need_packages git=git quilt=quilt debootstrap=debootstrap zerofree=zerofree zip=zip capsh=libcap2-bin xxd=xxd \
        file=file bc=bc parted=parted rsync=rsync bmaptool=bmap-tools pigz=pigz bsdtar=libarchive-tools curl=curl gpg=gpg
      OTPPI_VENV=$VENV image/bin/pi-gen "$folder"
      ;;
    *) fail "there is no base $base (raspios, debian)" ;;
  esac
  say "packing"
  zstd -q -10 -T0 -f "$folder/card.img" -o "$folder/card.img.zst"
  [ "$(stat -c %s "$folder/card.img.zst")" -le $((600 << 20)) ] || fail "card.img.zst has more than the 600 MiB that it may have"
  (cd "$folder" && sha256sum card.img card.img.zst packages.tsv sbom.spdx.json >SHA256SUMS)
  if [ -n "${OTPPI_BUILD:-}" ]; then
    mkdir -p build/card
    cp "$folder"/{card.img,card.img.zst,packages.tsv,sbom.spdx.json,SHA256SUMS} build/card/
  fi
  say "build/card/card.img.zst; next: ./build.sh personalise build/card/card.img, ./build.sh flash build/card/card.img DEVICE"
}

# bundle KEY [ARCH]: the gateway of a root that is built as the card's, signed
bundle() {
  local key=${1:-} arch=${2:-arm64} folder=${OTPPI_BUILD:-build}/bundle
  [ -f "$key" ] || fail "usage: ./build.sh bundle KEY.pem [amd64|arm64]; openssl genpkey -algorithm ed25519 makes a key"
  [ $# -le 2 ] || fail "bundle knows no $3"
  need_root bundle
  need_image
  need_python requirements.lock requirements-image.lock
  OTPPI_VENV=$VENV image/bin/build "$arch" "$folder/$arch"
  OTPPI_VENV=$VENV image/bin/bundle "$folder/$arch/root" "$key" "$folder/otppi-$arch.bundle"
}

test_image() {
  need_root test-image
  need_image
  need_machine
  need_card
  need_developer
  exec "$VENV/bin/python" -m pytest tests/image/machine "$@"
}

# power_cuts [--recorded] [--cuts N] [--boots M] [--seed S]
power_cuts() {
  local recorded=''
  if [ "${1:-}" = --recorded ]; then
    recorded=1
    shift
  fi
  need_root power-cuts
  need_image
  need_machine
  need_card
  need_developer
  if [ -z "$recorded" ]; then
    say "recording"
    OTPPI_POWER_CUT_SECONDS=${OTPPI_POWER_CUT_SECONDS:-150} "$VENV/bin/python" -m pytest tests/image/machine/test_power_cuts.py
  fi
  say "cutting"
  exec "$VENV/bin/python" -m tests.image.powercut "$@"
}

# check_types: one folder of tests at a time, as each has a conftest.py of its own
check_types() {
  local folder
  "$VENV/bin/mypy"
  for folder in otppi-core/tests/*/ plugins/*/tests; do
    # Of a folder that was moved, git leaves what Python has compiled.
    [ -z "$(find "$folder" -name '*.py' -print -quit)" ] || "$VENV/bin/mypy" "$folder"
  done
}

# check: linters and types, side by side; of a whole run, what each worker collects is compiled once and beforehand
check() {
  local told types collected code=0
  told=$(mktemp)
  check_types >"$told" 2>&1 &
  types=$!
  # shellcheck disable=SC2064 # the names are wanted as they are now
  trap "kill $types 2>/dev/null || true; rm -f '$told'" EXIT
  say "shell scripts"
  shellcheck --external-sources build.sh .ci/run image/bin/* image/stage-*/prerun.sh image/stage-*/*/*.sh image/export/*.sh \
    image/export/*/*.sh overlays/*/usr/lib/otppi/* \
    overlays/*/etc/NetworkManager/dispatcher.d/*
  say "style"
  "$VENV/bin/ruff" check .
  "$VENV/bin/ruff" format --check .
  say "architecture"
  "$VENV/bin/lint-imports"
  if [ "$1" = whole ]; then
    say "collecting"
    collected=$("$VENV/bin/python" -m pytest --collect-only -qq 2>&1) || fail "$(tail -n 60 <<<"$collected")"
  fi
  say "types"
  wait "$types" || code=$?
  cat "$told"
  rm -f "$told"
  trap - EXIT
  return "$code"
}

# run_tests [--image] [pytest's arguments]
run_tests() {
  local with_image=''
  if [ "${1:-}" = --image ]; then
    with_image=1
    shift
  fi
  need_packages gammu-smsd=gammu-smsd shellcheck=shellcheck dbus-daemon=dbus umockdev-wrapper=umockdev chat=ppp \
    php=php-cli node=nodejs openssl=openssl curl=curl chromium=chromium promtool=prometheus
  need_brokers
  need_network_manager
  need_image
  need_twin
  need_card
  need_packages zbarimg=zbar-tools qemu-io=qemu-utils qemu-storage-daemon=qemu-system-common
  [ -z "$with_image" ] || need_machine
  need_developer
  need_postman
  # The tests start some hundreds of programs of ours: what is compiled is kept, whatever the environment says.
  unset PYTHONDONTWRITEBYTECODE
  if [ $# -gt 0 ]; then
    check part
  else
    check whole
    # Four files at a time, in the order that conftest.py gives: most tests wait for modems, brokers and networks.
    set -- --numprocesses 4 --dist loadfile --no-loadscope-reorder
  fi
  say "tests"
  [ -n "$with_image" ] || exec "$VENV/bin/python" -m pytest "$@"
  test_with_image "$@"
}

# test_with_image: the image for the virtual machine is built beside the tests, which mostly wait; the machine wants all cores
test_with_image() {
  local building code=0
  mkdir -p build/image
  OTPPI_VENV=$VENV nice image/bin/build arm64 build/image/arm64 >build/image/arm64.log 2>&1 &
  building=$!
  "$VENV/bin/python" -m pytest "$@" || code=$?
  say "the card image in a virtual machine"
  wait "$building" || { tail -n 60 build/image/arm64.log >&2; fail "the card image cannot be built"; }
  # The longest, of many sticks, of power cuts and of what an idle device writes, are in test-image only.
  "$VENV/bin/python" -m pytest tests/image/machine --ignore=tests/image/machine/test_reset_stick.py \
    --ignore=tests/image/machine/test_power_cuts.py --ignore=tests/image/machine/test_card_writes.py || code=$?
  return "$code"
}

bench() {
  need_packages wrk=wrk
  need_brokers
  need_developer
  exec "$VENV/bin/python" -m tests.benchmark "$@"
}

soak() {
  need_developer
  exec "$VENV/bin/python" -m tests.soak "$@"
}

texts() {
  need_developer
  exec "$VENV/bin/python" -m tests.translation
}

lock() {
  need_developer
  local group
  for group in build runtime modemmanager image dev; do
    local file=requirements-$group.lock
    "$VENV/bin/uv" pip compile --quiet --group "pyproject.toml:$group" --universal --python-version 3.11 --generate-hashes \
      --no-emit-index-url --no-header --no-annotate --upgrade -o "${file/-runtime/}"
  done
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  run) run "$@" ;;
  test) run_tests "$@" ;;
  bench) bench "$@" ;;
  soak) soak "$@" ;;
  setup) setup "$@" ;;
  twin) twin "$@" ;;
  image) image "$@" ;;
  bundle) bundle "$@" ;;
  test-image) test_image "$@" ;;
  power-cuts) power_cuts "$@" ;;
  personalise | brochure)
    need_card
    need_python requirements-image.lock
    OTPPI_VENV=$VENV exec "image/bin/$command" "$@"
    ;;
  flash) exec image/bin/flash "$@" ;;
  texts) texts ;;
  lock) lock ;;
  -h | --help | help | '') usage ;;
  *)
    usage >&2
    fail "there is no command $command"
    ;;
esac
