# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
#
# Puts the programs of the environment back on PATH, after what the user has put first and before the system's, where a
# login shell has removed them. Every shell of a server reads this file; it changes nothing if they are there.
case ${HUBFLEET_PATH:+:$PATH:} in
  '' | *":$HUBFLEET_PATH:"*) ;;
  *)
    PATH=$(
      first='' rest=$PATH:
      while [ -n "$rest" ]; do
        case ${rest%%:*} in
          /usr/local/sbin | /usr/local/bin | /usr/sbin | /usr/bin | /sbin | /bin) break ;;
        esac
        first=$first${rest%%:*}:
        rest=${rest#*:}
      done
      rest=${rest%:}
      printf %s "$first$HUBFLEET_PATH${rest:+:$rest}"
    )
    export PATH
    ;;
esac
