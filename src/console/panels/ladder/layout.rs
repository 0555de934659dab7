//! Where the rows of a ladder stand: made when something changed, so that painting only looks rows up.

use std::collections::BTreeSet;

use super::data::{Ladder, Row, What};
use crate::model::Timestamp;

/// What the operator has chosen of a ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// 1.0: rows of 26.
    pub zoom: f32,
    /// Distances tell time; else rows stand in order, one below the other.
    pub to_scale: bool,
    /// Messages whose retransmissions have rows of their own.
    pub expanded: BTreeSet<u64>,
}

impl Default for View {
    fn default() -> Self {
        Self { zoom: 1.0, to_scale: false, expanded: BTreeSet::new() }
    }
}

impl View {
    /// The zoom, kept where a ladder can be read or overlooked.
    pub fn zoom_by(&mut self, factor: f32) {
        let zoom = (self.zoom * factor).clamp(SMALLEST, LARGEST);
        // One comes back to where one was.
        self.zoom = if (zoom - 1.0).abs() < 0.04 { 1.0 } else { zoom };
    }
}

/// Rows and bands with their places, in points from the top.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    pub zoom: f32,
    /// Rows that are shown, from the top.
    pub rows: Vec<Place>,
    /// The bands of [`Ladder::bands`], each from top to bottom.
    pub bands: Vec<(f32, f32)>,
    /// When they were on hold: the band, from top to bottom.
    pub holds: Vec<(usize, f32, f32)>,
    /// Moments in long gaps, for the time axis.
    pub ticks: Vec<(f32, Timestamp)>,
    pub height: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its index among [`Ladder::rows`].
    pub row: usize,
    pub top: f32,
    pub height: f32,
}

/// Places what `view` shows of `ladder`.
pub fn layout(ladder: &Ladder, view: &View) -> Layout {
    let start = ladder.rows.first().map_or(Timestamp(0), |row| row.at);
    let mut out = Layout { zoom: view.zoom, ..Layout::default() };
    let mut y = 0.0_f32;
    let mut last: Option<Timestamp> = None;
    let sound = if ladder.bands.iter().any(|band| !band.voices.is_empty()) { VOICES } else { SOUND };
    let height = |row: &Row, zoom: f32| if matches!(row.what, What::Sound) { sound * zoom } else { height(row, zoom) };
    for (row, is) in ladder.rows.iter().enumerate().filter(|(_, row)| is_shown(row, view)) {
        if let (true, Some(before)) = (view.to_scale, last) {
            let gap = is.at.micros_since(before) as f32 / 1_000_000.0 * POINTS_A_SECOND * view.zoom;
            let room = (gap - height(is, view.zoom)).max(0.0);
            ticks(&mut out.ticks, y, room, before, is.at, start);
            y += room;
        }
        let height = height(is, view.zoom);
        out.rows.push(Place { row, top: y, height });
        y += height;
        last = Some(is.at);
    }
    out.height = y;
    for (index, band) in ladder.bands.iter().enumerate() {
        let from = place_of(ladder, &out, band.from);
        let until = place_of(ladder, &out, band.until).max(from);
        out.bands.push((from, until));
        for (held, resumed) in &band.holds {
            out.holds.push((index, place_of(ladder, &out, *held), place_of(ladder, &out, *resumed)));
        }
    }
    out
}

/// A retransmission is a row of its own only where its message is expanded.
fn is_shown(row: &Row, view: &View) -> bool {
    !matches!(&row.what, What::Arrow(arrow) if arrow.again_of.is_some_and(|of| !view.expanded.contains(&of)))
}

fn height(row: &Row, zoom: f32) -> f32 {
    let whole = match row.what {
        What::Arrow(_) => ARROW,
        What::Sound => SOUND,
        What::Mark(_) => MARK,
    };
    whole * zoom
}

/// Where a moment stands: the top of the first row that is not before it.
fn place_of(ladder: &Ladder, layout: &Layout, at: Timestamp) -> f32 {
    let index = layout.rows.partition_point(|place| ladder.rows.get(place.row).is_some_and(|row| row.at < at));
    layout.rows.get(index).map_or(layout.height, |place| place.top)
}

