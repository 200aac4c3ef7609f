#!/usr/bin/env bash
# Plays the steps of the image without Docker: the RUN lines of the Dockerfile in an empty directory, then the health check
# against a node that was started from what they installed.
#   docker/try.sh [DIRECTORY]        (takes some minutes: it installs every locked package)
set -euo pipefail
sources=$(cd "$(dirname "$0")/.." && pwd)
root=$(realpath -m "${1:-$(mktemp -d)}")
python=${PYTHON:-python3}
mkdir -p "$root/src" "$root/data" "$root/elsewhere"

# COPY, but for what .dockerignore leaves out.
tar -C "$sources" --exclude-from="$sources/.dockerignore" -cf - . | tar -C "$root/src" -xf -
cp "$sources/docker/requirements.lock" "$root/src/requirements.lock"

played() { # the places of a line as they are here; useradd needs root, and the directory is made above
    sed -e "s#/opt/affinity#$root/opt/affinity#g" -e "s#^python #$python #"
}
cd "$root/src"
sed -n 's/^RUN //p' "$sources/docker/Dockerfile" | grep -v '^useradd' | played | while read -r step; do
    echo "+ $step"
    bash -euc "$step"
done
rm -rf "$root/src"

cd "$root/elsewhere" # nothing of the source tree may be needed
export PATH="$root/opt/affinity/bin:$PATH" AFFINITY__DATA="$root/data" AFFINITY__LOG__FORMAT=json
affinity up --no-demo --http-port 0 --https-port 0 --mllp-port 0 --mllps-port 0 2>"$root/log" &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 60); do [ -f "$root/data/ports.json" ] && break; sleep 1; done

check=$(sed -n '/^HEALTHCHECK/,/]$/p' "$sources/docker/Dockerfile" | sed -n 's/.*"\(import json.*\)"\]$/\1/p' | sed "s#/data/#$root/data/#")
python -c "$check"
affinity status
echo "The image's steps work: $root"
