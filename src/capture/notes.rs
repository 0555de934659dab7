//! What of a file could not be read as it stands: said once a kind, with the first place and how often.

use serde::Serialize;

use crate::model::Timestamp;

/// One sentence about damage, or about what was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When in the capture it was seen first, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub text: String,
    /// How often it was seen.
    pub count: u64,
}

/// Notes by kind, bounded: a hostile file has as many faults as it likes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: Vec<(&'static str, Note)>,
}

impl Notes {
    /// Another of this kind; the first one's words stay.
    pub fn add(&mut self, kind: &'static str, at: Option<Timestamp>, text: impl FnOnce() -> String) {
        if let Some((_, known)) = self.list.iter_mut().find(|(known, _)| *known == kind) {
            known.count += 1;
        } else {
            self.list.push((kind, Note { at, text: text(), count: 1 }));
        }
    }

    pub fn finish(self) -> Vec<Note> {
        self.list.into_iter().map(|(_, note)| note).collect()
    }
}

impl Note {
    /// The sentence, with how often it is true.
    pub fn words(&self) -> String {
        match self.count {
            0 | 1 => self.text.clone(),
            2 => format!("{} (and once more like it)", self.text),
            count => format!("{} (and {} more like it)", self.text, count - 1),
        }
    }
}
