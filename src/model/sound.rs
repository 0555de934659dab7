//! A call's sound over its time: how well each direction was heard, and its outline.

use serde::{Deserialize, Serialize};

use super::{LegId, MediaFigures, Timestamp, e_model::hundredths};

/// How well one direction is heard by the E-model (ITU-T G.107): R = ro − is − id − ie_eff + a.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundQuality {
    /// From 1 to 4.5 (G.107 Annex B).
    pub mos: f32,
    pub r: f32,
    /// Signal to noise.
    pub ro: f32,
    /// Loudness and quantising.
    pub is: f32,
    /// Echo and delay.
    pub id: f32,
    /// Codec and loss.
    pub ie_eff: f32,
    /// Advantage.
    pub a: f32,
    pub loss_percent: f32,
    /// How much longer runs of losses are than chance makes them.
    pub burst_ratio: f32,
    /// From mouth to ear: half the round trip, a packet, and a buffer: as measured where a person listens here, else twice the jitter.
    pub delay_ms: f32,
}

/// What people say of a connection with such an R (G.107 Annex B, table B.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opinion {
    NotRecommended,
    NearlyAllDissatisfied,
    ManyDissatisfied,
    SomeDissatisfied,
    Satisfied,
    VerySatisfied,
}

/// How lost packets lie together (RFC 3611 §4.7.2): fewer than 16 heard between two losses make one burst of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LossBursts {
    pub bursts: u64,
    /// Lost of what belongs to bursts, and their mean length.
    pub burst_density_percent: f32,
    pub burst_ms: f32,
    /// The same of what lies between.
    pub gap_density_percent: f32,
    pub gap_ms: f32,
}

/// How loud one direction was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundLevel {
    pub measured_ms: u64,
    /// Louder than −40 dBFS.
    pub heard_ms: u64,
    /// At the limit, where sound is cut off.
    pub clipped_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peak_dbfs: Option<f32>,
}

/// One direction at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundHeard {
    pub loss_percent: f32,
    pub jitter_ms: f32,
    pub delay_ms: f32,
    pub mos: f32,
}

/// What is new since the figures were told last. Of no interest in a record, so it is not written with it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SoundMoment {
    /// Peaks of the last tenths of a second, of 255: so many, the last one the newest; and the first one's number among all
    /// of its stream.
    pub first_bar: u32,
    pub bars: u8,
    pub received_bars: [u8; 20],
    pub sent_bars: [u8; 20],
    pub received: Option<SoundHeard>,
    pub sent: Option<SoundHeard>,
}

/// The sound of all legs of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallSound {
    pub legs: Vec<LegSound>,
}

/// A leg's sound, bounded however long the call: what grows too long is thinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegSound {
    pub leg: LegId,
    /// When the first bar begins.
    pub began: Timestamp,
    pub bar_ms: u32,
    /// The peak of each bar's time, of 255.
    pub received: Vec<u8>,
    pub sent: Vec<u8>,
    pub points: Vec<SoundPoint>,
    /// Between two points.
    pub point_secs: u32,
    /// When the last bar ends.
    pub until: Timestamp,
    /// How many bars the stream has told.
    #[serde(skip)]
    pub told: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SoundPoint {
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received: Option<SoundHeard>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent: Option<SoundHeard>,
}

impl SoundQuality {
    pub fn opinion(&self) -> Opinion {
        Opinion::of_r(self.r)
    }
}

impl Opinion {
    pub fn of_r(r: f32) -> Opinion {
        match r {
            r if r >= 90.0 => Opinion::VerySatisfied,
            r if r >= 80.0 => Opinion::Satisfied,
            r if r >= 70.0 => Opinion::SomeDissatisfied,
            r if r >= 60.0 => Opinion::ManyDissatisfied,
            r if r >= 50.0 => Opinion::NearlyAllDissatisfied,
            _ => Opinion::NotRecommended,
        }
    }

