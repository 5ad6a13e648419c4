#!/bin/sh
# Ensures that the namespace exists with the configured retention.
set -eu

operator() {
  temporal operator --address "$TEMPORAL_ADDRESS" --namespace "$TEMPORAL_NAMESPACE" "$@"
}

attempts=60
until operator cluster health >/dev/null 2>&1; do
  attempts=$((attempts - 1))
  if [ "$attempts" -eq 0 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS did not become healthy; see the log of the service temporal" >&2
    exit 1
  fi
  sleep 2
done

if operator namespace describe >/dev/null 2>&1; then
  operator namespace update --retention "$RETENTION"
else
  operator namespace create --retention "$RETENTION"
fi
