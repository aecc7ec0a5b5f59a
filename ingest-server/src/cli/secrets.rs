//! The keys of `hmac`, from files and from the environment. They are never shown.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use weir_dsl::hir::Secret;
use weir_engine::secrets::Secrets;

use crate::console::Failure;

/// Longer keys are no better: the hash has a block of 64 bytes.
const KEY_BYTES_MAX: u64 = 64 << 10;

/// `NAME=FILE`
#[derive(Debug, Clone)]
pub(super) struct SecretFile {
    name: String,
    path: PathBuf,
}

impl SecretFile {
    /// Reads an argument.
    pub(super) fn parse(argument: &str) -> Result<Self, String> {
        match argument.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                Ok(Self { name: name.to_owned(), path: path.into() })
            }
            _ => Err("write NAME=FILE".to_owned()),
        }
    }

    fn key(&self) -> Result<Vec<u8>, Failure> {
        let shown = self.path.display();
        let failed = |error: std::io::Error| {
            Failure::Problem(format!("the secret `{}`: `{shown}`: {error}", self.name))
        };
        let mut key = Vec::new();
        let file = File::open(&self.path).map_err(failed)?;
        file.take(KEY_BYTES_MAX + 1).read_to_end(&mut key).map_err(failed)?;
        if key.len() as u64 > KEY_BYTES_MAX {
            let message = format!("the secret `{}`: `{shown}` is too long for a key", self.name);
            return Err(Failure::Problem(message));
        }
        // Editors end files with a line end; it is not part of the key.
        let text = key.strip_suffix(b"\n").unwrap_or(&key);
        Ok(text.strip_suffix(b"\r").unwrap_or(text).to_vec())
    }
}

/// The keys of all secrets that a program names.
///
/// # Errors
///
/// One was not given, is empty or cannot be read; or one was given that the program does not name.
pub(super) fn gather(wanted: &[Secret], files: &[SecretFile]) -> Result<Secrets, Failure> {
    for (at, file) in files.iter().enumerate() {
        if files[..at].iter().any(|other| other.name == file.name) {
            return Err(Failure::Problem(format!("the secret `{}` is given twice", file.name)));
        }
        if !wanted.iter().any(|secret| secret.name == file.name) {
            return Err(Failure::Problem(format!(
                "the program names no secret `{}`: it {}",
                file.name,
                match wanted {
                    [] => "names none".to_owned(),
                    _ => format!(
                        "names {}",
                        wanted
                            .iter()
                            .map(|secret| secret.name.as_str())
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                }
            )));
        }
    }
    wanted.iter().map(|secret| Ok((secret.name.clone(), key(&secret.name, files)?))).collect()
}

fn key(name: &str, files: &[SecretFile]) -> Result<Vec<u8>, Failure> {
    let variables = variables(name);
    let key = match files.iter().find(|file| file.name == name) {
        Some(file) => Some(file.key()?),
        None => variables.iter().find_map(std::env::var_os).map(|key| key.into_encoded_bytes()),
    };
    match key {
        Some(key) if key.is_empty() => {
            Err(Failure::Problem(format!("the secret `{name}` is empty")))
        }
        Some(key) => Ok(key),
        None => Err(Failure::Problem(format!(
            "the secret `{name}` was not given: use `--secret {name}=FILE`, or the environment variable {}; nothing \
             was read",
            variables[0]
        ))),
    }
}

/// Where a secret may stand: in a name that shells allow, or with its own name.
fn variables(name: &str) -> [String; 2] {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let upper: String = name.chars().map(allowed).collect();
    [format!("WEIR_SECRET_{upper}"), format!("WEIR_SECRET_{name}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> [Secret; 1] {
        [Secret { name: name.to_owned(), version: [0; 32] }]
    }

    #[test]
    fn keys_come_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("key");
            std::fs::write(&path, text).unwrap();
            vec![SecretFile::parse(&format!("users={}", path.display())).unwrap()]
        };
        for (text, key) in [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("a\n\n", "a\n")]
        {
            let secrets = gather(&wanted("users"), &file(text)).unwrap();
            assert_eq!(secrets.key("users"), Some(key.as_bytes()));
        }
        let problem = |wanted: &[Secret], files: &[SecretFile]| match gather(wanted, files) {
            Err(Failure::Problem(problem)) => problem,
            other => panic!("{other:?}"),
        };
        assert!(problem(&wanted("users"), &file("\n")).contains("is empty"));
        assert!(problem(&wanted("others"), &file("abc")).contains("it names others"));
        assert!(problem(&wanted("users"), &[]).contains("--secret users=FILE"));
        assert!(problem(&wanted("my-key"), &[]).contains("WEIR_SECRET_MY_KEY"));
        let twice = [file("abc"), file("abc")].concat();
        assert!(problem(&wanted("users"), &twice).contains("twice"));
        let long = problem(&wanted("users"), &file(&"x".repeat(70_000)));
        assert!(long.contains("too long") && !long.contains("xxx"));
    }

    #[test]
    fn arguments() {
        for wrong in ["", "users", "=key", "users="] {
            assert!(SecretFile::parse(wrong).is_err(), "{wrong}");
        }
        assert!(SecretFile::parse("users=a=b").is_ok());
    }
}
