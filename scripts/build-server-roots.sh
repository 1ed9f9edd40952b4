#!/usr/bin/env bash
# Make the PostgreSQL servers that the tests need and this machine does not have: one folder a Debian
# release, with the server, pg_cron, pg_partman, PL/Python and boto3 in it. Nothing outside that folder is
# touched; a server in it is started with chroot in a mount namespace of its own.
#
# usage: build-server-roots.sh [15] [17] [18]
#
# Each folder is built aside and renamed when it is whole, so that a build that was cut short leaves nothing
# that looks finished. Prints one line a server. Exit code 0 when all that were asked for are there.
set -euo pipefail

declare -A suite_of=([15]=bookworm [17]=trixie [18]=forky)
roots="${PARTWARDEN_ROOTS:-/var/cache/partwarden/roots}"

debian_mirror() {
    if [ -n "${PARTWARDEN_DEBIAN_MIRROR:-}" ]; then
        echo "$PARTWARDEN_DEBIAN_MIRROR"
    elif [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
            grep -v security | head -n 1
    fi
}

build() {
    local version="$1" suite="${suite_of[$1]}" final="$roots/$1" options=()
    if [ -e "$final/.complete" ]; then
        echo "server $version: ready in $final"
        return
    fi
    local mirror
    mirror="$(debian_mirror)"
    if [ -z "$mirror" ]; then
        echo "server $version: not built: no Debian mirror among this machine's apt sources;" \
            "set PARTWARDEN_DEBIAN_MIRROR to one" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
        echo "server $version: not built: needs root and mmdebstrap (apt-get install mmdebstrap)" >&2
        return 1
    fi
    # A testing release's index may be older than its own expiry date on a mirror that lags.
    [ "$suite" = forky ] && options+=(--aptopt='Acquire::Check-Valid-Until "false"')
    # A machine may reach its mirror through a proxy, or trust it, by settings of its own.
    local aptconf
    for aptconf in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
        [ -e "$aptconf" ] && options+=(--aptopt="$aptconf")
    done
    local building="$final.building.$$"
    mkdir -p "$roots"
    rm -rf "$final"
    local started=$SECONDS
    if ! mmdebstrap --quiet --variant=apt "${options[@]}" \
        --include="postgresql-$version,postgresql-$version-cron,postgresql-$version-partman" \
        --include="postgresql-plpython3-$version,python3-boto3" \
        "$suite" "$building" "deb $mirror $suite main" >"$roots/$version.log" 2>&1; then
        tail -n 20 "$roots/$version.log" >&2
        rm -rf "$building"
        echo "server $version: not built: mmdebstrap failed, its log is $roots/$version.log" >&2
        return 1
    fi
    rm -rf "$building"/var/cache/apt/archives/*.deb "$building"/var/lib/apt/lists/*
    touch "$building/.complete"
    mv "$building" "$final"
    echo "server $version: built in $final in $((SECONDS - started)) s"
}

failed=0
for version in "$@"; do
    if [ -z "${suite_of[$version]:-}" ]; then
        echo "server $version: unknown; known are ${!suite_of[*]}" >&2
        failed=1
        continue
    fi
    build "$version" || failed=1
done
exit "$failed"
