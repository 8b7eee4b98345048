#!/usr/bin/env bash
# Lists what the agents recommended during an incident, with nothing but the AWS CLI and jq.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: view-recommendations.sh INCIDENT [options]

List an incident's recommendations, newest first. Requires the AWS CLI (1 or 2) and jq.

Options:
  --table NAME         table [default: $RECOMMENDATIONS_TABLE, else opx-agent-recommendations]
  --region NAME        AWS region [default: $AWS_REGION, else the AWS CLI's own configuration]
  --profile NAME       profile from the AWS configuration
  --endpoint-url URL   another DynamoDB endpoint [default: $AWS_ENDPOINT_URL_DYNAMODB, else $AWS_ENDPOINT_URL]
  --json               print full documents as one JSON array; numbers that jq cannot hold exactly become strings
  -h, --help           show this text

Expired items are hidden; DynamoDB deletes them only days later.

Examples:
  view-recommendations.sh incident-aws-s3-2017-02-28
  view-recommendations.sh incident-7 --json | jq -r '.[].reasoning'

Exit codes: 0 done, 1 nothing found or everything has expired, 2 usage error or missing tool, 3 the AWS call failed.
USAGE
}

fail() { # CODE MESSAGE
  printf 'error: %s\n' "$2" >&2
  exit "$1"
}

incident=""
json=false
table="${RECOMMENDATIONS_TABLE:-opx-agent-recommendations}"
region="${AWS_REGION:-}"
profile=""
# Passed explicitly, because not every version of the AWS CLI reads these variables.
endpoint_url="${AWS_ENDPOINT_URL_DYNAMODB:-${AWS_ENDPOINT_URL:-}}"

while (($# > 0)); do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    --json)
      json=true
      shift
      continue
      ;;
    --table | --region | --profile | --endpoint-url)
      (($# >= 2)) && [[ -n $2 ]] || fail 2 "$1 needs a value; see --help"
      ;;
    -*) fail 2 "unknown option $(printf '%q' "$1"); see --help" ;;
    *)
      [[ -z $incident ]] || fail 2 "only one incident at a time; see --help"
      incident="$1"
      shift
      continue
      ;;
  esac
  case "$1" in
    --table) table="$2" ;;
    --region) region="$2" ;;
    --profile) profile="$2" ;;
    --endpoint-url) endpoint_url="$2" ;;
  esac
  shift 2
done
[[ -n $incident ]] || fail 2 "name an incident: view-recommendations.sh INCIDENT (--help shows more)"

command -v aws >/dev/null || fail 2 "the AWS CLI (aws) is not on the PATH: see https://aws.amazon.com/cli/"
command -v jq >/dev/null || fail 2 "jq is not on the PATH: install the package jq, or see https://jqlang.org/"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# The AWS CLI follows LastEvaluatedKey to the end on its own and prints all pages as one document. Settings that change
# that document are passed explicitly, because a profile may have others.
query=(dynamodb query --table-name "$table" --index-name incidentId-timestamp-index --no-scan-index-forward
  --key-condition-expression 'incidentId = :incident')
settings=(--output json --color off)
jq -n --arg incident "$incident" '{":incident": {S: $incident}}' >"$work/values.json"
query+=(--expression-attribute-values "file://$work/values.json")
[[ -z $region ]] || settings+=(--region "$region")
[[ -z $profile ]] || settings+=(--profile "$profile")
[[ -z $endpoint_url ]] || settings+=(--endpoint-url "$endpoint_url")

call() { # FILE ARGUMENTS…: writes AWS's answer to FILE, or exits with the reason why there is none
  local answer="$1"
  shift
  AWS_PAGER="" aws "$@" "${settings[@]}" >"$answer" 2>"$work/error.txt" || refused
}

refused() {
  local reason where
  reason="$(tr -d '\000-\010\013-\037\177' <"$work/error.txt" | tr -s '\n' ' ' | sed 's/^ //; s/ $//')"
  where="table $table${region:+ in $region}${endpoint_url:+ at $endpoint_url}"
  case "$reason" in
    *ResourceNotFoundException*) fail 3 "there is no $where: check --table, --region, --profile and --endpoint-url" ;;
    *AccessDenied*) fail 3 "access to $where is denied: use an identity that is allowed to Query it. AWS says: $reason" ;;
    *"Unable to locate credentials"*) fail 3 "no AWS credentials: run aws sso login, or choose a --profile" ;;
    *"specify a region"*) fail 3 "no AWS region is set: pass --region, or set AWS_REGION" ;;
    *"connect to the endpoint"*) fail 3 "no answer from $where: check --region, --endpoint-url and the network" ;;
    *) fail 3 "the AWS CLI failed on $where: $reason" ;;
  esac
}

call "$work/items.json" "${query[@]}"

