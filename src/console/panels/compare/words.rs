//! Two values word by word: what both have, and what only one has.

/// A stretch of a value; `marked`: the other has it not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub marked: bool,
}

/// Both values in pieces. What is too long to be looked at word by word is marked as a whole.
pub fn by_word(left: &str, right: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (a, b) = (words(left), words(right));
    if a.len() > MOST || b.len() > MOST {
        return (vec![Piece { text: left.to_owned(), marked: true }], vec![Piece { text: right.to_owned(), marked: true }]);
    }
    let (in_a, in_b) = common(&a, &b);
    (joined(&a, &in_a), joined(&b, &in_b))
}

/// Which items both lists have, in an order that both keep: a longest common subsequence.
pub fn common<T: PartialEq>(a: &[T], b: &[T]) -> (Vec<bool>, Vec<bool>) {
    let width = b.len() + 1;
    let mut lengths = vec![0_u16; (a.len() + 1) * width];
    let at = |lengths: &[u16], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or_default();
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let length = if x == y { at(&lengths, i + 1, j + 1) + 1 } else { at(&lengths, i + 1, j).max(at(&lengths, i, j + 1)) };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut in_a, mut in_b) = (vec![false; a.len()], vec![false; b.len()]);
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            if let (Some(x), Some(y)) = (in_a.get_mut(i), in_b.get_mut(j)) {
                (*x, *y) = (true, true);
            }
            (i, j) = (i + 1, j + 1);
        } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    (in_a, in_b)
}

/// Runs of letters and digits, and every other character for itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if !(c.is_alphanumeric() || c == '_') {
            words.extend(text.get(start..at).filter(|word| !word.is_empty()));
            start = at + c.len_utf8();
            words.extend(text.get(at..start));
        }
    }
    words.extend(text.get(start..).filter(|word| !word.is_empty()));
    words
}

fn joined(words: &[&str], common: &[bool]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (word, common) in words.iter().zip(common) {
        match pieces.last_mut() {
            Some(last) if last.marked != *common => last.text.push_str(word),
            _ => pieces.push(Piece { text: (*word).to_owned(), marked: !common }),
        }
    }
    pieces
}

/// Words of a value that are looked at one by one.
const MOST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        pieces.iter().map(|p| if p.marked { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn only_the_words_that_differ_are_marked() {
        let (a, b) = by_word("SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK7f3", "SIP/2.0/TCP 10.4.2.11:5061;branch=z9hG4bK7f3;alias");
        assert_eq!(shown(&a), "SIP/2.0/[UDP] 10.4.2.11:[5060];branch=z9hG4bK7f3");
        assert_eq!(shown(&b), "SIP/2.0/[TCP] 10.4.2.11:[5061];branch=z9hG4bK7f3[;alias]");
        assert_eq!(shown(&by_word("", "é ü").1), "[é ü]");
        assert_eq!(by_word(&"a ".repeat(900), "b").0.len(), 1, "too long to look at by word");
    }
}
