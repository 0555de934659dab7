//! The call transfers API (contract §4) over HTTP: who may, what was asked, what the store says of it.
//!
//! | hop | file |
//! | --- | --- |
//! | a connection, bounded in number and in time | `api/http_server.rs` |
//! | a number for the request, its answer's headers, its line in the log, a handler that panics | `envelope.rs` |
//! | who may, and how often | `guard.rs` |
//! | create and read | `handlers.rs` |
//! | the body of a create | [`crate::contract::new_transfer`] |
//! | the resource as JSON | `resource.rs` |
//! | the same for machines, `/openapi.json` | `openapi.rs` |

mod body;
mod envelope;
mod guard;
mod handlers;
mod openapi;
mod refusal;
mod resource;
mod server;
mod transfers;

#[cfg(test)]
mod specification_tests;
#[cfg(test)]
mod tests;

pub use openapi::document;
pub use server::{CallTransfersServer, CallTransfersSetup, ServeError};
pub use transfers::{Made, Transfers, Unavailable};
