//! Secrets at rest: hashed under a key, or encrypted.
//!
//! Everything hangs on one master key of 32 random bytes: in `WEIR_MASTER_KEY`, or in the file `master.key` beside the
//! store, which is made at the first start and readable by its owner only. HKDF makes two keys of it, one for hashes and
//! one for encryption, so that nothing learned about the one says anything about the other.
//!
//! - What only has to be recognised (API keys, webhook secrets) is kept as HMAC-SHA256. Those secrets are 32 random bytes,
//!   so a slow password hash would add nothing.
//! - What has to be used again (credentials for upstream, records of dead letters) is kept under XChaCha20-Poly1305, whose
//!   nonces are long enough to be random. What it belongs to is authenticated with it, so that a sealed value that is moved
//!   to another row does not open there.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The variable that holds the master key, as 32 bytes in base64.
pub const VARIABLE: &str = "WEIR_MASTER_KEY";
/// The file that holds it otherwise, in the same form.
const FILE: &str = "master.key";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// What compresses to less than this is never worth it.
const COMPRESS_BYTES_MIN: usize = 128;
/// A sealed record decompresses to no more than this.
const OPENED_BYTES_MAX: usize = 256 << 20;

/// Why there is no key to use.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// What is in the variable is no key.
    #[error("{VARIABLE} is not a key: give 32 random bytes in base64 (`openssl rand -base64 32`)")]
    Variable,
    /// What is in the file is no key.
    #[error("`{}` is not a key: it holds 32 bytes in base64; restore it from your back-up", path.display())]
    File {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("`{0}` may be read by others (mode {mode:o}); run `chmod 600 {0}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be read or made.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Hashes, seals and opens secrets. Its `Debug` shows nothing.
pub struct Vault {
    hash_key: [u8; KEY_BYTES],
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault of a data folder: by the variable if it is set, else by the folder's file, which is made if there is none.
    ///
    /// # Errors
    ///
    /// What is there is no key, others may read it, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        match std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
            Some(text) => {
                let key = text.to_str().and_then(decode_key).ok_or(VaultError::Variable)?;
                Ok(Self::new(&key))
            }
            None => Self::open_file(&folder.join(FILE)),
        }
    }

    /// The vault of a master key.
    pub fn new(master: &[u8; KEY_BYTES]) -> Self {
        let derive = |purpose: &str| {
            let mut key = [0; KEY_BYTES];
            Hkdf::<Sha256>::new(None, master)
                .expand(purpose.as_bytes(), &mut key)
                .expect("HKDF gives far more than 32 bytes");
            key
        };
        let cipher = XChaCha20Poly1305::new(&derive("weir seal 1").into());
        Self { hash_key: derive("weir hash 1"), cipher }
    }

    fn open_file(path: &Path) -> Result<Self, VaultError> {
        let failed = |source| VaultError::Io { path: path.to_owned(), source };
        match make_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::Open { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        let file = fs::File::open(path).map_err(failed)?;
        file.take(1024).read_to_string(&mut text).map_err(failed)?;
        let key = decode_key(&text).ok_or_else(|| VaultError::File { path: path.to_owned() })?;
        Ok(Self::new(&key))
    }

    /// The keyed hash of a secret.
    pub fn hash(&self, secret: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.hash_key)
            .expect("HMAC takes a key of any length");
        mac.update(secret);
        mac.finalize().into_bytes().into()
    }

    /// Whether a secret has this hash. Takes as long for a wrong one as for a right one.
    pub fn matches(&self, secret: &[u8], hash: &[u8]) -> bool {
        self.hash(secret).ct_eq(hash).into()
    }

    /// Encrypts bytes, smaller if they can be compressed. `what` names the place where they are kept.
    pub fn seal(&self, bytes: &[u8], what: &str) -> Vec<u8> {
        let packed = match bytes.len() {
            0..COMPRESS_BYTES_MIN => None,
            _ => zstd::bulk::compress(bytes, 1).ok().filter(|packed| packed.len() < bytes.len()),
        };
        let mut plain = vec![u8::from(packed.is_some())];
        plain.extend_from_slice(packed.as_deref().unwrap_or(bytes));
        let nonce: [u8; NONCE_BYTES] = random();
        let payload = Payload { msg: &plain, aad: what.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        [&nonce[..], &sealed.expect("a record is shorter than the cipher's limit")].concat()
    }

    /// Decrypts what [`seal`](Self::seal) made; `None` if it is anything else, or belongs elsewhere.
    pub fn open_sealed(&self, sealed: &[u8], what: &str) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: what.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        match plain.split_first()? {
            (0, bytes) => Some(bytes.to_vec()),
            (1, packed) => {
                let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
                let size = usize::try_from(size).ok().filter(|&size| size <= OPENED_BYTES_MAX)?;
                zstd::bulk::decompress(packed, size).ok()
            }
            _ => None,
        }
    }
}

/// A new secret that people copy: a prefix that says what it is, and 32 random bytes.
pub fn new_secret(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()))
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

fn decode_key(text: &str) -> Option<[u8; KEY_BYTES]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// Makes the file with a new key, whole or not at all, unless there is one.
fn make_file(path: &Path) -> std::io::Result<()> {
    if path.try_exists()? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&draft)?;
    let made = file
        .write_all(format!("{}\n", STANDARD.encode(random::<KEY_BYTES>())).as_bytes())
        .and_then(|()| file.sync_all())
        // Never in the place of a key that somebody else has made meanwhile.
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_where_it_belongs_and_nowhere_else() {
        let vault = Vault::new(&[1; 32]);
        for bytes in [&b""[..], b"secret", &b"a record that repeats itself, ".repeat(100)] {
            let sealed = vault.seal(bytes, "source 1");
            assert_eq!(vault.open_sealed(&sealed, "source 1").as_deref(), Some(bytes));
            assert_eq!(vault.open_sealed(&sealed, "source 2"), None);
            assert_eq!(Vault::new(&[2; 32]).open_sealed(&sealed, "source 1"), None);
            for at in 0..sealed.len() {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1;
                assert_eq!(vault.open_sealed(&damaged, "source 1"), None);
                assert_eq!(vault.open_sealed(&sealed[..at], "source 1"), None);
            }
            assert_ne!(sealed, vault.seal(bytes, "source 1"), "a nonce was used twice");
        }
    }

    #[test]
    fn large_values_are_smaller_when_sealed() {
        let vault = Vault::new(&[1; 32]);
        assert!(vault.seal(&b"0123456789".repeat(1000), "x").len() < 500);
    }

    #[test]
    fn hashes_are_recognised() {
        let vault = Vault::new(&[1; 32]);
        let hash = vault.hash(b"secret");
        assert!(vault.matches(b"secret", &hash));
        assert!(!vault.matches(b"secreT", &hash));
        assert!(!vault.matches(b"secret", &hash[..31]));
        assert_ne!(Vault::new(&[2; 32]).hash(b"secret"), hash);
    }

    #[test]
    fn a_folder_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let sealed = Vault::open_file(&path).unwrap().seal(b"x", "y");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Vault::open_file(&path).unwrap();
        assert_eq!(again.open_sealed(&sealed, "y").as_deref(), Some(&b"x"[..]));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::open_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(matches!(Vault::open_file(&path), Err(VaultError::File { .. })));
    }

    #[test]
    fn secrets_differ_and_are_easy_to_copy() {
        let [one, two] = [new_secret("lw_is_"), new_secret("lw_is_")];
        assert_ne!(one, two);
        assert_eq!(one.len(), "lw_is_".len() + 43);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
    }
}
