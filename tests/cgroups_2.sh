#!/bin/sh
# A command on a Linux of its own, which has cgroups of version 2: what Debian's user-mode-linux needs, the files of this
# machine, and no network but loopback. It runs here, with this environment; its exit code is this script's. Root only.
#   tests/cgroups_2.sh .venv/bin/python -m pytest tests/faults/test_cgroup.py
set -eu
[ $# -gt 0 ] || { sed -n 2,4p "$0" >&2; exit 2; }
aside=$(mktemp -d)
trap 'rm -r "$aside"' EXIT
export -p > "$aside/environment"
for word; do printf "%s\n" "$word"; done > "$aside/command"
cat > "$aside/init" <<INIT
#!/bin/sh
. "$aside/environment"
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 none /sys/fs/cgroup
mkdir /dev/shm
mount -t tmpfs none /dev/shm
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/here
echo \$\$ > /sys/fs/cgroup/here/cgroup.procs
ip link set lo up
cd "$PWD"
xargs -d '\n' -a "$aside/command" -- env
echo \$? > "$aside/code"
sync
echo o > /proc/sysrq-trigger
sleep 10
INIT
chmod +x "$aside/init"
linux.uml mem=2G root=/dev/root rootfstype=hostfs rootflags=/ rw "init=$aside/init" quiet con=null con0=null,fd:1 < /dev/null
exit "$(cat "$aside/code" 2> /dev/null || echo 1)"
