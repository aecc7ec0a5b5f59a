//! What an attribute that OCSF does not have was meant to be.
//!
//! Asked in this order: a column of `event`, a word of logs for which OCSF has a place, a name that is nearly one here, one
//! that a later version has, one that stands elsewhere in the class.

use super::Checker;
use super::emit::{Draft, Shape};
use crate::ocsf::{self, Attribute, Attributes, Class};
use weir_engine::suggest;

/// What is said about an unknown attribute, and what to write for it.
pub(super) struct Meant {
    pub(super) help: String,
    pub(super) instead: Option<String>,
}

/// Words of logs and the places that OCSF has for them; the first that the class has is meant.
const WORDS: &[(&[&str], &[&str])] = &[
    (
        &[
            "src_ip",
            "source_ip",
            "client_ip",
            "ip",
            "ip_address",
            "remote_addr",
            "sourceip",
            "srcip",
        ],
        &["src_endpoint.ip", "device.ip"],
    ),
    (&["dst_ip", "dest_ip", "destination_ip", "server_ip"], &["dst_endpoint.ip"]),
    (&["src_port", "source_port"], &["src_endpoint.port"]),
    (&["dst_port", "dest_port", "destination_port"], &["dst_endpoint.port"]),
    (
        &["user", "username", "user_name", "login", "account", "principal"],
        &["actor.user.name", "user.name"],
    ),
    (
        &["email", "user_email", "mail", "email_address"],
        &["actor.user.email_addr", "user.email_addr"],
    ),
    (&["user_id", "userid", "uid", "actor_id"], &["actor.user.uid", "user.uid"]),
    (&["user_agent", "useragent", "ua", "agent"], &["http_request.user_agent"]),
    (&["session_id", "session", "sid"], &["actor.session.uid", "session.uid"]),
    (&["hostname", "host", "computer", "machine"], &["device.hostname", "src_endpoint.hostname"]),
    (&["url", "uri"], &["http_request.url.url_string", "url.url_string"]),
    (&["method", "http_method", "verb"], &["http_request.http_method"]),
    (&["description", "msg", "text", "summary"], &["message"]),
    (&["result", "outcome", "success"], &["status_id"]),
    (&["level", "priority"], &["severity_id"]),
    (&["operation", "api_call", "endpoint"], &["api.operation"]),
    (&["country"], &["src_endpoint.location.country"]),
    (&["model", "model_name"], &["ai_model.name"]),
    (&["file_name", "filename", "path"], &["file.name"]),
    (&["org", "organization", "tenant", "organisation"], &["actor.user.org.name", "user.org.name"]),
];

/// Words for what `event` holds.
const COLUMNS: &[(&str, &[&str])] = &[
    ("time", &["timestamp", "date", "datetime", "created_at", "event_time", "ts"]),
    ("id", &["id", "event_id", "source_event_id"]),
    ("target", &["target", "object"]),
    ("action", &["action", "event_type", "event_name"]),
    ("cost_usd", &["cost", "cost_usd", "price"]),
    ("tokens_input", &["tokens_input", "input_tokens", "prompt_tokens"]),
    ("tokens_output", &["tokens_output", "output_tokens", "completion_tokens"]),
    ("extra.NAME", &["extra"]),
];

