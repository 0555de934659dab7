//! Paints what has to do with files.

use eframe::egui::{
    Align, Context, FontId, Id, Key, LayerId, Layout, Modal, Modifiers, Order, Popup, Pos2, Rect, RichText, Role, Sense, Stroke, Ui, Vec2,
    WidgetInfo,
};
use jiff::tz::TimeZone;

use super::data::{self, Band};
use crate::console::{
    action::Action,
    files::{Act, CaseForm, Dialog, Kind},
    theme::{self, Icon, Radius, Space, Tokens, Tone},
    widgets::{FieldLook, Look, Table, action_button, caption, dialog, heading, icon_button, labelled_field, segmented},
};

/// What is open, or being read: a band across the top.
pub fn band_ui(ui: &mut Ui, band: &Band, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, tokens.wash(tokens.accent, 0.14));
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.accent, 0.45)));
    let strong = |text: &str| RichText::new(text).family(theme::family(theme::SEMIBOLD)).color(tokens.text);
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        ui.label(RichText::new(Icon::FolderOpen.glyph()).font(theme::icon(14.0)).color(tokens.accent));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(14.0);
            match band {
                Band::Reading { name, share } => {
                    action_button(ui, Action::Files(Act::Stop), Look::Plain, None, actions);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let percent = share.map(|share| format!(" {:.0} %", share * 100.0)).unwrap_or_default();
                        ui.label(RichText::new(format!("Reading {name}…{percent}")).color(tokens.text));
                        bar(ui, *share, tokens);
                    });
                }
                Band::Open { name, path, words, notes } => {
                    action_button(ui, Action::Files(Act::Close), Look::Plain, None, actions);
                    if !notes.is_empty() {
                        icon_button(ui, Action::Files(Act::CopyNotes), "Copy notes", actions);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = Space::S;
                        ui.label(RichText::new("Reading").color(tokens.text_soft));
                        ui.label(strong(name)).on_hover_text(path);
                        ui.label(RichText::new(words).color(tokens.text_soft));
                        if let Some(first) = notes.first() {
                            ui.add_space(Space::S);
                            ui.label(RichText::new(Icon::Warning.glyph()).font(theme::icon(13.0)).color(tokens.warn));
                            let more = if notes.len() > 1 { format!("{} notes: ", notes.len()) } else { String::new() };
                            let text = RichText::new(format!("{more}{first}")).color(tokens.text);
                            ui.add(eframe::egui::Label::new(text).truncate()).on_hover_text(notes.join("\n"));
                        }
                    });
                }
            }
        });
    });
}

fn bar(ui: &mut Ui, share: Option<f32>, tokens: &Tokens) {
    let (rect, response) = ui.allocate_exact_size(Vec2::new(220.0, 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, "Read so far"));
    ui.painter().rect_filled(rect, Radius::PILL, tokens.control);
    let width = rect.width() * share.unwrap_or(0.0);
    ui.painter().rect_filled(Rect::from_min_size(rect.min, Vec2::new(width, rect.height())), Radius::PILL, tokens.accent);
}

/// What is being written, or where it was written to.
pub fn saved_ui(ui: &mut Ui, writing: Option<(&str, Option<f32>)>, saved: Option<&std::path::Path>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let rect = ui.max_rect();
    let tone = if writing.is_some() { Tone::Accent } else { Tone::Good };
    ui.painter().rect_filled(rect, 0.0, tokens.wash(tokens.tone(tone), 0.14));
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        let icon = if writing.is_some() { Icon::Download } else { Icon::Done };
        ui.label(RichText::new(icon.glyph()).font(theme::icon(13.0)).color(tokens.tone(tone)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(Space::S);
            if let Some((what, share)) = writing {
                action_button(ui, Action::Files(Act::Stop), Look::Plain, None, actions);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(format!("Writing: {what}")).color(tokens.text));
                    bar(ui, share, tokens);
                });
            } else if let Some(path) = saved {
                icon_button(ui, Action::Files(Act::DismissSaved), "Dismiss saved", actions);
                action_button(ui, Action::Files(Act::CopySaved), Look::Plain, None, actions);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = Space::S;
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    ui.label(RichText::new(format!("Saved {name}")).family(theme::family(theme::SEMIBOLD)).color(tokens.text));
                    let folder = path.parent().map(|folder| format!("in {}", folder.display())).unwrap_or_default();
                    ui.add(eframe::egui::Label::new(RichText::new(folder).color(tokens.text_soft)).truncate());
                });
            }
        });
    });
}

