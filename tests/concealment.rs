//! Concealed speech is nearer to what was said than speech with holes, at each rate of loss and with jitter.

#[path = "../benches/concealment/likeness.rs"]
mod likeness;
#[path = "../benches/concealment/trial.rs"]
mod trial;

#[test]
fn concealment_brings_speech_nearer_to_what_was_said() {
    let speech = trial::speech(4);
    for network in trial::Network::ALL {
        let trial::Trial { plain, concealed, missed } = trial::Trial::of(&speech, network);
        // Beside what the codec itself takes away.
        let (plain, concealed) = (plain - CODEC, concealed - CODEC);
        let better = match missed.0 {
            0 => concealed < 0.1,
            _ => concealed < 0.9 * plain,
        };
        assert!(better, "{}: {concealed} dB with, {plain} dB without", network.words());
    }
}

#[test]
fn the_measure_finds_the_same_speech_however_late_and_counts_what_is_missing() {
    let speech = trial::speech(1);
    let late: Vec<i16> = std::iter::repeat_n(0, 333).chain(speech.iter().copied()).collect();
    let found = likeness::distance(&speech, &late, 800);
    assert!(found < 0.2, "{found}");
    let mut holed = speech.clone();
    holed.chunks_mut(160).step_by(10).for_each(|packet| packet.fill(0));
    let tenth = likeness::distance(&speech, &holed, 0);
    holed.fill(0);
    let all = likeness::distance(&speech, &holed, 0);
    assert!(tenth > 1.0 && tenth < all / 4.0 && all > 15.0, "{tenth} of {all}");
}

/// G.711's own distance, in decibels.
const CODEC: f32 = 0.37;
