//! Putting the far side on hold, and taking it back: a re-INVITE with `a=sendonly`, then with `a=sendrecv` (RFC 3264 §8.4).

use std::time::Instant;

use super::{
    run::Run,
    site::{LegKind, Site},
};
use crate::model::CallEvent;

impl Run {
    /// The person at the phone wants the far side on hold, or back.
    ///
    /// # Errors
    /// The call is not up, or it is so already; one sentence.
    pub fn hold(&mut self, now: Instant, site: &mut Site, on: bool) -> Result<(), String> {
        let up = [LegKind::ReturnCall, LegKind::Call].into_iter().find(|kind| self.leg(*kind).is_some_and(|leg| leg.is_up()));
        let Some(leg) = up.and_then(|kind| self.leg(kind)) else { return Err("the call is not up".to_owned()) };
        let Some(session) = leg.session.filter(|_| leg.on_hold != on) else {
            return Err(if on { "the call is on hold already" } else { "the call is not on hold" }.to_owned());
        };
        if leg.hold_asked {
            return Err("the far side has not answered the last change yet".to_owned());
        }
        leg.on_hold = on;
        let Some(offer) = leg.offer(site) else { return Err("the call has no sound".to_owned()) };
        leg.hold_asked = true;
        // Whoever holds a call is not heard in it from the key on, whenever the far side answers.
        if on {
            leg.put_person(site, false);
        }
        let side = leg.side;
        if let Err(why) = site.agent(side).offer(now, session, offer) {
            let why = why.to_string();
            self.take_hold_back(site, up);
            return Err(why);
        }
        self.journal.step(now, if on { "Put on hold" } else { "Taken back from hold" });
        Ok(())
    }

    /// The far side took our re-INVITE.
    pub fn hold_settled(&mut self, site: &mut Site, kind: LegKind) {
        let Some(leg) = self.leg(kind) else { return };
        if !std::mem::take(&mut leg.hold_asked) {
            return;
        }
        leg.put_person(site, !leg.on_hold);
        if let Some(leg_id) = leg.number {
            let what = if leg.on_hold { CallEvent::LegHeld { leg: leg_id } } else { CallEvent::LegResumed { leg: leg_id } };
            site.event(self.id, what);
        }
    }

    /// The far side refused it: the call goes on as it was (RFC 3261 §14.1).
    pub fn hold_refused(&mut self, now: Instant, site: &mut Site, kind: LegKind, code: u16) {
        if self.leg(kind).is_some_and(|leg| leg.hold_asked) {
            self.take_hold_back(site, Some(kind));
            self.journal.fault(now, format!("The far side refused the change of hold with {code}"));
        }
    }

    fn take_hold_back(&mut self, site: &mut Site, kind: Option<LegKind>) {
        if let Some(leg) = kind.and_then(|kind| self.leg(kind)) {
            leg.hold_asked = false;
            leg.on_hold = !leg.on_hold;
            leg.put_person(site, !leg.on_hold);
        }
    }
}
