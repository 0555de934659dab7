//! Stories of whole transfers, told through the switch in virtual time (contract §1–§3).
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a story starts at some real instant, and stops where it goes wrong")]

#[path = "../story/network.rs"]
mod network;

mod admission;
mod agents;
mod call_transfer_returns;
mod call_transfers;
mod desk;
mod findings;
mod given;
mod lab;
mod loss;
mod operator;
mod recording;
mod reload;
mod return_invite;
mod return_refer;
