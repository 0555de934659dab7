//! The figures of each leg's sound, a row a direction, how the ratings came about, and the sound over its time.

use super::sound::{self, SoundView};
use crate::{
    console::{
        text::grouped,
        theme::{Leg, Tone},
        widgets::{Cell, Column, TableRow},
    },
    model::{CallRecord, CallSound, LegRole, MediaFigures, Opinion, SoundQuality},
};

pub const COLUMNS: [Column; 9] = [
    Column::fixed("Leg", 78.0),
    Column::growing("Direction", 74.0, 1.0),
    Column::fixed("Codec", 62.0),
    Column::fixed("Packets", 76.0).right(),
    Column::fixed("Lost", 92.0).right(),
    Column::fixed("Jitter", 76.0).right(),
    Column::fixed("Round trip", 84.0).right(),
    Column::fixed("Delay", 74.0).right(),
    Column::fixed("MOS", 56.0).right(),
];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaData {
    pub rows: Vec<TableRow>,
    /// How each MOS was computed.
    pub ratings: Vec<Rating>,
    /// Facts that are no row: digits, strangers, when sound began.
    pub remarks: Vec<String>,
    pub sounds: Vec<SoundView>,
}

/// A direction's E-model in its terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    pub name: String,
    pub leg: Leg,
    pub mos: String,
    pub tone: Tone,
    pub opinion: &'static str,
    /// `R 92.6 = 94.8 noise − 1.4 loudness − …`.
    pub terms: String,
}

pub fn media(call: &CallRecord, sound: Option<&CallSound>) -> MediaData {
    let mut data = MediaData::default();
    for leg in &call.legs {
        let Some(figures) = &leg.media else { continue };
        let (name, colour) = match leg.opened.role {
            LegRole::Customer => ("Customer", Leg::Customer),
            LegRole::Agent => ("Agent", Leg::Agent),
            LegRole::Return => ("Return", Leg::Return),
        };
        data.rows.push(received(name, colour, figures));
        data.rows.push(sent(name, colour, figures));
        let voices = sound::voices(call, leg);
        let rated = voices.iter().zip([figures.received_quality, figures.sent_quality]);
        data.ratings.extend(rated.filter_map(|((name, leg), quality)| Some(rating(name, *leg, &quality?))));
        data.remarks.extend(remarks(name, figures));
        data.sounds.extend(sound.and_then(|sound| sound.of(leg.opened.leg)).map(|sound| sound::view(call, leg, sound)));
    }
    data
}

/// The colour of a MOS, by what people say of it (ITU-T G.107 Annex B).
pub fn tone_of(mos: f32) -> Tone {
    match Opinion::of_mos(mos) {
        Opinion::VerySatisfied | Opinion::Satisfied => Tone::Good,
        Opinion::SomeDissatisfied | Opinion::ManyDissatisfied => Tone::Warn,
        Opinion::NearlyAllDissatisfied | Opinion::NotRecommended => Tone::Wrong,
    }
}

fn received(name: &str, leg: Leg, f: &MediaFigures) -> TableRow {
    let expected = f.packets_received + f.packets_lost;
    let loss = if expected == 0 { 0.0 } else { 100.0 * f.packets_lost as f64 / expected as f64 };
    let lost_tone = if f.packets_lost > 0 { Tone::Warn } else { Tone::Soft };
    row(
        name,
        leg,
        "received",
        &f.codec,
        [
            (grouped(f.packets_received), Tone::Soft),
            (format!("{} · {loss:.1} %", grouped(f.packets_lost)), lost_tone),
            (format!("{:.1} ms", f.jitter_ms), Tone::Soft),
            (f.round_trip_ms.map_or_else(|| "—".to_owned(), |ms| format!("{ms:.1} ms")), Tone::Soft),
        ],
        f.received_quality,
    )
}

fn sent(name: &str, leg: Leg, f: &MediaFigures) -> TableRow {
    let dash = || ("—".to_owned(), Tone::Faint);
    let lost = f.remote_lost.map_or_else(dash, |n| (n.to_string(), if n > 0 { Tone::Warn } else { Tone::Soft }));
    let jitter = f.remote_jitter_ms.map_or_else(dash, |ms| (format!("{ms:.1} ms"), Tone::Soft));
    row(name, leg, "sent", &f.codec, [(grouped(f.packets_sent), Tone::Soft), lost, jitter, dash()], f.sent_quality)
}

