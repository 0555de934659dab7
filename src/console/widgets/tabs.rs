//! Tabs: words in a row, the chosen one underlined.

use eframe::egui::{FontId, Pos2, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::fit;
use crate::console::{
    action::Action,
    theme::{self, Space, Tokens, Tone},
};

/// One tab and the action that shows it.
pub struct Tab {
    pub action: Action,
    pub chosen: bool,
    /// A count beside the word, where it says something.
    pub count: Option<(usize, Tone)>,
}

/// A row of tabs as wide as `ui`, 36 high, with a line below.
pub fn tabs(ui: &mut Ui, tabs: impl IntoIterator<Item = Tab>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (bar, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 36.0), Sense::hover());
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, tokens.line));
    let mut x = bar.left() + Space::M;
    for tab in tabs {
        let face = tab.action.face();
        let (colour, font) = if tab.chosen {
            (tokens.text, FontId::new(12.5, theme::family(theme::MEDIUM)))
        } else {
            (tokens.text_faint, theme::text(12.5))
        };
        let galley = fit(ui.painter(), face.label, font, colour, 200.0);
        let count = tab.count.map(|(n, tone)| fit(ui.painter(), &n.to_string(), theme::text(12.5), tokens.tone(tone), 80.0));
        let width = galley.size().x + count.as_ref().map_or(0.0, |c| c.size().x + 5.0);
        let rect = Rect::from_min_size(Pos2::new(x, bar.top()), Vec2::new(width + 20.0, bar.height()));
        let response = ui.interact(rect, ui.scope_id().with(("tab", face.label)), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, tab.chosen, face.label));
        let lit = response.hovered() && !tab.chosen;
        let at = Pos2::new(rect.left() + 10.0, rect.center().y - galley.size().y / 2.0);
        let end = at.x + galley.size().x;
        if lit {
            let galley = fit(ui.painter(), face.label, theme::text(12.5), tokens.text_soft, 200.0);
            ui.painter().galley(at, galley, tokens.text_soft);
        } else {
            ui.painter().galley(at, galley, colour);
        }
        if let Some(count) = count {
            ui.painter().galley(Pos2::new(end + 5.0, at.y), count, colour);
        }
        if tab.chosen {
            ui.painter().hline(rect.x_range(), rect.bottom() - 1.0, Stroke::new(2.0, tokens.accent));
        }
        if response.has_focus() {
            let ring = rect.shrink2(Vec2::new(1.0, 6.0));
            ui.painter().rect_stroke(ring, theme::Radius::CONTROL, Stroke::new(1.0, tokens.accent), eframe::egui::StrokeKind::Inside);
        }
        if response.on_hover_text(face.tooltip).clicked() {
            actions.push(tab.action);
        }
        x = rect.right() + 4.0;
    }
}