    /// By the MOS that belongs to an R.
    pub fn of_mos(mos: f32) -> Opinion {
        let bands = [(4.34, 90.0), (4.03, 80.0), (3.60, 70.0), (3.10, 60.0), (2.58, 50.0)];
        Opinion::of_r(bands.iter().find(|(least, _)| mos >= *least).map_or(0.0, |(_, r)| *r))
    }

    /// In the words of table B.1.
    pub fn words(self) -> &'static str {
        match self {
            Opinion::VerySatisfied => "users very satisfied",
            Opinion::Satisfied => "users satisfied",
            Opinion::SomeDissatisfied => "some users dissatisfied",
            Opinion::ManyDissatisfied => "many users dissatisfied",
            Opinion::NearlyAllDissatisfied => "nearly all users dissatisfied",
            Opinion::NotRecommended => "not recommended",
        }
    }
}

impl CallSound {
    /// Takes in what was measured of a leg up to `at`.
    pub fn note(&mut self, at: Timestamp, leg: LegId, figures: &MediaFigures) {
        let known = self.legs.iter().position(|known| known.leg == leg);
        if known.is_none() {
            self.legs.push(LegSound::new(leg, at, &figures.moment));
        }
        let index = known.unwrap_or(self.legs.len() - 1);
        if let Some(sound) = self.legs.get_mut(index) {
            sound.note(at, &figures.moment);
        }
    }

    /// Nothing was heard or measured.
    pub fn is_empty(&self) -> bool {
        self.legs.iter().all(|leg| leg.points.is_empty() && leg.received.is_empty() && leg.sent.is_empty())
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        self.legs.iter().map(|leg| leg.received.len() + leg.sent.len() + leg.points.len() * size_of::<SoundPoint>() + 64).sum()
    }

    /// It, where it is as this program makes them: what was read from a file may be anything.
    pub fn within_bounds(self) -> Option<CallSound> {
        let is_sane = |leg: &LegSound| {
            (100..=MOST_BAR_MS).contains(&leg.bar_ms)
                && (1..=MOST_POINT_SECS).contains(&leg.point_secs)
                && leg.received.len().max(leg.sent.len()) <= MOST_BARS
                && leg.points.len() <= MOST_POINTS
                && leg.points.iter().all(|point| point.at >= leg.began)
        };
        (self.legs.len() <= MOST_LEGS && self.legs.iter().all(is_sane)).then_some(self)
    }

    pub fn of(&self, leg: LegId) -> Option<&LegSound> {
        self.legs.iter().find(|sound| sound.leg == leg)
    }
}

impl LegSound {
    /// What was received and what was sent from `from` to `until`, a peak a bar; silence where nothing is known.
    pub fn outline(&self, from: Timestamp, until: Timestamp) -> [Vec<u8>; 2] {
        let bar = u64::from(self.bar_ms.max(1)) * 1_000;
        let count = (until.micros_since(from) / bar + 1).min(MOST_OUTLINED);
        [&self.received, &self.sent].map(|peaks| {
            let at = |n: u64| (from.0 + n * bar + bar / 2).checked_sub(self.began.0).map(|since| (since / bar) as usize);
            (0..count).map(|n| at(n).and_then(|index| peaks.get(index)).copied().unwrap_or(0)).collect()
        })
    }

    fn new(leg: LegId, at: Timestamp, first: &SoundMoment) -> LegSound {
        let began = begin_of(at, first);
        LegSound {
            leg,
            began,
            bar_ms: 100,
            received: Vec::new(),
            sent: Vec::new(),
            points: Vec::new(),
            point_secs: 1,
            until: began,
            told: 0,
        }
    }

    fn note(&mut self, at: Timestamp, moment: &SoundMoment) {
        self.note_bars(at, moment);
        if moment.received.is_some() || moment.sent.is_some() {
            let [received, sent] = [moment.received, moment.sent].map(|heard| heard.map(SoundHeard::in_hundredths));
            self.note_point(SoundPoint { at, received, sent });
        }
    }

