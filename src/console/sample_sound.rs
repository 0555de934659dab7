//! The sound of the sample's calls: two people who take turns, a hold, and a second of loss.

use std::sync::Arc;

use crate::model::{CallSound, LegId, MediaFigures, SoundHeard, SoundMoment, SoundQuality, Timestamp};

/// A minute of talk that begins at `from`.
pub fn sound(from: Timestamp, secs: u64) -> Arc<CallSound> {
    let mut sound = CallSound::default();
    for second in 1..=secs {
        let mut moment = SoundMoment { bars: 10, ..SoundMoment::default() };
        for tenth in 0..10 {
            let at = (second - 1) * 10 + tenth as u64;
            let loud = (60 + at * 37 % 97 + at * 11 % 61) as u8;
            let turn = at / 23 % 4;
            moment.received_bars[tenth] = if turn == 1 || turn == 3 && at % 7 < 4 { loud } else { (at % 3) as u8 };
            moment.sent_bars[tenth] = if turn == 0 || turn == 2 { loud / 2 + 40 } else { 0 };
        }
        let lossy = second == 31;
        moment.received = Some(heard(if lossy { 4.0 } else { 0.0 }, 1.2 + (second % 5) as f32 * 0.3, if lossy { 3.98 } else { 4.38 }));
        moment.sent = Some(heard(0.0, 0.9, 4.39));
        let at = Timestamp(from.0 + second * 1_000_000);
        sound.note(at, LegId(0), &MediaFigures { moment, ..MediaFigures::default() });
    }
    Arc::new(sound)
}

/// What the E-model says of such a call.
pub fn quality(loss_percent: f32, delay_ms: f32) -> SoundQuality {
    let (id, ie_eff) = (0.9, 95.0 * loss_percent / (loss_percent + 25.1));
    let r = 94.77 - 1.41 - id - ie_eff;
    let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
    SoundQuality { mos, r, ro: 94.77, is: 1.41, id, ie_eff, a: 0.0, loss_percent, burst_ratio: 1.0, delay_ms }
}

fn heard(loss_percent: f32, jitter_ms: f32, mos: f32) -> SoundHeard {
    SoundHeard { loss_percent, jitter_ms, delay_ms: 26.0 + 2.0 * jitter_ms, mos }
}
