"""What the mappings of all tools have in common."""

ACTIVITIES = {
    "chat.completion": (1, "Create"),
    "embedding.create": (1, "Create"),
    "file.upload": (1, "Create"),
    "model.deploy": (1, "Create"),
    "key.create": (1, "Create"),
    "tool.invoke": (2, "Read"),
    "user.login": (2, "Read"),
    "policy.update": (3, "Update"),
    "file.delete": (4, "Delete"),
    "key.revoke": (4, "Delete"),
}
PRICES = {
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "claude-sonnet-4-5": (3.0, 15.0),
    "claude-haiku-4-5": (1.0, 5.0),
    "gemini-2.5-pro": (1.25, 10.0),
    "mistral-large": (2.0, 6.0),
}
USER_TYPES = {"user": (1, "User"), "service": (4, "Service"), "api_key": (4, "Service")}
PROVIDERS = {"gpt-": "OpenAI", "claude-": "Anthropic", "gemini-": "Google"}

# The columns of CSV that are no texts.
INTEGERS = {"status", "input_tokens", "output_tokens", "cached_tokens"}
FLOATS = {"latency_ms", "cost_amount"}
COLUMNS = (
    "id created_at type severity org_id org_name org_region project_id actor_type actor_id actor_email actor_name "
    "session_id actor_ip user_agent target_type target_id target_name request_id model endpoint status latency_ms "
    "input_tokens output_tokens cached_tokens cost_amount trace_id preview"
).split()

# Where the columns that are needed are in JSON.
PATHS = {
    "id": "id",
    "created_at": "created_at",
    "type": "type",
    "org_id": "organization.id",
    "actor_type": "actor.type",
    "actor_id": "actor.id",
    "actor_email": "actor.email",
    "actor_name": "actor.name",
    "actor_ip": "actor.session.ip",
    "user_agent": "actor.session.user_agent",
    "target_type": "target.type",
    "target_id": "target.id",
    "target_name": "target.name",
    "request_id": "request.id",
    "model": "request.model",
    "status": "response.status",
    "input_tokens": "usage.input_tokens",
    "output_tokens": "usage.output_tokens",
    "cost_amount": "cost.amount",
    "trace_id": "metadata.trace_id",
}


def tree():
    """The paths as nested dictionaries, with the names of columns as leaves."""
    root = {}
    for column, path in PATHS.items():
        *parents, leaf = path.split(".")
        node = root
        for name in parents:
            node = node.setdefault(name, {})
        node[leaf] = column
    return root


class Cannot(Exception):
    """Why a tool cannot do the job."""
