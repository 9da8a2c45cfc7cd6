#!/bin/sh
# Turns its process into a machine's systemd. machine_linux.go runs it as the first process of new mount, PID, UTS and IPC
# namespaces, in the machine's network namespace, twice: to enter the control group, and then to see only that.
#
#	boot.sh enter|start FOLDER CGROUP LOWER
#
# FOLDER is the machine's own, with upper, work, lower and merged; LOWER the root file system. Files for the upper layer
# come as a tar archive on standard input. The line `pid N` on standard output says that systemd comes next, as process N
# of the machine around.
set -eu
umask 022
step=$1 folder=$2 cgroup=$3 lower=$4
cd "$folder"

if [ "$step" = enter ]; then
	echo 0 >"$cgroup/cgroup.procs"
	exec unshare --cgroup -- sh ./boot.sh start "$folder" "$cgroup" "$lower"
fi

# Until it gets its own /proc, this process sees its number outside.
read -r pid _ </proc/self/stat

# Relative names, because overlayfs's options split at commas and colons.
mount --bind "$lower" lower
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
cd merged
chroot . tar --extract --file=-

# What systemd expects of a container manager: https://systemd.io/CONTAINER_INTERFACE. Where /sys and /proc/sys cannot be
# written, systemd leaves this machine's devices and kernel settings alone; a network namespace has its own.
mount -t proc -o nosuid,nodev,noexec proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind /proc/sys/net proc/sys/net
if [ -e proc/sysrq-trigger ]; then
	mount --bind proc/sysrq-trigger proc/sysrq-trigger
	mount -o remount,bind,ro proc/sysrq-trigger
fi
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
mount -t tmpfs -o mode=755,nosuid tmpfs dev
for device in null zero full random urandom tty; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

pivot_root . mnt
cd /
umount -l /mnt
# Units' mounts, such as credentials, reach them from systemd's own by propagation.
mount --make-rshared /
echo "pid $pid"
# The clock, the modules and the memory are this machine's.
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio \
	env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system </dev/null >/dev/null
