#!/usr/bin/env bash
# From a login to a result, and to a token that stops working. Needs curl and python3, and a running system (make run).
# AUTH and PROCESSOR say where it is; behind the compose stack's gateway both may be http://127.0.0.1:8000.
set -euo pipefail
cd "$(dirname "$0")/.."

AUTH=${AUTH:-http://127.0.0.1:8001} PROCESSOR=${PROCESSOR:-http://127.0.0.1:8002}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
for service in "$AUTH" "$PROCESSOR"; do
  curl -sS --fail -o /dev/null "$service/readyz" || { echo "$service is not ready: start the system with make run"; exit 1; }
done

echo "# Log in"
TOKEN=$(curl -sS "$AUTH/api/login" -H 'content-type: application/json' \
  -d '{"username": "testuser", "password": "testpass"}' | field token)
curl -sS "$AUTH/api/me" -H "authorization: Bearer $TOKEN" | python3 -m json.tool

echo "# Upload a file"
UPLOAD=$(curl -sS "$PROCESSOR/api/uploads" -H "authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' -d '{"filename": "airports.csv"}')
SOURCE=$(field data_source <<<"$UPLOAD")
curl -sS --fail -T examples/data/airports.csv "$(field url <<<"$UPLOAD")"

echo "# Process it"
JOB=$(curl -sS "$PROCESSOR/api/process" -H "authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' -H 'prefer: respond-async' -d @- <<JSON | field processing_id
{
  "data_source": "$SOURCE",
  "config": {
    "filter_condition": "state = 'AK' AND latitude > 70",
    "transformations": [
      {"derive": {"place": "city || ', ' || state", "north": "round(latitude, 2)"}},
      {"sort": ["-north"]},
      {"select": ["iata", "place", "north"]}
    ]
  }
}
JSON
)

echo "# Ask for its status"
curl -sS "$PROCESSOR/api/status/$JOB?wait=30" -H "authorization: Bearer $TOKEN" | python3 -m json.tool

echo "# Get the result"
curl -sS --fail -L "$PROCESSOR/api/results/$JOB" -H "authorization: Bearer $TOKEN"

echo "# The smallest job: a hundred made-up records, no pipeline"
curl -sS "$PROCESSOR/api/process" -H "authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' -d '{"data_source": "test", "config": {}}' | field result_location

echo "# Log out: the token stops working, at the latest after the published bound"
curl -sS --fail -X POST "$AUTH/api/logout" -H "authorization: Bearer $TOKEN"
sleep 2
curl -sS "$PROCESSOR/api/status/$JOB" -H "authorization: Bearer $TOKEN" | field detail
