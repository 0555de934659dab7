//! Short text on the stack: ids, numbers, Via values. Put together without the formatter, since every message has a dozen of them.

use std::fmt;

use smallvec::SmallVec;

/// Text that lives inline up to `N` bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SmallText<const N: usize>(SmallVec<[u8; N]>);

/// A number in decimal digits.
pub fn decimal(number: impl Into<u64>) -> SmallText<20> {
    let mut digits = [0; 20];
    let (mut rest, mut start) = (number.into(), digits.len());
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    SmallText(SmallVec::from_slice(digits.get(start..).unwrap_or_default()))
}

impl<const N: usize> SmallText<N> {
    /// The parts in a row.
    pub fn of(parts: &[&str]) -> Self {
        let mut text = Self::default();
        parts.iter().for_each(|part| text.0.extend_from_slice(part.as_bytes()));
        text
    }

    /// With so many hexadecimal digits of the number added, its last ones.
    pub fn hex(mut self, number: impl Into<u64>, digits: u32) -> Self {
        let number = number.into();
        self.0.extend((0..digits).rev().map(|place| HEX[(number >> (4 * place) & 15) as usize]));
        self
    }

    /// The bytes in hexadecimal digits.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).collect())
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl<const N: usize> std::ops::Deref for SmallText<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for SmallText<N> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> fmt::Display for SmallText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for SmallText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> Default for SmallText<N> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_formatter_writes_them() {
        for number in [0, 1, 9, 10, 70, 5_060, 65_535, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
            assert_eq!(SmallText::<16>::default().hex(number, 16).as_str(), format!("{number:016x}"));
        }
        assert_eq!(SmallText::<8>::of(&["a", "", "bc"]).hex(0x1_2345_u32, 4).as_str(), "abc2345");
        assert_eq!(SmallText::<2>::of_bytes(&[0, 0x7f, 0xff]).as_str(), "007fff");
    }
}
