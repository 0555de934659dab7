//! A moment's place on the ladder's time axis, and the moment at a place: for what is played along with it.

use super::data::Ladder;
use crate::model::Timestamp;

/// How far down a moment stands, in points from the top; between rows by the share of the time between them.
pub fn y_of(ladder: &Ladder, at: Timestamp) -> f32 {
    let stops = || stops(ladder);
    let after = stops().find(|(_, moment)| *moment >= at);
    let before = stops().take_while(|(_, moment)| *moment <= at).last();
    match (before, after) {
        (Some((above, from)), Some((below, until))) if until > from => {
            let share = at.micros_since(from) as f32 / until.micros_since(from) as f32;
            above + (below - above) * share
        }
        (Some((y, _)), _) | (None, Some((y, _))) => y,
        (None, None) => 0.0,
    }
}

/// The moment that stands there.
pub fn at_of(ladder: &Ladder, y: f32) -> Option<Timestamp> {
    let mut last: Option<(f32, Timestamp)> = None;
    for (below, until) in stops(ladder) {
        if below >= y {
            let Some((above, from)) = last else { return Some(until) };
            let share = if below > above { f64::from((y - above) / (below - above)) } else { 1.0 };
            return Some(Timestamp(from.0 + (until.micros_since(from) as f64 * share) as u64));
        }
        last = Some((below, until));
    }
    last.map(|(_, at)| at)
}

/// The middles of the rows, in order of time; a row that stands below a later one is passed over.
fn stops(ladder: &Ladder) -> impl Iterator<Item = (f32, Timestamp)> + '_ {
    let places = ladder.layout.rows.iter();
    let all = places.filter_map(|place| Some((place.top + place.height / 2.0, ladder.rows.get(place.row)?.at)));
    all.scan(Timestamp(0), |latest, (y, at)| {
        let kept = at >= *latest;
        *latest = (*latest).max(at);
        Some(kept.then_some((y, at)))
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{
        Backend as _,
        panels::{
            calls::data::find,
            ladder::{data::ladder, layout},
        },
        sample::{RETURNING, SampleBackend},
        wire_text::Views,
    };

    #[test]
    fn a_moment_and_its_place_are_each_others_in_both_layouts() {
        let backend = SampleBackend::filled();
        let mut views = Views::default();
        views.refresh(&backend.messages(RETURNING));
        let snapshot = backend.snapshot();
        let mut ladder = ladder(find(&snapshot, RETURNING).expect("it is a sample"), views.all(), snapshot.at);
        for to_scale in [false, true] {
            ladder.layout = layout::layout(&ladder, &layout::View { to_scale, ..layout::View::default() });
            let (first, last) = (ladder.rows[0].at, ladder.rows[ladder.rows.len() - 1].at);
            let mut before = 0.0;
            for step in 0..=200 {
                let at = Timestamp(first.0 + (last.0 - first.0) * step / 200);
                let y = y_of(&ladder, at);
                assert!(y >= before, "time goes down");
                before = y;
                let back = at_of(&ladder, y).expect("a moment");
                // A pixel of a long gap is a long time.
                assert!(back.0.abs_diff(at.0) < 300_000, "{to_scale} {step}: {back:?} is not {at:?}");
            }
            assert_eq!(at_of(&ladder, -5.0), Some(first), "above all is the beginning");
            assert_eq!(at_of(&ladder, 1e9), Some(last));
        }
        assert_eq!(at_of(&Ladder::default(), 3.0), None);
    }
}