fn row(name: &str, leg: Leg, direction: &str, codec: &str, figures: [(String, Tone); 4], quality: Option<SoundQuality>) -> TableRow {
    let mut words = format!("{name} {direction} {codec}");
    let mut cells = vec![
        Cell::Text(name.to_owned(), Tone::Of(leg)),
        Cell::Text(direction.to_owned(), Tone::Soft),
        Cell::Wire(if codec.is_empty() { "—".to_owned() } else { codec.to_owned() }, Tone::Soft),
    ];
    let delay = quality.map_or_else(|| ("—".to_owned(), Tone::Faint), |q| (format!("{:.0} ms", q.delay_ms), Tone::Soft));
    let mos = quality.map_or_else(|| ("—".to_owned(), Tone::Faint), |q| (format!("{:.2}", q.mos), tone_of(q.mos)));
    for (text, tone) in figures.into_iter().chain([delay, mos]) {
        words.push(' ');
        words.push_str(&text);
        cells.push(Cell::Wire(text, tone));
    }
    TableRow { cells, name: words, chosen: false }
}

fn rating(name: &str, leg: Leg, q: &SoundQuality) -> Rating {
    let terms = format!(
        "R {:.1} = {:.1} noise − {:.1} loudness − {:.1} delay ({:.0} ms) − {:.1} loss ({:.1} %, bursts × {:.1}) + {:.0}",
        q.r, q.ro, q.is, q.id, q.delay_ms, q.ie_eff, q.loss_percent, q.burst_ratio, q.a
    );
    Rating { name: name.to_owned(), leg, mos: format!("{:.2}", q.mos), tone: tone_of(q.mos), opinion: q.opinion().words(), terms }
}

fn remarks(name: &str, f: &MediaFigures) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(f.first_packet_us.map(|us| format!("{name}: first packet {:.1} ms after the answer", us as f64 / 1_000.0)));
    if f.packets_reordered > 0 || f.packets_duplicated > 0 {
        remarks.push(format!("{name}: {} packets out of order, {} twice", grouped(f.packets_reordered), grouped(f.packets_duplicated)));
    }
    if let Some(losses) = f.loss_bursts.filter(|losses| losses.bursts > 0) {
        remarks.push(format!(
            "{name}: {} bursts of loss, {:.0} ms each, {:.0} % lost in them; {:.1} % lost between",
            losses.bursts, losses.burst_ms, losses.burst_density_percent, losses.gap_density_percent
        ));
    }
    for (level, what) in [(f.received_level, "received"), (f.sent_level, "sent")] {
        let Some(level) = level else { continue };
        let secs = |ms: u64| ms as f64 / 1_000.0;
        let peak = level.peak_dbfs.map_or_else(|| "silence".to_owned(), |peak| format!("peak {peak:.0} dBFS"));
        let clipped = if level.clipped_ms > 0 { format!(", clipped in {:.1} s", secs(level.clipped_ms)) } else { String::new() };
        remarks.push(format!("{name} {what}: sound in {:.1} of {:.1} s, {peak}{clipped}", secs(level.heard_ms), secs(level.measured_ms)));
    }
    if let Some(ppm) = f.drift_ppm {
        let way = if ppm < 0.0 { "fast" } else { "slow" };
        remarks.push(format!("{name}: its clock runs {:.0} millionths {way} against ours", ppm.abs()));
    }
    if !f.dtmf_received.is_empty() {
        remarks.push(format!("{name}: digits received {}", f.dtmf_received));
    }
    if f.strangers > 0 {
        remarks.push(format!("{name}: {} packets from addresses that the leg does not know, neither relayed nor answered", f.strangers));
    }
    for (packets, what) in [(f.stun, "STUN (ICE)"), (f.dtls, "DTLS"), (f.malformed, "neither RTP nor RTCP")] {
        if packets > 0 {
            remarks.push(format!("{name}: {packets} packets that are {what}, not answered"));
        }
    }
    remarks
}
