//! SIP messages (RFC 3261 §7): read in place over [`bytes::Bytes`], written into the same indexed types.
