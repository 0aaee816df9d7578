#!/usr/bin/python3 -I
"""Draws a Vega-Lite document: render svg|png <document >picture.

Lies beside the package vl_convert, where setup/renderer.sh puts it. The
document's data are inside it: nothing is fetched.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import vl_convert  # noqa: E402

VEGA_LITE = "5.21"


def main() -> None:
    document = sys.stdin.buffer.read().decode()
    if sys.argv[1:] == ["svg"]:
        picture = vl_convert.vegalite_to_svg(
            document, vl_version=VEGA_LITE, allowed_base_urls=[]
        ).encode()
    elif sys.argv[1:] == ["png"]:
        picture = vl_convert.vegalite_to_png(
            document, vl_version=VEGA_LITE, allowed_base_urls=[], scale=2
        )
    else:
        sys.exit("render: say svg or png")
    sys.stdout.buffer.write(picture)


main()
