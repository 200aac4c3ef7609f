#!/bin/bash
# The first process of a machine (tests/faults/machines/cluster.py): etcd, and PostgreSQL under Patroni, on a disk of its own.
# It shares the files of its host, which it may read alone; what is typed at its console is done.
set +e
mount -t proc proc /proc; mount -t sysfs sys /sys
mkdir -p /dev/shm
for place in /run /dev/shm /tmp /var/log; do mount -t tmpfs -o mode=1777 none $place; done
for word in $(cat /proc/cmdline); do case $word in number=*|ttl=*) declare "$word";; esac; done
export PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
name=m$number here=10.77.0.1$number
insmod "/usr/lib/uml/modules/$(uname -r)/kernel/net/sched/sch_netem.ko"
hostname $name; ip link set lo up; ip link set vec0 up; ip address add $here/24 dev vec0
mount -t ext4 /dev/ubda /mnt
install -d -o postgres -m 700 /mnt/postgresql
# By etcd's older interface: by the newer one Patroni before 3.0.3 takes back a lease that another has got meanwhile.
cat > /run/patroni.yml <<CONFIGURATION
scope: affinity
name: $name
restapi: {listen: "0.0.0.0:8008", connect_address: "$here:8008"}
etcd: {hosts: ["10.77.0.11:2379", "10.77.0.12:2379", "10.77.0.13:2379"]}
bootstrap:
  dcs:
    ttl: $ttl
    loop_wait: $((ttl / 3))
    retry_timeout: $((ttl / 3))
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {max_connections: 100, shared_buffers: 64MB, wal_keep_size: 256MB, synchronous_commit: "on"}
  initdb: [{encoding: UTF8}, {locale: C}, data-checksums]
postgresql:
  listen: "0.0.0.0:5432"
  connect_address: "$here:5432"
  data_dir: /mnt/postgresql/data
  bin_dir: /usr/lib/postgresql/15/bin
  pgpass: /run/pgpass
  authentication: {superuser: {username: postgres, password: p}, replication: {username: replicator, password: p}, rewind: {username: rewind, password: p}}
  basebackup: [{checkpoint: fast}]
  parameters: {unix_socket_directories: /run}
  pg_hba: [local all all trust, host all all 0.0.0.0/0 trust, host replication all 0.0.0.0/0 trust]
  remove_data_directory_on_rewind_failure: true
watchdog: {mode: "off"}
CONFIGURATION
members=m1=http://10.77.0.11:2380,m2=http://10.77.0.12:2380,m3=http://10.77.0.13:2380
while :; do
    etcd --name $name --data-dir /mnt/etcd --listen-peer-urls http://$here:2380 --initial-advertise-peer-urls http://$here:2380 \
        --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://$here:2379 --initial-cluster $members \
        --initial-cluster-state new --enable-v2 --heartbeat-interval 500 --election-timeout 5000 --log-level warn; sleep 1
done &
while :; do setpriv --reuid postgres --regid postgres --init-groups patroni /run/patroni.yml; sleep 1; done &
while read -r line; do eval "$line"; done < /dev/console
