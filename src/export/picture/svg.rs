//! The drawing: one SVG file that needs nothing else, its text as text.

use std::fmt::Write as _;

use super::{
    Palette, Picture, Side, Theme,
    rows::{Band, Row, Tone, What},
};
use crate::model::{Timestamp, WholeCall};

/// The ladder of a call as SVG. `now` ends what still goes on.
pub fn svg(call: &WholeCall, now: Timestamp, theme: Theme) -> String {
    draw(&Picture::new(call, now), theme)
}

pub(super) fn draw(picture: &Picture, theme: Theme) -> String {
    let mut drawing = Drawing { out: String::new(), palette: theme.palette(), xs: columns(picture) };
    let tops = tops(picture);
    let height = TOP + tops.last().copied().unwrap_or(0.0) + FOOT;
    let _ = write!(
        drawing.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"{SANS}\" font-size=\"12\">\n<title>{}</title>\n",
        escaped(&picture.title)
    );
    let panel = hex(drawing.palette.panel);
    let _ = writeln!(drawing.out, "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"{panel}\"/>");
    drawing.head(picture);
    let bottom = height - FOOT / 2.0;
    for band in &picture.bands {
        drawing.band(band, picture, &tops);
    }
    for (column, x) in picture.columns.iter().zip(drawing.xs.clone()) {
        let colour = drawing.palette.wash(drawing.palette.side(column.side), 0.34);
        drawing.line(x, TOP - 8.0, x, bottom, colour, 2.0, false);
    }
    for (row, top) in picture.rows.iter().zip(&tops) {
        drawing.row(row, TOP + top);
    }
    for band in &picture.bands {
        drawing.band_words(band, picture, &tops);
    }
    drawing.out.push_str("</svg>\n");
    drawing.out
}

struct Drawing {
    out: String,
    palette: &'static Palette,
    xs: Vec<f32>,
}

impl Drawing {
    fn head(&mut self, picture: &Picture) {
        let palette = self.palette;
        let title = fitted(&picture.title, WIDTH - 48.0, 16.0);
        self.text(24.0, 32.0, "start", 16.0, "600", palette.text, &title);
        let subtitle = fitted(&picture.subtitle, WIDTH - 48.0, 11.5);
        self.text(24.0, 52.0, "start", 11.5, "400", palette.text_soft, &subtitle);
        self.line(0.0, 68.0, WIDTH, 68.0, palette.line, 1.0, false);
        for (index, column) in picture.columns.iter().enumerate() {
            let x = self.x(index);
            let room = self.room(index);
            self.text(x, 92.0, "middle", 12.5, "600", palette.side(column.side), &fitted(column.name, room, 12.5));
            self.mono(x, 109.0, "middle", palette.text_faint, &fitted_mono(&column.address, room));
        }
    }

    fn row(&mut self, row: &Row, top: f32) {
        if !row.time.is_empty() {
            self.mono(24.0, top + ROW - 6.0, "start", self.palette.text_faint, &row.time);
        }
        match &row.what {
            What::Arrow { from, to, title, gist, line, tone, times, hearsay } => {
                let colour = match tone {
                    Tone::Good => self.palette.good,
                    Tone::Warn => self.palette.warn,
                    Tone::Wrong => self.palette.wrong,
                    _ => self.palette.side(*line),
                };
                self.arrow(*from, *to, top + ROW - 6.0, colour, *hearsay);
                self.label(*from, *to, top + ROW - 12.0, title, gist, *tone, *times);
            }
            What::Mark { left, right, side, text } => {
                let (x, y) = (f32::midpoint(self.x(*left), self.x(*right)), top + ROW / 2.0 + 3.0);
                let (colour, width) = (self.palette.side(*side), wide(text, 11.5) + 18.0);
                let (left, top, fill, line) = (x - width / 2.0, y - 13.0, hex(self.palette.panel), hex(self.palette.wash(colour, 0.6)));
                let _ = writeln!(
                    self.out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"18\" rx=\"9\" fill=\"{fill}\" stroke=\"{line}\"/>"
                );
                self.text(x, y, "middle", 11.5, "500", colour, text);
            }
            What::Sound => {}
        }
    }

    fn arrow(&mut self, from: usize, to: usize, y: f32, colour: u32, dashed: bool) {
        let (from, to) = (self.x(from), self.x(to));
        let direction = if to >= from { 1.0 } else { -1.0 };
        let tip = to - direction * 2.0;
        self.line(from + direction * 2.0, y, tip - direction * 8.0, y, colour, 1.5, dashed);
        let back = tip - direction * 9.0;
        let _ = writeln!(
            self.out,
            "<path d=\"M{tip:.1} {y:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z\" fill=\"{}\"/>",
            y - 3.8,
            y + 3.8,
            hex(colour)
        );
    }

