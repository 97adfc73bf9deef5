#!/bin/bash
# Runs as root in the booted machine: the package installed, and everybody at his work. A line `ok: ...` for each claim.
set -uo pipefail
export LC_ALL=C.UTF-8 SYSTEMD_PAGER=cat SYSTEMD_COLORS=0

ok() { echo "ok: $1"; }
fail() {
    echo "FAILED: $1"
    shift
    "$@" 2>&1 | tail -n 60
    exit 1
}
# As a user with the groups of his account, in his home.
as() { local user=$1; shift; runuser -l "$user" -c "$*"; }
properties() { systemctl show --value -p "$1" "${2:-sluice.service}"; }
# Waits until the journal of a unit says something, from a cursor on.
cursor() { journalctl --show-cursor -n 0 -q | sed -n 's/^-- cursor: //p'; }
says() { grep -m 1 -q -e "$2" < <(timeout "${3:-180}" journalctl -q -f -n all --after-cursor="$1" -o cat); }
listed() { zcat "/srv/sluice/public/current/glite-3.2/el9/x86_64/$1"/repodata/*-primary.xml.gz | grep -c '<package '; }

dpkg -i /exchange/sluice.deb || fail "the package installs" cat /exchange/said
[[ $(systemctl is-enabled sluice) == disabled && $(systemctl is-active sluice) == inactive ]] ||
    fail "nothing runs before init" systemctl status sluice
ok "installed, and neither enabled nor started"

useradd -m -G sluice-submit alice
useradd -m -G sluice-release bob
useradd -m carol
cp /exchange/sluice.toml /etc/sluice/sluice.toml
runuser -u sluice -- sluice init || fail "init" ls -la /srv/sluice /var/spool/sluice
modes=$(cd /var/spool/sluice && stat -c '%n %a %U:%G' ./* | sort | tr '\n' ' ')
[[ $modes == "./done 2750 sluice:sluice-submit ./failed 2750 sluice:sluice-submit ./freeze 755 root:root ./incoming 3770 sluice:sluice-submit\
 ./processing 2750 sluice:sluice-submit ./tmp 3770 sluice:sluice-submit ./upload 3770 sluice:sluice-submit " ]] ||
    fail "the modes of the control directory: $modes"
systemctl enable --now sluice || fail "the daemon starts" journalctl -u sluice
[[ $(properties ActiveState) == active && $(properties StatusText) == generation* ]] ||
    fail "the daemon tells what it is at" systemctl status sluice
ok "init, and the daemon is ready"

mkdir /home/alice/x
cp /exchange/*.rpm /home/alice/x/
chown -R alice:alice /home/alice/x
chmod 700 /home/alice /home/alice/x
chmod 600 /home/alice/x/*
as alice 'umask 077; sluice import ~/x/*.rpm --to delta' || fail "alice imports" journalctl -u sluice
[[ $(listed delta) == 2 ]] || fail "what alice imported is listed" sluice status
ok "a member of the submit group imports with umask 077"
as carol 'sluice import /exchange/*.rpm --to delta' && fail "carol imports"
ok "who is not in the group does not"

request() {
    printf 'format = 1\naction = "promote"\nproduct = "glite-3.2"\nfrom = "delta"\nto = "%s"\npackages = ["%s"]\n[end]\n' \
        "$2" "$3" > "/etc/sluice/requests/$1.toml"
}
request update-57 production voms
request wrong nowhere voms
as bob systemctl --no-ask-password start sluice-promote@update-57 ||
    fail "bob starts a release" journalctl -u 'sluice-promote@*' -u polkit -u sluice
[[ $(listed production) == 1 && $(properties Result sluice-promote@update-57) == success ]] ||
    fail "what bob released is listed" sluice status
[[ $(sluice history) == *sluice-promote* ]] || fail "the record says who asked" sluice history
ok "a member of the release group starts a release without root"

before=$(properties InvocationID)
refused=0
for words in "stop sluice" "restart sluice" "kill sluice" "reload sluice" "restart sluice-promote@update-57" \
    "stop sluice-promote@update-57" "start sluice-promote@update-57.timer" "start systemd-tmpfiles-clean" \
    "enable sluice-promote@update-57.timer" daemon-reload "restart systemd-journald" \
    "set-property sluice CPUWeight=10"; do
    as bob "systemctl --no-ask-password $words" && fail "bob may $words"
    refused=$((refused + 1))
done
as carol systemctl --no-ask-password start sluice-promote@update-57 && fail "carol starts a release"
[[ $(properties InvocationID) == "$before" && $(properties ActiveState) == active ]] || fail "nobody touched the daemon"
ok "and nothing else: $refused others were denied"

as bob systemctl --no-ask-password start sluice-promote@wrong
status=$?
[[ $status == 1 ]] || fail "a wrong request gives 1, not $status"
journalctl --sync
[[ $(journalctl -u sluice-promote@wrong -o cat) == *nowhere* ]] || fail "the reason in the journal" journalctl -u sluice-promote@wrong
# Also for bob, who may not read the journal.
said=$(as bob systemctl status sluice-promote@wrong)
[[ $said == *Status:*nowhere* ]] || fail "the reason in the status" systemctl status sluice-promote@wrong
said=$(as bob sluice status 2>&1)
[[ $said == *"members of the group"* && $said != *whole* ]] || fail "who may look is told" echo "$said"
systemctl is-active -q sluice || fail "the daemon lives"
ok "a wrong request gives status 1 and its reason"

mkdir -p /etc/systemd/system/sluice.service.d
printf '[Service]\nWatchdogSec=8s\nRestartSec=100ms\n' > /etc/systemd/system/sluice.service.d/quick.conf
systemctl daemon-reload
systemctl restart sluice || fail "the daemon restarts" journalctl -u sluice
first=$(properties MainPID)
# More than twice the watchdog's time without a request: it is idle, and not killed for that.
from=$(cursor)
says "$from" 'Watchdog timeout' 20 && fail "an idle daemon is killed"
[[ $(properties MainPID) == "$first" ]] || fail "an idle daemon keeps running" journalctl -u sluice
from=$(cursor)
kill -STOP "$first"
says "$from" 'sluice.service: Watchdog timeout' || fail "the watchdog bites" journalctl -u sluice
says "$from" '^Started.*Sluice\|^Started sluice.service' || fail "the daemon comes back" journalctl -u sluice
[[ $(properties ActiveState) == active && $(properties MainPID) != "$first" && $(properties NRestarts) == 1 ]] ||
    fail "it is another process" systemctl status sluice
ok "the watchdog restarts a daemon that was stopped"

pid=$(properties MainPID)
printf '\n[[product.stage]]\nname = "candidate"\nimport_roles = ["operations"]\n' >> /etc/sluice/sluice.toml
systemctl reload sluice || fail "the daemon reloads" journalctl -u sluice
as alice 'umask 077; sluice import ~/x/*.rpm --to candidate' || fail "alice imports into the new stage" journalctl -u sluice
[[ $(listed candidate) == 2 && $(properties MainPID) == "$pid" ]] || fail "the new stage" sluice status
ok "a reload adds a stage"
echo 'rubbish = [' >> /etc/sluice/sluice.toml
systemctl reload sluice && fail "a wrong configuration is taken"
[[ $(properties ActiveState) == active && $(properties MainPID) == "$pid" ]] || fail "the daemon lives on" systemctl status sluice
sed -i '$d' /etc/sluice/sluice.toml
ok "a wrong configuration is refused by the reload, and the daemon lives on"

runuser -u sluice -- sluice verify || fail "verify"
dpkg -r sluice || fail "the package is removed"
[[ $(properties ActiveState) == inactive && -e /srv/sluice/public/current && -e /etc/sluice/sluice.toml ]] ||
    fail "what was published stays" ls -la /srv/sluice
dpkg --purge sluice || fail "the package is purged"
[[ ! -e /etc/sluice/sluice.toml && -e /srv/sluice/public/current ]] || fail "purged" ls -la /etc/sluice /srv/sluice
ok "removed and purged; what was published stays"
