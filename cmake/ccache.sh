#!/bin/sh
# ccache.sh CCACHE COMPILER ARGUMENT...: compiles through ccache. A precompiled header is removed before
# it is made again: else the compiler's preprocessor reads the old one in place of its sources, and
# ccache hands out what an earlier state of the sources gave.
previous=
for argument; do
  case "$previous $argument" in "-o "*.gch) rm -f "$argument" ;; esac
  previous=$argument
done
exec "$@"