impl Checker<'_> {
    /// `has_steps`: the line goes on with an attribute of it.
    pub(super) fn meant_attribute(
        &self,
        object: &Draft,
        name: &str,
        has_steps: bool,
    ) -> Option<Meant> {
        let attributes = object.shape.attributes()?;
        let profiles = self.profiles();
        let is_on = |attribute: &&Attribute| attribute.exists_with(&profiles);
        if let Shape::Class(class) = object.shape
            && let Some(meant) = if has_steps {
                self.object_of_class(class, name)
            } else {
                self.of_class(class, object, name)
            }
        {
            return Some(meant);
        }
        let known = || attributes.iter().filter(is_on).map(|attribute| attribute.name);
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        let near = known()
            .find(|known| plain(known) == plain(name))
            .or_else(|| suggest::misspelt(name, known()));
        let renamed = |near: &str| Meant {
            help: format!("it is called `{near}` in OCSF"),
            instead: Some(near.to_owned()),
        };
        if let Some(near) = near {
            return Some(renamed(near));
        }
        if let Some(version) = self.since(object.shape, name) {
            let pin = self.head.schema.version;
            let help = format!("OCSF {version} has it, this file pins {pin}");
            return Some(Meant { help, instead: None });
        }
        if let Some(near) = suggest::nearest(name, known()) {
            return Some(renamed(near));
        }
        let Shape::Class(class) = object.shape else { return None };
        let way = self.elsewhere(class, name)?;
        Some(Meant { help: format!("it stands in `{way}`"), instead: None })
    }

    /// An object that stands elsewhere in the class: `user` for `actor.user`.
    fn object_of_class(&self, class: &'static Class, name: &str) -> Option<Meant> {
        let way = self.elsewhere(class, name)?;
        Some(Meant { help: format!("it stands in `{way}`"), instead: Some(way) })
    }

    fn of_class(&self, class: &'static Class, object: &Draft, name: &str) -> Option<Meant> {
        let lower = name.to_lowercase();
        let column = COLUMNS.iter().find(|(_, words)| words.contains(&&*lower));
        if let Some((column, _)) = column {
            let help = format!("write it into `event {{ }}`: `{column} = ...`");
            return Some(Meant { help, instead: None });
        }
        let (_, ways) = WORDS.iter().find(|(words, _)| words.contains(&&*lower))?;
        let way = ways.iter().find(|way| self.leads_somewhere(&class.attributes, way))?;
        let first = way.split('.').next().unwrap_or_default();
        let free = object.get(first).is_none();
        Some(Meant {
            help: format!("OCSF has `{way}` for it"),
            instead: free.then(|| (*way).to_owned()),
        })
    }

    /// Whether every step of a way exists under the profiles switched on.
    fn leads_somewhere(&self, attributes: &'static Attributes, way: &str) -> bool {
        let (first, rest) = way.split_once('.').map_or((way, None), |(a, b)| (a, Some(b)));
        let Some(attribute) = attributes.get(first) else { return false };
        if !attribute.exists_with(&self.profiles()) || attribute.is_array {
            return false;
        }
        let Some(rest) = rest else { return true };
        let inner = self.shape_of(attribute).and_then(Shape::attributes);
        inner.is_some_and(|inner| self.leads_somewhere(inner, rest))
    }

    /// The first later version in which the object has the attribute.
    fn since(&self, shape: Shape, name: &str) -> Option<&'static str> {
        let pin = ocsf::VERSIONS.iter().position(|known| *known == self.head.schema.version)?;
        ocsf::VERSIONS[pin + 1..].iter().copied().find(|version| {
            ocsf::schema(version).is_some_and(|schema| {
                let attributes = match shape {
                    Shape::Class(class) => schema.class(class.name).map(|class| &class.attributes),
                    Shape::Object(object) => {
                        schema.object(object.name).map(|object| &object.attributes)
                    }
                    Shape::Free => None,
                };
                attributes.is_some_and(|attributes| attributes.get(name).is_some())
            })
        })
    }

    /// Where an object of the class has an attribute of this name, two steps deep.
    fn elsewhere(&self, class: &'static Class, name: &str) -> Option<String> {
        let profiles = self.profiles();
        let inner = |attribute: &Attribute| {
            let open = attribute.exists_with(&profiles) && !attribute.is_array;
            if open { self.shape_of(attribute).and_then(Shape::attributes) } else { None }
        };
        let mut first = class.attributes.iter().collect::<Vec<_>>();
        first.sort_by_key(|attribute| attribute.name != "actor");
        for attribute in &first {
            let Some(attributes) = inner(attribute) else { continue };
            if attributes.get(name).is_some() {
                return Some(format!("{}.{name}", attribute.name));
            }
            for second in attributes.iter() {
                if inner(second).is_some_and(|attributes| attributes.get(name).is_some()) {
                    return Some(format!("{}.{}.{name}", attribute.name, second.name));
                }
            }
        }
        None
    }
}
