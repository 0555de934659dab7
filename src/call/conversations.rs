//! Attempts of one conversation, linked by the customer's id for it (contract §2); the least recent are forgotten.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::model::CallId;

/// A conversation as it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// `externalConversationId`, or `X-GA-extConversationId`.
    pub id: String,
    pub attempts: u32,
    /// Its latest attempt.
    pub last: CallId,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    known: HashMap<Arc<str>, Known>,
    /// By when they were used last.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
}

#[derive(Debug)]
struct Known {
    attempts: u32,
    last: CallId,
    used: u64,
}

impl Conversations {
    /// With those of earlier calls, the latest last.
    pub fn known(earlier: Vec<Conversation>) -> Self {
        let mut conversations = Self::default();
        for Conversation { id, attempts, last } in earlier {
            conversations.enter(&id, attempts, last);
        }
        conversations
    }

    /// `call` is its next attempt: which one, and after which call, unless it is the first.
    pub fn begin(&mut self, id: &str, call: CallId) -> Option<(u32, CallId)> {
        let before = self.known.get(id).map(|known| (known.attempts.saturating_add(1), known.last));
        self.enter(id, before.map_or(1, |(attempt, _)| attempt), call);
        before
    }

    fn enter(&mut self, id: &str, attempts: u32, last: CallId) {
        let used = self.next;
        self.next += 1;
        match self.known.get_mut(id) {
            Some(known) => {
                let name = self.order.remove(&known.used).unwrap_or_else(|| id.into());
                *known = Known { attempts, last, used };
                self.order.insert(used, name);
            }
            None => {
                let name: Arc<str> = id.into();
                self.known.insert(name.clone(), Known { attempts, last, used });
                self.order.insert(used, name);
            }
        }
        if self.known.len() > MOST
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
        }
    }
}

/// Conversations that are remembered.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_count_up_and_name_the_one_before() {
        let mut conversations = Conversations::known(vec![Conversation { id: "old".into(), attempts: 3, last: CallId(9) }]);
        assert_eq!(conversations.begin("c", CallId(10)), None);
        assert_eq!(conversations.begin("c", CallId(11)), Some((2, CallId(10))));
        assert_eq!(conversations.begin("c", CallId(12)), Some((3, CallId(11))));
        assert_eq!(conversations.begin("old", CallId(13)), Some((4, CallId(9))), "known from before a restart");
    }

    #[test]
    fn the_least_recent_is_forgotten() {
        let mut conversations = Conversations::default();
        conversations.begin("first", CallId(0));
        for n in 1..MOST as u64 {
            conversations.begin(&format!("c-{n}"), CallId(n));
        }
        assert!(conversations.begin("first", CallId(1)).is_some(), "used again, so recent");
        conversations.begin("one more", CallId(2));
        assert!(conversations.begin("first", CallId(3)).is_some());
        assert_eq!(conversations.begin("c-1", CallId(4)), None);
        assert_eq!((conversations.known.len(), conversations.order.len()), (MOST, MOST));
    }
}
