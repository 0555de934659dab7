//! Other settings while calls run: they hold for what comes, and a running call keeps those that it was admitted with.

use std::{sync::Arc, time::Instant};

use crate::model::settings::Settings;

use super::{
    Switch,
    switch::{trust, ua_limits},
    throttle::Bucket,
};

impl Switch {
    /// Where it listens is not for it to change: that part of `settings` is taken as being in force already.
    pub(super) fn handle_settings(&mut self, now: Instant, settings: Arc<Settings>) {
        let peers: Arc<[_]> = settings.peers.clone().into();
        trust(&mut self.ua, peers.clone());
        self.ua.set_limits(ua_limits(&settings.limits));
        self.admission.renew(&settings.sip.realm, peers);
        self.throttle.set_rate(settings.limits.unadmitted_per_second);
        if settings.limits.calls_per_second != self.settings.limits.calls_per_second {
            let rate = f64::from(settings.limits.calls_per_second.max(1));
            self.rate = Bucket::full(now, rate, rate);
        }
        self.settings = settings;
    }
}
