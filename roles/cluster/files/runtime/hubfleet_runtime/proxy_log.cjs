// Copyright: (c) 2026, Hubfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Loaded before configurable-http-proxy: what cannot be logged is lost. Otherwise, if the disk is full, the proxy logs
// the error of its log as an uncaught exception, which fails again, and it stops answering.
"use strict";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => {});
}
