#!/bin/sh
# Installs the system programs that only tests use (a browser, an office suite, a database), where this machine allows it.
# A test whose program is missing says so; under CI=true it fails.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v soffice >/dev/null 2>&1 || missing="$missing libreoffice-writer-nogui libreoffice-calc-nogui"
command -v pdftoppm >/dev/null 2>&1 || missing="$missing poppler-utils"
command -v java >/dev/null 2>&1 || missing="$missing default-jre-headless"
command -v make >/dev/null 2>&1 || missing="$missing make"
[ -e /usr/share/postgresql/15/extension/postgis.control ] || ! grep -qs '^12' /etc/debian_version ||
    missing="$missing postgresql-15-postgis-3"  # a peer in the benches
[ -d /usr/share/fonts/opentype/noto ] || missing="$missing fonts-noto-cjk"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
fetch_axe() {  # the accessibility checker the browser tests run in the page
    [ -f node_modules/axe-core/axe.min.js ] && return
    command -v npm >/dev/null 2>&1 && npm ci --ignore-scripts --no-audit --no-fund --silent
}
if [ -z "$missing" ]; then fetch_axe; exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "tests: not installed here, and no apt-get to install them with:$missing" >&2
    exit 0
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then sudo="sudo -n"; else
        echo "tests: not installed here, and no right to install:$missing" >&2
        exit 0
    fi
fi
echo "tests: installing$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086  # the list is words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fetch_axe
