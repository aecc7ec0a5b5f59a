//! Names and values as words, and what they usually mean in logs.

/// The words of a name: `sourceIPAddress` is *source*, *ip*, *address*.
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        let starts = before.is_some_and(|before| {
            (before.is_lowercase() || before.is_ascii_digit()) && c.is_uppercase()
                || before.is_uppercase()
                    && c.is_uppercase()
                    && after.is_some_and(|c| c.is_lowercase())
        });
        if starts || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What an action does to its target, as the activities of `api_activity` are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Read,
    Update,
    Delete,
}

impl Verb {
    pub(super) const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    pub(super) fn caption(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

const CREATE: &[&str] = &[
    "create",
    "created",
    "creates",
    "creation",
    "add",
    "added",
    "insert",
    "inserted",
    "new",
    "invite",
    "invited",
    "upload",
    "uploaded",
    "register",
    "registered",
    "generate",
    "generated",
    "issue",
    "issued",
    "sent",
    "post",
    "install",
    "installed",
    "import",
    "imported",
    "publish",
    "published",
    "grant",
    "granted",
    "provision",
    "provisioned",
];
const READ: &[&str] = &[
    "read",
    "view",
    "viewed",
    "get",
    "list",
    "listed",
    "download",
    "downloaded",
    "access",
    "accessed",
    "describe",
    "export",
    "exported",
    "search",
    "query",
    "fetch",
    "fetched",
    "head",
    "clone",
    "show",
    "open",
    "opened",
];
const UPDATE: &[&str] = &[
    "update",
    "updated",
    "updates",
    "change",
    "changed",
    "modify",
    "modified",
    "edit",
    "edited",
    "set",
    "rename",
    "renamed",
    "enable",
    "enabled",
    "disable",
    "disabled",
    "rotate",
    "rotated",
    "share",
    "shared",
    "move",
    "moved",
    "patch",
    "put",
    "transfer",
    "transferred",
    "approve",
    "approved",
    "activate",
    "activated",
    "deactivate",
    "deactivated",
    "suspend",
    "suspended",
    "assign",
    "assigned",
    "reset",
    "restore",
    "restored",
    "configure",
];
const DELETE: &[&str] = &[
    "delete",
    "deleted",
    "deletes",
    "remove",
    "removed",
    "destroy",
    "destroyed",
    "revoke",
    "revoked",
    "archive",
    "archived",
    "purge",
    "purged",
    "uninstall",
    "uninstalled",
    "unassign",
    "unassigned",
    "deprovision",
];

/// What the words of an action say that it does: the last word is looked at first, for `user.created`.
pub(super) fn verb(words: &[String]) -> Option<Verb> {
    let of = |word: &String| {
        let lists = [CREATE, READ, UPDATE, DELETE];
        let found = lists.iter().position(|list| list.contains(&word.as_str()))?;
        Some(Verb::ALL[found])
    };
    words.iter().rev().find_map(of)
}

/// How an action that is a login or logout ended, and which it was; none if it is neither.
pub(super) fn authentication(words: &[String]) -> Option<&'static str> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let pair = |first: &str, second: &str| {
        words.windows(2).any(|pair| pair[0] == first && pair[1] == second)
    };
    let about_settings = has(UPDATE)
        || has(DELETE)
        || has(&["create", "created", "add", "added", "config", "page", "view", "list"]);
    if about_settings {
        None
    } else if has(&["logout", "logoff", "signout"])
        || pair("sign", "out")
        || pair("log", "out")
        || pair("signed", "out")
    {
        Some("Logoff")
    } else if has(&["login", "logon", "signin", "authenticate", "authenticated"])
        || pair("sign", "in")
        || pair("log", "in")
        || pair("signed", "in")
    {
        Some("Logon")
    } else {
        None
    }
}

