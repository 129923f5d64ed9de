//! JSON values that are carried without being understood.

use chatrooms_core::Data;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How deep a value may be nested: as deep as common parsers go (serde_json: 128), less what stands around it in a frame.
const MAX_DEPTH: usize = 100;

/// The text of a JSON value in its compact form: white space between its parts removed, every number and string as it was. `None` where it
/// is nested too deep for others to read.
pub(crate) fn compact(value: &RawValue) -> Option<String> {
    let text = value.get();
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut depth) = (false, false, 0_usize);
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            match character {
                ' ' | '\t' | '\n' | '\r' => continue,
                '[' | '{' if depth == MAX_DEPTH => return None,
                '[' | '{' => depth += 1,
                ']' | '}' => depth -= 1,
                _ => in_string = character == '"',
            }
        }
        compact.push(character);
    }
    Some(compact)
}

/// Writes data as the JSON value that it holds. Data that a host has made up wrongly is written as `null`.
#[derive(Debug)]
pub(crate) struct Raw<'a>(pub(crate) &'a Data);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(self.0.as_str()) {
            Ok(value) => value.serialize(serializer),
            Err(_) => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_between_parts_goes() {
        let raw: &RawValue =
            serde_json::from_str("{ \"a b\" :\n[ 1.50 ,\t-0e1, \"x \\\" y \\\\\" , null ] }")
                .unwrap();
        assert_eq!(compact(raw).unwrap(), "{\"a b\":[1.50,-0e1,\"x \\\" y \\\\\",null]}");
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        for (depth, fits) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let raw = RawValue::from_string(text).unwrap();
            assert_eq!(compact(&raw).is_some(), fits, "{depth}");
        }
    }
}
