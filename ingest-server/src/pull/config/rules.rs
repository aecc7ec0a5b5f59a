//! What a field may hold. Each rule gives the value, or what is wrong and what would be right.

use jiff::civil::Date;
use serde_json::Value;
use url::Url;
use weir_engine::suggest::nearest;

/// The longest key of S3.
const KEY_BYTES_MAX: usize = 1024;

pub(super) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "write a text".to_owned())
}

pub(super) fn yes_or_no(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "write true or false".to_owned())
}

pub(super) fn number(value: &Value, min: u64, max: u64) -> Result<u64, String> {
    value
        .as_u64()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("write a whole number from {min} to {max}"))
}

/// One of some words.
pub(super) fn word<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, String> {
    let names = || words.iter().map(|(name, _)| *name);
    let given = value.as_str();
    if let Some((_, meant)) = words.iter().find(|(name, _)| Some(*name) == given) {
        return Ok(*meant);
    }
    let quoted: Vec<String> = names().map(|name| format!("\"{name}\"")).collect();
    let form = format!("write {}", quoted.join(" or "));
    match given.and_then(|given| nearest(given, names())) {
        Some(near) => Err(format!("{form}; did you mean \"{near}\"?")),
        None => Err(form),
    }
}

/// The rules for general purpose buckets, which the common compatible stores share.
pub(super) fn bucket(value: &Value) -> Result<String, String> {
    const FORM: &str = "a bucket has 3 to 63 lower-case letters, digits, hyphens and dots, and \
                        begins and ends with a letter or digit";
    let name = text(value)?;
    if name.contains("://") || name.contains('/') {
        return Err("write the name of the bucket alone; what comes after it belongs into \
                    `prefix`"
            .to_owned());
    }
    if name.starts_with("arn:") {
        return Err(
            "write the name of the bucket (or the alias of the access point) and no ARN".to_owned()
        );
    }
    let is_ours = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    if !(3..=63).contains(&bytes.len())
        || !bytes.iter().all(|byte| is_ours(byte) || b"-.".contains(byte))
        || !ends.iter().all(|end| end.is_some_and(is_ours))
    {
        return Err(FORM.to_owned());
    }
    if ["..", ".-", "-."].iter().any(|pair| name.contains(pair)) {
        return Err(format!("a dot stands between letters or digits; {FORM}"));
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("a bucket cannot be called like an address".to_owned());
    }
    Ok(name.to_owned())
}

pub(super) fn prefix(value: &Value) -> Result<String, String> {
    let prefix = text(value)?;
    if prefix.len() > KEY_BYTES_MAX {
        return Err(format!("a key has at most {KEY_BYTES_MAX} bytes"));
    }
    if prefix.contains("://") {
        return Err("write only what the keys begin with, without the bucket".to_owned());
    }
    if prefix.chars().any(char::is_control) {
        return Err("it has a control character in it".to_owned());
    }
    Ok(prefix.to_owned())
}

pub(super) fn region(value: &Value) -> Result<String, String> {
    let region = text(value)?;
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if region.is_empty() || region.len() > 64 || !region.bytes().all(is_ours) {
        return Err("write a region, such as \"eu-central-1\"".to_owned());
    }
    Ok(region.to_owned())
}

pub(super) fn credential_ref(value: &Value) -> Result<String, String> {
    let name = text(value)?;
    if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
        return Err("write the name of stored credentials, of 1 to 256 characters".to_owned());
    }
    Ok(name.to_owned())
}

/// The root of an HTTP service. The message does not repeat it: people write passwords into URLs.
pub(super) fn endpoint(value: &Value) -> Result<String, String> {
    const FORM: &str = "write the URL of the store, such as \"https://minio.example.com:9000\"";
    let given = text(value)?.trim_end_matches('/');
    let url = match Url::parse(given) {
        Ok(url) if given.len() <= 2048 => url,
        _ => return Err(FORM.to_owned()),
    };
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("it must begin with http:// or https:// and a host; {FORM}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "it must not hold credentials: they belong to the source, where they are encrypted; \
             {FORM}"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it must end before `?` and `#`; {FORM}"));
    }
    Ok(given.to_owned())
}

/// `arn:aws:iam::123456789012:role/path/name`. Other stores write something else for `aws` and leave
/// the account out.
pub(super) fn role_arn(value: &Value) -> Result<String, String> {
    let arn = text(value)?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_role = match parts[..] {
        ["arn", partition, "iam", "", account, role] => {
            !partition.is_empty()
                && (account.is_empty() || account.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        }
        _ => false,
    };
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    if !is_role || !(20..=2048).contains(&arn.len()) || !arn.bytes().all(is_plain) {
        return Err("write the ARN of a role, such as \
                    \"arn:aws:iam::123456789012:role/weir-reader\""
            .to_owned());
    }
    Ok(arn.to_owned())
}

pub(super) fn external_id(value: &Value) -> Result<String, String> {
    let id = text(value)?;
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    if !(2..=1224).contains(&id.len()) || !id.bytes().all(is_ours) {
        return Err("an external id has 2 to 1,224 letters, digits and _+=,.@:/-".to_owned());
    }
    Ok(id.to_owned())
}

/// What a session may be called, made of what it should be called.
pub(super) fn session_name(wanted: &str) -> String {
    let is_ours = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
    let name: String = wanted.chars().filter(is_ours).take(64).collect();
    if name.len() < 2 { "weir".to_owned() } else { name }
}

/// The bounds of `max_record` in a program.
pub(super) fn record_bytes_max(value: &Value) -> Result<u32, String> {
    let bytes = number(value, 1 << 10, 256 << 20)?;
    u32::try_from(bytes).map_err(|error| error.to_string())
}

/// A format that gives every day a folder of its own.
pub(super) fn date_format(value: &Value) -> Result<String, String> {
    const FORM: &str = "write what names a day, such as \"%Y/%m/%d/\" or \"dt=%Y-%m-%d/\", of %Y, \
                        %m, %d, %j and %F";
    let format = text(value)?;
    let mut letters = Vec::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some(letter @ ('Y' | 'm' | 'd' | 'j' | 'F')) => letters.push(letter),
                Some('%') => {}
                _ => return Err(FORM.to_owned()),
            },
            c if c.is_control() => return Err(FORM.to_owned()),
            _ => {}
        }
    }
    let has = |wanted: &[char]| wanted.iter().all(|letter| letters.contains(letter));
    if !(has(&['F']) || has(&['Y', 'm', 'd']) || has(&['Y', 'j'])) || format.len() > 256 {
        return Err(FORM.to_owned());
    }
    Ok(format.to_owned())
}

/// A day in a format that [`date_format`] let pass.
pub(in crate::pull) fn day_folder(format: &str, day: Date) -> String {
    day.strftime(format).to_string()
}
