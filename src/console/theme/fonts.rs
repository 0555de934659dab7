//! The bundled fonts: Inter for the interface, JetBrains Mono for what is on the wire, Lucide for icons.

use std::sync::Arc;

use eframe::egui::{Context, FontData, FontDefinitions, FontFamily, FontId};

/// Inter at weight 500, for what is chosen.
pub const MEDIUM: &str = "Inter Medium";
/// Inter at weight 600, for headings and the name of a message.
pub const SEMIBOLD: &str = "Inter SemiBold";
const MONO_MEDIUM: &str = "JetBrains Mono Medium";
const ICONS: &str = "Lucide";

pub fn family(name: &str) -> FontFamily {
    FontFamily::Name(name.into())
}

/// Inter at `size`.
pub fn text(size: f32) -> FontId {
    FontId::proportional(size)
}

/// JetBrains Mono at `size`.
pub fn mono(size: f32) -> FontId {
    FontId::monospace(size)
}

pub fn mono_medium(size: f32) -> FontId {
    FontId::new(size, family(MONO_MEDIUM))
}

/// The icon font at `size`.
pub fn icon(size: f32) -> FontId {
    FontId::new(size, family(ICONS))
}

pub(super) fn install(ctx: &Context) {
    let fonts: [(&str, &'static [u8]); 6] = [
        ("Inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf")),
        (MEDIUM, include_bytes!("../../../assets/fonts/Inter-Medium.otf")),
        (SEMIBOLD, include_bytes!("../../../assets/fonts/Inter-SemiBold.otf")),
        ("JetBrains Mono", include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf")),
        (MONO_MEDIUM, include_bytes!("../../../assets/fonts/JetBrainsMono-Medium.ttf")),
        (ICONS, include_bytes!("../../../assets/icons/lucide.ttf")),
    ];
    let mut definitions = FontDefinitions::default();
    for (name, bytes) in fonts {
        definitions.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // What came with egui stays behind ours, for the characters that ours do not have.
    let fallback = |first: &[&str], rest: &[String]| -> Vec<String> {
        first.iter().map(|&name| name.to_owned()).chain(rest.iter().cloned()).collect()
    };
    let proportional = definitions.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let monospace = definitions.families.get(&FontFamily::Monospace).cloned().unwrap_or_default();
    definitions.families.insert(FontFamily::Proportional, fallback(&["Inter", "JetBrains Mono"], &proportional));
    definitions.families.insert(family(MEDIUM), fallback(&[MEDIUM, "Inter", "JetBrains Mono"], &proportional));
    definitions.families.insert(family(SEMIBOLD), fallback(&[SEMIBOLD, "Inter", "JetBrains Mono"], &proportional));
    definitions.families.insert(FontFamily::Monospace, fallback(&["JetBrains Mono", "Inter"], &monospace));
    definitions.families.insert(family(MONO_MEDIUM), fallback(&[MONO_MEDIUM, "JetBrains Mono", "Inter"], &monospace));
    definitions.families.insert(family(ICONS), vec![ICONS.to_owned()]);
    ctx.set_fonts(definitions);
}
