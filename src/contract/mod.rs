//! The wire contract as pure code: what a customer's INVITE brings (§2), what goes back (§3), and call transfers (§4).
//!
//! | contract | file |
//! | --- | --- |
//! | §2 context in the INVITE's headers | [`context`] |
//! | §2 dialled numbers, for matching | [`e164`] |
//! | §3 the payload of the return, with its budget | [`payload`] |
//! | what a SIP agent hands over at its end | `agent_end.rs`, as [`payload::from_agent_headers`] |
//! | §4 one call transfer's status, and our decisions about it | [`call_transfer`] |
//! | §4 numbers to lease | [`number_pool`] |
//! | §4 all live call transfers, and what calls may do with them | [`registry`] |
//! | §4 the same with a past in memory | [`desk`] |
//! | secrets, blanked in what leaves the program or is kept | [`redact`] |
//! | escaping and URI text, RFC 3261 §25.1 | [`uri_text`] |
//! | §4 the body of a create, and why it is refused | [`new_transfer`], [`create_refusal`], [`api_fault`] |

mod agent_end;
pub mod api_fault;
pub mod call_transfer;
pub mod context;
pub mod create_refusal;
pub mod desk;
pub mod e164;
pub mod new_transfer;
pub mod number_pool;
pub mod payload;
mod payload_decode;
pub mod redact;
pub mod registry;
pub mod strict_json;
pub mod uri_text;

#[cfg(test)]
mod payload_properties;

/// `text` without `prefix`, letters compared without regard to case (RFC 3261 §7.3.1).
fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Of `names`, the earlier one that differs from `name` in case only (field note: `userName`/`username`).
fn same_but_for_case<'a>(names: impl Iterator<Item = &'a String>, name: &str) -> Option<&'a str> {
    names.map(String::as_str).find(|n| *n != name && n.eq_ignore_ascii_case(name))
}
