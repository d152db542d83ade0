# A guest: a Debian root that systemd boots, in namespaces of its own and without CAP_SYS_TIME. Sourced after
# lab.sh; needs root, and a control group of the second version to give away.
# shellcheck shell=bash disable=SC2034 # STATUS is for who sources this

GUEST_GROUP=

# The hierarchy of the second version is mounted alone, or beside those of the first.
guest_group_root() {
  local place
  for place in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    [ -e "$place/cgroup.procs" ] && [ -e "$place/cgroup.controllers" ] && echo "$place" && return 0
  done
  return 1
}

# guest_boot ROOT: systemd is its first process; returns when systemd takes requests.
guest_boot() {
  local root=$1 group launcher
  group=$(guest_group_root)/ntpward-guest.$$ || return 1
  mkdir "$group" || return 1
  GUEST_GROUP=$group
  # shellcheck disable=SC2016 # expanded inside
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare --mount --pid --fork --net --uts --ipc --cgroup bash -c '
      set -e
      mount --make-rprivate /
      mount --bind "$0" "$0"
      cd "$0"
      mkdir -p old
      mount -t proc proc proc
      mount -t sysfs sys sys
      mount -t cgroup2 cgroup2 sys/fs/cgroup
      for place in run tmp dev; do mount -t tmpfs tmpfs $place; done
      for device in null zero full random urandom tty; do
        touch dev/$device
        mount --bind /dev/$device dev/$device
      done
      mkdir dev/pts dev/shm
      mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
      ln -s pts/ptmx dev/ptmx
      ln -s /proc/self/fd dev/fd
      touch dev/console
      hostname guest
      ip link set lo up
      pivot_root . old
      umount -l /old
      # As systemd itself does on a machine: it mounts credentials from a namespace of their own.
      mount --make-rshared /
      lacking=-sys_time,-sys_boot,-sys_module
      exec setpriv --bounding-set $lacking --inh-caps $lacking \
        env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init' "$root"
  ) </dev/null >"$LAB_DIR/boot" 2>&1 &
  launcher=$!
  wait_until 10 pgrep -P "$launcher" || return 1
  LAB_HOLDER["guest"]=$(pgrep -P "$launcher")
  wait_until 60 guest_is_up
}
guest_is_up() {
  case $(guest systemctl is-system-running) in running | degraded) ;; *) return 1 ;; esac
}

# guest COMMAND...: runs it there.
guest() {
  nsenter --target "${LAB_HOLDER["guest"]}" --mount --pid --net --uts --ipc --cgroup \
    setpriv --bounding-set -sys_time --inh-caps -sys_time -- "$@"
}
# The same, as `run`.
in_guest() {
  STATUS=0
  guest timeout -k 5 60 "$@" >"$OUT" 2>&1 </dev/null || STATUS=$?
}

# Its processes end with the first one.
guest_end() {
  [ -z "${LAB_HOLDER["guest"]:-}" ] || kill -KILL "${LAB_HOLDER["guest"]}" 2>/dev/null
  [ -z "$GUEST_GROUP" ] || wait_until 10 find "$GUEST_GROUP" -depth -type d -exec rmdir {} +
}
