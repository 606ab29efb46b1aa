#!/bin/sh
# mybro: ignore-file[CI14] it asks one Python after the other, and those that are not there fail
# Runs "$@" with a CPython that mybro can use: $PYTHON if it is set, else the environment's own, else one
# that is found. Plain sh, because this is what runs before anything is known about the machine.

cd "$(dirname "$0")/.." || exit 1

fits() {
  [ -n "$1" ] && "$1" -I -c '
import sys
sys.exit(sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= (3, 14))
' >/dev/null 2>&1
}

version() {
  "$1" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none
}

if [ -n "$PYTHON" ]; then
  fits "$PYTHON" && exec "$PYTHON" "$@"
  echo "mybro needs CPython 3.11 to 3.14, and PYTHON=$PYTHON is $(version "$PYTHON")." >&2
  exit 1
fi

for candidate in .venv/bin/python python3 python3.13 python3.12 python3.14 python3.11 \
  /opt/homebrew/bin/python3.1[1-4] /usr/local/bin/python3.1[1-4] \
  /Library/Frameworks/Python.framework/Versions/3.1[1-4]/bin/python3 \
  "$HOME"/.local/bin/python3.1[1-4] "$HOME"/.pyenv/versions/3.1[1-4]*/bin/python3 \
  "$HOME"/.local/share/uv/python/cpython-3.1[1-4]*/bin/python3; do
  fits "$candidate" && exec "$candidate" "$@"
done

case "$(uname -s)" in
  Darwin) remedy="brew install python@3.13" ;;
  *) remedy="sudo apt-get install python3 (Debian 12, Ubuntu 24.04 or later), or uv python install 3.13" ;;
esac
echo "mybro needs Python 3.11 to 3.14, and python3 here is $(version python3): get a newer one ($remedy), then run make again." >&2
exit 1
