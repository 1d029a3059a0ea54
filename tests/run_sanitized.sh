#!/bin/sh
# Build what is in C++ with AddressSanitizer and UndefinedBehaviorSanitizer, then run their fuzz targets and tests.
# Needs gcc and the packages of `pip install .[test,dev]`; PYTHON names the interpreter. Changes no installed package.
#     tests/run_sanitized.sh [arguments of pytest, default the tests of the coders, the quantiser and native layers]
#     SANITIZER=thread tests/run_sanitized.sh     threads_at_work.py with ThreadSanitizer, in place of all that
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3} sanitizer=${SANITIZER:-ON}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "$sanitizer" != thread ]; then
    cmake -S pillow_lic/native -B "$work/fuzz" -DLIC_FUZZ=ON -DLIC_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$work/log"
    cmake --build "$work/fuzz" >>"$work/log"
    for target in fuzz_rangecoder fuzz_bits fuzz_bitplanes fuzz_predictor fuzz_layers; do
        "$work/fuzz/$target" 3000 # a number: random inputs of the gcc driver; libFuzzer would read it as a corpus
        echo "$target: 3000 random inputs passed"
    done
fi

# A fresh environment that sees the packages of $python, but not an editable pillow-lic: .pth files there are not read.
"$python" -m venv --without-pip "$work/venv"
site=$("$work/venv/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
"$python" -c "import sysconfig; print(sysconfig.get_path('purelib'))" >"$site/packages.pth"
"$python" -m pip install . --no-build-isolation --no-deps --quiet --target "$site" \
    --config-settings=cmake.define.LIC_SANITIZE="$sanitizer" --config-settings=install.strip=false \
    --config-settings=build-dir="$work/build"

if [ "$sanitizer" = thread ]; then
    grep -q __tsan_ "$site"/pillow_lic/_native*.so # the option has reached the compiler
    # numpy's own threads are not watched.
    LD_PRELOAD=$(gcc -print-file-name=libtsan.so) OPENBLAS_NUM_THREADS=1 PYTHONSAFEPATH=1 "$work/venv/bin/python" tests/threads_at_work.py
    exit
fi
grep -q __asan_ "$site"/pillow_lic/_native*.so # the option has reached the compiler
[ $# -gt 0 ] || set -- tests/engine/test_bits*.py tests/engine/test_bitplanes.py tests/engine/test_predictor.py \
    tests/engine/test_entropy*.py tests/families/lic1/test_quantiser.py tests/native/test_native_*.py tests/native/test_kernels.py
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc_debug PYTHONSAFEPATH=1
"$work/venv/bin/python" -c "import pillow_lic._native as n; assert n.__file__.startswith('$site'), n.__file__"
"$work/venv/bin/python" -m pytest -q -p no:cacheprovider "$@"
