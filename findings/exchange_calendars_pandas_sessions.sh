#!/usr/bin/env bash
# With pandas 3.1, exchange-calendars loses real sessions of Mumbai and Moscow, without an error.
#
# Packages   exchange-calendars 4.13.2 with pandas 3.0.0 and 3.1.1, both of which its metadata admits (pandas>=1.5.0)
# Expected   Which days were sessions depends on the exchange: both give the same calendar. Mumbai traded on Saturday
#            2024-01-20 and, for the budget, on Saturday 2025-02-01, and the package lists both days.
# Seen       The weeks with six days of trading are an offset of the package's own, a subclass of CustomBusinessDay,
#            whose rule pandas 3.1 no longer asks when it makes a range of days:
#                pandas 3.0.0   XBOM 2024-01-20 yes, 2025-02-01 yes    XMOS 15 sessions on Saturdays
#                pandas 3.1.1   XBOM 2024-01-20 no, 2025-02-01 no      XMOS 0 sessions on Saturdays
# Who        Whoever installs or upgrades without pinning pandas, and takes days that are no session for mistakes of
#            a source, counts sessions ahead, or splits a history by sessions.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 3.0.0 3.1.1; do
  "${PYTHON:-python3}" -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check exchange-calendars==4.13.2 "pandas==$version"
  "$work/$version/bin/python" -W ignore - <<'PY' | tee -a "$work/seen"
import exchange_calendars
import pandas

bombay = exchange_calendars.get_calendar("XBOM", start="2010-01-01", end="2026-10-30")
moscow = exchange_calendars.get_calendar("XMOS", start="2010-01-01", end="2026-10-30")
days = ", ".join(f"{day} {'yes' if bombay.is_session(day) else 'no'}" for day in ("2024-01-20", "2025-02-01"))
saturdays = int((moscow.sessions.dayofweek == 5).sum())
print(f"pandas {pandas.__version__}   XBOM {days:33} XMOS {saturdays} sessions on Saturdays")
PY
done
grep -q "pandas 3.0.0   XBOM 2024-01-20 yes, 2025-02-01 yes" "$work/seen"
grep -q "pandas 3.1.1   XBOM 2024-01-20 no, 2025-02-01 no" "$work/seen"