    fn note_bars(&mut self, at: Timestamp, moment: &SoundMoment) {
        if moment.bars == 0 {
            return;
        }
        let from = match moment.first_bar.checked_sub(self.told).filter(|_| self.told > 0) {
            // They follow each other without a seam, however late each is told; what was never told is silent.
            Some(missed) => Timestamp(self.until.0 + u64::from(missed) * TENTH),
            // The first ones, or those of another stream.
            None => begin_of(at, moment),
        };
        let bars = moment.received_bars.iter().zip(&moment.sent_bars).take(moment.bars.into());
        for (n, (received, sent)) in bars.enumerate() {
            let since = (from.0 + n as u64 * TENTH).saturating_sub(self.began.0) / 1_000;
            while since / u64::from(self.bar_ms) >= MOST_BARS as u64 {
                self.thin_bars();
            }
            let index = (since / u64::from(self.bar_ms)) as usize;
            for (track, peak) in [(&mut self.received, received), (&mut self.sent, sent)] {
                if track.len() <= index {
                    track.resize(index + 1, 0);
                }
                track[index] = track[index].max(*peak);
            }
        }
        self.until = Timestamp(from.0 + u64::from(moment.bars) * TENTH);
        self.told = moment.first_bar.saturating_add(moment.bars.into());
    }

    fn thin_bars(&mut self) {
        for track in [&mut self.received, &mut self.sent] {
            *track = track.chunks(2).map(|pair| pair.iter().copied().max().unwrap_or(0)).collect();
        }
        self.bar_ms *= 2;
    }

    fn note_point(&mut self, point: SoundPoint) {
        let space = u64::from(self.point_secs) * 1_000_000;
        match self.points.last_mut() {
            Some(last) if point.at.micros_since(last.at) + TENTH < space => last.fold(&point),
            _ => self.points.push(point),
        }
        if self.points.len() > MOST_POINTS {
            self.points = self
                .points
                .chunks(2)
                .filter_map(|pair| {
                    let mut first = *pair.first()?;
                    pair.iter().skip(1).for_each(|other| first.fold(other));
                    Some(first)
                })
                .collect();
            self.point_secs *= 2;
        }
    }
}

impl SoundHeard {
    /// More is not measured, and so much is kept.
    fn in_hundredths(self) -> SoundHeard {
        let [loss_percent, jitter_ms, delay_ms, mos] =
            [self.loss_percent, self.jitter_ms, self.delay_ms, self.mos].map(|figure| hundredths(figure.max(0.0)));
        SoundHeard { loss_percent, jitter_ms, delay_ms, mos }
    }
}

impl SoundPoint {
    /// The worse of both, for that is looked for.
    fn fold(&mut self, other: &SoundPoint) {
        self.received = worse(self.received, other.received);
        self.sent = worse(self.sent, other.sent);
    }
}

fn worse(a: Option<SoundHeard>, b: Option<SoundHeard>) -> Option<SoundHeard> {
    let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
    Some(SoundHeard {
        loss_percent: a.loss_percent.max(b.loss_percent),
        jitter_ms: a.jitter_ms.max(b.jitter_ms),
        delay_ms: a.delay_ms.max(b.delay_ms),
        mos: a.mos.min(b.mos),
    })
}

fn begin_of(at: Timestamp, moment: &SoundMoment) -> Timestamp {
    Timestamp(at.0.saturating_sub(u64::from(moment.bars) * TENTH))
}

