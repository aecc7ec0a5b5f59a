WITH facts AS (
  SELECT *,
    arrow_cast(arrow_cast(created_at, 'Timestamp(Millisecond, None)'), 'Int64') AS time,
    CASE
      WHEN type IN ('chat.completion', 'embedding.create', 'file.upload', 'model.deploy', 'key.create') THEN 1
      WHEN type IN ('tool.invoke', 'user.login') THEN 2
      WHEN type = 'policy.update' THEN 3
      WHEN type IN ('file.delete', 'key.revoke') THEN 4
      ELSE 99
    END AS activity_id,
    CASE
      WHEN type IN ('chat.completion', 'embedding.create', 'file.upload', 'model.deploy', 'key.create') THEN 'Create'
      WHEN type IN ('tool.invoke', 'user.login') THEN 'Read'
      WHEN type = 'policy.update' THEN 'Update'
      WHEN type IN ('file.delete', 'key.revoke') THEN 'Delete'
      ELSE 'Other'
    END AS activity,
    CASE actor_type WHEN 'user' THEN 1 WHEN 'service' THEN 4 WHEN 'api_key' THEN 4 ELSE 99 END AS user_type_id,
    CASE actor_type WHEN 'user' THEN 'User' WHEN 'service' THEN 'Service' WHEN 'api_key' THEN 'Service' ELSE 'Other' END AS user_type,
    coalesce(input_tokens, 0) AS tokens_in,
    coalesce(output_tokens, 0) AS tokens_out,
    coalesce(status < 400, false) AS is_success,
    coalesce(cost_amount, (
      coalesce(input_tokens, 0) * CASE model
        WHEN 'gpt-5' THEN 1.25 WHEN 'gpt-5-mini' THEN 0.25 WHEN 'claude-sonnet-4-5' THEN 3.0
        WHEN 'claude-haiku-4-5' THEN 1.0 WHEN 'gemini-2.5-pro' THEN 1.25 WHEN 'mistral-large' THEN 2.0 END
      + coalesce(output_tokens, 0) * CASE model
        WHEN 'gpt-5' THEN 10.0 WHEN 'gpt-5-mini' THEN 2.0 WHEN 'claude-sonnet-4-5' THEN 15.0
        WHEN 'claude-haiku-4-5' THEN 5.0 WHEN 'gemini-2.5-pro' THEN 10.0 WHEN 'mistral-large' THEN 6.0 END
    ) / 1e6) AS cost
  FROM records WHERE type <> 'heartbeat'
)
SELECT
  6003 AS class_uid, 'API Activity' AS class_name,
  6 AS category_uid, 'Application Activity' AS category_name,
  activity_id, CASE activity_id WHEN 99 THEN type ELSE activity END AS activity_name,
  600300 + activity_id AS type_uid, 'API Activity: ' || activity AS type_name,
  1 AS severity_id, 'Informational' AS severity, time,
  named_struct(
    'version', '1.8.0', 'product', named_struct('name', 'AI Gateway', 'vendor_name', 'Acme'),
    'profiles', make_array('ai_operation'), 'log_name', 'audit-bench', 'uid', id, 'event_code', type,
    'original_time', created_at, 'correlation_uid', trace_id
  ) AS metadata,
  CASE WHEN is_success THEN 1 ELSE 2 END AS status_id,
  CASE WHEN is_success THEN 'Success' ELSE 'Failure' END AS status,
  arrow_cast(status, 'Utf8') AS status_code,
  named_struct('user', named_struct(
    'name', coalesce(actor_name, actor_id), 'uid', actor_id, 'email_addr', lower(actor_email),
    'org', named_struct('uid', org_id), 'type_id', user_type_id, 'type', user_type
  )) AS actor,
  named_struct('ip', actor_ip, 'svc_name', 'AI Gateway') AS src_endpoint,
  named_struct('name', model, 'ai_provider', CASE
    WHEN model IS NULL THEN NULL
    WHEN starts_with(model, 'gpt-') THEN 'OpenAI'
    WHEN starts_with(model, 'claude-') THEN 'Anthropic'
    WHEN starts_with(model, 'gemini-') THEN 'Google'
    ELSE 'Other'
  END) AS ai_model,
  named_struct(
    'uid', request_id, 'prompt_tokens', nullif(tokens_in, 0), 'completion_tokens', nullif(tokens_out, 0),
    'total_tokens', nullif(tokens_in + tokens_out, 0),
    'service', named_struct('name', CASE WHEN request_id IS NOT NULL OR tokens_in + tokens_out > 0 THEN 'AI Gateway' END)
  ) AS message_context,
  named_struct('user_agent', user_agent) AS http_request,
  make_array(named_struct('uid', target_id, 'name', target_name, 'type', target_type)) AS resources,
  named_struct('operation', type) AS api,
  CASE WHEN cost <> 0 THEN make_array(named_struct(
    'name', 'cost_usd', 'value', arrow_cast(cost, 'Utf8'), 'type', 'cost', 'provider', 'Acme',
    'data', named_struct('amount', cost, 'currency', 'USD')
  )) END AS enrichments
FROM facts
