//! Dialled numbers as E.164, whatever their spelling (contract §2, ITU-T E.164, RFC 3966 §5.1.1).

/// The number that the user part of a `sip:` URI, or the whole of a `tel:` one, dials: unescaped, with or without `+`,
/// visual separators and parameters. `None`: it is no number of 4 to 15 digits that begins with none of 0.
pub fn of_user(user: &str) -> Option<u64> {
    // RFC 3261 §19.1.6: what follows the number in a user part are its tel: parameters.
    let number = user.split(';').next().unwrap_or_default().trim();
    let mut digits = 0;
    let mut value = 0;
    for byte in number.strip_prefix('+').unwrap_or(number).bytes() {
        match byte {
            b'0' if digits == 0 => return None,
            b'0'..=b'9' if digits == MOST_DIGITS => return None,
            b'0'..=b'9' => {
                digits += 1;
                value = value * 10 + u64::from(byte - b'0');
            }
            // RFC 3966 `visual-separator`, and the space that people put there, too.
            b'-' | b'.' | b'(' | b')' | b' ' => {}
            _ => return None,
        }
    }
    (digits >= FEWEST_DIGITS).then_some(value)
}

/// As the contract writes it: `+` and the digits.
pub fn written(number: u64) -> String {
    format!("+{number}")
}

const MOST_DIGITS: u8 = 15;
/// A country code and the least of a number.
const FEWEST_DIGITS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_the_same_number() {
        for spelling in [
            "+14155550100",
            "14155550100",
            "+1-415-555-0100",
            "+1(415)555.0100",
            "+1 415 555 0100",
            "14155550100;phone-context=+1",
            "+14155550100;ext=7",
        ] {
            assert_eq!(of_user(spelling), Some(14_155_550_100), "{spelling}");
        }
        assert_eq!(written(14_155_550_100), "+14155550100");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for other in ["", "+", "bridge", "123", "04155550100", "0014155550100", "1234567890123456", "+1415555010a", "++14155550100", "*72"]
        {
            assert_eq!(of_user(other), None, "{other}");
        }
        assert_eq!(of_user("123456789012345"), Some(123_456_789_012_345));
    }
}
