//! Paints the place: the subjects at the left, the page in one or two columns, and what is not saved below.

use eframe::egui::{
    Align, Align2, CentralPanel, FontId, Frame, Layout, Margin, Panel, Pos2, Rect, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo,
};

use super::{
    act::Act,
    form::{Card, PageData},
    rows::card_ui,
    state::{Edited, Page, State},
};
use crate::console::{
    action::Action,
    theme::{self, Icon, Space, Tokens, Tone},
    widgets::{Look, action_button, elided, empty_state},
};

pub fn settings_ui(ui: &mut Ui, state: &mut State, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let side = Panel::left("settings pages").exact_size(NAV).resizable(false).frame(Frame::new().fill(tokens.panel));
    side.show(ui, |ui| pages_ui(ui, state, actions));
    if let Some(bar) = bar(state) {
        let frame = Frame::new().fill(tokens.raised).inner_margin(Margin::symmetric(20, 0));
        Panel::bottom("settings bar").exact_size(52.0).resizable(false).frame(frame).show(ui, |ui| bar_ui(ui, &bar, actions));
    }
    // What is on screen is changed by actions, after this frame.
    let page = std::mem::take(&mut state.shown);
    CentralPanel::no_frame().frame(Frame::new().fill(tokens.background)).show(ui, |ui| page_ui(ui, &page, state, actions));
    state.shown = page;
}

fn pages_ui(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    ui.add_space(Space::M);
    for page in Page::ALL {
        let file = state.file.as_ref();
        let mark = match file {
            Some(file) if file.faults.iter().any(|fault| Page::of_key(&fault.key) == page) => Some(Tone::Wrong),
            Some(file) if file.changed.iter().any(|key| Page::of_key(key) == page) => Some(Tone::Accent),
            _ => None,
        };
        let mark = mark.filter(|_| page != Page::Appearance);
        page_row_ui(ui, page, page == state.page, mark, actions);
    }
    let Some(file) = &state.file else { return };
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| file_ui(ui, file));
}

fn page_row_ui(ui: &mut Ui, page: Page, chosen: bool, mark: Option<Tone>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 34.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, page.title()));
    if chosen {
        ui.painter().rect_filled(rect, 0.0, tokens.raised);
        ui.painter().rect_filled(Rect::from_min_size(rect.min, Vec2::new(2.0, rect.height())), 0.0, tokens.accent);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 0.0, tokens.wash(tokens.raised, 0.7));
    }
    let colour = if chosen { tokens.text } else { tokens.text_soft };
    let words = Rect::from_min_max(Pos2::new(rect.left() + 16.0, rect.top()), Pos2::new(rect.right() - 24.0, rect.bottom()));
    elided(ui.painter(), words, Align2::LEFT_CENTER, page.title(), theme::text(13.0), colour);
    if let Some(tone) = mark {
        ui.painter().circle_filled(Pos2::new(rect.right() - 16.0, rect.center().y), 3.5, tokens.tone(tone));
    }
    let hover = match mark {
        Some(Tone::Wrong) => "Something here has to be mended before it can be saved",
        Some(_) => "Changed, and not saved",
        None => page.lead(),
    };
    if response.on_hover_text(hover).clicked() {
        actions.push(Action::Settings(Act::Show(page)));
    }
}

/// Which file this is, at the foot.
fn file_ui(ui: &mut Ui, file: &Edited) {
    let tokens = Tokens::of(ui);
    ui.add_space(Space::M);
    let (name, folder) = match &file.path {
        Some(path) => (
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path.parent().map(|folder| folder.display().to_string()).unwrap_or_default(),
        ),
        None => ("no settings file".to_owned(), String::new()),
    };
    let line = |text: &str, font: FontId, colour| {
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 18.0), Sense::hover());
        let room = Rect::from_min_max(Pos2::new(rect.left() + 16.0, rect.top()), Pos2::new(rect.right() - 10.0, rect.bottom()));
        elided(ui.painter(), room, Align2::LEFT_CENTER, text, font, colour);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
        response
    };
    let mut line = line;
    let where_ = if file.is_demo { "the demo, not saved yet".to_owned() } else { folder };
    let whole = file.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    line(&where_, theme::text(11.0), tokens.text_faint).on_hover_text(&whole);
    line(&name, theme::mono(11.5), tokens.text_soft).on_hover_text(&whole);
}

