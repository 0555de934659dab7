//! Stories of whole transfers, told through the switch in virtual time (contract §1–§3).

#[path = "../story/network.rs"]
mod network;

mod admission;
mod agents;
mod lab;
mod loss;
mod return_invite;
mod return_refer;