# A compact index holds parts of items, which have no digest. Read the whole items from the table, 100 at a time; each
# answer may hold fewer (beyond 16 MB, or when throttled).
jq -c '[.Items[] | select(has("contentDigest") | not) | {recommendationId}]' "$work/items.json" >"$work/keys.json"
attempts=0
: >"$work/whole.json"
while [[ $(jq length "$work/keys.json") != 0 ]]; do
  ((attempts++ < 1000)) || fail 3 "the table $table is throttling reads: try again in a moment"
  jq -c --arg table "$table" '{($table): {Keys: .[:100], ConsistentRead: true}}' "$work/keys.json" >"$work/request.json"
  call "$work/answer.json" dynamodb batch-get-item --request-items "file://$work/request.json"
  jq -c --arg table "$table" '.Responses[$table][]' "$work/answer.json" >>"$work/whole.json"
  jq -c --arg table "$table" --slurpfile answer "$work/answer.json" \
    '($answer[0].UnprocessedKeys[$table].Keys // []) + .[100:]' "$work/keys.json" >"$work/rest.json"
  [[ $(jq '.UnprocessedKeys | length' "$work/answer.json") == 0 ]] || sleep 1
  mv "$work/rest.json" "$work/keys.json"
done
if ((attempts > 0)); then
  # Leave out what was deleted after the index was read.
  jq -c --slurpfile whole "$work/whole.json" '
    ($whole | map({(.recommendationId.S): .}) | add) as $by_id
    | .Items |= map(if has("contentDigest") then . else $by_id[.recommendationId.S] // empty end)
  ' "$work/items.json" >"$work/complete.json"
  mv "$work/complete.json" "$work/items.json"
fi

current='def current: .ttl.N == null or (.ttl.N | tonumber) > now;'
shown="$(jq "$current"'[.Items[] | select(current)] | length' "$work/items.json")"
hidden="$(jq "$current"'[.Items[] | select(current | not)] | length' "$work/items.json")"

# shellcheck disable=SC2016 # $names below are jq's
decode="$current"'
  def plain:
    if has("N") then (.N | tonumber) as $number | if ($number | tostring) == .N then $number else .N end
    elif has("M") then .M | map_values(plain)
    elif has("L") then .L | map(plain)
    elif has("NULL") then null
    else to_entries[0].value end;
  [.Items[] | select(current) | map_values(plain)]'

if [[ $json == true ]]; then
  # ASCII only: agent output is untrusted, and JSON leaves some characters unescaped that a terminal obeys.
  jq --ascii-output "$decode" "$work/items.json"
elif ((shown > 0)); then
  width=200
  [[ ! -t 1 ]] || width="$(tput cols 2>/dev/null || echo 80)"
  # shellcheck disable=SC2016 # $names below are jq's
  jq -r --argjson width "$width" "$decode"' as $documents |
    def text: if . == null then "" elif type == "string" then . else tojson end;
    def steering: . < 32 or (. >= 127 and . < 160) or . == 173 or . == 1564 or . == 8203 or . == 8206 or . == 8207
      or (. >= 8232 and . <= 8238) or (. >= 8288 and . <= 8303) or . == 65279 or (. >= 917504 and . <= 917631);
    def hex($digits):
      if $digits == 0 then "" else (. / 16 | floor | hex($digits - 1)) + "0123456789abcdef"[. % 16:][:1] end;
    def escape: if . < 256 then "\\x" + hex(2) elif . < 65536 then "\\u" + hex(4) else "\\U" + hex(8) end;
    def visible: explode | map(if steering then escape else [.] | implode end) | join("");
    def pad($columns): . + " " * ([$columns - length, 0] | max) | .[:$columns];
    def columns($time; $agent; $confidence; $status; $text):
      [($time | pad(27)), ($agent | pad(20)), ($confidence | pad(10)), ($status | pad(8)), $text] | join("  ")
      | .[:$width] | sub(" +$"; "");
    # The summary that recs prints: the reasoning, else the error, else what is recommended, field by field.
    def texts($path):
      to_entries[] | ($path + [.key]) as $here
      | if .value | type == "object" then .value | texts($here)
        elif (.value | type == "string") and .value != "" then {path: $here, text: .value}
        else empty end;
    def rank:
      .path as $path
      | [range($path | length) | select($path[.] | ascii_downcase | contains("recommend"))] as $depths
      | [($depths | min) // ($path | length), -($depths | length)];
    def headline:
      ([.reasoning | text | splits("\n") | select(test("\\S"))] | first | strings | sub("^\\s+"; ""))
      // ([{error: .metadata.error?} | texts([])] as $errors
        | (if $errors == [] then [.recommendation | objects | texts([])] | sort_by(rank) else $errors end)
        | if . == [] then null else map("\(.path[-1]): \(.text)") | join(" · ") end)
      // (.recommendation | text);
    columns("completed (UTC)"; "agent"; "confidence"; "status"; "summary"),
    ($documents[] | columns(
      .timestamp | text | visible;
      .agentType | text | visible;
      if .confidence == null then (if .metadata.rawConfidence? then "odd" else "none" end) else .confidence | text end;
      .metadata.status? | text | visible;
      headline[:$width] | visible))' "$work/items.json"
fi

((shown > 0)) || ((hidden == 0)) || fail 1 "everything found for $(printf '%q' "$incident") has expired: $hidden hidden"
((shown > 0)) || fail 1 "no recommendation of $(printf '%q' "$incident") in table $table: check the ID and --table"
note=""
((hidden == 0)) || note=", $hidden expired hidden"
[[ $json == true ]] || printf '\n%s recommendations%s\n' "$shown" "$note" >&2
