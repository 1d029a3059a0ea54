#!/bin/sh
# Build what is in C++ for several kinds of processors and compare what they compute: all must print the same hashes. Changes nothing here.
# Needs cmake, gcc, g++-aarch64-linux-gnu and qemu-user (packages of Debian), the last two kinds what tests/on_bochs.py says instead; a kind
# that cannot be built or run is an error.
#     tests/run_machines.sh [kinds, default: here x86-64 aarch64]
# here: this processor; x86-64: the same program on one without AVX, emulated; aarch64: ARM, emulated; avx512, avxvnni: the same program on
# an emulated processor that has these, of which only the kernels of that name are asked.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # folder, compiler
    cmake -S pillow_lic/native -B "$work/$1" -DLIC_CHECK=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$2" \
        -DCMAKE_EXE_LINKER_FLAGS=-static >"$work/log" 2>&1 && cmake --build "$work/$1" >>"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

emulated() { # processor, program and its arguments
    for name in "qemu-$1-static" "qemu-$1"; do
        if command -v "$name" >/dev/null; then
            shift
            "$name" "$@"
            return
        fi
    done
    echo "there is no qemu for $1" >&2
    exit 1
}

on_bochs() { # as tests/on_bochs.py
    "${PYTHON:-python3}" tests/on_bochs.py "$@"
}

[ $# -gt 0 ] || set -- here x86-64 aarch64
for kind in "$@"; do
    case $kind in
    here) build here "${CXX:-g++}" && "$work/here/check_machine" >"$work/$kind.txt" ;;
    x86-64) build here "${CXX:-g++}" && emulated x86_64 -cpu qemu64 "$work/here/check_machine" >"$work/$kind.txt" ;;
    aarch64) build aarch64 aarch64-linux-gnu-g++ && emulated aarch64 "$work/aarch64/check_machine" >"$work/$kind.txt" ;;
    avx512) build here "${CXX:-g++}" && on_bochs sapphire_rapids 0xe7 "$work/here/check_machine" avx512 >"$work/$kind.txt" ;;
    avxvnni) build here "${CXX:-g++}" && on_bochs arrow_lake 7 "$work/here/check_machine" avxvnni >"$work/$kind.txt" ;;
    *) echo "kinds are here, x86-64, aarch64, avx512 and avxvnni, got $kind" >&2 && exit 1 ;;
    esac
    [ -e "$work/all.txt" ] || cp "$work/$kind.txt" "$work/all.txt"
    diff "$work/all.txt" "$work/$kind.txt" >&2 || {
        echo "$kind computes something else than $1" >&2
        exit 1
    }
    echo "$kind: the same"
done
cat "$work/all.txt"
