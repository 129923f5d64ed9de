//! Which user names there are in this application: fewer than the library takes.

use chatrooms::{NameError, UserName};
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::unseen;

/// Why a text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoUserName {
    /// Not for the library either.
    Bad(NameError),
    /// It mixes scripts that no language writes together.
    MixedScripts,
    /// Nobody would see this in it, or everybody something else.
    Unseen(char),
    /// It begins with an accent, which would stand on whatever stands before it.
    BareMark,
}

/// Reads a name from outside, be it a form, a cookie or a file.
pub(crate) fn read(text: &str) -> Result<UserName, NoUserName> {
    let name = UserName::new(text).map_err(NoUserName::Bad)?;
    if let Some(character) = unseen::first(name.as_str()) {
        return Err(NoUserName::Unseen(character));
    }
    if unseen::begins_with_mark(name.as_str()) {
        return Err(NoUserName::BareMark);
    }
    if mixes_scripts(&name) { Err(NoUserName::MixedScripts) } else { Ok(name) }
}

/// Whether a name is beyond the level "Highly Restrictive" of UTS #39. That level has names in one script, whereby Japanese and Korean
/// are one each, and Chinese, Japanese and Korean with Latin among them. What belongs to no script, such as digits and emoji, goes
/// with all. Which characters an identifier may have is another question, and not asked here.
fn mixes_scripts(name: &UserName) -> bool {
    let latin = AugmentedScriptSet::for_char('a').base;
    let (mut all, mut but_latin) = (AugmentedScriptSet::default(), AugmentedScriptSet::default());
    for character in name.as_str().chars() {
        let scripts = AugmentedScriptSet::for_char(character);
        if scripts.base.intersection(latin).is_empty() {
            but_latin.intersect_with(scripts);
        }
        all.intersect_with(scripts);
    }
    let is_east_asian = but_latin.hanb || but_latin.jpan || but_latin.kore;
    all.is_empty() && !is_east_asian
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_their_names_as_they_do() {
        for name in [
            "ada",
            "Zo\u{eb} \u{1f600} 7",
            "\u{1f469}\u{1f3fd}",
            "\u{2764}\u{fe0f}",
            "12345",
            "\u{1d4d0}\u{1d4ed}\u{1d4ea}",
            "\u{410}\u{43d}\u{43d}\u{430} 2",
            "\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7}",
            "\u{633}\u{627}\u{631}\u{629} \u{661}\u{662}",
            "\u{905}\u{926}\u{93f}\u{924}\u{93f}",
            "\u{738b}\u{5c0f}\u{660e}",
            "Anna \u{738b}",
            "\u{738b}\u{3105}\u{3107}",
            "\u{6771}\u{4eac}\u{306e}\u{30a2}\u{30fc}\u{30c8}",
            "DJ \u{3055}\u{304f}\u{3089}",
            "\u{91d1}\u{c724}\u{c544}",
            "Kim \u{c724}\u{c544}",
        ] {
            assert_eq!(read(name).as_ref().map(UserName::as_str), Ok(name));
        }
    }

    #[test]
    fn a_name_can_be_seen_and_nothing_is_hidden_in_it() {
        for (name, why) in [
            ("\u{3164} \u{3164}", NoUserName::Unseen('\u{3164}')),
            ("ada\u{fffc}", NoUserName::Unseen('\u{fffc}')),
            // With digits every script goes.
            ("7\u{2800}", NoUserName::Unseen('\u{2800}')),
            ("7\u{180e}7", NoUserName::Unseen('\u{180e}')),
            ("\u{1f3f4}\u{e0067}\u{e007f}", NoUserName::Unseen('\u{e0067}')),
            ("\u{301}\u{302}", NoUserName::BareMark),
            ("ada\u{200b}", NoUserName::Bad(NameError::Forbidden('\u{200b}'))),
        ] {
            assert_eq!(read(name), Err(why), "{}", name.escape_unicode());
        }
    }

    #[test]
    fn no_name_mixes_what_no_language_does() {
        for name in [
            "\u{440}\u{430}ypal",
            "\u{440}\u{430}\u{443}\u{440}\u{430}l",
            "ad\u{430} \u{1f600}",
            "\u{3bf}mega",
            "\u{43e}\u{3bf}",
            "ad\u{3b1}\u{738b}",
            "\u{430}\u{c724}",
            "\u{3042}\u{c724}",
            "\u{561}d\u{561}",
            "\u{5d0}\u{627}",
        ] {
            assert_eq!(read(name), Err(NoUserName::MixedScripts), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_for_the_library_is_none_here() {
        assert_eq!(read("  "), Err(NoUserName::Bad(NameError::Empty)));
        assert_eq!(
            read(" ada  \n b").map(|name| name.to_string()),
            Err(NoUserName::Bad(NameError::Forbidden('\n')))
        );
    }
}
