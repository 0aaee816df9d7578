#!/bin/sh
# ccache.sh CCACHE COMPILER ARGUMENT...: compiles through ccache, but for precompiled headers. Such a one
# names the files that it was made of by this checkout's path, and another checkout that got it from the
# cache would have each of them twice. The old one is removed first: the compiler would read it in place of
# its sources.
previous= precompiled=
for argument; do
  case "$previous $argument" in "-o "*.gch) rm -f "$argument"; precompiled=yes ;; esac
  previous=$argument
done
[ -z "$precompiled" ] || shift
exec "$@"
