//! What nobody sees in a name: characters that show nothing, or that show something else on every machine.

use unicode_normalization::char::is_combining_mark;
use unicode_security::{mixed_script::AugmentedScriptSet, skeleton};

/// The first of them in a text.
///
/// A selector of how an emoji is drawn is let through behind one, as keyboards write it. The library refuses others, such as zero-width ones, before.
pub(crate) fn first(text: &str) -> Option<char> {
    let mut before = None;
    text.chars().find(|character| {
        let before = before.replace(*character);
        is_unseen(*character) && !(is_selector(*character) && before.is_some_and(may_be_drawn_so))
    })
}

/// Whether there is nothing for the first accent to stand on.
pub(crate) fn begins_with_mark(text: &str) -> bool {
    text.chars().next().is_some_and(is_combining_mark)
}

fn is_unseen(character: char) -> bool {
    !character.is_ascii() && (is_blank(character) || is_unknown(character))
}

/// Whether it shows nothing. Most that do have no skeleton, because Unicode has them ignored (`Default_Ignorable_Code_Point`), or that of a space. The others are
/// known one by one: browsers draw nothing for those that they were not made for, and fonts for those that only join or place others.
fn is_blank(character: char) -> bool {
    // Annotations and their object; the head of no note; hieroglyphs' blanks and controls; joiners and fillers of Tifinagh, Brahmi, Khitan and shorthand.
    let is_known = matches!(character, '\u{fff9}'..='\u{fffc}' | '\u{1d159}' | '\u{13430}'..='\u{1345f}'
        | '\u{2d7f}' | '\u{1107f}' | '\u{16fe4}' | '\u{1bc9d}');
    let mut buffer = [0; 4];
    is_known || skeleton(character.encode_utf8(&mut buffer)).all(char::is_whitespace)
}

/// Whether Unicode says nothing of it: for private use, or no character yet.
fn is_unknown(character: char) -> bool {
    AugmentedScriptSet::for_char(character).is_empty()
}

const fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

fn may_be_drawn_so(character: char) -> bool {
    !character.is_alphabetic() && !is_unseen(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_found_wherever_it_stands() {
        for unseen in [
            // Soft hyphen, joiners, fillers of Hangul and Khmer, separators of Mongolian.
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{180b}',
            '\u{180e}',
            '\u{180f}',
            '\u{206a}',
            '\u{3164}',
            '\u{ffa0}',
            // The blank of Braille.
            '\u{2800}',
            // Annotations, their object, and what is reserved beside them.
            '\u{fff0}',
            '\u{fff9}',
            '\u{fffa}',
            '\u{fffb}',
            '\u{fffc}',
            // Variation selectors, where they select nothing.
            '\u{fe00}',
            '\u{fe0e}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{e01ef}',
            // Tags.
            '\u{e0001}',
            '\u{e0020}',
            '\u{e0061}',
            '\u{e007f}',
            // Of scripts that hardly any font has.
            '\u{2d7f}',
            '\u{1107f}',
            '\u{13430}',
            '\u{13441}',
            '\u{13455}',
            '\u{16fe4}',
            '\u{1bc9d}',
            '\u{1bca0}',
            '\u{1d159}',
            '\u{1d173}',
            // For private use, and no characters.
            '\u{e000}',
            '\u{f8ff}',
            '\u{f0000}',
            '\u{10fffd}',
            '\u{378}',
            '\u{fffe}',
        ] {
            for text in [format!("{unseen}"), format!("{unseen}ada"), format!("ad{unseen}a")] {
                assert_eq!(first(&text), Some(unseen), "{}", text.escape_unicode());
            }
        }
    }

    #[test]
    fn what_can_be_seen_is_let_through() {
        for text in [
            "ada 7 _.-",
            "Zo\u{eb} e\u{301}",
            "\u{905}\u{926}\u{93f}\u{924}\u{93f}",
            "\u{e01}\u{e33}",
            "\u{633}\u{627}\u{631}\u{629}",
            "\u{1112}\u{1161}\u{11ab}",
            "\u{1f469}\u{1f3fd} \u{1f1e9}\u{1f1ea}",
            "\u{2764}\u{fe0f} \u{263a}\u{fe0e} 1\u{fe0f}\u{20e3}",
            "\u{2801}\u{2803}",
            "\u{fffd}",
            "\u{13000}",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn an_accent_stands_on_something() {
        for text in ["\u{301}", "\u{301}\u{302}\u{303}", "\u{20dd}ada", "\u{93f}"] {
            assert!(begins_with_mark(text), "{}", text.escape_unicode());
        }
        for text in ["e\u{301}", "\u{e9}", "\u{926}\u{93f}", "ada"] {
            assert!(!begins_with_mark(text), "{text}");
        }
    }
}
