#!/usr/bin/env bash
# The units under a real systemd, started as the first process of namespaces of its own, with the programs of this machine and an
# empty configuration. The exporter is the demo, on the socket of the unit; everything else is as the unit has it.
set -euo pipefail
. tests/deploy/verdicts.sh

service=google_analytics_exporter.service
nightly=google_analytics_sync.service
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
answers=$root/answers

# Only root may, and not in every container.
namespaces() {
    [[ $(id -u) -eq 0 ]] && unshare --mount --pid --fork --net --uts --ipc --cgroup mount -t tmpfs tmpfs "$work" 2>/dev/null
}

lay_out() {
    local link
    mkdir -p "$root"/{dev,etc/google_analytics_exporter,opt,proc,root,run,sys,tmp,usr,var/tmp} "$answers"
    for link in bin lib lib64 sbin; do
        if [[ -L /$link ]]; then cp -a "/$link" "$root/$link"; elif [[ -d /$link ]]; then mkdir "$root/$link"; fi
    done
    cp /etc/os-release "$root/etc/"
    cp /etc/ld.so.cache "$root/etc/" 2>/dev/null || true
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    printf '%s\n' 'passwd: files systemd' 'group: files systemd' 'hosts: files' >"$root/etc/nsswitch.conf"
    echo '127.0.0.1 localhost' >"$root/etc/hosts"
    : >"$root/etc/machine-id"
    cp "$EXPORTER" "$root/opt/google_analytics_exporter"
    cp deploy/google_analytics_exporter.yml "$root/etc/google_analytics_exporter/"
    install -m 600 /dev/null "$root/etc/google_analytics_exporter/key.json"
    install -D -m 644 -t "$root/etc/systemd/system" deploy/systemd/*.service deploy/systemd/*.socket tests/deploy/boot/questions.service
    install -D -m 644 deploy/systemd/google_analytics_exporter.default "$root/etc/default/google_analytics_exporter"
    sed -i 's/^ARGS=.*/ARGS="--log.level=debug --log.format=json"/' "$root/etc/default/google_analytics_exporter"
    install -D -m 644 tests/deploy/boot/demo.conf "$root/etc/systemd/system/$service.d/demo.conf"
    install -D -m 644 tests/deploy/boot/nightly.conf "$root/etc/systemd/system/$nightly.d/nightly.conf"
    mkdir -p "$root/var/lib/prometheus/node-exporter"
    install -m 755 tests/deploy/boot/questions.sh "$root/opt/"
    # What would change the machine rather than the namespaces.
    for link in modules-load random-seed sysctl timesyncd udevd udev-trigger; do
        ln -s /dev/null "$root/etc/systemd/system/systemd-$link.service"
    done
}
# They can be removed once their last process is gone, which takes the kernel a moment.
remove_group() {
    local _
    for _ in $(seq 100); do
        find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [[ -e $1 ]] || return 0
        sleep 0.1
    done
    echo "the control group $1 is left" >&2
}
# Leaves the control groups as they were.
boot() {
    local group groups=()
    for group in /sys/fs/cgroup /sys/fs/cgroup/{systemd,unified,memory,pids}; do
        if [[ -e $group/cgroup.procs ]]; then groups+=("$group/google_analytics_exporter-boot-$$"); fi
    done
    mkdir "${groups[@]}"
    (
        for group in "${groups[@]}"; do echo "$BASHPID" >"$group/cgroup.procs"; done
        exec timeout --kill-after 10 120 unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup \
            tests/deploy/boot/first_process.sh "$root"
    ) >"$work/log" 2>&1 || true
    for group in "${groups[@]}"; do remove_group "$group"; done
}
answered() {
    local answer=$answers/$1
    [[ -s $answer ]] && grep -qx -e "$2" "$answer" && return
    echo "$1: $(cat "$answer" 2>/dev/null || echo 'no answer'), expected $2"
    tail -n 40 "$answers/journal" 2>/dev/null
    return 1
}

if ! namespaces; then
    not_checked systemd 'the units, started' 'namespaces cannot be had here'
    exit
fi
lay_out
boot
if [[ ! -e $answers/began ]]; then
    not_checked systemd 'the units, started' 'systemd does not start in namespaces here'
    cat "$work/log"
    exit
fi
passes systemd 'the service is ready, with its key' answered active active
# Nothing else was asked.
finish
passes systemd 'it answers on the socket of the unit' answered scraped 1
passes systemd 'it has the flags of /etc/default' answered flags --log.level=debug
passes systemd 'it is not root and has no capabilities' answered confined 'user other, capabilities 0000000000000000, seccomp 2'
passes systemd 'it is alive for the watchdog' answered watchdog alive
passes systemd 'reload' answered reloaded active
passes systemd 'a scrape during a restart waits and is answered' answered scraped-while-restarting 1
passes systemd 'it was never restarted by systemd' answered restarts 0
passes systemd 'a mistake in the configuration ends it with 64' answered mistaken 64
passes systemd 'after 30 scrapes meanwhile, the socket still listens' answered socket-after-mistakes active
passes systemd 'the first scrape after the correction is answered' answered scraped-after-correction 1
passes systemd 'it stops by itself' answered stopped 'inactive success'
passes systemd 'it leaves its state' answered state kept
passes systemd 'the nightly run fails, since its key is empty' answered nightly-status '[1-9][0-9]*'
passes systemd 'node_exporter reads how it ended, and nothing else is there' answered nightly-metrics \
    'google_analytics_sync.prom 644 google_analytics_sync_last_run_successful 0'
finish
