//! Changes of groups, and of what users may do.

use std::fmt::Write as _;

use super::emits::choose;
use super::{Writer, chain};
use crate::ocsf::ConstraintKind;
use crate::tools::infer::Step;
use crate::tools::init::roles::Part;
use crate::tools::write;

/// Most rights of one event.
const RIGHTS_MAX: u32 = 100;

impl Writer<'_> {
    pub(super) fn group_management(&self, changes: &[(String, &'static str)]) -> String {
        let access = &self.roles.access;
        let mut out = "emit group_management {\n".to_owned();
        let _ = writeln!(out, "  activity_id = {}", choose("what", changes, "Other"));
        self.status(&mut out);
        out.push_str("  # guess: which group was changed, and who it is about\n");
        let group = if access.group.is_empty() { &self.roles.target } else { &access.group };
        let _ = writeln!(out, "  group.name = {}", or_unknown(group));
        let member = self.member(group);
        match chain(&member) {
            _ if self.needs_a_user() => {
                let _ = writeln!(out, "  user.name = {}", or_unknown(&member));
            }
            Some(member) => {
                let _ = writeln!(out, "  user.name = {member}");
            }
            None => {}
        }
        if let Some(rights) = &access.rights {
            let _ = writeln!(out, "  privileges = {}", list(rights));
        }
        self.who_and_where(
            &mut out,
            "group_management",
            group.iter().chain(&member).chain(&access.rights),
        );
        out
    }

    pub(super) fn user_access(&self, changes: &[(String, &'static str)]) -> String {
        let access = &self.roles.access;
        let mut out = "emit user_access {\n".to_owned();
        let _ = writeln!(out, "  activity_id = {}", choose("what", changes, "Other"));
        self.status(&mut out);
        out.push_str("  # guess: who may do more or less now, and what\n");
        let member = self.member(&[]);
        let _ = writeln!(out, "  user.name = {}", or_unknown(&member));
        match &access.rights {
            Some(rights) if rights.steps.contains(&Step::Elements) => {
                let _ = writeln!(
                    out,
                    "  privileges = {}  on missing [\"unknown\"]  on invalid [\"unknown\"]",
                    list(rights)
                );
            }
            Some(rights) => {
                let _ = writeln!(
                    out,
                    "  privileges = [{} ?? \"unknown\"]  on invalid [\"unknown\"]",
                    rights.text
                );
            }
            None => out.push_str("  # No path looks like a right.\n  privileges = [\"unknown\"]\n"),
        }
        self.who_and_where(&mut out, "user_access", member.iter().chain(&access.rights));
        out
    }

    /// Who it is about: the path that says so, else the target.
    fn member(&self, group: &[Part]) -> Vec<Part> {
        let of = match self.roles.access.member.as_slice() {
            [] => &self.roles.target,
            member => return member.to_vec(),
        };
        of.iter().filter(|part| !group.contains(part)).cloned().collect()
    }

    /// Who did it, and from where: where the class has no place for it, beside what else has none.
    fn who_and_where<'p>(
        &self,
        out: &mut String,
        class: &str,
        read: impl Iterator<Item = &'p Part>,
    ) {
        if self.has_attribute(class, "actor") {
            out.push_str("  actor.user {\n");
            self.user(out);
            out.push_str("  }\n");
        } else if !self.roles.actor.is_empty() {
            out.push_str("  unmapped.who = who\n");
        }
        match self.roles.ip.first() {
            Some(ip) if !self.has_attribute(class, "src_endpoint") => {
                let _ = writeln!(out, "  unmapped.source_ip = {}", ip.text);
            }
            _ => self.endpoint(out),
        }
        self.unmapped_beside(out, read.map(|part| part.steps.clone()));
        out.push_str("}\n");
    }

    fn has_attribute(&self, class: &str, attribute: &str) -> bool {
        let attributes = self.ocsf.class(class).map(|class| &class.attributes);
        let attribute = attributes.and_then(|attributes| attributes.get(attribute));
        attribute.is_some_and(|attribute| attribute.exists_with(&[]))
    }

    /// Before OCSF 1.5 a change of a group is about a user or about rights.
    fn needs_a_user(&self) -> bool {
        let class = self.ocsf.class("group_management");
        class.into_iter().flat_map(|class| &class.constraints).any(|constraint| {
            constraint.kind == ConstraintKind::AtLeastOne && constraint.members.contains(&"user")
        })
    }
}

fn or_unknown(parts: &[Part]) -> String {
    match chain(parts) {
        Some(paths) => format!("{paths}  on missing \"unknown\"  on invalid \"unknown\""),
        None => write::text("unknown"),
    }
}

/// The rights as a list.
fn list(rights: &Part) -> String {
    match rights.steps.contains(&Step::Elements) {
        true => format!("{} |> take({RIGHTS_MAX})", rights.text),
        false => format!("[{}]", rights.text),
    }
}