/// The button *Export ▾* with its menu.
pub fn export_menu(ui: &mut Ui, calls: usize, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let mut job = eframe::egui::text::LayoutJob::default();
    let format =
        |font, colour| eframe::egui::text::TextFormat { valign: Align::Center, ..eframe::egui::text::TextFormat::simple(font, colour) };
    job.append(&Icon::Download.glyph().to_string(), 0.0, format(theme::icon(13.0), tokens.text));
    let words = if calls > 1 { format!("Export {calls} calls") } else { "Export".to_owned() };
    job.append(&words, 7.0, format(theme::text(12.5), tokens.text));
    job.append(&Icon::Down.glyph().to_string(), 6.0, format(theme::icon(12.0), tokens.text_faint));
    let button = ui.add(eframe::egui::Button::new(job).min_size(Vec2::new(0.0, 28.0)).corner_radius(Radius::CONTROL));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let button = button.on_hover_text(if calls > 1 { "Write the selected calls to files" } else { "Write this call to a file" });
    Popup::menu(&button).width(236.0).frame(dialog(ui).inner_margin(6)).show(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for kind in Kind::PLAIN {
            item(ui, Action::Files(Act::Export(kind)), actions);
        }
        let (line, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 9.0), Sense::hover());
        ui.painter().hline(line.x_range(), line.center().y, Stroke::new(1.0, Tokens::of(ui).line));
        item(ui, Action::Files(Act::AskCase), actions);
    });
}

fn item(ui: &mut Ui, action: Action, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let face = action.face();
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width().max(224.0), 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, face.label));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, Radius::CONTROL, tokens.control_hover);
    }
    let left = Pos2::new(rect.left() + 10.0, rect.center().y);
    ui.painter().text(left, eframe::egui::Align2::LEFT_CENTER, face.label, FontId::proportional(12.5), tokens.text);
    // No tooltip: it would cover the next item.
    if response.clicked() {
        actions.push(action);
        ui.close();
    }
}

/// The dialog of *Open*.
pub fn dialog_ui(ui: &mut Ui, state: &mut Dialog, zone: &TimeZone, actions: &mut Vec<Action>) {
    let shown = data::shown(state);
    keys(ui, state, shown.len(), actions);
    let modal = Modal::new(Id::unique("open a file")).frame(dialog(ui)).show(ui.ctx(), |ui| {
        let tokens = Tokens::of(ui);
        ui.set_width(680.0);
        heading(ui, "Open a capture or a case file");
        ui.label(
            RichText::new("pcap or pcapng from any SBC, or a .handback-case. You can also drop a file onto the window")
                .size(12.0)
                .color(tokens.text_soft),
        );
        ui.add_space(Space::S);
        let before = state.path.clone();
        let look = FieldLook { hint: "/path/to/capture.pcap", ..FieldLook::default() };
        let field = labelled_field(ui, "Path (Tab completes)", look, &mut state.path, 680.0);
        if std::mem::take(&mut state.focus) {
            field.request_focus();
            put_cursor_at_end(ui, field.id, &state.path);
        }
        if state.path != before {
            state.chosen = None;
        }
        ui.add_space(Space::XS);
        let room = Vec2::new(ui.available_width(), 300.0);
        ui.allocate_ui(room, |ui| {
            ui.set_min_size(room);
            if let Some(fault) = &state.listed.fault {
                ui.add_space(Space::M);
                ui.label(RichText::new(fault).color(tokens.wrong));
                return;
            }
            if shown.is_empty() {
                ui.add_space(Space::M);
                ui.label(RichText::new("Nothing here begins so; only captures and case files are listed").color(tokens.text_faint));
                return;
            }
            let reveal = state.chosen.filter(|_| std::mem::take(&mut state.reveal));
            let table = Table { id: "files", columns: &data::COLUMNS, reveal, active: true };
            let answer = table.show(ui, shown.len(), |index| match shown.get(index) {
                Some(entry) => data::row(entry, zone, state.chosen == Some(index)),
                None => crate::console::widgets::TableRow { cells: Vec::new(), name: String::new(), chosen: false },
            });
            actions.extend(answer.clicked.map(|index| Action::Files(Act::Choose(index))));
        });
        ui.add_space(Space::S);
        ui.horizontal(|ui| {
            let nothing = (state.chosen.is_none() && (state.path.trim().is_empty() || state.path.ends_with(std::path::is_separator)))
                .then_some("Choose a file first");
            action_button(ui, Action::Files(Act::OpenTyped), Look::Primary, nothing, actions);
            action_button(ui, Action::Files(Act::Cancel), Look::Plain, None, actions);
        });
    });
    if modal.should_close() {
        actions.push(Action::Files(Act::Cancel));
    }
}

