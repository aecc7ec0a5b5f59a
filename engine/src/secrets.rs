//! The keys of `hmac`.
//!
//! A program names a secret and never holds it: whoever runs the program gives the keys. The compiler binds them, so that
//! a plan is complete; the version of each key is part of the plan's hash, since another key means other output.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The key that every name has where programs are only checked and tested. It protects nothing.
pub const TEST_KEY: &[u8] = b"weir test key";

/// Keys by their names.
#[derive(Clone)]
pub struct Secrets(Keys);

#[derive(Clone)]
enum Keys {
    /// Every name has [`TEST_KEY`].
    Test,
    Given(Arc<BTreeMap<String, Vec<u8>>>),
}

impl Secrets {
    /// Every name has [`TEST_KEY`].
    pub const fn test() -> Self {
        Self(Keys::Test)
    }

    /// The key of a name.
    pub fn key(&self, name: &str) -> Option<&[u8]> {
        match &self.0 {
            Keys::Test => Some(TEST_KEY),
            Keys::Given(keys) => keys.get(name).map(Vec::as_slice),
        }
    }

    /// Tells one key from another without showing it.
    pub fn version(&self, name: &str) -> Option<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(b"weir secret version\0");
        hash.update(self.key(name)?);
        Some(hash.finalize().into())
    }
}

impl FromIterator<(String, Vec<u8>)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(keys: I) -> Self {
        Self(Keys::Given(Arc::new(keys.into_iter().collect())))
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self::test()
    }
}

/// Shows names, never keys.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Keys::Test => f.write_str("Secrets::test()"),
            Keys::Given(keys) => f.debug_set().entries(keys.keys()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_name_and_never_shown() {
        let secrets: Secrets = [("users".to_owned(), b"hidden".to_vec())].into_iter().collect();
        assert_eq!(secrets.key("users"), Some(&b"hidden"[..]));
        assert_eq!(secrets.key("other"), None);
        assert_eq!(format!("{secrets:?}"), "{\"users\"}");
        assert_eq!(Secrets::default().key("any"), Some(TEST_KEY));
        assert_ne!(secrets.version("users"), Secrets::test().version("users"));
        assert_eq!(secrets.version("other"), None);
    }
}
