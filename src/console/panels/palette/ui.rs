//! Paints the search over everything, and takes its keys.

use eframe::egui::{
    Align2, Context, FontId, Frame, Key, Margin, Modal, Modifiers, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, TextEdit, Ui,
    Vec2, WidgetInfo,
};

use super::{
    State,
    data::{Entry, tone},
};
use crate::console::{
    action::Action,
    theme::{self, Icon, Radius, Space, Tokens},
    widgets::{self, elided, fit, pill_at},
};

/// Tells whether it stays open.
pub fn palette_ui(ui: &Ui, state: &mut State, entries: &[Entry], actions: &mut Vec<Action>) -> bool {
    let ctx = ui.ctx().clone();
    let moved = keys(&ctx, state, entries.len());
    let entered = ctx.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    let id = eframe::egui::Id::unique("palette");
    let area = Modal::default_area(id).anchor(Align2::CENTER_TOP, Vec2::new(0.0, 72.0));
    let frame = widgets::dialog(ui).inner_margin(Margin::ZERO);
    let modal = Modal::new(id).area(area).frame(frame).show(&ctx, |ui| {
        ui.set_width(660.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        let before = state.typed.clone();
        field_ui(ui, state);
        if before != state.typed {
            state.chosen = 0;
        }
        let taken = list_ui(ui, state, entries, moved);
        foot_ui(ui);
        taken
    });
    let taken = modal.inner.or(entered.then_some(state.chosen));
    if let Some(entry) = taken.and_then(|index| entries.get(index)) {
        actions.push(entry.action.clone());
        return false;
    }
    !modal.should_close()
}

/// The arrows choose while one types.
fn keys(ctx: &Context, state: &mut State, len: usize) -> bool {
    let last = len.saturating_sub(1);
    let before = state.chosen;
    ctx.input_mut(|i| {
        if i.consume_key(Modifiers::NONE, Key::ArrowDown) {
            state.chosen += 1;
        }
        if i.consume_key(Modifiers::NONE, Key::ArrowUp) {
            state.chosen = state.chosen.saturating_sub(1);
        }
        if i.consume_key(Modifiers::NONE, Key::PageDown) {
            state.chosen += 8;
        }
        if i.consume_key(Modifiers::NONE, Key::PageUp) {
            state.chosen = state.chosen.saturating_sub(8);
        }
    });
    state.chosen = state.chosen.min(last);
    state.chosen != before
}

fn field_ui(ui: &mut Ui, state: &mut State) {
    let tokens = Tokens::of(ui);
    let edit = TextEdit::singleline(&mut state.typed)
        .font(theme::text(15.0))
        .hint_text(RichText::new("Calls, numbers, variables, headers, actions").size(15.0).color(tokens.text_faint))
        .frame(eframe::egui::Frame::NONE)
        .align(Align2::LEFT_CENTER)
        .desired_width(f32::INFINITY);
    let room = Frame::new().inner_margin(Margin { left: 44, right: 16, top: 14, bottom: 13 });
    let shown = room.show(ui, |ui| ui.add(edit).accessible_name("Search everything").request_focus());
    let rect = shown.response.rect;
    Icon::Search.paint(ui.painter(), Pos2::new(rect.left() + 24.0, rect.center().y), 16.0, tokens.text_faint);
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, tokens.line));
}

fn list_ui(ui: &mut Ui, state: &mut State, entries: &[Entry], moved: bool) -> Option<usize> {
    let tokens = Tokens::of(ui);
    if entries.is_empty() {
        ui.allocate_ui(Vec2::new(ui.available_width(), 90.0), |ui| {
            widgets::empty_state(ui, "Nothing found", "Fewer or other words may find it", None, &mut Vec::new());
        });
        return None;
    }
    let mut taken = None;
    let most = (ui.ctx().content_rect().height() - 240.0).clamp(160.0, 460.0);
    ScrollArea::vertical().id_salt("found").max_height(most).show(ui, |ui| {
        ui.add_space(Space::XS);
        let mut section = "";
        for (index, entry) in entries.iter().enumerate() {
            if entry.section != section {
                section = entry.section;
                let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 24.0), Sense::hover());
                let words = Rect::from_min_max(rect.min + Vec2::new(16.0, 4.0), rect.max);
                elided(ui.painter(), words, Align2::LEFT_CENTER, section, theme::text(11.5), tokens.text_faint);
            }
            let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 34.0), Sense::hover());
            // The arrows move here, not the Tab key.
            let response = ui.interact(rect, ui.scope_id().with(("entry", index)), Sense::CLICK);
            let is_chosen = index == state.chosen;
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_chosen, format!("{}, {}", entry.title, entry.detail)));
            entry_ui(ui, rect, entry, is_chosen, response.hovered());
            if is_chosen && moved {
                ui.scroll_to_rect(rect, None);
            }
            if response.clicked() {
                taken = Some(index);
            }
        }
        ui.add_space(Space::XS);
    });
    taken
}

fn entry_ui(ui: &Ui, rect: Rect, entry: &Entry, is_chosen: bool, is_hovered: bool) {
    let tokens = Tokens::of(ui);
    let painter = ui.painter();
    let inner = rect.shrink2(Vec2::new(6.0, 1.0));
    if is_chosen {
        painter.rect_filled(inner, Radius::CONTROL, tokens.control_hover);
    } else if is_hovered {
        painter.rect_filled(inner, Radius::CONTROL, tokens.control);
    }
    if let Some(icon) = entry.icon {
        icon.paint(painter, Pos2::new(rect.left() + 24.0, rect.center().y), 14.0, tokens.tone(tone(entry)));
    }
    let mut right = rect.right() - 18.0;
    if let Some(shortcut) = entry.shortcut {
        let galley = fit(painter, &ui.ctx().format_shortcut(&shortcut), theme::mono(11.0), tokens.text_faint, 120.0);
        right -= galley.size().x;
        painter.galley(Pos2::new(right, rect.center().y - galley.size().y / 2.0), galley, tokens.text_faint);
        right -= Space::M;
    }
    if let Some((mark, tone)) = &entry.mark {
        let width = fit(painter, mark, theme::text(11.5), tokens.text, 140.0).size().x + 16.0;
        pill_at(ui, Pos2::new(right - width, rect.center().y), width, mark, *tone);
        right -= width + Space::M;
    }
    let left = rect.left() + 44.0;
    let font = FontId::new(13.0, theme::family(theme::MEDIUM));
    let title = fit(painter, &entry.title, font, tokens.text, (right - left) * 0.6);
    let after = left + title.size().x + Space::M;
    painter.galley(Pos2::new(left, rect.center().y - title.size().y / 2.0), title, tokens.text);
    let detail = Rect::from_min_max(Pos2::new(after, rect.top()), Pos2::new(right, rect.bottom()));
    if detail.width() > 24.0 {
        elided(painter, detail, Align2::LEFT_CENTER, &entry.detail, theme::text(12.0), tokens.text_faint);
    }
}

fn foot_ui(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 30.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.top(), Stroke::new(1.0, tokens.line));
    let words = Rect::from_min_max(rect.min + Vec2::new(16.0, 0.0), rect.max);
    let keys = "↑ ↓  choose      Enter  open      Esc  close";
    elided(ui.painter(), words, Align2::LEFT_CENTER, keys, theme::text(11.5), tokens.text_faint);
}
