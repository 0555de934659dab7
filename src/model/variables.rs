//! Variables: what a customer hands over with its call, and what the agent hands back.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, LazyLock},
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

type Map = IndexMap<String, String>;

/// Variables in the order in which they were set: that is their order on the wire. Copies share them until one is changed, since
/// a call's order, its events, its record and what is kept of it all tell the same ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variables(Arc<Map>);

static NONE: LazyLock<Arc<Map>> = LazyLock::new(Arc::default);

impl Variables {
    pub fn new() -> Self {
        Self(NONE.clone())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Variables {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Variables {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.0
    }
}

impl DerefMut for Variables {
    fn deref_mut(&mut self) -> &mut Map {
        Arc::make_mut(&mut self.0)
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl<const N: usize> From<[(String, String); N]> for Variables {
    fn from(variables: [(String, String); N]) -> Self {
        variables.into_iter().collect()
    }
}

impl IntoIterator for Variables {
    type Item = (String, String);
    type IntoIter = indexmap::map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a> IntoIterator for &'a Variables {
    type Item = (&'a String, &'a String);
    type IntoIter = indexmap::map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_changed_leaves_the_other_as_it_was() {
        let first: Variables = [("a".to_owned(), "1".to_owned())].into();
        let mut second = first.clone();
        second.insert("b".to_owned(), "2".to_owned());
        assert_eq!((first.len(), second.len()), (1, 2));
        assert_eq!(serde_json::to_string(&second).unwrap(), r#"{"a":"1","b":"2"}"#);
        assert_eq!(serde_json::from_str::<Variables>("{}").unwrap(), Variables::new());
    }
}
