//! A few whole pictures of the window, painted without graphics and held against those in `tests/pictures`.
//!
//! `HANDBACK_PICTURES=keep cargo test --lib pictures` keeps what is painted now, to be looked at and committed.

use std::{fs, path::PathBuf, sync::Arc};

use eframe::egui::{
    Context, Event, Pos2, RawInput, Rect, TextureId, Vec2,
    epaint::{ClippedPrimitive, ColorImage, ImageData, ImageDelta, Mesh, Primitive, Vertex, textures::TexturesDelta},
};

use super::*;

#[test]
fn calls_with_the_chosen_ladder() {
    held("calls", &SampleBackend::filled(), |app| app.state.call = Some(RETURNING));
}

#[test]
fn calls_in_the_light_theme() {
    held("light", &SampleBackend::filled(), |app| {
        app.remembered.theme = crate::console::remembered::ThemeChoice::Light;
        app.state.call = Some(RETURNING);
        app.state.tab = CallTab::Payload;
    });
}

#[test]
fn the_form_of_a_test_call() {
    held("test-call", &SampleBackend::empty(), |app| app.state.place = Place::TestCall);
}

#[test]
fn the_operators_calls() {
    let backend = SampleBackend::empty();
    for call in crate::console::sample::operator::calls() {
        backend.add(call, Vec::new());
    }
    held("agent", &backend, |app| {
        app.state.place = Place::Agent;
        app.facts.agent = "operator".to_owned();
    });
}

/// Paints, and compares. Letters may come out a shade apart on another processor, hence the little that is allowed.
#[track_caller]
fn held(name: &str, backend: &Arc<SampleBackend>, arrange: impl FnOnce(&mut App)) {
    let painted = painted(backend, arrange);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pictures/{name}.png"));
    if std::env::var_os("HANDBACK_PICTURES").is_some() {
        fs::create_dir_all(file.parent().expect("it has a folder")).expect("the folder is made");
        fs::write(&file, painted.png()).expect("the picture is written");
        return;
    }
    let kept = Picture::read(&fs::read(&file).expect("there is a picture to hold it against"));
    let apart = painted.pixels.iter().zip(&kept.pixels).filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 24)).count();
    if (painted.width, painted.pixels.len()) != (kept.width, kept.pixels.len()) || apart > painted.pixels.len() / 1_000 {
        let seen = std::env::temp_dir().join(format!("handback-{name}.png"));
        fs::write(&seen, painted.png()).expect("the picture is written");
        panic!("{name}: {apart} pixels are others than in {}; what was painted is {}", file.display(), seen.display());
    }
}

fn painted(backend: &Arc<SampleBackend>, arrange: impl FnOnce(&mut App)) -> Picture {
    let ctx = Context::default();
    let backend: Arc<dyn Backend> = backend.clone();
    let mut textures = Textures::default();
    let mut app = None;
    let options = Options { zone: TimeZone::UTC, ..Options::default() };
    let first = ctx.run_ui(input(0), |ui| {
        app.get_or_insert_with(|| App::new(ui.ctx(), backend.clone(), options.clone()));
    });
    textures.take(first.textures_delta);
    let app = app.as_mut().expect("it is open");
    arrange(app);
    app.appear(&ctx);
    let mut last = Vec::new();
    // What is laid out by what it measured before settles in some frames.
    for frame in 1..8 {
        let output = ctx.run_ui(input(frame), |ui| app.frame(ui));
        textures.take(output.textures_delta);
        last = ctx.tessellate(output.shapes, output.pixels_per_point);
    }
    Picture::of(&last, &textures)
}

fn input(frame: u32) -> RawInput {
    let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(WIDTH as f32, HEIGHT as f32)));
    let events = vec![Event::PointerGone];
    RawInput { screen_rect, time: Some(f64::from(frame) / 60.0), focused: true, events, ..RawInput::default() }
}

/// The window's textures, as a graphics card would hold them.
#[derive(Default)]
struct Textures(std::collections::HashMap<TextureId, ColorImage>);

impl Textures {
    fn take(&mut self, mut delta: TexturesDelta) {
        for (id, changes) in delta.set.drain() {
            for change in changes {
                self.change(id, &change);
            }
        }
        delta.clear();
    }

