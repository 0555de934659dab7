//! Messages that belong together: each request with its copies, its responses and its ACK (RFC 3261 §17).

use smallvec::SmallVec;

use super::{challenge, dialog, offer_answer, read::Item, refusal, transaction, transfer};
use crate::{
    model::{Finding, Timestamp},
    sip::message::{Message, Method},
};

/// The messages of one Call-ID in the order in which they crossed the wire, sorted into transactions.
pub(super) struct Exchange<'a> {
    pub items: &'a [&'a Item],
    pub transactions: Vec<Transaction<'a>>,
    /// When it was over, where that is known: what has no answer by then gets none.
    pub over_at: Option<Timestamp>,
}

/// A request and what it led to. An ACK has none of its own: it is its INVITE's.
pub(super) struct Transaction<'a> {
    pub request: &'a Item,
    /// The request again.
    pub copies: SmallVec<[&'a Item; 2]>,
    /// Each response once, in their order.
    pub responses: SmallVec<[&'a Item; 4]>,
    /// Responses again.
    pub response_copies: SmallVec<[&'a Item; 2]>,
    /// The first ACK, of an INVITE.
    pub ack: Option<&'a Item>,
}

impl<'a> Exchange<'a> {
    pub fn new(items: &'a [&'a Item], over_at: Option<Timestamp>) -> Self {
        let mut transactions: Vec<Transaction<'a>> = Vec::with_capacity(items.len() / 2 + 1);
        let mut keys: Vec<&[u8]> = Vec::with_capacity(items.len() / 2 + 1);
        // An ACK to a 2xx has a branch of its own, and the INVITE's number (RFC 3261 §13.2.2.4).
        let mut invites: SmallVec<[usize; 4]> = SmallVec::new();
        for item in items {
            let branch = item.branch();
            // The newest ones only: answers come soon, and what looks further lets a stranger make it expensive.
            let known = keys.iter().enumerate().rev().take(MOST_OPEN).find(|(at, key)| {
                **key == branch && transactions.get(*at).is_some_and(|transaction| transaction.request.method == item.method)
            });
            let known = known.map(|(at, _)| at);
            match &item.message {
                Message::Request(request) if *request.method() == Method::ACK => {
                    let sent_by = |at: &&usize| {
                        transactions.get(**at).is_some_and(|t| t.request.number == item.number && t.request.seen.sender == item.seen.sender)
                    };
                    let found = invites.iter().rev().take(MOST_OPEN).find(sent_by).copied();
                    if let Some(invite) = found.and_then(|at| transactions.get_mut(at)) {
                        invite.ack.get_or_insert(item);
                    }
                }
                Message::Request(_) => match known.and_then(|at| transactions.get_mut(at)) {
                    Some(known) if known.request.fields().raw() == item.fields().raw() => known.copies.push(item),
                    // A proxy's copy in a capture, or a branch used twice: the first counts.
                    Some(_) => {}
                    None => {
                        if item.method == Method::INVITE {
                            invites.push(transactions.len());
                        }
                        keys.push(branch);
                        transactions.push(Transaction::new(item));
                    }
                },
                Message::Response(_) => {
                    let Some(transaction) = known.and_then(|at| transactions.get_mut(at)) else { continue };
                    let code = item.code();
                    match transaction.responses.iter().rev().take(4).find(|known| known.code() == code) {
                        Some(known) if known.fields().raw() == item.fields().raw() => transaction.response_copies.push(item),
                        _ => transaction.responses.push(item),
                    }
                }
            }
        }
        Self { items, transactions, over_at }
    }

    /// The transactions of this method, in their order.
    pub fn of(&self, method: Method) -> impl Iterator<Item = &Transaction<'a>> {
        self.transactions.iter().filter(move |transaction| transaction.request.method == method)
    }

    /// Messages that may have been refused or dropped for their form: requests that were not answered well, responses that
    /// did not end their request's repetitions or brought no ACK.
    pub fn doubtful(&self) -> impl Iterator<Item = &'a Item> {
        self.transactions.iter().flat_map(|transaction| {
            let well = transaction.responses.iter().any(|response| response.code().is_some_and(|code| code < 300));
            let request = (!well).then_some(transaction.request);
            let lost_ack = transaction.ack.is_none() && transaction.request.method == Method::INVITE;
            let unheard = lost_ack || !transaction.copies.is_empty();
            let responses = transaction.responses.iter().copied().filter(move |_| unheard);
            let ack = transaction.ack.filter(|_| !transaction.response_copies.is_empty());
            request.into_iter().chain(responses).chain(ack)
        })
    }

    /// Milliseconds from a message to the end; 0 where times are not known.
    pub fn millis_left(&self, item: &Item) -> u64 {
        match (item.seen.at, self.over_at.or_else(|| self.items.last().and_then(|last| last.seen.at))) {
            (Some(at), Some(end)) => end.micros_since(at) / 1_000,
            _ => 0,
        }
    }
}

impl<'a> Transaction<'a> {
    fn new(request: &'a Item) -> Self {
        Self { request, copies: SmallVec::new(), responses: SmallVec::new(), response_copies: SmallVec::new(), ack: None }
    }

    /// Its final response.
    pub fn end(&self) -> Option<&'a Item> {
        self.responses.iter().copied().find(|response| response.code().is_some_and(|code| code >= 200))
    }

    /// The code of its final response.
    pub fn code(&self) -> Option<u16> {
        self.end().and_then(Item::code)
    }

    /// It was answered with a 2xx.
    pub fn succeeded(&self) -> bool {
        self.code().is_some_and(|code| code < 300)
    }

    /// Opens a dialog: it stands in none.
    pub fn opens(&self) -> bool {
        self.request.fields().to_tag().is_none()
    }
}

/// All rules over the messages of one Call-ID.
pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    transaction::of_exchange(exchange, found);
    dialog::of_exchange(exchange, found);
    offer_answer::of_exchange(exchange, found);
    challenge::of_exchange(exchange, found);
    refusal::of_exchange(exchange, found);
    transfer::of_exchange(exchange, found);
}

/// Transactions of one Call-ID that may still wait for something.
const MOST_OPEN: usize = 64;
