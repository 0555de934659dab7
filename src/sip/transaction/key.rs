//! Which transaction a request belongs to (RFC 3261 §17.2.3).

use std::hash::Hash as _;
use std::hash::Hasher as _;

use crate::sip::{
    ids::Ids,
    message::{HeaderName, Method, Request, Via},
};

/// A request's transaction, as a keyed hash that strangers cannot aim at; ACK and CANCEL have the key of their INVITE
/// in `invite`, and CANCEL a transaction of its own besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerKey {
    /// The transaction that the request itself opens, or repeats.
    pub own: u64,
    /// For ACK and CANCEL: the INVITE transaction that they speak of. Else the same as `own`.
    pub invite: u64,
    /// The same request over another path has the same value here (§8.2.2.2). None inside a dialog, where nobody asks.
    pub merge: Option<u64>,
}

impl ServerKey {
    pub fn of(request: &Request, top: &Via<'_>, ids: &Ids) -> Self {
        let mut base = ids.hasher();
        if let Some(branch) = top.rfc3261_branch() {
            // A length sets the two apart, and is cheaper than an end of each.
            base.write_usize(branch.len());
            base.write(branch.as_bytes());
            // Hosts compare without regard to case, ports by their presence.
            let sent_by = top.sent_by();
            if sent_by.bytes().any(|byte| byte.is_ascii_uppercase()) {
                base.write(sent_by.to_ascii_lowercase().as_bytes());
            } else {
                base.write(sent_by.as_bytes());
            }
        } else {
            // RFC 2543 has no branch to trust: the whole of what stays the same between INVITE, ACK and CANCEL. The To tag
            // may be ours by the time of the ACK, so it is left out.
            request.uri_text().hash(&mut base);
            request.from_tag().hash(&mut base);
            request.call_id().hash(&mut base);
            request.cseq().map(|cseq| cseq.0).unwrap_or_default().hash(&mut base);
            top.as_str().hash(&mut base);
        }
        let with = |method: &str| {
            let mut hasher = base.clone();
            hasher.write(method.as_bytes());
            hasher.finish()
        };
        let own = match request.method() {
            &Method::ACK => with(Method::INVITE.as_str()),
            method => with(method.as_str()),
        };
        let invite = if *request.method() == Method::CANCEL { with(Method::INVITE.as_str()) } else { own };
        let merge = request.to_tag().is_none().then(|| {
            let mut merge = ids.hasher();
            let (tag, call_id) = (request.from_tag().unwrap_or_default(), request.call_id().unwrap_or_default());
            merge.write_u64((tag.len() as u64) << 32 | call_id.len() as u64);
            merge.write(tag.as_bytes());
            merge.write(call_id.as_bytes());
            merge.write(request.text(HeaderName::CSeq).unwrap_or_default().as_bytes());
            merge.finish()
        });
        Self { own, invite, merge }
    }
}
