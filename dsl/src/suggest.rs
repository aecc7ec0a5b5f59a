//! "Did you mean": the known name that is nearest to an unknown one.

/// The best suggestion for `word`: one that differs in at most two places, or shares a whole word (`email` for
/// `email_addr`). Of equally near ones, the first.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower: String = word.chars().take(64).collect::<String>().to_lowercase();
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .filter_map(|candidate| {
            Some((distance_rank(&lower, &candidate.to_lowercase())?, candidate))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
}

/// Smaller is nearer; none if the two have nothing to do with each other.
fn distance_rank(word: &str, candidate: &str) -> Option<usize> {
    let edits = strsim::osa_distance(word, candidate);
    // Two edits turn any short word into any other.
    if edits <= 2 && edits * 3 <= word.chars().count().max(3) {
        return Some(edits);
    }
    let parts = |text: &str| text.split(['_', ' ']).map(str::to_owned).collect::<Vec<_>>();
    let (of_word, of_candidate) = (parts(word), parts(candidate));
    let shared = of_word.iter().any(|part| part.len() > 2 && of_candidate.contains(part));
    shared.then(|| 3 + word.len().abs_diff(candidate.len()))
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
    }
}
