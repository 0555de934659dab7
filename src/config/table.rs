//! A TOML table, taken key by key: types are checked on the way, and what nobody asked for is an unknown key.

use std::ops::{Range, RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::fault::Faults;

/// A table and which of its keys are known, which is those that were asked for.
pub struct Section<'a> {
    table: Option<&'a DeTable<'a>>,
    pub path: String,
    /// Where it stands; an absent one where the file begins.
    pub span: Range<usize>,
    known: Vec<&'static str>,
}

/// One value with its full key and place.
#[derive(Clone)]
pub struct Entry<'a> {
    value: &'a DeValue<'a>,
    pub key: String,
    pub span: Range<usize>,
}

/// The document, or all faults of its form.
pub fn document<'a>(text: &'a str, faults: &mut Faults<'_>) -> Option<Spanned<DeTable<'a>>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.add("", &error.span().unwrap_or(0..0), format!("this is no TOML: {}", error.message().lines().next().unwrap_or_default()));
    }
    errors.is_empty().then_some(document)
}

impl<'a> Section<'a> {
    pub fn root(document: &'a Spanned<DeTable<'a>>) -> Self {
        Self { table: Some(document.get_ref()), path: String::new(), span: 0..0, known: Vec::new() }
    }

    fn absent(path: String) -> Self {
        Self { table: None, path, span: 0..0, known: Vec::new() }
    }

    /// Whether the file has this table.
    pub fn present(&self) -> bool {
        self.table.is_some()
    }

    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.known.push(key);
        let (_, value) = self.table?.iter().find(|(k, _)| k.get_ref() == key)?;
        Some(Entry { value: value.get_ref(), key: self.key(key), span: value.span() })
    }

    /// A table within; where it is absent, an empty one.
    pub fn section(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Section<'a> {
        self.entry(key).and_then(|e| e.section(faults)).unwrap_or_else(|| Self::absent(self.key(key)))
    }

    pub fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<(Entry<'a>, &'a str)> {
        let entry = self.entry(key)?;
        let text = entry.text(faults)?;
        Some((entry, text))
    }

    /// A whole number in `range`, else `default`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<i64>, default: i64, faults: &mut Faults<'_>) -> i64 {
        let Some(entry) = self.entry(key) else { return default };
        match entry.integer() {
            Some(number) if range.contains(&number) => number,
            _ => {
                faults.add(&entry.key, &entry.span, format!("must be a whole number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    pub fn flag(&mut self, key: &'static str, default: bool, faults: &mut Faults<'_>) -> bool {
        let Some(entry) = self.entry(key) else { return default };
        entry.value.as_bool().unwrap_or_else(|| {
            faults.add(&entry.key, &entry.span, "must be true or false");
            default
        })
    }

    /// Strings of an array.
    pub fn texts(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Vec<(Entry<'a>, &'a str)>> {
        let entries = self.entry(key)?.array(faults)?;
        Some(entries.into_iter().filter_map(|e| e.text(faults).map(|t| (e, t))).collect())
    }

    /// Tables of an array, written as `[[key]]` or inline.
    pub fn sections(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Section<'a>> {
        let entries = self.entry(key).and_then(|e| e.array(faults)).unwrap_or_default();
        entries.into_iter().filter_map(|e| e.section(faults)).collect()
    }

    /// Every key with its value, for tables whose keys are the writer's own.
    pub fn free_entries(&self) -> Vec<(String, Range<usize>, Entry<'a>)> {
        let entries = self.table.into_iter().flat_map(|t| t.iter());
        entries
            .map(|(k, v)| (k.get_ref().to_string(), k.span(), Entry { value: v.get_ref(), key: self.key(k.get_ref()), span: v.span() }))
            .collect()
    }

    pub fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub fn missing(&self, key: &str, what: &str, faults: &mut Faults<'_>) {
        faults.add(&self.key(key), &self.span, format!("is missing: {what}"));
    }

    /// To be called when all known keys were asked for.
    pub fn finish(self, faults: &mut Faults<'_>) {
        for (key, _) in self.table.into_iter().flat_map(|t| t.iter()) {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let nearest = nearest(name, self.known.iter().copied());
                faults.add(&self.key(name), &key.span(), format!("unknown key; the nearest known one is {nearest:?}"));
            }
        }
    }
}

impl<'a> Entry<'a> {
    pub fn text(&self, faults: &mut Faults<'_>) -> Option<&'a str> {
        let Some(text) = self.value.as_str() else {
            faults.add(&self.key, &self.span, "must be a string");
            return None;
        };
        // No setting may smuggle a line into a header.
        if text.contains(char::is_control) {
            faults.add(&self.key, &self.span, "holds a control character or a line break");
            return None;
        }
        Some(text)
    }

    pub fn integer(&self) -> Option<i64> {
        let integer = self.value.as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// A number in `range`, whole or not.
    pub fn float(&self, range: RangeInclusive<f64>, faults: &mut Faults<'_>) -> Option<f64> {
        let number = self.integer().map(|i| i as f64).or_else(|| self.value.as_float()?.as_str().parse().ok());
        let found = number.filter(|n| range.contains(n));
        if found.is_none() {
            faults.add(&self.key, &self.span, format!("must be a number from {} to {}", range.start(), range.end()));
        }
        found
    }

    pub fn array(&self, faults: &mut Faults<'_>) -> Option<Vec<Entry<'a>>> {
        let Some(array) = self.value.as_array() else {
            faults.add(&self.key, &self.span, "must be an array [ … ]");
            return None;
        };
        let entry =
            |(i, v): (usize, &'a Spanned<DeValue<'a>>)| Entry { value: v.get_ref(), key: format!("{}[{i}]", self.key), span: v.span() };
        Some(array.iter().enumerate().map(entry).collect())
    }

    pub fn section(&self, faults: &mut Faults<'_>) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            faults.add(&self.key, &self.span, "must be a table");
            return None;
        };
        Some(Section { table: Some(table), path: self.key.clone(), span: self.span.clone(), known: Vec::new() })
    }

    pub fn fault(&self, text: impl Into<String>, faults: &mut Faults<'_>) {
        faults.add(&self.key, &self.span, text);
    }

    /// One of `choices`, by its word.
    pub fn choice<T: Copy>(&self, choices: &[(&'static str, T)], faults: &mut Faults<'_>) -> Option<T> {
        let text = self.text(faults)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            let nearest = nearest(text, choices.iter().map(|(word, _)| *word));
            self.fault(format!("{text:?} is none of {}; the nearest is {nearest:?}", words.join(", ")), faults);
        }
        found
    }
}

/// The known word that is written most alike.
pub fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> &'w str {
    known.min_by_key(|k| strsim::damerau_levenshtein(&k.to_ascii_lowercase(), &word.to_ascii_lowercase())).unwrap_or_default()
}