/// Arrows choose, Tab completes, Enter opens; the field keeps the rest.
fn keys(ui: &Ui, state: &mut Dialog, rows: usize, actions: &mut Vec<Action>) {
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::Tab)
        && let Some(path) = data::completed(state)
    {
        (state.path, state.chosen, state.focus) = (path, None, true);
    }
    let last = rows.saturating_sub(1);
    if pressed(Key::ArrowDown) && rows > 0 {
        (state.chosen, state.reveal) = (Some(state.chosen.map_or(0, |at| (at + 1).min(last))), true);
    }
    if pressed(Key::ArrowUp) && rows > 0 {
        (state.chosen, state.reveal) = (Some(state.chosen.map_or(last, |at| at.saturating_sub(1))), true);
    }
    if pressed(Key::Enter) {
        actions.push(Action::Files(Act::OpenTyped));
    }
}

fn put_cursor_at_end(ui: &Ui, id: Id, text: &str) {
    let mut edit = eframe::egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let end = eframe::egui::text::CCursor::new(text.chars().count());
    edit.cursor.set_char_range(Some(eframe::egui::text::CCursorRange::one(end)));
    edit.store(ui.ctx(), id);
}

/// The form of a case.
pub fn case_ui(ui: &mut Ui, form: &mut CaseForm, has_sound: bool, actions: &mut Vec<Action>) {
    let modal = Modal::new(Id::unique("case file")).frame(dialog(ui)).show(ui.ctx(), |ui| {
        let tokens = Tokens::of(ui);
        ui.set_width(460.0);
        heading(ui, "Save a case file");
        let words = "One archive with the ladder as text, SVG and PNG, the capture, and JSON. Another console opens it";
        ui.label(RichText::new(words).size(12.0).color(tokens.text_soft));
        ui.add_space(Space::S);
        caption(ui, "Variables' values");
        let values = [(false, "As tokens"), (true, "As they are")];
        form.as_is = segmented(ui, "Variables' values", form.as_is, &values).unwrap_or(form.as_is);
        let words = if form.as_is {
            "Everything that the customer and the agent passed can be read: look before you send it on"
        } else {
            "The same value has the same token everywhere, so it can still be followed"
        };
        ui.label(RichText::new(words).size(12.0).color(if form.as_is { tokens.warn } else { tokens.text_soft }));
        if has_sound {
            ui.add_space(Space::XS);
            caption(ui, "Sound");
            let sound = [(false, "Left out"), (true, "Put in")];
            form.rtp = segmented(ui, "Sound", form.rtp, &sound).unwrap_or(form.rtp);
        }
        ui.add_space(Space::XS);
        ui.label(RichText::new("Credentials, keys and passwords are blanked in any case").size(12.0).color(tokens.text_faint));
        ui.add_space(Space::S);
        ui.horizontal(|ui| {
            let save = Kind::Case { as_is: form.as_is, rtp: form.rtp && has_sound };
            action_button(ui, Action::Files(Act::Export(save)), Look::Primary, None, actions);
            action_button(ui, Action::Files(Act::Cancel), Look::Plain, None, actions);
        });
    });
    if modal.should_close() {
        actions.push(Action::Files(Act::Cancel));
    }
}

/// A file hangs over the window: says what happens when it is let go.
pub fn drop_ui(ctx: &Context, tokens: &Tokens) {
    let hovering = ctx.input(|input| !input.raw.hovered_files.is_empty());
    if !hovering {
        return;
    }
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop a file")));
    let rect = ctx.content_rect().shrink(24.0);
    painter.rect_filled(ctx.content_rect(), 0.0, tokens.wash(tokens.background, 0.9).gamma_multiply(0.85));
    painter.rect_stroke(rect, Radius::CARD, Stroke::new(2.0, tokens.accent), eframe::egui::StrokeKind::Inside);
    Icon::FolderOpen.paint(&painter, rect.center() - Vec2::new(0.0, 28.0), 34.0, tokens.accent);
    let font = FontId::new(15.0, theme::family(theme::SEMIBOLD));
    painter.text(
        rect.center() + Vec2::new(0.0, 12.0),
        eframe::egui::Align2::CENTER_CENTER,
        "Drop a capture or a case file to read it",
        font,
        tokens.text,
    );
}
