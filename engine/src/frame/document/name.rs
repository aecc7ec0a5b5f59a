//! Names of members, compared unescaped.

use memchr::memchr;

use crate::project::string;

/// Whether a key, as it is written between its quotes, is `name`. A key that is no text is none.
pub(super) fn is_named(key: &[u8], name: &str) -> bool {
    if memchr(b'\\', key).is_none() {
        return key == name.as_bytes();
    }
    let mut text = String::new();
    std::str::from_utf8(key).is_ok_and(|key| string::unescape_into(key, &mut text).is_some())
        && text == name
}
