//! A fault in a settings file or script: file, line, key, and one sentence.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub file: PathBuf,
    /// From 1; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// For example `peers[0].return.uri`; empty where the file's form is at fault.
    pub key: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl Fault {
    pub fn of_file(file: impl AsRef<Path>, text: impl Into<String>) -> Self {
        Self { file: file.as_ref().to_owned(), line: None, key: String::new(), text: text.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.text)
    }
}

impl std::error::Error for Fault {}

/// Faults and warnings of one file, as they are found.
pub struct Faults<'a> {
    pub file: &'a Path,
    text: &'a str,
    pub list: Vec<Fault>,
    pub warnings: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, list: Vec::new(), warnings: Vec::new() }
    }

    pub fn add(&mut self, key: &str, span: &Range<usize>, text: impl Into<String>) {
        let fault = self.fault(key, span, text.into());
        self.list.push(fault);
    }

    pub fn warn(&mut self, key: &str, span: &Range<usize>, text: impl Into<String>) {
        let fault = self.fault(key, span, text.into());
        self.warnings.push(fault);
    }

    /// A path in the file is meant from the file's folder.
    pub fn path(&self, written: &str) -> PathBuf {
        let base = self.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        base.join(written)
    }

    fn fault(&self, key: &str, span: &Range<usize>, text: String) -> Fault {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or(self.text);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        Fault { file: self.file.to_owned(), line: Some(line), key: key.to_owned(), text }
    }
}
