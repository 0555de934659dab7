//! What goes in comes out, at each codec's own rate.

use super::*;

/// A sine in frames of 20 ms, through an encoder and a decoder.
fn heard(codec: Codec, hz: f64) -> (Vec<i16>, Vec<i16>) {
    let (mut encoder, mut decoder) = (Encoder::new(codec, OpusTerms::default()), Decoder::new(codec));
    let length = codec.sample_rate() as usize / 50;
    let step = std::f64::consts::TAU * hz / f64::from(codec.sample_rate());
    let said: Vec<i16> = (0..100 * length).map(|n| ((n as f64 * step).sin() * 8_000.0) as i16).collect();
    let heard = said.chunks_exact(length).flat_map(|frame| {
        let (mut packet, mut samples) = ([0; MOST_BYTES], vec![0; length]);
        let bytes = encoder.encode(frame, &mut packet);
        assert_eq!(decoder.decode(&packet[..bytes], &mut samples), length);
        samples
    });
    let heard = heard.collect();
    (said, heard)
}

/// The signal's power over the error's, at the delay where that is best, in dB. The first 200 ms settle.
fn fidelity_db(rate: u32, said: &[i16], heard: &[i16]) -> f64 {
    let settled = rate as usize / 5;
    let db = |delay: usize| {
        let pairs = said[settled..].iter().zip(&heard[settled + delay..]);
        let (signal, error) = pairs.fold((0.0, 0.0), |(signal, error), (said, heard)| {
            let (said, heard) = (f64::from(*said), f64::from(*heard));
            (signal + said * said, error + (said - heard).powi(2))
        });
        10.0 * (signal / error).log10()
    };
    (0..rate as usize / 50).map(db).max_by(f64::total_cmp).expect("delays")
}

#[test]
fn a_tone_comes_out_as_it_went_in() {
    for (codec, hz, least_db) in [
        (Codec::Pcmu, 1_010.0, 35.0),
        (Codec::Pcma, 1_010.0, 35.0),
        (Codec::G722, 1_010.0, 40.0),
        (Codec::G722, 5_000.0, 18.0),
        (Codec::Opus, 1_010.0, 25.0),
    ] {
        let (said, heard) = heard(codec, hz);
        let db = fidelity_db(codec.sample_rate(), &said, &heard);
        assert!(db > least_db, "{codec:?} {hz} Hz: {db}");
    }
}

#[test]
fn a_lost_opus_packet_is_found_in_the_next() {
    // The pitch leaps every 200 ms, and each first packet after a leap is lost: what is concealed goes on with the old pitch.
    let hz = |frame: usize| if (frame / 10).is_multiple_of(2) { 330.0 } else { 770.0 };
    let new_pitch = |repair: fn(&mut Decoder, &[u8], &mut [i16]) -> usize| {
        let (mut encoder, mut decoder) =
            (Encoder::new(Codec::Opus, OpusTerms { fec: true, ..OpusTerms::default() }), Decoder::new(Codec::Opus));
        encoder.expect_loss(20);
        let (mut phase, mut lost, mut found, mut tried) = (0f64, false, 0, 0);
        for frame in 0..200 {
            let said: [i16; 960] = std::array::from_fn(|_| {
                phase += std::f64::consts::TAU * hz(frame) / 48_000.0;
                (phase.sin() * 8_000.0) as i16
            });
            let mut packet = [0; MOST_BYTES];
            let bytes = encoder.encode(&said, &mut packet);
            if frame % 10 == 0 && frame > 0 {
                lost = true;
                continue;
            }
            let mut out = [0; 960];
            if std::mem::take(&mut lost) {
                assert_eq!(repair(&mut decoder, &packet[..bytes], &mut out), 960);
                // The last 10 ms: before them the codec's delay still holds the old pitch.
                let power = |hz| power_at(&out[480..], hz);
                tried += 1;
                found += usize::from(power(hz(frame)) > 4.0 * power(hz(frame - 10)));
            }
            assert_eq!(decoder.decode(&packet[..bytes], &mut out), 960);
        }
        (found, tried)
    };
    let (repeated, tried) = new_pitch(|decoder, next, out| decoder.fec(next, out));
    let (concealed, _) = new_pitch(|decoder, _, out| decoder.conceal(out));
    assert!(repeated >= tried - 2 && concealed == 0, "{repeated} and {concealed} of {tried}");
}

fn power_at(samples: &[i16], hz: f64) -> f64 {
    let (re, im) = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, sample)| {
        let angle = std::f64::consts::TAU * hz * n as f64 / 48_000.0;
        (re + f64::from(*sample) * angle.cos(), im + f64::from(*sample) * angle.sin())
    });
    re * re + im * im
}

#[test]
fn names_numbers_and_clocks_are_those_of_the_rfcs() {
    for codec in Codec::ALL {
        assert_eq!(Codec::by_name(&codec.name().to_lowercase()), Some(codec));
        assert_eq!(Codec::by_static_pt(codec.usual_pt()), (codec != Codec::Opus).then_some(codec));
    }
    assert_eq!((Codec::G722.clock_rate(), Codec::G722.sample_rate()), (8_000, 16_000));
    assert_eq!((Codec::Opus.clock_rate(), Codec::Opus.announced_channels()), (48_000, 2));
}

#[test]
fn opus_of_60_and_120_ms_is_read_and_what_has_no_frame_is_not_written() {
    let mut encoder = Encoder::new(Codec::Opus, OpusTerms::default());
    let mut packet = [0; MOST_BYTES];
    for length in [480, 960, 1_920, 2_880, 5_760] {
        let bytes = encoder.encode(&vec![0; length], &mut packet);
        assert_eq!(Decoder::new(Codec::Opus).decode(&packet[..bytes], &mut [0; MOST_SAMPLES]), length);
    }
    assert_eq!(encoder.encode(&[0; 777], &mut packet), 0);
    assert_eq!(encoder.encode(&[0; 960], &mut []), 0);
}

#[test]
fn terms_of_the_peer_are_heeded() {
    let bytes = |terms| {
        let mut encoder = Encoder::new(Codec::Opus, terms);
        let mut noise = 1u32;
        let said: Vec<i16> = (0..48_000)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 18) as i16
            })
            .collect();
        said.chunks_exact(960).map(|frame| encoder.encode(frame, &mut [0; MOST_BYTES])).sum::<usize>()
    };
    let usual = bytes(OpusTerms::default());
    let narrow = bytes(OpusTerms { most_bitrate: Some(12_000), ..OpusTerms::default() });
    assert!((4_000..6_500).contains(&usual) && (900..2_200).contains(&narrow), "{usual} {narrow}");
    assert!(bytes(OpusTerms { most_bitrate: Some(0), most_playback_rate: Some(0), constant_bitrate: true, dtx: true, fec: true }) > 0);
}

proptest::proptest! {
    #[test]
    fn any_payload_is_survived(packets in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..300), 1..20), room in 0usize..3_000) {
        for codec in Codec::ALL {
            let mut decoder = Decoder::new(codec);
            let mut out = vec![0; room];
            for packet in &packets {
                proptest::prop_assert!(decoder.fec(packet, &mut out) <= room);
                proptest::prop_assert!(decoder.decode(packet, &mut out) <= room);
                proptest::prop_assert!(decoder.conceal(&mut out) <= room);
            }
        }
    }
}
