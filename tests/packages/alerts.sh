#!/bin/bash
# alerts.sh CHECKOUT: the alert rules as Prometheus itself judges them, and whether each fires when it
# should and is quiet before. Exit code 4: skipped, because promtool is not there.
set -euo pipefail
checkout=$1
if ! command -v promtool >/dev/null; then
    echo "skipped: promtool is not installed"
    exit 4
fi
promtool check rules "$checkout/monitoring/alerts.yaml"
promtool test rules "$checkout/tests/packages/alerts_test.yaml"
# An alert without a case in which it fires might be one that never does.
status=0
while read -r alert; do
    grep -A3 "alertname: $alert\$" "$checkout/tests/packages/alerts_test.yaml" | grep -q exp_labels || {
        echo "alerts: no case in which $alert fires"
        status=1
    }
done < <(sed -n 's/^ *- alert: //p' "$checkout/monitoring/alerts.yaml")
exit "$status"
