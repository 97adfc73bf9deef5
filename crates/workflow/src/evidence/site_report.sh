set -u
set -f
LC_ALL=C
export LC_ALL
nl='
'
IFS=$nl

fail() {
    printf 'site-report: failed to %s; there is nothing to hand in\n' "$1" >&2
    exit 1
}

# Keeps of a value what may stand on a line: as far as it is printable; `-` if that is nothing.
plain() {
    plain=${1%%[! -~]*}
    plain=${plain#"${plain%%[! ]*}"}
    plain=${plain%"${plain##*[! ]}"}
    if [ -z "$plain" ]; then plain=-; fi
}

# Whether the rpm here knows a tag: to name one that it does not know is an error to it.
knows() {
    case $tags in
        *"$nl$1$nl"*) return 0 ;;
    esac
    return 1
}

# How to ask for a tag, `-` for what is not there.
ask() {
    if knows "$1"; then asked_for="%|$1?{%{$1}}:{-}|"; else asked_for=-; fi
}

version=$(rpm --version) || fail 'ask rpm for its version'
tags=$nl$(rpm --querytags)$nl || fail 'ask rpm what it knows'
arch=$(rpm --eval '%{_arch}') || fail 'ask rpm for the architecture'

# The digests that a database of rpm keeps, and who signed: the key that rpm would name first comes last here.
ask SHA256HEADER
format="sha256=$asked_for"
ask SHA1HEADER
format="$format sha1=$asked_for"
ask SIGMD5
format="$format md5=$asked_for"
ask INSTALLTIME
format="$format time=$asked_for"
signature=-
for tag in SIGPGP SIGGPG OPENPGP RSAHEADER DSAHEADER; do
    if knows "$tag"; then signature="%|$tag?{%{$tag:pgpsig}}:{$signature}|"; fi
done
name='%{NAME} %{NAME}-%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}.%{ARCH}'
installed=$(rpm -qa --queryformat "$name $format key=$signature\\n") || fail 'ask rpm what is installed'

# No program but rpm is needed: what these two would say may be missing.
host=${SLUICE_HOST-$(uname -n 2> /dev/null)}
date=$(date -u +%Y-%m-%dT%H:%M:%SZ 2> /dev/null)

os=
if [ -r /etc/os-release ]; then
    id=
    release=
    while read -r line || [ -n "$line" ]; do
        line=${line%[\"\']}
        case $line in
            ID=*) id=${line#ID=} ;;
            VERSION_ID=*) release=${line#VERSION_ID=} ;;
        esac
    done < /etc/os-release
    os="${id#[\"\']} ${release#[\"\']}"
elif [ -r /etc/redhat-release ]; then
    read -r os < /etc/redhat-release
fi

printf 'sluice-site-report 1\n'
printf 'task %s\nteam %s\nof %s\ncontent %s\n' "$task" "$team" "$of" "$content"
plain "$host"
printf 'host %s\n' "$plain"
plain "$date"
printf 'date %s\n' "$plain"
plain "${version##* }"
printf 'rpm %s\n' "$plain"
plain "$os"
printf 'os %s\n' "$plain"
plain "$arch"
printf 'arch %s\n' "$plain"

count=0
seen=$nl
for line in $installed; do
    package=${line%% *}
    case $packages in
        *"$nl$package$nl"*) ;;
        *) continue ;;
    esac
    facts=${line#* }
    signature=${facts#* key=}
    key=
    case $signature in
        *'Key ID '*)
            key=${signature##*Key ID }
            key=${key%%[!0-9a-fA-F]*}
            ;;
    esac
    printf 'installed %s key=%s\n' "${facts%% key=*}" "${key:--}"
    seen=$seen$package$nl
    count=$((count + 1))
done
for package in $packages; do
    case $seen in
        *"$nl$package$nl"*) continue ;;
    esac
    printf 'absent %s\n' "$package"
    count=$((count + 1))
done

# Whoever reads the report sees by this line that nothing was cut off.
printf 'end %s\n' "$count"
