//! What is in a text.

const RUDE: [&str; 3] = ["darn", "dang", "heck"];

/// The text with its rude words starred out.
pub(crate) fn softened(text: &str) -> String {
    let is_end = |character: char| !character.is_alphanumeric();
    let parts = text.split_inclusive(is_end).map(|part| {
        let word = part.trim_end_matches(is_end);
        if RUDE.iter().any(|rude| word.eq_ignore_ascii_case(rude)) {
            part.replacen(word, &"*".repeat(word.len()), 1)
        } else {
            part.to_owned()
        }
    });
    parts.collect()
}

pub(crate) fn has_link(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["://", "www."].iter().any(|mark| text.contains(mark))
}
