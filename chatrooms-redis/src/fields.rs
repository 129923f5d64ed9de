//! How texts stand beside each other in one value: each with its length in front, `-` for one that is not there. The scripts read it too.

use std::fmt::Write as _;

/// Appends a text, or that there is none.
pub(crate) fn write(fields: &mut String, text: Option<&str>) {
    // Writing to a string cannot fail.
    let _ = match text {
        Some(text) => write!(fields, "{}:{text}", text.len()),
        None => fields.write_str("-"),
    };
}

/// These texts, one after the other.
pub(crate) fn of<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut fields = String::new();
    texts.into_iter().for_each(|text| write(&mut fields, text));
    fields
}

/// Reads texts in their order; `None` where there is something else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a str);

impl<'a> Fields<'a> {
    pub(crate) fn next(&mut self) -> Option<Option<&'a str>> {
        if let Some(rest) = self.0.strip_prefix('-') {
            self.0 = rest;
            return Some(None);
        }
        let (length, rest) = self.0.split_once(':')?;
        let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
        self.0 = rest;
        Some(Some(text))
    }

    /// One that has to be there.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.next()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let texts = [Some("ada"), None, Some(""), Some("-3:x"), Some("käse:\n"), None];
        let written = of(texts);
        let mut fields = Fields(&written);
        assert_eq!(texts.map(|_| fields.next()), texts.map(Some));
        assert_eq!(fields.next(), None);
    }

    #[test]
    fn what_was_cut_off_is_nothing() {
        for text in ["", "3:ab", "x:ab", "3", "1:ä"] {
            assert_eq!(Fields(text).next(), None, "{text}");
        }
    }
}
