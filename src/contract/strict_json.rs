//! JSON from strangers: no deeper than a limit, and no name twice in one object (RFC 8259 §4 leaves that open).

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not taken, with line and column. Nothing of the text is in it but a repeated name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    #[error("{0}")]
    Syntax(String),
    /// The limit, and where.
    #[error("nested deeper than {limit} at line {line} column {column}")]
    TooDeep { limit: usize, line: usize, column: usize },
    #[error("the name {name:?} stands twice in one object, the second time at line {line} column {column}")]
    RepeatedName { name: String, line: usize, column: usize },
}

/// Reads one JSON value and nothing after it. A byte order mark is skipped (RFC 8259 §8.1 allows that).
///
/// Depth counts arrays and objects: `{}` is 1 deep. A repeated name is refused, since of the two values one would be lost,
/// and which one differs from reader to reader.
pub fn read(bytes: &[u8], limit: usize) -> Result<Value, JsonFault> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Node { left: limit, found: &found }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match found.take() {
            None => JsonFault::Syntax(error.to_string()),
            Some(Found::Depth) => JsonFault::TooDeep { limit, line, column },
            Some(Found::Repeated(name)) => JsonFault::RepeatedName { name, line, column },
        }
    })
}

/// What stopped the reading though it is JSON.
enum Found {
    Depth,
    Repeated(String),
}

/// One value, with `left` levels below it and including it.
#[derive(Clone, Copy)]
struct Node<'a> {
    left: usize,
    found: &'a RefCell<Option<Found>>,
}

impl Node<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                self.found.replace(Some(Found::Depth));
                Err(E::custom("too deep"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                self.found.replace(Some(Found::Repeated(name)));
                return Err(A::Error::custom("repeated name"));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn what_serde_json_reads_is_read_the_same() {
        let text = r#"{"b":[1,-2,3.5,1e3,true,false,null,"\u00e9\ud83d\ude00"],"a":{"":{}}}"#;
        assert_eq!(read(text.as_bytes(), 32), Ok(serde_json::from_str(text).expect("JSON")));
        assert_eq!(read(b"\xEF\xBB\xBF 7 ", 32), Ok(7.into()), "a byte order mark is no fault of the sender's");
    }

    #[test]
    fn the_limit_counts_arrays_and_objects() {
        assert!(read(nested(32).as_bytes(), 32).is_ok());
        assert_eq!(read(nested(33).as_bytes(), 32), Err(JsonFault::TooDeep { limit: 32, line: 1, column: 34 }));
        assert!(matches!(read(nested(30_000).as_bytes(), 32), Err(JsonFault::TooDeep { .. })));
        let objects = r#"{"a":"#.repeat(33) + "1" + &"}".repeat(33);
        assert!(matches!(read(objects.as_bytes(), 32), Err(JsonFault::TooDeep { .. })));
    }

    #[test]
    fn a_name_twice_is_refused_wherever_it_stands() {
        let fault = read(b"{\"x\":{\n\"a\":1,\"\\u0061\":2}}", 32).expect_err("twice");
        assert_eq!(fault.to_string(), "the name \"a\" stands twice in one object, the second time at line 2 column 14");
        assert!(read(br#"[{"a":1},{"a":2}]"#, 32).is_ok());
    }

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        for (text, says) in [
            (&b"{\"a\":\n1,}"[..], "line 2 column 3"),
            (b"", "line 1 column 0"),
            (b"{} {}", "trailing characters at line 1 column 4"),
            (b"\"\xFF\"", "line 1"),
            (br#""\ud800""#, "line 1"),
            (b"\"a\nb\"", "control character"),
            (b"nul", "line 1"),
            (b"1e999", "number out of range"),
        ] {
            let fault = read(text, 32).expect_err("no JSON").to_string();
            assert!(fault.contains(says), "{fault}");
        }
    }
}
