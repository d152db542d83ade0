#!/bin/bash -eu
# Builds every fuzz target with the compiler, flags and engine that OSS-Fuzz gives, and puts it into OUT
# with its seeds, its words and the libraries that the running image lacks.
cd "$SRC/ntpward"
# The flags bring the sanitizer, so the build adds neither its own nor fortified functions.
make -j"$(nproc)" BUILD="$WORK/build" CXX="$CXX" CXXFLAGS="$CXXFLAGS" LDFLAGS="$CXXFLAGS" HARDEN=-fPIE \
  FUZZ_ENGINE="$LIB_FUZZING_ENGINE" fuzz-programs
mkdir -p "$OUT/lib"
for program in "$WORK"/build/fuzz/*; do
  name=$(basename "$program")
  cp "$program" "$OUT/$name"
  ldd "$program" | awk '/=> \// { print $3 }' | grep -E '/lib(crypto|ssl|seccomp|cap|event|edit)' |
    xargs -r cp -t "$OUT/lib"
  # shellcheck disable=SC2016 # the dynamic linker's word
  patchelf --set-rpath '$ORIGIN/lib' "$OUT/$name"
  zip -qj "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$name"/*
  [ ! -f "fuzz/dict/$name.dict" ] || cp "fuzz/dict/$name.dict" "$OUT/"
done
