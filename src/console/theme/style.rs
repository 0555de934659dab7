//! The tokens as egui's style, so that its own widgets look like ours.

use eframe::egui::{
    Context, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Vec2, Visuals,
    style::{ScrollStyle, WidgetVisuals, Widgets},
};

use super::{
    Radius, Tokens, fonts,
    tokens::{DARK, LIGHT},
};

/// Installs fonts and both themes.
pub fn install(ctx: &Context) {
    fonts::install(ctx);
    for (theme, tokens) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        ctx.set_style_of(theme, style_of(theme, tokens));
    }
}

fn style_of(theme: Theme, tokens: &Tokens) -> Style {
    let text_styles = [
        (TextStyle::Small, FontId::new(11.0, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(12.5, FontFamily::Proportional)),
        (TextStyle::Heading, FontId::new(15.0, fonts::family(fonts::SEMIBOLD))),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
    ];
    let mut style = Style { text_styles: text_styles.into(), visuals: visuals_of(theme, tokens), ..Style::default() };
    style.animation_time = 0.08;
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 8.0);
    spacing.button_padding = Vec2::new(12.0, 5.0);
    spacing.interact_size = Vec2::new(28.0, 28.0);
    spacing.menu_margin = Margin::same(4);
    spacing.window_margin = Margin::same(16);
    spacing.tooltip_width = 420.0;
    spacing.scroll = ScrollStyle { bar_width: 8.0, floating_allocated_width: 0.0, ..ScrollStyle::floating() };
    spacing.scroll.fade.strength = 0.0;
    spacing.scroll.foreground_color = false;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals_of(theme: Theme, tokens: &Tokens) -> Visuals {
    let mut visuals = match theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    let widget = |fill, line, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: Radius::CONTROL,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    visuals.widgets = Widgets {
        noninteractive: widget(tokens.panel, tokens.line, tokens.text_soft),
        inactive: widget(tokens.control, tokens.line, tokens.text),
        hovered: widget(tokens.control_hover, tokens.text_faint, tokens.text),
        // Also what has the keyboard's focus: the accent ring says so.
        active: widget(tokens.control_hover, tokens.accent, tokens.text),
        open: widget(tokens.control_hover, tokens.line, tokens.text),
    };
    visuals.selection.bg_fill = tokens.wash(tokens.accent, 0.35);
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent);
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.raised;
    visuals.extreme_bg_color = tokens.background;
    visuals.text_edit_bg_color = Some(tokens.background);
    visuals.code_bg_color = tokens.raised;
    visuals.warn_fg_color = tokens.warn;
    visuals.error_fg_color = tokens.wrong;
    visuals.weak_text_color = Some(tokens.text_faint);
    visuals.window_fill = tokens.raised;
    visuals.panel_fill = tokens.panel;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.window_corner_radius = Radius::CARD;
    visuals.menu_corner_radius = Radius::CONTROL;
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, ..visuals.window_shadow };
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 12, spread: 0, ..visuals.popup_shadow };
    visuals.text_cursor.stroke = Stroke::new(1.5, tokens.accent);
    visuals.text_cursor.blink = false;
    visuals.striped = false;
    visuals
}
