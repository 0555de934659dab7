//! Keys that do something wherever one is.

use eframe::egui::Context;

use super::{
    action::Action,
    app::App,
    state::{CallTab, Place},
};

impl App {
    /// Keys that act wherever one is; text fields and open forms keep theirs.
    pub(super) fn keys(&self, ctx: &Context, actions: &mut Vec<Action>) {
        let typing = ctx.text_edit_focused();
        let open = self.state.returning.is_some()
            || self.state.test.naming.is_some()
            || self.closing
            || self.state.files.is_open()
            || self.state.palette.is_some();
        let focused = ctx.memory(|m| m.focused().is_some());
        if !typing && !open && self.state.place == Place::TestCall {
            self.phone_keys(ctx, actions);
        }
        for action in Action::global() {
            let held_back = match &action {
                Action::PlaceTestCall | Action::Search | Action::OpenPalette | Action::Files(_) => open,
                Action::Back => typing || open,
                Action::MoveUp | Action::MoveDown | Action::MoveFar(_) | Action::Enter if self.state.place == Place::Messages => {
                    typing || open || focused
                }
                Action::Enter if self.state.place == Place::Agent => typing || open || focused,
                Action::Ladder(_) => typing || open || self.state.place != Place::Calls || self.state.tab != CallTab::Ladder,
                _ => typing || open || focused || self.state.place != Place::Calls,
            };
            let Some(shortcut) = action.face().shortcut.filter(|_| !held_back) else { continue };
            if ctx.input_mut(|i| i.consume_shortcut(&shortcut)) {
                actions.push(action);
            }
        }
    }
}
