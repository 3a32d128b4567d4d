#!/usr/bin/env bash
# Get the real servers and the browser that the tests use.
#
# Debian's packages are unpacked into .servers/ and not installed: no daemon starts and no root is
# needed. What is on the PATH already is used as it is. Run again, it does only what is missing.
# Ends with 1 in CI (CI=true) where something cannot be had, elsewhere with 0: the tests that
# need it then skip, and say why.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.servers"
bin="$root/bin"
mkdir -p "$bin"

# command and the Debian package that holds it
commands=(
  "prometheus prometheus"
  "promtool prometheus"
  "victoria-metrics victoria-metrics"
  "prometheus-node-exporter prometheus-node-exporter"
  "prometheus-alertmanager prometheus-alertmanager"
  "amtool prometheus-alertmanager"
)
missing=()

say() { echo "servers: $*" >&2; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# The package lists may be absent from a fresh container.
know_packages() {
  apt-cache show "$1" >/dev/null 2>&1 && return 0
  if is_root; then
    say "reading the package lists (apt-get update)"
    apt-get update -qq >/dev/null 2>&1 || true
  fi
  apt-cache show "$1" >/dev/null 2>&1
}

unpack() {
  local package="$1" folder
  [ -e "$root/$package/.whole" ] && return 0
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  know_packages "$package" || return 1
  folder="$(mktemp -d "$root/.$package.XXXXXX")"
  local -a as_root=()
  is_root && as_root=(-o APT::Sandbox::User=root)
  if (cd "$folder" && apt-get -qq "${as_root[@]}" download "$package" >/dev/null) \
    && dpkg-deb -x "$folder"/*.deb "$folder/files"; then
    rm -rf "${root:?}/$package"
    mv "$folder/files" "$root/$package"
    touch "$root/$package/.whole"
    rm -rf "$folder"
    say "unpacked $package"
  else
    rm -rf "$folder"
    return 1
  fi
}

link() {
  local name="$1" package="$2" found
  [ -x "$bin/$name" ] && return 0
  if found="$(command -v "$name" || command -v "${name#prometheus-}")"; then
    ln -sfn "$found" "$bin/$name"
  elif unpack "$package" && [ -x "$root/$package/usr/bin/$name" ]; then
    ln -sfn "../$package/usr/bin/$name" "$bin/$name"
  else
    missing+=("$name")
  fi
}

browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
      ln -sfn "$(command -v "$name")" "$bin/chromium"
      return 0
    fi
  done
  if is_root && command -v apt-get >/dev/null && know_packages chromium; then
    say "installing chromium"
    if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; then
      ln -sfn "$(command -v chromium)" "$bin/chromium"
      return 0
    fi
  fi
  missing+=(chromium)
}

for entry in "${commands[@]}"; do
  # shellcheck disable=SC2086  # two words on purpose
  link $entry
done
browser

if [ "${#missing[@]}" -gt 0 ]; then
  say "cannot be had here: ${missing[*]}. The tests that need them will be skipped."
  say "On Debian or Ubuntu: run 'apt-get update' as root (and 'apt-get install chromium'), then 'make servers' again."
  say "Elsewhere: put the binaries (https://prometheus.io/download, https://victoriametrics.com) on the PATH or into .servers/bin."
  [ "${CI:-}" = true ] && exit 1
fi
exit 0
