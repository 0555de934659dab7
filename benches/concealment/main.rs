//! What concealment is worth: log-spectral distance of speech to what was said, under loss and jitter, with it and without.

use std::time::Instant;

use handback::media::conceal::Concealer;

mod likeness;
mod trial;

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn main() {
    let speech = trial::speech(20);
    println!(
        "log-spectral distance over critical bands, {:.0} s of speech, G.711 in packets of 20 ms; the first row is the codec's own",
        speech.len() as f32 / 8_000.0
    );
    println!("{:<26} {:>14} {:>14} {:>10} {:>10}", "", "silence, 40 ms", "concealed", "missed", "missed");
    for network in trial::Network::ALL {
        let trial::Trial { plain, concealed, missed } = trial::Trial::of(&speech, network);
        println!("{:<26} {plain:>11.2} dB {concealed:>11.2} dB {:>10} {:>10}", network.words(), missed.0, missed.1);
    }
    for rate in [8_000u32, 16_000, 48_000] {
        let mut concealer = Concealer::new(rate);
        let frame = rate as usize / 50;
        let mut samples: Vec<i16> = speech.iter().copied().cycle().take(frame).collect();
        let begin = Instant::now();
        for _ in 0..1_000 {
            concealer.good(&mut samples);
            concealer.conceal(&mut samples);
        }
        println!("concealing 20 ms at {rate} Hz: {:.1} µs", begin.elapsed().as_secs_f64() * 1e6 / 1_000.0);
    }
}
