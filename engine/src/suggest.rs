//! "Did you mean": the known name that is nearest to an unknown one.

/// The best suggestion for `word`: one that it is a misspelling of, or that shares a whole word with it (`email_addr`
/// for `email`). Of equally near ones, the first.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    best(word, known, |word, name| edits(word, name).or_else(|| Some(3 + unshared(word, name)?)))
}

/// The name that `word` is a misspelling of: it differs in at most two places, and only in one if it is short.
pub fn misspelt<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    best(word, known, edits)
}

/// The first of the names that rank lowest; none ranks that has nothing to do with the word. Case does not count.
fn best<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
    rank: impl Fn(&str, &str) -> Option<usize>,
) -> Option<&'k str> {
    let lower: String = word.chars().take(64).collect::<String>().to_lowercase();
    let others = known.into_iter().filter(|name| *name != word);
    others
        .filter_map(|name| Some((rank(&lower, &name.to_lowercase())?, name)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, name)| name)
}

/// In how many places a misspelling differs.
fn edits(word: &str, name: &str) -> Option<usize> {
    let edits = strsim::osa_distance(word, name);
    // Two edits turn any short word into any other.
    (edits <= 2 && edits * 3 <= word.chars().count().max(3)).then_some(edits)
}

/// How much of two names that share a whole word they do not share.
fn unshared(word: &str, name: &str) -> Option<usize> {
    let parts = |text| str::split(text, ['_', ' ']);
    let shared = parts(word).any(|part| part.len() > 2 && parts(name).any(|of| of == part));
    shared.then(|| word.len().abs_diff(name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_and_shared_words_are_suggested() {
        assert_eq!(nearest("Login", ["Logoff", "Logon", "Other"]), Some("Logon"));
        assert_eq!(nearest("email", ["uid", "email_addr", "name"]), Some("email_addr"));
        assert_eq!(nearest("lowre", ["lower", "upper"]), Some("lower"));
        assert_eq!(nearest("xyz", ["lower", "upper"]), None);
        assert_eq!(nearest("if", ["ip"]), Some("ip"));
        assert_eq!(misspelt("email", ["email_addr", "emial"]), Some("emial"));
        assert_eq!(misspelt("email", ["email_addr"]), None);
    }
}
