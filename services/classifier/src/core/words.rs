//! The words of a text: lower case, without punctuation. Scripts that put no space between words give a word for each
//! letter, numbers only say how many digits they have.

/// Letters of one word; what is longer goes on as another word.
const LETTERS: usize = 48;

/// Calls `take` with each word in order.
pub fn each(text: &str, mut take: impl FnMut(&str)) {
    let mut word = String::new();
    let mut letters = 0;
    for c in text.chars() {
        let alone = stands_alone(c);
        if alone || letters == LETTERS || !c.is_alphanumeric() {
            end(&mut word, &mut take);
            letters = 0;
        }
        if c.is_numeric() {
            word.push('0');
        } else if c.is_alphabetic() {
            word.extend(c.to_lowercase());
        } else {
            continue;
        }
        letters += 1;
        if alone {
            end(&mut word, &mut take);
            letters = 0;
        }
    }
    end(&mut word, &mut take);
}

fn end(word: &mut String, take: &mut impl FnMut(&str)) {
    if !word.is_empty() {
        take(word);
        word.clear();
    }
}

/// Whether a letter belongs to a script that is written without spaces.
pub fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{3040}'..='\u{30ff}' // kana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn words_are_lower_case_and_numbers_say_only_how_long_they_are() {
        assert_eq!(words("In 1945, Schrödinger's cat."), ["in", "0000", "schrödinger", "s", "cat"]);
        assert_eq!(words("量子 力学"), ["量", "子", "力", "学"]);
        assert_eq!(words("КВАНТОВАЯ физика"), ["квантовая", "физика"]);
        assert_eq!(words("?! …"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn what_stands_between_words_makes_no_difference(text in any::<Vec<(String, String)>>()) {
            let spaced: String = text.iter().map(|(word, _)| format!("{word} ")).collect();
            let spread: String = text.iter().map(|(word, _)| format!("{word} -- ! \n")).collect();
            prop_assert_eq!(words(&spaced), words(&spread));
        }

        #[test]
        fn a_word_is_never_empty_and_never_long(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && word.chars().count() <= 3 * LETTERS);
            }
        }
    }
}
