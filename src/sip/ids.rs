//! Tags, branches and Call-IDs that nobody can guess, from a seed (RFC 3261 §8.1.1.4, §8.1.1.7, §19.3).
//!
//! Each id also carries, in plain sight, the slot of what it names. A response finds its transaction and a request
//! its dialog by reading the slot from the id and comparing the whole: no table of ids to hash into.

use std::{collections::hash_map::DefaultHasher, hash::Hasher as _};

use super::small_text::SmallText;

/// The source of ids of one user agent.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: u64,
    shard: u8,
    count: u64,
    /// Tells our own ids from those of others. Public, so it must not tell anything about the seed.
    marker: u32,
}

/// A short text on the stack: an id of at most 40 characters.
pub type IdText = SmallText<40>;

impl Ids {
    /// The seed must be secret and random where strangers can listen.
    pub fn new(seed: u64, shard: u8) -> Self {
        let mut ids = Self { seed, shard, count: 0, marker: 0 };
        ids.marker = ids.random() as u32;
        ids
    }

    /// 64 bits that look random to anybody without the seed.
    pub fn random(&mut self) -> u64 {
        self.count += 1;
        // SipHash over the secret and a counter: cheap, and not to be continued from what was seen.
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write_u64(self.count);
        hasher.finish()
    }

    /// A branch for a client transaction in `slot`. The marker after the magic cookie is ours alone, so that a
    /// request that comes back to us is known by its Via.
    pub fn branch(&mut self, slot: u32) -> IdText {
        let random = self.random();
        IdText::of(&[BRANCH_COOKIE]).hex(self.marker, 8).hex(slot, 8).hex(random, 16)
    }

    /// The slot in a branch that this source has made.
    pub fn slot_of_branch(&self, branch: &str) -> Option<u32> {
        let rest = branch.strip_prefix(BRANCH_COOKIE)?;
        (rest.len() == 32 && hex32(rest.get(..8)?)? == self.marker).then(|| hex32(rest.get(8..16)?)).flatten()
    }

    /// A tag for the dialog in `slot`.
    pub fn tag(&mut self, slot: u32) -> IdText {
        let random = self.random();
        IdText::default().hex(self.shard, 2).hex(slot, 6).hex(random, 16)
    }

    /// The slot in a tag of the shape that this source makes; the caller compares the whole tag.
    pub fn slot_of_tag(tag: &str) -> Option<u32> {
        (tag.len() == 24).then(|| hex32(tag.get(2..8)?)).flatten()
    }

    /// A Call-ID without a host part, so that it tells nothing about where we are.
    pub fn call_id(&mut self) -> IdText {
        let (high, low) = (self.random(), self.random());
        IdText::default().hex(self.shard, 2).hex(self.marker, 8).hex(high, 16).hex(low as u32, 8)
    }

    /// Whether this source has made the Call-ID.
    pub fn made_call_id(&self, call_id: &str) -> bool {
        call_id.len() == 34 && call_id.get(2..10).and_then(hex32) == Some(self.marker)
    }

    /// Hashes a stranger's words for our tables, so that nobody can choose words that collide.
    pub fn hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher
    }
}

/// §8.1.1.7: the branch of an RFC 3261 transaction begins with this.
pub const BRANCH_COOKIE: &str = "z9hG4bK";

fn hex32(text: &str) -> Option<u32> {
    // `from_str_radix` would also take a sign.
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_slots_and_to_their_maker() {
        let (mut ours, mut theirs) = (Ids::new(7, 3), Ids::new(8, 3));
        let branch = ours.branch(0x12ab);
        assert_eq!(ours.slot_of_branch(&branch), Some(0x12ab));
        assert_eq!(theirs.slot_of_branch(&branch), None);
        assert_eq!(Ids::slot_of_tag(&ours.tag(77)), Some(77));
        assert_eq!(Ids::slot_of_tag("+1+2+3+4+5+6+7+8+9+0+1+2"), None);
        assert!(ours.made_call_id(&ours.clone().call_id()));
        assert!(!ours.made_call_id(&theirs.call_id()));
        assert_ne!(ours.tag(1), ours.tag(1));
    }
}