    fn change(&mut self, id: TextureId, change: &ImageDelta) {
        let ImageData::Color(image) = &change.image;
        match (change.pos, self.0.get_mut(&id)) {
            (Some([x, y]), Some(known)) => {
                for row in 0..image.size[1] {
                    let to = (y + row) * known.size[0] + x;
                    let from = row * image.size[0];
                    known.pixels[to..to + image.size[0]].copy_from_slice(&image.pixels[from..from + image.size[0]]);
                }
            }
            _ => drop(self.0.insert(id, image.as_ref().clone())),
        }
    }
}

struct Picture {
    width: usize,
    /// Red, green, blue.
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn of(primitives: &[ClippedPrimitive], textures: &Textures) -> Self {
        let mut picture = Self { width: WIDTH, pixels: vec![[0; 3]; WIDTH * HEIGHT] };
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            if let Primitive::Mesh(mesh) = primitive {
                let texture = textures.0.get(&mesh.texture_id).expect("its texture was set");
                picture.mesh(*clip_rect, mesh, texture);
            }
        }
        picture
    }

    fn mesh(&mut self, clip: Rect, mesh: &Mesh, texture: &ColorImage) {
        for corners in mesh.indices.chunks_exact(3) {
            let [a, b, c] = [corners[0], corners[1], corners[2]].map(|at| mesh.vertices[at as usize]);
            if area(a.pos, b.pos, c.pos) < 0.0 { self.triangle(clip, [a, c, b], texture) } else { self.triangle(clip, [a, b, c], texture) }
        }
    }

    /// Every pixel whose middle is inside, those on a shared edge once.
    fn triangle(&mut self, clip: Rect, [a, b, c]: [Vertex; 3], texture: &ColorImage) {
        let whole = area(a.pos, b.pos, c.pos);
        let around = Rect::from_points(&[a.pos, b.pos, c.pos]).intersect(clip);
        if whole <= 0.0 || !around.is_positive() {
            return;
        }
        let range = |from: f32, to: f32, most: usize| (from.floor().max(0.0) as usize, (to.ceil().max(0.0) as usize).min(most));
        let ((left, right), (top, bottom)) = (range(around.min.x, around.max.x, WIDTH), range(around.min.y, around.max.y, HEIGHT));
        let edges = [(b, c), (c, a), (a, b)];
        for y in top..bottom {
            for x in left..right {
                let at = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
                if !clip.contains(at) {
                    continue;
                }
                let shares = edges.map(|(from, to)| area(from.pos, to.pos, at));
                let is_in = edges.iter().zip(shares).all(|((from, to), share)| share > 0.0 || (share == 0.0 && owns(from.pos, to.pos)));
                if is_in {
                    self.blend(x, y, shares.map(|share| share / whole), [a, b, c], texture);
                }
            }
        }
    }

    /// As egui wants it: premultiplied colours, blended as they are.
    fn blend(&mut self, x: usize, y: usize, shares: [f32; 3], corners: [Vertex; 3], texture: &ColorImage) {
        let mix = |of: fn(&Vertex) -> f32| corners.iter().zip(shares).map(|(corner, share)| of(corner) * share).sum::<f32>();
        let texel = |share: f32, most: usize| ((share * most as f32).max(0.0) as usize).min(most - 1);
        let at = texel(mix(|v| v.uv.y), texture.size[1]) * texture.size[0] + texel(mix(|v| v.uv.x), texture.size[0]);
        let texture = texture.pixels[at].to_array().map(f32::from);
        let alpha = mix(|v| f32::from(v.color.a())) * texture[3] / 255.0;
        let colour = [mix(|v| f32::from(v.color.r())), mix(|v| f32::from(v.color.g())), mix(|v| f32::from(v.color.b()))];
        let below = &mut self.pixels[y * WIDTH + x];
        for (channel, below) in below.iter_mut().enumerate() {
            let above = colour[channel] * texture[channel] / 255.0;
            *below = (above + f32::from(*below) * (1.0 - alpha / 255.0)).round().clamp(0.0, 255.0) as u8;
        }
    }

    fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, (self.pixels.len() / self.width) as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().expect("the head is written");
        writer.write_image_data(self.pixels.as_flattened()).expect("the pixels are written");
        writer.finish().expect("the end is written");
        bytes
    }

    fn read(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("it is a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut pixels).expect("it is whole");
        let pixels = pixels.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { width: info.width as usize, pixels }
    }
}

/// Twice the area, positive where the corners go clockwise on the screen.
fn area(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Of two triangles with one edge the upper or left one has the pixels on it.
fn owns(from: Pos2, to: Pos2) -> bool {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    (dy == 0.0 && dx > 0.0) || dy < 0.0
}

const WIDTH: usize = 1_440;
const HEIGHT: usize = 900;