/// Microseconds.
const TENTH: u64 = 100_000;
/// Two minutes of tenths of a second.
const MOST_BARS: usize = 1_200;
/// Five minutes of seconds.
const MOST_POINTS: usize = 300;
/// A sound keeps fewer.
const MOST_OUTLINED: u64 = 4_096;
/// Of a call of two years.
const MOST_BAR_MS: u32 = 100 << 20;
const MOST_POINT_SECS: u32 = 1 << 20;
/// More than a call comes to.
const MOST_LEGS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at_secs: u64, peak: u8, mos: f32) -> (Timestamp, MediaFigures) {
        let heard = SoundHeard { loss_percent: 5.0 - mos, jitter_ms: 1.0, delay_ms: 20.0, mos };
        let moment = SoundMoment {
            first_bar: (at_secs as u32 - 1) * 10,
            bars: 10,
            received_bars: [peak; 20],
            sent_bars: [peak / 2; 20],
            received: Some(heard),
            sent: None,
        };
        // Told a little late, as it happens.
        (Timestamp(at_secs * 1_000_000 + at_secs * 7 % 20_000), MediaFigures { moment, ..MediaFigures::default() })
    }

    fn told(secs: impl Iterator<Item = (u64, u8, f32)>) -> CallSound {
        let mut sound = CallSound::default();
        for (at, peak, mos) in secs {
            let (at, figures) = second(at, peak, mos);
            sound.note(at, LegId(0), &figures);
        }
        sound
    }

    #[test]
    fn seconds_join_without_a_seam() {
        let sound = told((1..=60).map(|n| (n, n as u8, 4.4)));
        let leg = sound.of(LegId(0)).unwrap();
        assert_eq!((leg.received.len(), leg.sent.len(), leg.points.len()), (600, 600, 60));
        assert!(leg.received.chunks(10).enumerate().all(|(n, bars)| bars.iter().all(|bar| usize::from(*bar) == n + 1)));
    }

    #[test]
    fn what_is_told_late_stays_in_its_place() {
        let mut sound = told([1, 2].into_iter().map(|n| (n, n as u8, 4.4)));
        for late in [3, 4] {
            let (_, figures) = second(late, late as u8, 4.4);
            sound.note(Timestamp(4_700_000), LegId(0), &figures);
        }
        let leg = sound.of(LegId(0)).unwrap();
        assert_eq!(leg.received.len(), 40);
        assert!(leg.received.chunks(10).enumerate().all(|(n, bars)| bars.iter().all(|bar| usize::from(*bar) == n + 1)));
    }

    #[test]
    fn another_stream_of_the_leg_stands_where_it_was_heard() {
        let mut sound = told([1, 2].into_iter().map(|n| (n, 9, 4.4)));
        let (_, figures) = second(1, 7, 4.4);
        sound.note(Timestamp(8_000_000), LegId(0), &figures);
        let leg = sound.of(LegId(0)).unwrap();
        assert_eq!((leg.received[19], leg.received[40], leg.received.last()), (9, 0, Some(&7)));
    }

    #[test]
    fn a_pause_stays_in_its_place() {
        let sound = told([1, 2, 10, 11].into_iter().map(|n| (n, 9, 4.4)));
        let leg = sound.of(LegId(0)).unwrap();
        assert_eq!((leg.received.len(), leg.points.len()), (110, 4));
        assert!(leg.received[20..90].iter().all(|bar| *bar == 0) && leg.received[90] == 9);
    }

    #[test]
    fn a_day_of_sound_has_a_bound_and_keeps_what_was_worst() {
        let sound = told((1..=86_400).map(|n| (n, if n == 40_000 { 200 } else { 10 }, if n == 50_000 { 2.0 } else { 4.4 })));
        let leg = sound.of(LegId(0)).unwrap();
        assert!(leg.received.len() <= MOST_BARS && leg.points.len() <= MOST_POINTS);
        assert_eq!(leg.received.iter().max(), Some(&200));
        let worst = leg.points.iter().filter_map(|point| point.received).map(|heard| heard.mos).fold(5.0, f32::min);
        assert_eq!(worst, 2.0);
    }

    #[test]
    fn opinions_are_those_of_table_b_1() {
        for (r, mos, opinion) in
            [(93.2, 4.41, "users very satisfied"), (80.0, 4.03, "users satisfied"), (59.0, 3.05, "nearly all users dissatisfied")]
        {
            assert_eq!((Opinion::of_r(r).words(), Opinion::of_mos(mos).words()), (opinion, opinion));
        }
    }
}
