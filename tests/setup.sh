#!/bin/bash
# Installs the programs that the tests run. Debian and Ubuntu; quick when everything is there.
#
# As root it installs what is missing with apt; as anybody else it says what root has to install.
set -euo pipefail

# What a test runs, and the package that brings it. Not dnf-plugins-core: it and zypper exclude each other.
needed=(
    "apache2 apache2"
    "busybox busybox"
    "createrepo_c createrepo-c"
    "curl curl"
    "dnf dnf"
    "dpkg-shlibdeps dpkg-dev"
    "gpg gnupg"
    "lintian lintian"
    "mandoc mandoc"
    "mergerepo_c createrepo-c"
    "mkfs.btrfs btrfs-progs"
    "mkfs.ext4 e2fsprogs"
    "mkfs.xfs xfsprogs"
    "modifyrepo_c createrepo-c"
    "nginx nginx"
    "rpm rpm"
    "rpmbuild rpm"
    "rpmlint rpmlint"
    "rsync rsync"
    "rsync rsync"
    "setpriv util-linux"
    "shellcheck shellcheck"
    "ssh openssh-client"
    "ssh-keygen openssh-client"
    "sshd openssh-server"
    "strace strace"
    "strip binutils"
    "systemd-analyze systemd"
    "systemd-nspawn systemd-container"
    "unshare util-linux"
    "zstd zstd"
    "zypper zypper"
)
PATH=$PATH:/usr/sbin:/sbin

missing=()
for line in "${needed[@]}"; do
    read -r program package <<< "$line"
    command -v "$program" > /dev/null || missing+=("$package")
done
/usr/bin/python3 -c "import rpm" 2> /dev/null || missing+=(python3-rpm)
/usr/bin/python3 -c "import solv" 2> /dev/null || missing+=(python3-solv)
/usr/bin/python3 -c "import librepo" 2> /dev/null || missing+=(python3-librepo)
[[ -x /usr/lib/polkit-1/polkitd ]] || missing+=(polkitd)
[[ -e /usr/share/zoneinfo/Europe/Rome ]] || missing+=(tzdata)
command -v cc > /dev/null || missing+=(gcc libc6-dev)

if ((${#missing[@]} > 0)); then
    readarray -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    if ((EUID != 0)); then
        echo "tests/setup.sh: missing here: ${missing[*]}" >&2
        echo "tests/setup.sh: as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    if ! command -v apt-get > /dev/null; then
        echo "tests/setup.sh: no apt-get here; these Debian packages bring what is missing: ${missing[*]}" >&2
        exit 1
    fi
    echo "tests/setup.sh: installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q > /dev/null
    # No service is started: the tests run their own nginx.
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get install -q -y --no-install-recommends "${missing[@]}" > /dev/null
fi

# dnf installs as root only; whoever is not root needs a user namespace to run it in.
if ((EUID != 0)) && ! unshare --map-root-user true 2> /dev/null; then
    echo "tests/setup.sh: unprivileged user namespaces are off; dnf and zypper cannot install here" >&2
    echo "tests/setup.sh: as root: sysctl kernel.unprivileged_userns_clone=1" >&2
    exit 1
fi
if ! command -v cargo > /dev/null; then
    echo "tests/setup.sh: cargo is missing; https://rustup.rs installs it" >&2
    exit 1
fi
