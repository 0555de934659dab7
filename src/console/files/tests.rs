//! Files as an operator uses them: a case opened, read and closed; a call exported; a fault said.

use std::{ops::ControlFlow, sync::Arc};

use eframe::egui::{Key, Modifiers, Ui, Vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::tz::TimeZone;

use crate::{
    console::{
        Backend,
        app::{App, Options},
        sample::{RETURNING, SampleBackend},
    },
    export::case::{Contents, Values, write},
    model::{Timestamp, WholeCall},
};

type Window = Harness<'static, Option<App>>;

fn window(backend: &Arc<SampleBackend>, exports: &std::path::Path) -> Window {
    let backend: Arc<dyn Backend> = backend.clone();
    let exports = exports.to_owned();
    let frame = move |ui: &mut Ui, app: &mut Option<App>| {
        let options = Options { zone: TimeZone::UTC, threads: false, ..Options::default() };
        let is_open = app.is_some();
        let app = app.get_or_insert_with(|| {
            let mut app = App::new(ui.ctx(), backend.clone(), options);
            app.files.export_to(&exports);
            app
        });
        if is_open {
            app.drain(ui.ctx());
            app.paint(ui);
        }
    };
    let mut harness = Harness::builder().with_size(Vec2::new(1440.0, 900.0)).build_ui_state(frame, None);
    harness.run_steps(4);
    harness
}

fn app(window: &mut Window) -> &mut App {
    window.state_mut().as_mut().expect("it is open")
}

fn click(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(6);
}

/// The sample's returning call as a case in this folder.
fn case_in(folder: &std::path::Path, backend: &SampleBackend) -> std::path::PathBuf {
    let snapshot = backend.snapshot();
    let record = snapshot.calls.iter().find(|call| call.id == RETURNING).expect("is there").clone();
    let calls = [WholeCall::new(record, backend.messages(RETURNING))];
    let contents = Contents { calls: &calls, rtp: None, values: Values::AsIs, made_at: Timestamp(0) };
    let path = folder.join("lab.handback-case");
    std::fs::write(&path, write(&contents, |_| ControlFlow::Continue(())).expect("writes")).expect("writes");
    path
}

#[test]
fn a_case_is_opened_by_its_path_shown_like_live_calls_and_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = SampleBackend::filled();
    let path = case_in(folder.path(), &backend);
    let mut window = window(&backend, folder.path());
    let live = app(&mut window).state.listed.len();
    window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    window.run_steps(4);
    window.get_by_label("Path (Tab completes)");
    app(&mut window).state.files.dialog.as_mut().expect("is open").path = format!("{}/la", folder.path().display());
    window.run_steps(4);
    assert!(window.query_by_label_contains("lab.handback-case").is_some(), "the folder is listed");
    window.key_press(Key::Tab);
    window.run_steps(4);
    window.key_press(Key::Enter);
    window.run_steps(6);
    assert_eq!(app(&mut window).files.opened().expect("is open").path, path);
    assert!(window.query_by_label("1 call, 11 messages").is_some() || window.query_by_label_contains("1 call, ").is_some());
    assert_eq!(app(&mut window).state.listed, [RETURNING]);
    assert!(window.query_by_label_contains("REFER Refer-To: 4 variables · 574 chars, Bridge to Customer").is_some(), "its ladder");
    assert!(window.query_by_label("Hang up").is_none(), "nothing can be done with a call out of a file");
    window.check_accessibility();
    click(&mut window, "Close");
    assert!(app(&mut window).files.opened().is_none());
    assert_eq!(app(&mut window).state.listed.len(), live);
}

#[test]
fn what_can_not_be_read_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(&SampleBackend::empty(), folder.path());
    app(&mut window).open_file(folder.path().join("missing.pcap"));
    window.run_steps(4);
    assert!(window.query_by_label_contains("missing.pcap can't be read").is_some());
    std::fs::write(folder.path().join("x.pcap"), "hello").expect("writes");
    app(&mut window).open_file(folder.path().join("x.pcap"));
    window.run_steps(4);
    assert!(window.query_by_label_contains("this is no capture").is_some());
}

