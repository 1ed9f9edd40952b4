#!/usr/bin/env bash
# Set up what is missing for the demo or the tests. Repeating it costs nothing.
#
# usage: setup.sh python | demo | test
#
#   python   a virtual environment in .venv
#   demo     and a PostgreSQL server with pg_cron, pg_partman and PL/Python
#   test     and the servers of other versions that the tests run on, each in a folder of its own; checkov and the SAM CLI,
#            each in a virtual environment of its own: what they need does not go together with what we need; promtool; and
#            Chromium
#
# With root or sudo on Debian or Ubuntu it installs the packages by apt. Elsewhere it says what is missing and how
# to get it; the tests then run on what there is.
set -euo pipefail
cd "$(dirname "$0")/.."

CHECKOV=checkov==3.3.30
SAM=aws-sam-cli==1.170.0

wanted="${1:?usage: setup.sh python | demo | test}"
missing=()

say() { echo "setup: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_apt() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
}

apt_updated=
apt_install() {
    if [ -z "$apt_updated" ]; then
        as_root apt-get update -qq || return 1
        apt_updated=yes
    fi
    say "installing $* (apt)"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in "${PARTWARDEN_PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

set_up_python() {
    local python stamp=.venv/.set-up-for want
    want="$(sha256sum pyproject.toml | cut -d' ' -f1) $PWD"
    if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        return
    fi
    if ! python="$(find_python)"; then
        say "Python 3.11 or newer is needed and was not found (https://www.python.org/downloads/,"
        say "or name one in PARTWARDEN_PYTHON)"
        exit 1
    fi
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        if ! { can_apt && apt_install "$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"; }; then
            say "$python can't make virtual environments; on Debian and Ubuntu: sudo apt-get install python3-venv"
            exit 1
        fi
    fi
    say "making a virtual environment in .venv ($("$python" --version))"
    rm -rf .venv
    "$python" -m venv .venv
    # The pip of an older Python knows no dependency groups.
    .venv/bin/python -m pip install --quiet --upgrade pip
    .venv/bin/python -m pip install --quiet --editable '.[local,web,oidc,otel,agent]' --group dev
    echo "$want" >"$stamp"
}

# A program for the tests, with what it needs, in a virtual environment of its own.
set_up_tool() {
    local folder="$1" package="$2" python stamp="$1/.set-up-for"
    if [ -x "$folder/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$package $PWD" ]; then
        return
    fi
    python="$(find_python)" || return 1
    say "installing $package in $folder"
    rm -rf "$folder"
    "$python" -m venv "$folder" &&
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$package" &&
        echo "$package $PWD" >"$stamp"
}

# The newest PostgreSQL that apt has both extensions for.
newest_in_apt() {
    apt-cache search --names-only '^postgresql-[0-9]+-partman$' | sed 's/^postgresql-\([0-9]*\)-.*/\1/' | sort -rn |
        while read -r version; do
            if apt-cache show "postgresql-$version-cron" "postgresql-plpython3-$version" >/dev/null 2>&1; then
                echo "$version"
                break
            fi
        done
}

set_up_server() {
    if .venv/bin/python scripts/find-server.py >/dev/null; then
        return
    fi
    if can_apt; then
        as_root apt-get update -qq && apt_updated=yes
        local version
        version="$(newest_in_apt)"
        if [ -n "$version" ]; then
            # The package would make a cluster of its own and start it on port 5432; nobody asked for that.
            local no_cluster=/etc/postgresql-common/createcluster.d/partwarden-setup.conf
            as_root mkdir -p "$(dirname "$no_cluster")"
            echo "create_main_cluster = false" | as_root tee "$no_cluster" >/dev/null
            apt_install "postgresql-$version" "postgresql-$version-cron" "postgresql-$version-partman" \
                "postgresql-plpython3-$version" python3-boto3 || true
            as_root rm -f "$no_cluster"
        fi
    fi
    if ! .venv/bin/python scripts/find-server.py; then
        missing+=("a PostgreSQL server of this machine with pg_cron, pg_partman, PL/Python and boto3")
    fi
}

set_up_other_servers() {
    local versions
    versions="$(.venv/bin/python scripts/find-server.py --missing-for-tests)"
    if [ -z "$versions" ]; then
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        missing+=("servers $versions for the tests: they are started by chroot, which takes root (sudo make test)")
        return
    fi
    # mount: a server in a folder gets its own /proc and /dev; the smallest of systems come without it.
    if ! { command -v mmdebstrap && command -v mount; } >/dev/null &&
        ! { can_apt && apt_install mmdebstrap arch-test mount; }; then
        missing+=("servers $versions for the tests: made with mmdebstrap, which could not be installed")
        return
    fi
    say "making the servers $versions for the tests, about half a minute each"
    # shellcheck disable=SC2086
    scripts/build-server-roots.sh $versions || missing+=("some of the servers $versions for the tests (see above)")
}

# promtool alone, out of Debian's package: installed, that would start a Prometheus, which nobody asked for.
set_up_promtool() {
    local folder="${PARTWARDEN_PROMTOOL:-/var/cache/partwarden/promtool}" fetched
    if command -v promtool >/dev/null || [ -x "$folder/promtool" ]; then
        return
    fi
    can_apt || return 1
    say "fetching promtool (apt)"
    if [ -z "$apt_updated" ]; then
        as_root apt-get update -qq || return 1
        apt_updated=yes
    fi
    fetched="$(mktemp -d)"
    (
        cd "$fetched"
        # The folder is ours alone, so apt fetches as who calls it; it says that, and it is no news.
        apt-get download -qq -o APT::Sandbox::User=root prometheus &&
            dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract --strip-components=3 ./usr/bin/promtool &&
            as_root install -D -m 755 promtool "$folder/promtool.new.$$" &&
            as_root mv "$folder/promtool.new.$$" "$folder/promtool"
    ) || { rm -rf "$fetched"; return 1; }
    rm -rf "$fetched"
}

# The browser that the tests look at the page with, and letters for it.
set_up_chromium() {
    if [ -n "${PARTWARDEN_CHROMIUM:-}" ] || command -v chromium || command -v chromium-browser || command -v google-chrome; then
        return
    fi >/dev/null
    can_apt && apt_install chromium fonts-dejavu-core && command -v chromium >/dev/null
}

set_up_python
case "$wanted" in
python) ;;
demo) set_up_server ;;
test)
    # Beside each other, and beside the servers: each waits for a network of its own most of the time.
    set_up_tool .venv-checkov "$CHECKOV" &
    checkov=$!
    set_up_tool .venv-sam "$SAM" &
    sam=$!
    set_up_server
    set_up_other_servers
    set_up_promtool || missing+=("promtool for the tests of the alert rules (in Debian's package prometheus)")
    set_up_chromium || missing+=("Chromium for the tests of the page (or its path in PARTWARDEN_CHROMIUM)")
    wait "$checkov" || missing+=("$CHECKOV for the tests of the templates (pip could not install it)")
    wait "$sam" || missing+=("$SAM for the tests of the templates (pip could not install it)")
    ;;
*)
    say "unknown: $wanted"
    exit 2
    ;;
esac

if [ "${#missing[@]}" -gt 0 ]; then
    say ""
    say "still missing:"
    for each in "${missing[@]}"; do say "  - $each"; done
    if [ "$wanted" = demo ]; then
        say "the demo can't run without it"
        exit 1
    fi
    say "the tests run on what there is, and say what they skip"
fi
