//! The description of the REST API, made from the handlers.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "weir",
        description = "The way in for AI-governance logs: sources, parsers, events.\n\n\
            Every route wants an API key: `Authorization: Bearer wk_...` or `X-Auth-Token`. Lists answer \
            `{\"data\", \"next_cursor\", \"has_more\"}`; errors `{\"error\": {\"type\", \"code\", \"message\"}}`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Keys)
)]
pub(super) struct Description;

/// How requests are authenticated.
struct Keys;

impl Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer.clone()));
        components.add_security_scheme("ingest_secret", SecurityScheme::Http(bearer));
        for (name, header) in
            [("api_key_header", "X-Auth-Token"), ("ingest_secret_header", "X-Weir-Secret")]
        {
            let key = ApiKey::Header(ApiKeyValue::new(header));
            components.add_security_scheme(name, SecurityScheme::ApiKey(key));
        }
    }
}
