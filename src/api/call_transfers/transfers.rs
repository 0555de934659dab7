//! What the API needs of whoever keeps the call transfers.

use std::{future::Future, pin::Pin};

use crate::{
    contract::create_refusal::CreateRefusal,
    model::{CallTransfer, NewCallTransfer},
    store::StoreHandle,
};

/// An answer on its way.
pub type Made<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps the call transfers.
pub trait Transfers: Send + Sync + 'static {
    /// Makes one; it is durable before the answer comes. Of any number with one id exactly one is made.
    fn create(&self, new: NewCallTransfer) -> Made<'_, Result<CallTransfer, CreateRefusal>>;

    /// `None`: there is none with this id.
    fn find<'a>(&'a self, id: &'a str) -> Made<'a, Result<Option<CallTransfer>, Unavailable>>;
}

/// The store can't answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

impl Transfers for StoreHandle {
    fn create(&self, new: NewCallTransfer) -> Made<'_, Result<CallTransfer, CreateRefusal>> {
        Box::pin(StoreHandle::create(self, new))
    }

    fn find<'a>(&'a self, id: &'a str) -> Made<'a, Result<Option<CallTransfer>, Unavailable>> {
        Box::pin(async move {
            self.get(id).map_err(|why| {
                tracing::error!("a call transfer can't be looked up: {why}");
                Unavailable
            })
        })
    }
}
