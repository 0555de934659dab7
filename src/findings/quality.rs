//! How well it was heard: what the E-model, the levels and the clocks say of a leg (ITU-T G.107, RFC 3611).

use crate::model::{Finding, MediaFigures, Party, Severity, SoundQuality};

/// What is wrong with a leg's sound, `side` being whose sound it is.
pub(super) fn of_leg(role: &str, side: Party, figures: &MediaFigures) -> Vec<Finding> {
    let enough = figures.packets_received + figures.packets_lost >= ENOUGH;
    let received =
        figures.received_quality.filter(|_| enough).and_then(|quality| low(role, "what the other side says there is heard", &quality));
    let enough = figures.packets_sent >= ENOUGH;
    let sent = figures.sent_quality.filter(|_| enough).and_then(|quality| low(role, "what is sent there is heard", &quality));
    [received, sent, bursts(role, figures), clipped(role, side, figures), drift(role, side, figures)].into_iter().flatten().collect()
}

/// It was spoken to, and every packet of its own was silence.
pub(super) fn silent(role: &str, side: Party, figures: &MediaFigures) -> Option<Finding> {
    let (received, sent) = (figures.received_level?, figures.sent_level?);
    (received.heard_ms == 0 && received.measured_ms >= 5_000 && sent.heard_ms >= 1_000).then(|| {
        Finding::new(
            "one-way-silence",
            Severity::Warning,
            side,
            format!("{:.1} s of packets received on the {role} leg, and no sound above −40 dBFS in them", secs(received.measured_ms)),
            "The network carries packets both ways (RFC 3264 §5.1), so the silence was sent: a muted or missing microphone, or a gateway that fills in for a side that it does not hear",
            "Look at that side's microphone, its mute key and, where it is a gateway, at the leg behind it",
        )
    })
}

fn low(role: &str, what: &str, quality: &SoundQuality) -> Option<Finding> {
    (quality.mos < LOW).then(|| {
        let (loss, delay) = (quality.loss_percent, quality.delay_ms);
        let cure = if quality.ie_eff >= quality.id {
            "Look at the loss on the path: Wi-Fi, a full uplink, a firewall that limits UDP"
        } else {
            "Look at the delay on the path: a detour, a tunnel, or a queue that RTP waits in"
        };
        Finding::new(
            "quality-low",
            Severity::Warning,
            Party::Network,
            format!(
                "{what} on the {role} leg with MOS {:.2} (R {:.0}): {loss:.1} % lost, {delay:.0} ms from mouth to ear",
                quality.mos, quality.r
            ),
            "Below R 70, which is MOS 3.6, many people are dissatisfied (ITU-T G.107 Annex B)",
            cure,
        )
    })
}

fn bursts(role: &str, figures: &MediaFigures) -> Option<Finding> {
    let losses = figures.loss_bursts?;
    let long = losses.bursts > 0 && losses.burst_ms >= 120.0 && losses.burst_density_percent >= 50.0;
    long.then(|| {
        Finding::new(
            "losses-in-bursts",
            Severity::Note,
            Party::Network,
            format!(
                "{} bursts on the {role} leg, {:.0} ms each in the mean, with {:.0} % of their packets lost",
                losses.bursts, losses.burst_ms, losses.burst_density_percent
            ),
            "Concealment hides a packet or two; what lasts longer than 60 ms is heard as a hole, however few packets it is in all (RFC 3611 §4.7.2, G.711 Appendix I)",
            "Look for what stops the path now and then: Wi-Fi roaming, a failover, a queue that overflows",
        )
    })
}

fn clipped(role: &str, side: Party, figures: &MediaFigures) -> Option<Finding> {
    let level = figures.received_level?;
    (level.clipped_ms >= 1_000 && level.clipped_ms * 20 > level.heard_ms).then(|| {
        Finding::new(
            "sound-clipped",
            Severity::Warning,
            side,
            format!("at full scale in {:.1} of {:.1} s heard on the {role} leg", secs(level.clipped_ms), secs(level.heard_ms)),
            "What is louder than the code can say is cut off (ITU-T G.711) and sounds distorted; speech recognition suffers first",
            "Turn the gain down where the sound is made: the microphone, the gateway, the recording that is played",
        )
    })
}

fn drift(role: &str, side: Party, figures: &MediaFigures) -> Option<Finding> {
    let ppm = figures.drift_ppm.filter(|ppm| ppm.abs() > 200.0)?;
    let (way, effect) = if ppm > 0.0 { ("slow", "filled in") } else { ("fast", "left out") };
    Some(Finding::new(
        "clock-drifts",
        Severity::Note,
        side,
        format!(
            "the sender on the {role} leg has a clock that runs {:.0} millionths {way}: {:.0} ms a minute have to be {effect}",
            ppm.abs(),
            ppm.abs() * 0.06
        ),
        "Told by its packets' arrival against their timestamps (RFC 3550 §6.4.1); crystals differ by 100 millionths at most",
        "See whether that side takes its sample clock from a virtual machine or a sound device that is set to another rate",
    ))
}

fn secs(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

/// Packets that a judgement needs: a second.
const ENOUGH: u64 = 50;
/// R 70.
const LOW: f32 = 3.6;