    /// Title and gist above the arrow, on a ground of their own where they cross somebody's lifeline.
    #[expect(clippy::too_many_arguments, reason = "the words of one row, not a thing of its own")]
    fn label(&mut self, from: usize, to: usize, y: f32, title: &str, gist: &str, tone: Tone, times: u32) {
        let (left, right) = (self.x(from.min(to)), self.x(from.max(to)));
        let (middle, room) = (f32::midpoint(left, right), right - left - 16.0);
        let again = if times > 1 { format!("×{times}") } else { String::new() };
        let again_width = if again.is_empty() { 0.0 } else { wide(&again, 12.0) + 6.0 };
        let title = fitted(title, room - again_width, 12.0);
        let left_over = room - again_width - wide(&title, 12.0) - 6.0;
        let gist = if left_over > 24.0 { fitted(gist, left_over, 12.0) } else { String::new() };
        let width = again_width + wide(&title, 12.0) + if gist.is_empty() { 0.0 } else { 6.0 + wide(&gist, 12.0) };
        if from.abs_diff(to) > 1 {
            let (x, top, fill) = (middle - width / 2.0 - 4.0, y - 11.0, hex(self.palette.panel));
            let _ = writeln!(self.out, "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"15\" fill=\"{fill}\"/>", width + 8.0);
        }
        let colour = match tone {
            Tone::Plain => self.palette.text,
            Tone::Soft => self.palette.text_soft,
            Tone::Good => self.palette.good,
            Tone::Warn => self.palette.warn,
            Tone::Wrong => self.palette.wrong,
            Tone::Of(side) => self.palette.side(side),
        };
        let (colour, faint) = (hex(colour), hex(self.palette.text_faint));
        let _ = write!(
            self.out,
            "<text x=\"{middle:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"{faint}\"><tspan font-weight=\"500\" fill=\"{colour}\">{}</tspan>",
            escaped(&title)
        );
        if !gist.is_empty() {
            let _ = write!(self.out, "<tspan dx=\"6\">{}</tspan>", escaped(&gist));
        }
        if !again.is_empty() {
            let _ = write!(self.out, "<tspan dx=\"6\" font-weight=\"500\" fill=\"{}\">{again}</tspan>", hex(self.palette.warn));
        }
        self.out.push_str("</text>\n");
    }

    fn band(&mut self, band: &Band, picture: &Picture, tops: &[f32]) {
        let (top, bottom) = (place(picture, tops, band.from), place(picture, tops, band.until));
        let (left, right) = (self.x(band.left) + 1.0, self.x(band.right) - 1.0);
        let fill = hex(self.palette.wash(self.palette.side(band.side), 0.09));
        let height = (bottom - top).max(sound_height(picture));
        let _ = writeln!(
            self.out,
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>",
            TOP + top,
            (right - left).max(0.0)
        );
    }

    fn band_words(&mut self, band: &Band, picture: &Picture, tops: &[f32]) {
        let y = TOP + place(picture, tops, band.from) + 18.0;
        let (left, right) = (self.x(band.left), self.x(band.right));
        let words = fitted(&band.text, right - left - 16.0, 11.5);
        self.text(f32::midpoint(left, right), y, "middle", 11.5, "400", self.palette.text_soft, &words);
        for (index, (role, peaks)) in band.voices.iter().enumerate() {
            let middle = y - 18.0 + SOUND + VOICE * (index as f32 + 0.5);
            self.voice(left + 12.0, right - 12.0, middle, self.palette.side(Side::Of(*role)), peaks);
        }
    }

    /// Bars about `middle`; silence is a row of dots.
    fn voice(&mut self, left: f32, right: f32, middle: f32, colour: u32, peaks: &[u8]) {
        let count = ((right - left) / PITCH).max(0.0) as usize;
        if count == 0 {
            return;
        }
        let mut path = String::new();
        for n in 0..count {
            let (from, until) = (n * peaks.len() / count, ((n + 1) * peaks.len()).div_ceil(count));
            let peak = peaks.get(from..until).and_then(|part| part.iter().max()).copied().unwrap_or(0);
            // The root lets quiet speech be seen beside loud.
            let half = ((f32::from(peak) / 255.0).sqrt() * (VOICE - 6.0) / 2.0).max(0.75);
            let _ = write!(path, "M{:.1} {:.1}v{:.1}", left + n as f32 * PITCH, middle - half, 2.0 * half);
        }
        let colour = hex(colour);
        let _ = writeln!(self.out, "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"2\"/>");
    }

