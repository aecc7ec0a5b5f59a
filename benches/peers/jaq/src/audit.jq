def milliseconds: ((.[0:19] + "Z") | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
def activities: {
  "chat.completion": [1, "Create"], "embedding.create": [1, "Create"], "file.upload": [1, "Create"],
  "model.deploy": [1, "Create"], "key.create": [1, "Create"],
  "tool.invoke": [2, "Read"], "user.login": [2, "Read"],
  "policy.update": [3, "Update"],
  "file.delete": [4, "Delete"], "key.revoke": [4, "Delete"]
};
def user_types: {"user": [1, "User"], "service": [4, "Service"], "api_key": [4, "Service"]};
def prices: {
  "gpt-5": [1.25, 10], "gpt-5-mini": [0.25, 2], "claude-sonnet-4-5": [3, 15],
  "claude-haiku-4-5": [1, 5], "gemini-2.5-pro": [1.25, 10], "mistral-large": [2, 6]
};
def provider:
  if startswith("gpt-") then "OpenAI"
  elif startswith("claude-") then "Anthropic"
  elif startswith("gemini-") then "Google"
  else "Other" end;
def positive: if . > 0 then . else null end;

select(.type != "heartbeat")
| (activities[.type] // [99, .type, "Other"]) as $activity
| (user_types[.actor.type // ""] // [99, "Other"]) as $user
| (.usage.input_tokens // 0) as $in
| (.usage.output_tokens // 0) as $out
| .request.model as $model
| (.cost.amount // (prices[$model // ""] | if . then ($in * .[0] + $out * .[1]) / 1000000 else null end)) as $cost
| (.response.status | . != null and . < 400) as $success
| {
    class_uid: 6003, class_name: "API Activity",
    category_uid: 6, category_name: "Application Activity",
    activity_id: $activity[0], activity_name: $activity[1],
    type_uid: (600300 + $activity[0]), type_name: ("API Activity: " + ($activity[2] // $activity[1])),
    severity_id: 1, severity: "Informational",
    time: (.created_at | milliseconds),
    metadata: {
      version: "1.8.0", product: {name: "AI Gateway", vendor_name: "Acme"},
      profiles: ["ai_operation"], log_name: "audit-bench", uid: .id, event_code: .type,
      original_time: .created_at, correlation_uid: .metadata.trace_id
    },
    status_id: (if $success then 1 else 2 end),
    status: (if $success then "Success" else "Failure" end),
    status_code: (.response.status | if . then tostring else null end),
    actor: {user: {
      name: (.actor.name // .actor.id), uid: .actor.id,
      email_addr: (.actor.email | if . then ascii_downcase else null end),
      org: {uid: .organization.id}, type_id: $user[0], type: $user[1]
    }},
    src_endpoint: {ip: .actor.session.ip, svc_name: "AI Gateway"},
    ai_model: (if $model then {name: $model, ai_provider: ($model | provider)} else null end),
    message_context: (if .request.id or $in + $out > 0 then {
      uid: .request.id,
      prompt_tokens: ($in | positive), completion_tokens: ($out | positive),
      total_tokens: ($in + $out | positive),
      service: {name: "AI Gateway"}
    } else null end),
    http_request: {user_agent: .actor.session.user_agent},
    resources: [{uid: .target.id, name: .target.name, type: .target.type}],
    api: {operation: .type},
    enrichments: (if $cost and $cost != 0 then [{
      name: "cost_usd", value: ($cost | tostring), type: "cost", provider: "Acme",
      data: {amount: $cost, currency: "USD"}
    }] else [] end)
  }