fn page_ui(ui: &mut Ui, page: &PageData, state: &mut State, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    if state.file.is_none() && state.page != Page::Appearance {
        return empty_state(ui, "The settings are being read", "", None, actions);
    }
    ScrollArea::vertical().id_salt(("settings page", state.page)).auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 20 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 5.0;
            ui.label(RichText::new(&page.title).font(FontId::new(18.0, theme::family(theme::SEMIBOLD))).color(tokens.text));
            ui.label(RichText::new(&page.lead).size(13.0).color(tokens.text_soft));
            ui.add_space(Space::M);
            let room = ui.available_width();
            if page.right.is_empty() || room < TWO_COLUMNS {
                let width = room.min(ONE_COLUMN);
                column_ui(ui, page.left.iter().chain(&page.right), width, state, actions);
                return;
            }
            let width = ((room - GAP) / 2.0).floor().min(MOST);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = GAP;
                column_ui(ui, page.left.iter(), width, state, actions);
                column_ui(ui, page.right.iter(), width, state, actions);
            });
        });
    });
}

fn column_ui<'c>(ui: &mut Ui, cards: impl Iterator<Item = &'c Card>, width: f32, state: &mut State, actions: &mut Vec<Action>) {
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = Space::M + 2.0;
        for card in cards {
            card_ui(ui, card, state, actions);
        }
    });
}

/// What is to be said and done below every page.
struct Bar {
    tone: Tone,
    icon: Icon,
    text: String,
    buttons: Vec<(Act, Look, Option<&'static str>)>,
}

fn bar(state: &State) -> Option<Bar> {
    let file = state.file.as_ref()?;
    let name = || file.path.as_ref().and_then(|path| path.file_name()).map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    if file.changed_on_disk {
        let (text, buttons) = if file.is_changed() {
            let text = format!("{} was changed on disk. Neither version is lost: the other one is kept beside it", name());
            (text, vec![(Act::SaveOver, Look::Plain, blocked(state, file)), (Act::Reload, Look::Primary, None)])
        } else {
            let text = format!("{} was changed on disk. Reload takes it into force", name());
            (text, vec![(Act::Reload, Look::Primary, None)])
        };
        return Some(Bar { tone: Tone::Warn, icon: Icon::Warning, text, buttons });
    }
    if file.is_changed() {
        let pages: Vec<&str> =
            Page::ALL.into_iter().filter(|page| file.changed.iter().any(|key| Page::of_key(key) == *page)).map(Page::title).collect();
        let (tone, icon, text) = match file.faults.len() {
            0 => (Tone::Accent, Icon::Note, format!("Not saved: {}", pages.join(", "))),
            1 => (Tone::Wrong, Icon::Error, format!("Not saved: {}. One value has to be mended first", pages.join(", "))),
            more => (Tone::Wrong, Icon::Error, format!("Not saved: {}. {more} values have to be mended first", pages.join(", "))),
        };
        let buttons = vec![(Act::Discard, Look::Plain, None), (Act::Save, Look::Primary, blocked(state, file))];
        return Some(Bar { tone, icon, text, buttons });
    }
    if !file.faults.is_empty() {
        let text = format!("{} has a fault: the settings from before are in force", name());
        return Some(Bar { tone: Tone::Wrong, icon: Icon::Error, text, buttons: Vec::new() });
    }
    (!state.at_restart.is_empty()).then(|| Bar {
        tone: Tone::Warn,
        icon: Icon::Warning,
        text: format!("Saved. In force after the next start: {}", state.at_restart.join(", ")),
        buttons: vec![(Act::Restart, Look::Plain, None)],
    })
}

fn blocked(state: &State, file: &Edited) -> Option<&'static str> {
    if state.saving {
        Some("It is being saved")
    } else if !file.faults.is_empty() {
        Some("Mend what is marked first")
    } else if !file.is_judged() {
        Some("It is being checked")
    } else {
        None
    }
}

fn bar_ui(ui: &mut Ui, bar: &Bar, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new(bar.icon.glyph()).font(theme::icon(14.0)).color(tokens.tone(bar.tone)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (act, look, why) in bar.buttons.iter().rev() {
                action_button(ui, Action::Settings(act.clone()), *look, *why, actions);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(eframe::egui::Label::new(RichText::new(&bar.text).size(12.5).color(tokens.text)).truncate());
            });
        });
    });
}

const NAV: f32 = 190.0;
const GAP: f32 = 20.0;
/// Below this, one column.
const TWO_COLUMNS: f32 = 900.0;
const ONE_COLUMN: f32 = 720.0;
const MOST: f32 = 620.0;
