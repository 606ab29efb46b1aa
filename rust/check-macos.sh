#!/bin/sh
# Compile and lint, without linking, what is for macOS alone: on any machine with the Rust target for it.
#   rustup target add aarch64-apple-darwin && sh rust/check-macos.sh
set -eu
cd "$(dirname "$0")"
target=aarch64-apple-darwin
sysroot=$(rustc --print sysroot)
if [ ! -d "$sysroot/lib/rustlib/$target/lib" ]; then
  echo "the Rust target is missing: rustup target add $target" >&2
  exit 3
fi
# Always in the same place: another compiler would make cargo compile everything again.
stand_in=${CARGO_TARGET_DIR:-$PWD/target}/no-compiler
mkdir -p "$stand_in"
if [ "$(uname)" != Darwin ]; then
  # Dependencies in C need Apple's SDK to be compiled, and nobody needs them to check ours: their objects are empty.
  cat > "$stand_in/cc" <<'CC'
#!/bin/sh
out=
while [ $# -gt 0 ]; do
  case "$1" in
    -o) out=$2 && shift ;;
    -o*) out=${1#-o} ;;
  esac
  shift
done
[ -z "$out" ] || : > "$out"
CC
  chmod +x "$stand_in/cc"
  export CC_aarch64_apple_darwin="$stand_in/cc" AR_aarch64_apple_darwin=true SDKROOT=/
fi
export PYO3_NO_PYTHON=1
cargo clippy --quiet --target "$target" --workspace --features pyo3/extension-module -- -D warnings
