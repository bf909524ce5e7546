#!/bin/sh
# rustc for cargo (RUSTC_WRAPPER): tells the fuzzer which edges the code takes that reads input, and what it compares.
# These are options of LLVM that stable compilers take, too. Other crates are compiled as ever: the aligner's stages hold
# functions that take minutes and gigabytes with instrumentation, and build scripts would not link.
rustc=$1
shift
case " $* " in
*" --crate-name seedsieve_"* | *" --crate-name needletail "* | *" --crate-name noodles_"* | *" --crate-name buffer_redux "*)
    set -- "$@" -Coverflow-checks=on -Cdebug-assertions=on -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$rustc" "$@"
