//! What the API needs of whoever keeps the call transfers.

use std::{future::Future, pin::Pin};

use crate::{
    model::{CallTransfer, NewCallTransfer},
    store::{CreateFault, StoreHandle},
};

/// An answer on its way.
pub type Made<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps the call transfers.
pub trait Transfers: Send + Sync + 'static {
    /// Makes one; it is durable before the answer comes. Of any number with one id exactly one is made.
    fn create(&self, new: NewCallTransfer) -> Made<'_, Result<CallTransfer, CreateRefused>>;

    /// `None`: there is none with this id.
    fn find<'a>(&'a self, id: &'a str) -> Made<'a, Result<Option<CallTransfer>, Unavailable>>;
}

/// Why there is no new call transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateRefused {
    IdUsed,
    /// No range of the settings is for this country.
    NoPool,
    /// All numbers of the country are leased; the first may be free in so many seconds.
    NoNumberFree {
        retry_after_secs: u64,
    },
    Unavailable,
    /// More are being made, or wait for their calls, than can be.
    Busy,
}

/// The store can't answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

impl Transfers for StoreHandle {
    fn create(&self, new: NewCallTransfer) -> Made<'_, Result<CallTransfer, CreateRefused>> {
        Box::pin(async move {
            StoreHandle::create(self, new).await.map_err(|fault| match fault {
                CreateFault::IdUsed => CreateRefused::IdUsed,
                CreateFault::NoPool => CreateRefused::NoPool,
                CreateFault::NoNumber { retry_after_secs } => CreateRefused::NoNumberFree { retry_after_secs },
                CreateFault::Unavailable => CreateRefused::Unavailable,
                CreateFault::Busy => CreateRefused::Busy,
            })
        })
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