/// Whole seconds within a gap, so few that their words have room.
fn ticks(out: &mut Vec<(f32, Timestamp)>, top: f32, room: f32, from: Timestamp, until: Timestamp, start: Timestamp) {
    let micros = until.micros_since(from);
    if room < 2.0 * TICK || micros == 0 {
        return;
    }
    let most = f64::from(room / TICK);
    let steps = [1_u64, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 14_400];
    let Some(step) = steps.iter().map(|s| s * 1_000_000).find(|step| (micros / step) as f64 <= most) else { return };
    let mut at = (from.micros_since(start) / step + 1) * step;
    while start.0 + at < until.0 {
        let share = (start.0 + at - from.0) as f32 / micros as f32;
        let y = top + room * share;
        // Clear of the rows at both ends.
        if share * room > TICK / 2.0 && (1.0 - share) * room > TICK / 4.0 {
            out.push((y, Timestamp(start.0 + at)));
        }
        at += step;
    }
}

const ARROW: f32 = 26.0;
const SOUND: f32 = 44.0;
/// With both voices under the words.
const VOICES: f32 = 92.0;
const MARK: f32 = 22.0;
const SMALLEST: f32 = 0.3;
const LARGEST: f32 = 2.5;
const POINTS_A_SECOND: f32 = 24.0;
/// From one moment on the axis to the next.
const TICK: f32 = 48.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{
        Backend as _,
        panels::{calls::data::find, ladder::data::ladder},
        sample::{RETURNING, SampleBackend},
        wire_text::Views,
    };

    fn sample() -> Ladder {
        let backend = SampleBackend::filled();
        let mut views = Views::default();
        views.refresh(&backend.messages(RETURNING));
        let snapshot = backend.snapshot();
        ladder(find(&snapshot, RETURNING).unwrap(), views.all(), snapshot.at)
    }

    #[test]
    fn a_retransmission_is_counted_at_its_message_until_it_is_asked_for() {
        let ladder = sample();
        let refer = ladder.rows.iter().find_map(|row| match &row.what {
            What::Arrow(arrow) if arrow.times == 2 => arrow.message,
            _ => None,
        });
        let refer = refer.expect("the REFER was sent twice");
        let closed = layout(&ladder, &View::default());
        let open = layout(&ladder, &View { expanded: [refer].into(), ..View::default() });
        assert_eq!((closed.rows.len() + 1, open.rows.len()), (ladder.rows.len(), ladder.rows.len()));
    }

    #[test]
    fn a_band_reaches_from_the_answer_to_the_return() {
        let ladder = sample();
        let layout = layout(&ladder, &View::default());
        let top_of = |title: &str| {
            layout.rows.iter().find(|p| matches!(&ladder.rows[p.row].what, What::Arrow(a) if &*a.title == title)).map(|p| p.top).unwrap()
        };
        assert!(layout.bands[0].0 > top_of("200 OK") && layout.bands[0].1 <= top_of("REFER"), "{:?}", layout.bands);
        assert_eq!(layout.holds.len(), 1);
    }

    #[test]
    fn to_scale_a_long_silence_is_long_and_its_seconds_are_told() {
        let ladder = sample();
        let in_order = layout(&ladder, &View::default());
        let to_scale = layout(&ladder, &View { to_scale: true, ..View::default() });
        assert!(in_order.ticks.is_empty() && to_scale.ticks.len() > 5);
        assert!(to_scale.height > 1_400.0 && to_scale.height < 3_000.0, "a minute at 24 points a second: {}", to_scale.height);
        assert!(to_scale.rows.is_sorted_by(|a, b| a.top + a.height <= b.top));
    }

    #[test]
    fn zoom_stays_within_what_can_be_read() {
        let mut view = View::default();
        (0..50).for_each(|_| view.zoom_by(0.8));
        assert!((view.zoom - SMALLEST).abs() < f32::EPSILON);
        (0..100).for_each(|_| view.zoom_by(1.25));
        assert!((view.zoom - LARGEST).abs() < f32::EPSILON);
    }
}
