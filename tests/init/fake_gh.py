# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake ``gh api``: keeps the comments of one issue in the file GH_COMMENTS, and logs requests to GH_REQUESTS."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

import jq


def main() -> int:
    """Answer one request as GitHub does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["api"])
    parser.add_argument("path")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--field")
    parser.add_argument("--jq")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    request = parser.parse_args()
    if not os.environ.get("GH_TOKEN"):
        print("gh: set the GH_TOKEN environment variable", file=sys.stderr)
        return 4
    store = Path(os.environ["GH_COMMENTS"])
    comments = json.loads(store.read_text(encoding="utf-8"))
    with Path(os.environ["GH_REQUESTS"]).open("a", encoding="utf-8") as requests:
        requests.write(f"{request.method} {request.path}\n")
    one = re.fullmatch(r"repos/university/fleet/issues/comments/(\d+)", request.path)
    if request.method == "GET" and request.path == "repos/university/fleet/issues/12/comments" and request.paginate:
        for found in jq.compile(request.jq).input_value(comments):
            print(found)
        return 0
    key, _separator, file = (request.field or "").partition("=@")
    body = Path(file).read_text(encoding="utf-8") if key == "body" else ""
    if request.method == "POST" and request.path == "repos/university/fleet/issues/12/comments":
        comments.append({"id": 100 + len(comments), "user": {"type": "Bot"}, "body": body})
    elif request.method == "PATCH" and one and any(comment["id"] == int(one[1]) for comment in comments):
        next(comment for comment in comments if comment["id"] == int(one[1]))["body"] = body
    else:
        print(f"gh: Not Found (HTTP 404): {request.method} {request.path}", file=sys.stderr)
        return 1
    store.write_text(json.dumps(comments), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
