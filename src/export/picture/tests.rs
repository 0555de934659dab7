//! What is drawn, and that it can be read.

use super::{Picture, Theme, What, png, svg};
use crate::{export::ladder::sample, model::Timestamp};

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
    let (record, messages) = sample::transfer();
    let picture = Picture::new(&record, &messages, Timestamp(0));
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
        let drawing = svg(&record, &messages, Timestamp(0), theme);
        let tree = resvg::usvg::Tree::from_str(&drawing, &resvg::usvg::Options::default()).expect("well formed");
        assert!(tree.size().height() > 300.0);
        assert!(drawing.contains(&format!("#{:06x}", theme.palette().panel)) && drawing.contains("font-family=\"Inter, "));
    }
}

#[test]
fn the_png_has_words_in_it() {
    let (record, messages) = sample::transfer();
    let picture = png(&record, &messages, Timestamp(0), Theme::Light).expect("draws");
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    // Blank lines alone compress to next to nothing.
    assert!(picture.len() > 20_000, "{} bytes", picture.len());
    if let Some(folder) = std::env::var_os("HANDBACK_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("ladder.png"), picture).expect("writes");
    }
}

#[test]
fn a_ladder_too_long_for_a_picture_says_so() {
    let (record, messages) = sample::transfer();
    let many: Vec<_> =
        (0..1_200).map(|n| crate::model::CapturedMessage { number: n, at: Timestamp(n * 1_000), ..messages[3].clone() }).collect();
    assert!(png(&record, &many, Timestamp(0), Theme::Light).is_err_and(|error| error.to_string().contains("SVG")));
}
