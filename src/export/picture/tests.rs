//! What is drawn, and that it can be read.

use std::sync::Arc;

use super::{Picture, Theme, What, png, svg};
use crate::{
    export::ladder::sample,
    model::{CallEvent, CallSound, LegId, MediaFigures, SoundMoment, Timestamp, WholeCall},
};

fn transfer() -> WholeCall {
    let (record, messages) = sample::transfer();
    WholeCall::new(record.into(), messages)
}

/// The rows as text.
fn rows(picture: &Picture) -> Vec<String> {
    let name = |column: usize| picture.columns.get(column).map_or("?", |column| column.name);
    let line = |what: &What| match what {
        What::Arrow { from, to, title, gist, times, hearsay, .. } => {
            let again = if *times > 1 { format!(" ×{times}") } else { String::new() };
            format!("{} → {}: {title} {gist}{again}{}", name(*from), name(*to), if *hearsay { " (hearsay)" } else { "" })
        }
        What::Sound => picture
            .bands
            .iter()
            .map(|band| format!("{} ↔ {}: {}", name(band.left), name(band.right), band.text))
            .collect::<Vec<_>>()
            .join("; "),
        What::Mark { text, .. } => text.clone(),
    };
    picture.rows.iter().map(|row| line(&row.what)).collect()
}

#[test]
fn a_transfer_is_drawn_with_agent_digits_and_hearsay() {
    let picture = Picture::new(&transfer(), Timestamp(0));
    assert_eq!(
        rows(&picture),
        [
            "Customer → Bridge: INVITE 1 variable · 215 B",
            "Bridge → Agent: invite agent ",
            "Bridge → Customer: 200 OK  ×2",
            "Customer → Bridge: ACK ",
            "Digit 1",
            "Agent → Bridge: SYSTEM 2 variables",
            "Bridge → Customer: REFER Refer-To: 1 variable · 73 chars",
            "Customer → Bridge: 202 Accepted to REFER",
            "Customer → Bridge: NOTIFY SIP/2.0 200 OK",
            "Return URI → Customer: 200 OK seen only through NOTIFY (hearsay)",
            "Bridge → Customer: 200 OK to NOTIFY",
            "Bridge → Customer: BYE ",
        ]
    );
}

#[test]
fn the_svg_is_well_formed_in_both_themes_whatever_the_wire_says() {
    let (mut record, mut messages) = sample::transfer();
    record.from = "<evil>&\"\u{1b}\u{0}]]>".to_owned();
    messages[0].bytes = bytes::Bytes::from_static(b"INV<ITE & sip:x SIP/2.0\r\nX: \x01\xff\r\n\r\n");
    for theme in [Theme::Dark, Theme::Light] {
        let drawing = svg(&WholeCall::new(record.clone().into(), messages.clone()), Timestamp(0), theme);
        let tree = resvg::usvg::Tree::from_str(&drawing, &resvg::usvg::Options::default()).expect("well formed");
        assert!(tree.size().height() > 300.0);
        assert!(drawing.contains(&format!("#{:06x}", theme.palette().panel)) && drawing.contains("font-family=\"Inter, "));
    }
}

#[test]
fn the_png_has_words_in_it() {
    let picture = png(&with_voices(), Timestamp(0), Theme::Light).expect("draws");
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    // Blank lines alone compress to next to nothing.
    assert!(picture.len() > 20_000, "{} bytes", picture.len());
    if let Some(folder) = std::env::var_os("HANDBACK_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("ladder.png"), picture).expect("writes");
    }
}

#[test]
fn a_ladder_too_long_for_a_picture_says_so() {
    let mut call = transfer();
    let again = call.messages[3].clone();
    call.messages = (0..1_200).map(|n| crate::model::CapturedMessage { number: n, at: Timestamp(n * 1_000), ..again.clone() }).collect();
    assert!(png(&call, Timestamp(0), Theme::Light).is_err_and(|error| error.to_string().contains("SVG")));
}

/// The customer speaks loudly in the second half of the first second, the agent softly in all of it.
fn with_voices() -> WholeCall {
    let mut call = transfer();
    let answered = call.record.answered_at.expect("it was answered");
    let mut moment = SoundMoment { bars: 10, sent_bars: [16; 20], ..SoundMoment::default() };
    moment.received_bars[5..].fill(255);
    let figures = MediaFigures { codec: "PCMU".to_owned(), moment, ..MediaFigures::default() };
    let (leg, at) = (LegId(0), Timestamp(answered.0 + 1_000_000));
    let mut sound = CallSound::default();
    sound.note(at, leg, &figures);
    call.sound = Some(Arc::new(sound));
    Arc::make_mut(&mut call.record).apply(at, &CallEvent::MediaMeasured { leg, figures: figures.into() });
    call
}

#[test]
fn both_voices_are_drawn_into_the_sound_in_their_colours() {
    let call = with_voices();
    let picture = Picture::new(&call, Timestamp(0));
    let voices: Vec<_> = picture.bands.iter().flat_map(|band| &band.voices).collect();
    assert_eq!(voices.len(), 2, "{:?}", picture.bands);
    let (drawn, without) =
        (svg(&call, Timestamp(0), Theme::Dark), svg(&WholeCall { sound: None, ..call.clone() }, Timestamp(0), Theme::Dark));
    for colour in ["#58a6ff", "#b48cf2"] {
        let bars = |drawing: &str| drawing.lines().filter(|line| line.contains("stroke-width=\"2\"/>") && line.contains(colour)).count();
        assert_eq!((bars(&drawn), bars(&without)), (1, 0), "{colour}");
    }
}
