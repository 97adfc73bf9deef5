#!/bin/bash
# Boots a real systemd in a throw-away machine and runs one script in it: boot.sh EXCHANGE SCRIPT
#
# The machine is this one's /usr under a writable layer in memory, with an /etc and a /var of its own: nothing is
# downloaded, nothing of this machine changes, and all of it is gone with the namespace it was mounted in. EXCHANGE is
# there as /exchange, SCRIPT is a file in it. Ends as the script does; 77 says why no machine can be booted here.
set -euo pipefail

exchange=$1 script=$2
skip() {
    echo "no machine can be booted here: $*"
    exit 77
}
((EUID == 0)) || skip "it needs root"
for program in systemd-nspawn unshare; do
    command -v "$program" > /dev/null || skip "$program is missing"
done
[[ -x /usr/lib/polkit-1/polkitd ]] || skip "polkitd is missing"
if [[ ${BOOT_UNSHARED:-} != yes ]]; then
    unshare --mount true 2> /dev/null || skip "mount namespaces are not allowed"
    BOOT_UNSHARED=yes exec unshare --mount --propagation private "$0" "$@"
fi

# systemd wants control groups of its own. It may keep those of the machine it boots for a moment when it is gone.
groups=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
[[ -n $groups ]] || skip "there are no unified control groups"
group=$groups/sluice-test-$$
mkdir "$group" 2> /dev/null || skip "control groups cannot be made"
remove_group() {
    echo $$ > "$groups/cgroup.procs" || true
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
}
trap remove_group EXIT

work=$(mktemp -d)
trap 'remove_group; umount -R "$work" 2> /dev/null || true; rmdir "$work" 2> /dev/null || true' EXIT
mount -t tmpfs -o mode=755 tmpfs "$work" 2> /dev/null || skip "nothing can be mounted"
root=$work/root
mkdir -p "$work"/{upper,scratch} "$root"/{usr,etc,var/lib,var/log,var/spool,proc,sys,dev,run,tmp,root,home,srv,exchange}
chmod 1777 "$root/tmp"
mount -t overlay -o "lowerdir=/usr,upperdir=$work/upper,workdir=$work/scratch" overlay "$root/usr" 2> /dev/null ||
    skip "overlay file systems are not allowed"
# What keeps services from being started or stopped in an image is no part of a machine that is booted.
rm -f "$root/usr/sbin/policy-rc.d"
for name in bin sbin lib lib32 lib64 libx32; do
    if [[ -L /$name ]]; then cp -a "/$name" "$root/"; fi
done
for name in passwd group shadow gshadow nsswitch.conf pam.d pam.conf security login.defs ld.so.cache ld.so.conf \
    ld.so.conf.d alternatives dbus-1 polkit-1 debian_version os-release default/useradd dpkg shells profile skel localtime; do
    if [[ -e /etc/$name ]]; then
        mkdir -p "$(dirname "$root/etc/$name")"
        cp -a "/etc/$name" "$root/etc/$name"
    fi
done
# What is installed is known, so that packages find what they depend on.
cp -a /var/lib/dpkg "$root/var/lib/"
: > "$root/etc/machine-id"
units=$root/etc/systemd/system
mkdir -p "$units/multi-user.target.wants"
ln -s /usr/lib/systemd/system/multi-user.target "$units/default.target"
for name in console-getty.service systemd-firstboot.service; do ln -s /dev/null "$units/$name"; done
cat > "$units/under-test.service" << UNIT
[Unit]
Description=$script
After=multi-user.target dbus.socket
[Service]
Type=oneshot
# With a session's groups and environment, as an administrator's shell has.
ExecStart=/bin/bash -c '/bin/bash /exchange/$script > /exchange/said 2>&1; systemctl exit \$?'
UNIT
ln -s ../under-test.service "$units/multi-user.target.wants/"

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
nspawn=(systemd-nspawn --quiet --register=no --keep-unit --private-network --machine=sluice --directory="$root"
    --bind="$exchange:/exchange")
# nspawn keeps its locks here, and tidies up badly where /run is no file system of its own.
mount -t tmpfs tmpfs /run
echo $$ > "$group/cgroup.procs" || skip "control groups cannot be entered"
"${nspawn[@]}" --as-pid2 --console=pipe /bin/true < /dev/null || skip "systemd-nspawn does not run"
ended=0
"${nspawn[@]}" --boot --console=pipe < /dev/null || ended=$?
exit "$ended"
