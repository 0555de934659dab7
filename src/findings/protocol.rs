//! What the protocol core noticed and went on from: its notes, as findings.

use super::read::clip;
use crate::model::{Finding, Party, Severity};

/// A note of the protocol core about a leg of `side`, by its rule's name.
pub fn of_note(rule: &'static str, side: Party, text: &str) -> Finding {
    let finding = |name, severity, side, why, cure| Finding::new(name, severity, side, clip(text), why, cure);
    match rule {
        "stranger-in-dialog" => finding(
            "stranger-in-dialog",
            Severity::Warning,
            Party::Network,
            "A request of this call came from an address that is neither the dialog's nor among the peer's networks; it was refused, so that nobody can end or move another's call (RFC 3261 §26.1.4)",
            "If it is the SBC's own second address, add it to the peer's networks",
        ),
        "answer-not-taken" => finding(
            "answer-not-taken",
            Severity::Error,
            side,
            "Offer and answer found no common stream (RFC 3264 §6), so this leg has no sound",
            "Have that side answer with PCMU or PCMA over RTP/AVP and an address of its own",
        ),
        "offer-not-taken" => finding(
            "offer-not-taken",
            Severity::Warning,
            side,
            "A change of the session was refused with 488 (RFC 3264 §8, RFC 3261 §14.2): what was agreed before stays",
            "Offer in re-INVITEs what the first offer had: PCMU or PCMA over RTP/AVP",
        ),
        "refer-not-allowed" => finding(
            "refer-not-allowed",
            Severity::Warning,
            side,
            "Only the agent may send the bridge a REFER, once, to end its part; others are refused with 603, since a REFER makes whoever obeys it call strangers (RFC 3515 §5)",
            "Don't transfer the bridge: end the call, or let the agent hand it back",
        ),
        _ => finding(
            "message-not-written",
            Severity::Warning,
            Party::Bridge,
            "A message of the bridge could not be written, most often for a character that no header may hold (RFC 3261 §25.1)",
            "Look at the settings' and the call's texts for line breaks and the like",
        ),
    }
}