/// The activity of `account_change`, if the words of an action say that an account changes.
pub(super) fn account_change(words: &[String]) -> Option<&'static str> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&[
        "group", "groups", "team", "teams", "role", "roles", "key", "keys", "token", "tokens",
        "service",
    ]) {
        return None;
    }
    let mfa = has(&["mfa", "2fa", "twofactor"])
        || words.windows(2).any(|pair| pair[0] == "two" && pair[1] == "factor");
    let off = has(&["disable", "disabled", "deactivate", "deactivated", "suspend", "suspended"]);
    let on = has(&[
        "enable",
        "enabled",
        "activate",
        "activated",
        "reactivated",
        "unsuspend",
        "unsuspended",
    ]);
    let requirement =
        has(&["requirement", "required", "policy", "org", "organization", "business", "repo"]);
    if mfa && !requirement {
        return if off {
            Some("MFA Factor Disable")
        } else if on {
            Some("MFA Factor Enable")
        } else {
            None
        };
    }
    if has(&["password"]) && !requirement {
        return if has(&["reset", "forgot"]) {
            Some("Password Reset")
        } else if has(&["change", "changed", "update", "updated"]) {
            Some("Password Change")
        } else {
            None
        };
    }
    if !has(&["user", "users", "account", "accounts"]) || requirement {
        return None;
    }
    match verb(words) {
        _ if has(&["lock", "locked"]) => Some("Lock"),
        _ if has(&["unlock", "unlocked"]) => Some("Unlock"),
        _ if off => Some("Disable"),
        _ if on => Some("Enable"),
        Some(Verb::Create) => Some("Create"),
        Some(Verb::Delete) => Some("Delete"),
        _ => None,
    }
}

/// What was done to a group, or to who is in it: an activity of `group_management`.
pub(super) fn group_change(words: &[String]) -> Option<&'static str> {
    const GROUP: &[&str] = &["group", "groups", "team", "teams"];
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if !has(GROUP) {
        return None;
    }
    if has(&["member", "members", "membership", "user", "users", "memberships"]) {
        return match verb(words) {
            _ if has(&["join", "joined"]) => Some("Add User"),
            _ if has(&["left", "leave"]) => Some("Remove User"),
            _ if has(&["invite", "invited"]) => None,
            _ if has(&["assigned", "assign"]) => Some("Add User"),
            _ if has(&["unassigned", "unassign"]) => Some("Remove User"),
            Some(Verb::Create) => Some("Add User"),
            Some(Verb::Delete) => Some("Remove User"),
            _ => None,
        };
    }
    if let Some(given) = is_given(words) {
        return Some(given);
    }
    // `team.add_repository` is about something else.
    let is_only_group = words.iter().all(|word| {
        let word = word.as_str();
        GROUP.contains(&word)
            || CREATE.contains(&word)
            || DELETE.contains(&word)
            || ["iam", "security", "directory", "admin", "org"].contains(&word)
    });
    match verb(words) {
        Some(Verb::Create) if is_only_group => Some("Create"),
        Some(Verb::Delete) if is_only_group => Some("Delete"),
        _ => None,
    }
}

/// What became of the rights of a user: an activity of `user_access`.
pub(super) fn access_change(words: &[String]) -> Option<&'static str> {
    const NO_USERS: &[&str] =
        &["group", "groups", "team", "teams", "key", "keys", "token", "tokens", "repo", "policy"];
    let is_of_users = words.iter().any(|word| ["user", "users"].contains(&word.as_str()));
    let is_of_others = words.iter().any(|word| NO_USERS.contains(&word.as_str()));
    if is_of_others && !is_of_users { None } else { is_given(words) }
}

/// Are rights given or taken away?
fn is_given(words: &[String]) -> Option<&'static str> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let rights = [
        "role",
        "roles",
        "permission",
        "permissions",
        "privilege",
        "privileges",
        "policy",
        "rights",
    ];
    // `role.created` makes a role and gives nobody anything, but `role.assignment.created` does.
    let assignment = has(&["assignment", "assignments", "binding", "user", "users", "member"]);
    match verb(words) {
        _ if !has(&rights) => None,
        _ if has(&["revoke", "revoked", "unassign", "unassigned", "detach", "detached"]) => {
            Some("Revoke Privileges")
        }
        _ if has(&["grant", "granted", "assign", "assigned", "attach", "attached"]) => {
            Some("Assign Privileges")
        }
        Some(Verb::Create) if assignment => Some("Assign Privileges"),
        Some(Verb::Delete) if assignment => Some("Revoke Privileges"),
        _ => None,
    }
}

