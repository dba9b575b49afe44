#!/bin/sh
# `awesome extract` as the first of two containers of a pod: exit code 3 (some shares are behind or failed, all others are
# stored, or a return is wrong) counts as success, so that what was had is pushed. The last lines of the report become the container's
# termination message, where `kubectl describe pod` shows them, with the code as it was.
set -u
message=${TERMINATION_LOG:-/dev/termination-log}
report=$(mktemp)

# A shell would not pass the signal on, and the extractor ends well by itself when it is told.
awesome extract "$@" > "$report" &
extractor=$!
trap 'kill -TERM "$extractor" 2> /dev/null' TERM INT
wait "$extractor"
code=$?
while kill -0 "$extractor" 2> /dev/null; do
  wait "$extractor"
  code=$?
done
cat "$report"

# On any other code the message is left empty, and Kubernetes takes the end of the log, where the error is.
case $code in
  0) outcome="all shares are current" ;;
  3) outcome="a part: some shares are behind or failed, or a return is wrong" ;;
  4) outcome="nothing could be had" ;;
  *) exit "$code" ;;
esac
{ echo "exit code $code: $outcome"; tail -n 1 "$report"; } > "$message"
[ "$code" -eq 3 ] && exit 0
exit "$code"
