//! How a call sounded, as a blob beside its messages: a few kilobytes, however long the call was.
//!
//! A version byte, then each leg: its number (2 bytes), when it began (8), a bar's length, how much later the last bar ends,
//! how many bars its stream told, the two outlines (length and peaks), the space between points, and the points: the time
//! since the one before, flags, and loss, jitter, delay and MOS of each direction in hundredths. Numbers without a size are
//! varints (LEB128).

use crate::model::{CallSound, LegId, LegSound, SoundHeard, SoundPoint, Timestamp};

/// The blob; `None` where nothing was heard or measured.
pub fn encode(sound: &CallSound) -> Option<Vec<u8>> {
    if sound.is_empty() {
        return None;
    }
    let mut out = vec![VERSION];
    for leg in &sound.legs {
        out.extend_from_slice(&leg.leg.0.to_le_bytes());
        out.extend_from_slice(&leg.began.0.to_le_bytes());
        push(&mut out, leg.bar_ms.into());
        push(&mut out, leg.until.micros_since(leg.began));
        push(&mut out, leg.told.into());
        for track in [&leg.received, &leg.sent] {
            push(&mut out, track.len() as u64);
            out.extend_from_slice(track);
        }
        push(&mut out, leg.point_secs.into());
        push(&mut out, leg.points.len() as u64);
        let mut before = leg.began;
        for point in &leg.points {
            push(&mut out, point.at.micros_since(before));
            before = point.at;
            out.push(u8::from(point.received.is_some()) | u8::from(point.sent.is_some()) << 1);
            for heard in [point.received, point.sent].into_iter().flatten() {
                for value in [heard.loss_percent, heard.jitter_ms, heard.delay_ms, heard.mos] {
                    push(&mut out, hundredths(value));
                }
            }
        }
    }
    Some(out)
}

/// The sound again; `None` where the blob is none, or of a version that is not known.
pub fn decode(blob: &[u8]) -> Option<CallSound> {
    let mut rest = blob.strip_prefix(&[VERSION])?;
    let mut sound = CallSound::default();
    while !rest.is_empty() {
        let leg = LegId(u16::from_le_bytes(fixed(&mut rest)?));
        let began = Timestamp(u64::from_le_bytes(fixed(&mut rest)?));
        let bar_ms = u32::try_from(take(&mut rest)?).ok()?;
        let until = Timestamp(began.0.checked_add(take(&mut rest)?)?);
        let told = u32::try_from(take(&mut rest)?).ok()?;
        let [received, sent] = [track(&mut rest)?, track(&mut rest)?];
        let point_secs = u32::try_from(take(&mut rest)?).ok()?;
        let count = take(&mut rest)?;
        let mut points = Vec::new();
        let mut at = began;
        for _ in 0..count {
            at = Timestamp(at.0.checked_add(take(&mut rest)?)?);
            let [flags] = fixed(&mut rest)?;
            let mut heard = |there: bool| if there { heard(&mut rest).map(Some) } else { Some(None) };
            points.push(SoundPoint { at, received: heard(flags & 1 != 0)?, sent: heard(flags & 2 != 0)? });
        }
        sound.legs.push(LegSound { leg, began, bar_ms, received, sent, points, point_secs, until, told });
    }
    sound.within_bounds()
}

fn heard(rest: &mut &[u8]) -> Option<SoundHeard> {
    let mut value = || take(rest).map(|hundredths| hundredths as f32 / 100.0);
    Some(SoundHeard { loss_percent: value()?, jitter_ms: value()?, delay_ms: value()?, mos: value()? })
}

fn track(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (peaks, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(peaks.to_vec())
}

fn hundredths(value: f32) -> u64 {
    (value * 100.0).round() as u64
}

fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{MediaFigures, SoundMoment};

    fn moment() -> impl Strategy<Value = (u64, SoundMoment)> {
        let figure = (0f32..100.0, 0f32..5_000.0, 0f32..5_000.0, 1f32..4.5);
        let heard = proptest::option::of(figure.prop_map(|(loss_percent, jitter_ms, delay_ms, mos)| SoundHeard {
            loss_percent,
            jitter_ms,
            delay_ms,
            mos,
        }));
        (500_000u64..3_000_000, 0u8..=20, any::<[u8; 20]>(), any::<[u8; 20]>(), heard.clone(), heard).prop_map(
            |(wait, bars, received_bars, sent_bars, received, sent)| {
                (wait, SoundMoment { first_bar: 0, bars, received_bars, sent_bars, received, sent })
            },
        )
    }

    fn told(moments: &[(u64, SoundMoment)]) -> CallSound {
        let mut sound = CallSound::default();
        let mut at = Timestamp(1_800_000_000_000_000);
        for (n, (wait, moment)) in moments.iter().enumerate() {
            at = Timestamp(at.0 + wait);
            sound.note(at, LegId((n % 2) as u16), &MediaFigures { moment: *moment, ..MediaFigures::default() });
        }
        sound
    }

    #[test]
    fn an_hour_takes_kilobytes_and_a_call_without_sound_takes_nothing() {
        let heard = SoundHeard { loss_percent: 0.5, jitter_ms: 1.23, delay_ms: 26.4, mos: 4.38 };
        let moment = SoundMoment {
            bars: 10,
            received_bars: [90; 20],
            sent_bars: [7; 20],
            received: Some(heard),
            sent: Some(heard),
            ..SoundMoment::default()
        };
        let blob = encode(&told(&vec![(500_000, moment); 7_200])).expect("it was heard");
        assert!(blob.len() < 13_000, "{} bytes for two legs", blob.len());
        assert_eq!(encode(&CallSound::default()), None);
        assert_eq!(encode(&told(&[(1, SoundMoment::default())])), None, "streams that carried nothing");
    }

    #[test]
    fn another_version_and_a_blob_that_is_cut_are_none() {
        let heard = SoundHeard { mos: 4.0, ..SoundHeard::default() };
        let blob = encode(&told(&[(1_000_000, SoundMoment { bars: 3, received: Some(heard), ..SoundMoment::default() })])).expect("sound");
        assert!(decode(&blob).is_some());
        for length in 2..blob.len() {
            assert_eq!(decode(&blob[..length]), None, "{length}");
        }
        assert_eq!(decode(&[&[VERSION + 1], &blob[1..]].concat()), None);
    }

    proptest! {
        #[test]
        fn it_comes_back_as_it_was(moments in proptest::collection::vec(moment(), 1..60)) {
            let sound = told(&moments);
            prop_assert_eq!(encode(&sound).and_then(|blob| decode(&blob)), Some(sound).filter(|sound| !sound.is_empty()));
        }

        #[test]
        fn no_blob_makes_it_panic(blob in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&[&[VERSION][..], &blob].concat());
        }
    }
}