/// Whether a value of a status means that it went well.
pub(super) fn went_well(value: &str) -> Option<bool> {
    const GOOD: &[&str] = &[
        "success",
        "succeeded",
        "successful",
        "ok",
        "okay",
        "allow",
        "allowed",
        "pass",
        "passed",
        "true",
        "completed",
        "complete",
        "done",
        "granted",
        "accepted",
        "yes",
        "200",
        "erfolg",
        "erfolgreich",
        "ja",
    ];
    const BAD: &[&str] = &[
        "failure",
        "failed",
        "fail",
        "error",
        "errored",
        "deny",
        "denied",
        "blocked",
        "false",
        "rejected",
        "refused",
        "unauthorized",
        "forbidden",
        "timeout",
        "no",
        "exception",
        "fehler",
        "fehlgeschlagen",
        "nein",
    ];
    let words = words(value);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    match (has(GOOD), has(BAD)) {
        (_, true) => Some(false),
        (true, false) => Some(true),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("sourceIPAddress"), ["source", "ip", "address"]);
        assert_eq!(words("at_sign-timestamp2"), ["at", "sign", "timestamp2"]);
        assert_eq!(words("org.user_added"), ["org", "user", "added"]);
        assert_eq!(words("ÄnderungVon"), ["änderung", "von"]);
        assert!(words("--").is_empty());
    }

    #[test]
    fn actions_are_understood() {
        let of = |action: &str| words(action);
        assert_eq!(verb(&of("claude_chat_created")), Some(Verb::Create));
        assert_eq!(verb(&of("DeleteBucket")), Some(Verb::Delete));
        assert_eq!(verb(&of("Converse")), None);
        assert_eq!(authentication(&of("sso_login_failed")), Some("Logon"));
        assert_eq!(authentication(&of("user.sign_out")), Some("Logoff"));
        assert_eq!(authentication(&of("login_page_updated")), None);
        assert_eq!(account_change(&of("user.deleted")), Some("Delete"));
        assert_eq!(account_change(&of("user.mfa.disabled")), Some("MFA Factor Disable"));
        assert_eq!(account_change(&of("role.assignment.created")), None);
        for (action, activity) in [
            ("group.member_added", Some("Add User")),
            ("AddUserToGroup", Some("Add User")),
            ("team.remove_member", Some("Remove User")),
            ("user_left_group", Some("Remove User")),
            ("group.created", Some("Create")),
            ("DeleteGroup", Some("Delete")),
            ("AttachGroupPolicy", Some("Assign Privileges")),
            ("group_permission_revoked", Some("Revoke Privileges")),
            ("team.add_repository", None),
            ("group.renamed", None),
            ("file.created", None),
        ] {
            assert_eq!(group_change(&of(action)), activity, "{action}");
        }
        for (action, activity) in [
            ("role.assignment.created", Some("Assign Privileges")),
            ("role_assignment_deleted", Some("Revoke Privileges")),
            ("permission_granted", Some("Assign Privileges")),
            ("AttachUserPolicy", Some("Assign Privileges")),
            ("user.role.revoked", Some("Revoke Privileges")),
            ("role.created", None),
            ("AttachRolePolicy", None),
            ("api_key.permissions.granted", None),
            ("user.role.updated", None),
            ("access granted", None),
        ] {
            assert_eq!(access_change(&of(action)), activity, "{action}");
        }
        assert_eq!(went_well("login_failed"), Some(false));
        assert_eq!(went_well("SUCCESS"), Some(true));
        assert_eq!(went_well("pending"), None);
    }
}