    #[expect(clippy::too_many_arguments, reason = "the attributes of one element")]
    fn text(&mut self, x: f32, y: f32, anchor: &str, size: f32, weight: &str, colour: u32, text: &str) {
        let (colour, text) = (hex(colour), escaped(text));
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\">{text}</text>"
        );
    }

    fn mono(&mut self, x: f32, y: f32, anchor: &str, colour: u32, text: &str) {
        let (colour, text) = (hex(colour), escaped(text));
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-family=\"{MONO}\" font-size=\"11\" fill=\"{colour}\">{text}</text>"
        );
    }

    #[expect(clippy::too_many_arguments, reason = "the attributes of one element")]
    fn line(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, colour: u32, width: f32, dashed: bool) {
        let dash = if dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        let colour = hex(colour);
        let _ = writeln!(self.out, "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}/>");
    }

    fn x(&self, column: usize) -> f32 {
        self.xs.get(column).copied().unwrap_or(AXIS)
    }

    /// The room of a column's head: half-way to its neighbours.
    fn room(&self, column: usize) -> f32 {
        let x = self.x(column);
        let left = column.checked_sub(1).map_or(AXIS - 20.0, |before| f32::midpoint(self.x(before), x));
        let right = self.xs.get(column + 1).map_or(WIDTH - 8.0, |after| f32::midpoint(*after, x));
        2.0 * (x - left).min(right - x) - 8.0
    }
}

fn columns(picture: &Picture) -> Vec<f32> {
    // The first gap has the most to say, the last one the least, as in the window.
    let gaps: &[f32] = match picture.columns.len() {
        0..=2 => &[1.0],
        3 if picture.columns.last().is_some_and(|c| c.side == Side::Of(crate::model::LegRole::Return)) => &[1.6, 0.8],
        3 => &[1.2, 1.0],
        4 => &[1.5, 1.15, 0.8],
        _ => &[1.2, 1.4, 1.1, 0.9],
    };
    let first = AXIS + EDGE;
    let unit = (WIDTH - EDGE - first) / gaps.iter().sum::<f32>();
    let ends = gaps.iter().scan(first, |x, gap| {
        *x += gap * unit;
        Some(*x)
    });
    std::iter::once(first).chain(ends).take(picture.columns.len().max(1)).collect()
}

/// Where each row begins, and where the last one ends.
fn tops(picture: &Picture) -> Vec<f32> {
    let mut tops = vec![0.0];
    let mut y = 0.0;
    for row in &picture.rows {
        y += if row.what == What::Sound { sound_height(picture) } else { ROW };
        tops.push(y);
    }
    tops
}

/// The words of the sound, and both voices below them where they are known.
fn sound_height(picture: &Picture) -> f32 {
    let voices = picture.bands.iter().map(|band| band.voices.len()).max().unwrap_or(0);
    if voices == 0 { SOUND } else { SOUND + voices as f32 * VOICE + 4.0 }
}

/// Where a moment stands: at the first row that is not before it.
fn place(picture: &Picture, tops: &[f32], at: Timestamp) -> f32 {
    tops.get(picture.rows.partition_point(|row| row.at < at)).copied().unwrap_or(0.0)
}

fn hex(colour: u32) -> String {
    format!("#{colour:06x}")
}

/// What XML does not allow is left out, what it would read is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// About how wide Inter sets it: enough to know what has to be cut.
fn wide(text: &str, size: f32) -> f32 {
    let units: f32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 0.28,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '·' | '-' | '/' => 0.36,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.9,
            c if c.is_ascii_digit() => 0.63,
            c if c.is_ascii_uppercase() => 0.69,
            c if c.is_ascii() => 0.58,
            _ => 0.95,
        })
        .sum();
    units * size
}

fn fitted(text: &str, room: f32, size: f32) -> String {
    if wide(text, size) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if wide(&out, size) + size > room {
            break;
        }
    }
    out.pop();
    out.push('…');
    out
}

fn fitted_mono(text: &str, room: f32) -> String {
    let most = (room / 6.6).max(1.0) as usize;
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most.saturating_sub(1)).chain(['…']).collect() }
}

/// By name with fallbacks: the file carries no font.
const SANS: &str = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
const MONO: &str = "'JetBrains Mono', Menlo, Consolas, monospace";
pub(super) const WIDTH: f32 = 1_080.0;
/// Where the rows begin: below title and column heads.
const TOP: f32 = 128.0;
pub(super) const ROW: f32 = 26.0;
const SOUND: f32 = 34.0;
/// A voice's outline, and from one of its bars to the next.
const VOICE: f32 = 30.0;
const PITCH: f32 = 3.0;
const FOOT: f32 = 28.0;
const AXIS: f32 = 96.0;
const EDGE: f32 = 80.0;
