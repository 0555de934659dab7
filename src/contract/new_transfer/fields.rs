//! The fields of one JSON object, asked for by name: each refusal names the field by its path and says what is allowed.

use serde_json::{Map, Value};

use crate::contract::{
    api_fault::{ApiFault, Cause},
    uri_text::is_token,
};

/// What a text may be.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// Unicode characters.
    pub least: usize,
    pub most: usize,
    /// In words; no text may hold a control character.
    pub allowed: &'static str,
}

pub(super) struct Fields<'a> {
    /// Where the object stands, with a `.` at its end; empty at the top.
    prefix: String,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub fn top(object: &'a Map<String, Value>) -> Self {
        Self { prefix: String::new(), object }
    }

    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.object.keys().map(String::as_str)
    }

    pub fn text(&self, name: &str, text: Text) -> Result<Option<&'a str>, ApiFault> {
        let Some(value) = self.object.get(name) else { return Ok(None) };
        let Value::String(given) = value else { return Err(self.other_type(name, value, text.allowed)) };
        let characters = given.chars().count();
        if characters < text.least {
            return Err(self.fault(Cause::TooShort, name, format_args!("is empty: it must be {}", text.allowed)));
        }
        if characters > text.most {
            return Err(self.fault(Cause::TooLong, name, format_args!("has {characters} characters: it must be {}", text.allowed)));
        }
        if let Some((at, control)) = given.chars().enumerate().find(|(_, c)| c.is_control()) {
            let seen = format_args!(
                "holds a control character ({}, character {}): it must be {} without any",
                control.escape_default(),
                at + 1,
                text.allowed
            );
            return Err(self.fault(Cause::ControlCharacter, name, seen));
        }
        Ok(Some(given))
    }

    pub fn required_text(&self, name: &str, text: Text) -> Result<&'a str, ApiFault> {
        self.text(name, text)?.ok_or_else(|| self.missing(name, text.allowed))
    }

    /// One of the words listed.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, ApiFault> {
        let Some(value) = self.object.get(name) else { return Ok(None) };
        let allowed = one_of(words);
        let Value::String(given) = value else { return Err(self.other_type(name, value, &allowed)) };
        match words.iter().find(|(word, _)| word == given) {
            Some((_, meant)) => Ok(Some(*meant)),
            None => Err(self.fault(Cause::NoneOfThoseListed, name, format_args!("must be {allowed}"))),
        }
    }

    pub fn required_word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, ApiFault> {
        self.word(name, words)?.ok_or_else(|| self.missing(name, &one_of(words)))
    }

    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, ApiFault> {
        match self.object.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Fields { prefix: format!("{}.", self.path(name)), object })),
            Some(value) => Err(self.other_type(name, value, "an object")),
        }
    }

    /// Of a variable: it is not empty, and holds no control character.
    pub fn check_name(&self, name: &str) -> Result<(), ApiFault> {
        let allowed = "a name is at least one character, and none of them a control character";
        if name.is_empty() {
            return Err(self.fault(Cause::TooShort, name, format_args!("has no name: {allowed}")));
        }
        if let Some(control) = name.chars().find(|c| c.is_control()) {
            let seen = format_args!("has a control character in its name ({}): {allowed}", control.escape_default());
            return Err(self.fault(Cause::ControlCharacter, name, seen));
        }
        Ok(())
    }

    /// `inputContext.inputVariables.a`, or with `["…"]` where a name has other characters.
    pub fn path(&self, name: &str) -> String {
        if is_token(name) && !name.contains('.') {
            return format!("{}{name}", self.prefix);
        }
        let shown: String = name.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
        let more = if name.chars().nth(SHOWN_CHARACTERS).is_some() { "…" } else { "" };
        format!("{}[\"{shown}{more}\"]", self.prefix.trim_end_matches('.'))
    }

    fn missing(&self, name: &str, allowed: &str) -> ApiFault {
        self.fault(Cause::Missing, name, format_args!("is missing: {allowed} is required"))
    }

    fn other_type(&self, name: &str, value: &Value, allowed: &str) -> ApiFault {
        let cause = if value.is_null() { Cause::Null } else { Cause::WrongType };
        self.fault(cause, name, format_args!("is {}: it must be {allowed}", kind_of(value)))
    }

    fn fault(&self, cause: Cause, name: &str, says: std::fmt::Arguments<'_>) -> ApiFault {
        ApiFault::new(cause, format!("{} {says}", self.path(name)))
    }
}

/// With its article.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    format!("one of {}", words.join(", "))
}

/// Of a strange name, in a message.
const SHOWN_CHARACTERS: usize = 60;
