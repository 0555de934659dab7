//! The sound of the sample's calls: two people who take turns, a hold, and a second of loss.

use std::sync::Arc;

use crate::model::{CallSound, LegId, MediaFigures, SoundHeard, SoundMoment, Timestamp};

/// A minute of talk that begins at `from`.
pub fn sound(from: Timestamp, secs: u64) -> Arc<CallSound> {
    let mut sound = CallSound::default();
    for second in 1..=secs {
        let mut moment = SoundMoment { first_bar: (second as u32 - 1) * 10, bars: 10, ..SoundMoment::default() };
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

fn heard(loss_percent: f32, jitter_ms: f32, mos: f32) -> SoundHeard {
    SoundHeard { loss_percent, jitter_ms, delay_ms: 26.0 + 2.0 * jitter_ms, mos }
}