#[test]
fn a_call_is_exported_from_its_menu_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = SampleBackend::filled();
    let mut window = window(&backend, folder.path());
    click(&mut window, "14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345");
    for (item, ending) in
        [("Capture (pcap)", "pcap"), ("Ladder as text", "txt"), ("Ladder as SVG", "svg"), ("Ladder as PNG", "png"), ("JSON", "json")]
    {
        click(&mut window, "Export");
        click(&mut window, item);
        let saved = app(&mut window).files.saved.clone().unwrap_or_else(|| panic!("{item} is saved"));
        assert_eq!((saved.parent(), saved.extension().and_then(|e| e.to_str())), (Some(folder.path()), Some(ending)));
        assert!(window.query_by_label_contains("Saved conv-12345-").is_some());
        window.check_accessibility();
    }
    click(&mut window, "Export");
    click(&mut window, "Case file…");
    click(&mut window, "Save case file");
    let saved = app(&mut window).files.saved.clone().expect("the case is saved");
    app(&mut window).open_file(saved);
    window.run_steps(6);
    let opened = app(&mut window).files.opened().expect("is open");
    assert_eq!(opened.snapshot.calls.len(), 1);
    assert!(opened.snapshot.calls[0].transfer_variables.values().all(|value| value.starts_with('v')), "values are tokens");
}

#[test]
fn calls_that_are_selected_together_are_exported_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = SampleBackend::filled();
    let mut window = window(&backend, folder.path());
    click(&mut window, "14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345");
    let all: Vec<_> = app(&mut window).state.listed.iter().take(3).copied().collect();
    app(&mut window).state.table.selected.extend(all);
    window.run_steps(4);
    click(&mut window, "Export 3 calls");
    click(&mut window, "Ladder as SVG");
    let saved = app(&mut window).files.saved.clone().expect("they are saved");
    assert_eq!(std::fs::read_dir(saved).expect("a folder").count(), 3);
    click(&mut window, "Export 3 calls");
    click(&mut window, "JSON");
    let saved = app(&mut window).files.saved.clone().expect("they are saved");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(saved).expect("reads")).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(3));
}

#[test]
fn a_drawn_ladder_has_the_rows_of_the_window() {
    use crate::{
        console::{
            panels::ladder::data::{What, ladder},
            wire_text::Views,
        },
        export::picture::{self, Picture},
    };
    let backend = SampleBackend::filled();
    let snapshot = backend.snapshot();
    for record in snapshot.calls.iter() {
        let messages = backend.messages(record.id);
        let mut views = Views::default();
        views.refresh(&messages);
        let shown = ladder(record, views.all(), snapshot.at);
        let drawn = Picture::new(&WholeCall::new(record.clone(), messages), snapshot.at);
        let column = |index: usize| shown.columns.get(index).map_or("?", |column| column.name);
        let here: Vec<String> = shown
            .rows
            .iter()
            .filter_map(|row| match &row.what {
                What::Arrow(arrow) if arrow.again_of.is_none() => {
                    Some(format!("{} → {}: {} {}", column(arrow.from), column(arrow.to), arrow.title, arrow.gist))
                }
                _ => None,
            })
            .collect();
        let column = |index: usize| drawn.columns.get(index).map_or("?", |column| column.name);
        let there: Vec<String> = drawn
            .rows
            .iter()
            .filter_map(|row| match &row.what {
                picture::What::Arrow { from, to, title, gist, .. } => Some(format!("{} → {}: {title} {gist}", column(*from), column(*to))),
                _ => None,
            })
            .collect();
        assert_eq!(here, there, "call {}", record.id);
        assert_eq!(
            shown.columns.iter().map(|c| &c.address).collect::<Vec<_>>(),
            drawn.columns.iter().map(|c| &c.address).collect::<Vec<_>>()
        );
    }
}

#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl eframe::egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn a_file_that_is_dropped_is_opened_and_a_test_call_leads_back_to_live_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = SampleBackend::filled();
    let path = case_in(folder.path(), &backend);
    let mut window = window(&backend, folder.path());
    window.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    window.run_steps(6);
    assert_eq!(app(&mut window).files.opened().expect("is open").path, path);
    window.key_press(Key::F5);
    window.run_steps(4);
    assert!(app(&mut window).files.opened().is_none());
    assert_eq!(backend.commands().len(), 1);
}
