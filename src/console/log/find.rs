//! Calls by what stands in their messages, for the search over everything.

use super::{LogRow, row::holds};
use crate::model::CallId;

/// A message in which all words stand, of a call of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub call: Option<CallId>,
    pub number: u64,
    /// `INVITE`, or `200 OK`.
    pub title: String,
    /// The line in which the first word stands.
    pub line: String,
}

/// The newest message of each call that holds all `words`, which are in lower case; at most `most`.
pub fn find<'a>(rows: impl Iterator<Item = &'a std::sync::Arc<LogRow>>, words: &[Vec<u8>], most: usize) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let Some(first) = words.first() else { return found };
    for row in rows {
        if found.len() >= most {
            break;
        }
        if (row.call.is_some() && found.iter().any(|f| f.call == row.call)) || !words.iter().all(|word| holds(&row.message.bytes, word)) {
            continue;
        }
        let lines = row.message.bytes.split(|b| *b == b'\n');
        let line = lines.map(<[u8]>::trim_ascii).find(|line| holds(line, first)).unwrap_or_default();
        let line = String::from_utf8_lossy(line).chars().filter(|c| !c.is_control()).take(LINE).collect();
        found.push(Found { call: row.call, number: row.number(), title: row.title.to_string(), line });
    }
    found
}

/// Characters of a line that are shown.
const LINE: usize = 160;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::row::tests::logged, *};

    #[test]
    fn each_call_is_found_once_by_its_newest_message() {
        let rows: Vec<_> = (0..5)
            .map(|i| {
                let mut logged = logged(i, "INVITE sip:a@b SIP/2.0\nX-GA-customerId: Cust-9\nSubject: x\n\n");
                logged.call = Some(CallId(i / 3));
                Arc::new(LogRow::new(logged))
            })
            .collect();
        let found = find(rows.iter().rev(), &[b"cust-9".to_vec(), b"subject".to_vec()], 10);
        assert_eq!(
            found.iter().map(|f| (f.number, f.line.as_str())).collect::<Vec<_>>(),
            [(4, "X-GA-customerId: Cust-9"), (2, "X-GA-customerId: Cust-9")]
        );
        assert!(find(rows.iter(), &[b"nothing".to_vec()], 10).is_empty() && find(rows.iter(), &[], 10).is_empty());
    }
}
