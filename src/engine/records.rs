//! The records of running and recent calls, each with the party that runs it, in the order in which the calls came.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::model::{CallId, CallRecord};

/// Found by call, walked in order; a call's end costs the same however many others are kept.
#[derive(Default)]
pub struct Records {
    numbers: HashMap<CallId, u64>,
    by_number: BTreeMap<u64, (u8, Arc<CallRecord>)>,
    next: u64,
}

impl Records {
    pub fn get(&self, call: CallId) -> Option<&(u8, Arc<CallRecord>)> {
        self.by_number.get(self.numbers.get(&call)?)
    }

    /// The record, which is made by `new` where it is not there yet.
    pub fn entry(&mut self, call: CallId, new: impl FnOnce() -> (u8, Arc<CallRecord>)) -> &mut (u8, Arc<CallRecord>) {
        let number = *self.numbers.entry(call).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.by_number.entry(number).or_insert_with(new)
    }

    pub fn remove(&mut self, call: CallId) {
        if let Some(number) = self.numbers.remove(&call) {
            self.by_number.remove(&number);
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &(u8, Arc<CallRecord>)> {
        self.by_number.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn calls_stay_in_the_order_in_which_they_came() {
        let mut records = Records::default();
        for call in [9, 3, 7, 3, 5] {
            records.entry(CallId(call), || (0, Arc::new(CallRecord::new(CallId(call), Timestamp(call)))));
        }
        records.remove(CallId(7));
        assert_eq!(records.values().map(|(_, record)| record.id.0).collect::<Vec<_>>(), [9, 3, 5]);
        assert!(records.get(CallId(7)).is_none() && records.get(CallId(5)).is_some());
    }
}
