//! Who may import whom (ARCHITECTURE.md), read from the sources; and what clippy's paths cannot say.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A row: the folder (or file) under `src/`, the parts of ours that it may name, and crates that it must not.
struct Row {
    part: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
}

const EDGES: &[&str] = &["tokio", "mio", "axum", "socket2", "libc", "arc_swap", "hickory_resolver", "metrics", "egui", "eframe"];
const WINDOW: &[&str] = &["egui", "eframe"];

/// From the inside out. `lib.rs` and `main.rs` may name everything.
const TABLE: &[Row] = &[
    Row { part: "model", may: &[], never: EDGES },
    Row { part: "contract", may: &["model"], never: EDGES },
    // `sip` and `media` import nothing of ours, each other apart; their words are not the model's.
    Row { part: "sip", may: &["media"], never: EDGES },
    Row { part: "media", may: &["sip"], never: EDGES },
    Row { part: "party", may: &["model", "sip", "media"], never: EDGES },
    Row { part: "call", may: &["model", "contract", "sip", "media", "party", "findings"], never: EDGES },
    Row { part: "customer", may: &["model", "contract", "sip", "media", "party", "findings"], never: EDGES },
    Row { part: "findings", may: &["model", "contract", "sip"], never: EDGES },
    Row { part: "capture", may: &["model", "contract", "sip", "media", "findings"], never: EDGES },
    Row { part: "config", may: &["model", "contract"], never: EDGES },
    Row { part: "export", may: &["model", "contract", "sip", "findings"], never: EDGES },
    Row { part: "wire", may: &[], never: WINDOW },
    Row { part: "engine", may: &["model", "sip", "media", "party", "call", "customer", "findings", "wire"], never: WINDOW },
    Row { part: "store", may: &["model", "contract"], never: &["mio", "axum", "socket2", "egui", "eframe"] },
    Row { part: "api", may: &["model", "contract", "engine", "export", "findings", "store"], never: WINDOW },
    Row {
        part: "start",
        may: &["model", "contract", "config", "sip", "media", "party", "call", "customer", "findings", "wire", "engine", "store", "api"],
        never: WINDOW,
    },
    Row {
        part: "cli",
        may: &[
            "model", "contract", "config", "capture", "export", "findings", "sip", "media", "party", "call", "customer", "wire", "engine",
            "store", "api", "start", "console",
        ],
        never: WINDOW,
    },
    Row {
        part: "console",
        may: &["model", "contract", "engine", "capture", "export", "findings", "config", "start"],
        never: &["tokio", "mio", "axum"],
    },
];

#[test]
fn every_part_imports_only_what_the_table_allows() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let Some(part) = source.part() else { continue };
        let Some(row) = TABLE.iter().find(|row| row.part == part) else {
            faults.push(format!("{}: `{part}` is not in the table", source.path.display()));
            continue;
        };
        for named in source.parts_named() {
            if named != part && !row.may.contains(&named.as_str()) {
                faults.push(format!("{}: {part} may not import {named}", source.path.display()));
            }
        }
        for name in row.never.iter().filter(|name| source.names_crate(name)) {
            faults.push(format!("{}: {part} may not use the crate {name}", source.path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Crates that stand behind one door each.
#[test]
fn some_crates_are_named_in_one_place_only() {
    const DOORS: &[(&str, &str)] = &[
        ("rsip", "src/sip/message/"),
        ("rtp_rs", "src/media/rtp"),
        ("egui", "src/console/"),
        ("eframe", "src/console/"),
        ("axum", "src/api/"),
        ("hyper", "src/api/"),
        ("hyper_util", "src/api/"),
        ("utoipa", "src/api/"),
        ("governor", "src/api/"),
        ("rusqlite", "src/store/"),
        ("cpal", "src/wire/audio_device"),
    ];
    let mut faults = Vec::new();
    for source in sources("src") {
        let path = source.path.to_string_lossy();
        for (name, door) in DOORS {
            if !path.starts_with(door) && source.names_crate(name) {
                faults.push(format!("{path}: {name} is named outside {door}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Only the theme makes colours.
#[test]
fn colours_are_made_by_the_theme_alone() {
    let makes = ["Color32::from_", "Color32::WHITE", "Color32::BLACK", "Color32::RED", "Color32::GRAY", "Rgba::from_", "hex_color!"];
    let faults: Vec<String> = sources("src/console")
        .iter()
        .filter(|source| !source.path.starts_with("src/console/theme") && !source.path.ends_with("console/theme.rs"))
        .flat_map(|source| {
            makes
                .iter()
                .filter(|make| source.code.contains(**make))
                .map(|make| format!("{}: {make}", source.path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Waiting is for something, with a deadline; a test that is off tests nothing.
#[test]
fn nothing_sleeps_and_no_test_is_switched_off() {
    let mut faults = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        if source.path.ends_with("architecture.rs") {
            continue;
        }
        for word in ["thread::sleep", "time::sleep(", "#[ignore", "todo!(", "unimplemented!("] {
            if source.code.contains(word) {
                faults.push(format!("{}: {word}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A reader meets each file by its one idea.
#[test]
fn every_file_begins_by_saying_what_it_is() {
    let faults: Vec<String> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(sources)
        .filter(|source| !source.text.starts_with("//!") && !source.path.ends_with("tests.rs"))
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(faults.is_empty(), "the first line is not `//! …`:\n{}", faults.join("\n"));
}

/// The documents name files and tests; a rename must not leave them lying.
#[test]
fn every_file_and_test_that_the_documents_name_exists() {
    let code: String = ["src", "tests"].into_iter().flat_map(sources).map(|source| source.text).collect();
    let mut faults = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(document).expect(document);
        for span in text.split('`').skip(1).step_by(2) {
            let span = span.trim_end_matches('/');
            let rooted =
                ["src/", "tests/", "benches/", "fuzz/", "assets/", "screenshots/", ".ci/"].iter().any(|root| span.starts_with(root));
            if rooted && !span.contains(['*', ' ', '…']) && !Path::new(span).exists() {
                faults.push(format!("{document}: no file {span}"));
            }
            // Test names are told by being long snake case: `cancel_crossing_200_is_followed_by_bye`.
            let test_like =
                span.matches('_').count() >= 3 && span.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if test_like && !code.contains(&format!("fn {span}(")) && !code.contains(span) {
                faults.push(format!("{document}: no test {span}"));
            }
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.contains("://") && !target.starts_with('#') && !Path::new(target.split('#').next().unwrap_or(target)).exists() {
                faults.push(format!("{document}: no file {target}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A rule is found by its name in the table (`src/findings/table.rs`), and raised by some test.
#[test]
fn every_rule_is_in_the_table_and_raised_by_a_test() {
    let mut faults = Vec::new();
    for source in sources("src") {
        for after in source.text.split("Finding::new(").skip(1).chain(source.text.split(".finding(").skip(1)) {
            let Some(name) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
            if handback::findings::rule(name).is_none() {
                faults.push(format!("{}: {name} is not in the table", source.path.display()));
            }
        }
    }
    let stories: String =
        ["src/findings/tests", "tests/switch", "tests/loopback"].into_iter().flat_map(sources).map(|source| source.text).collect();
    for rule in handback::findings::RULES {
        // Named by itself, as the rule that a story raises.
        if !stories.contains(&format!("\"{}\"", rule.name)) {
            faults.push(format!("no test raises {}", rule.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

struct Source {
    path: PathBuf,
    text: String,
    /// The text without comments and the contents of string literals.
    code: String,
}

impl Source {
    /// `call` for `src/call/leg.rs` and `src/call.rs`; `None` for the crate's root files.
    fn part(&self) -> Option<String> {
        let mut parts = self.path.components().skip(1);
        let first = parts.next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
        (first != "lib" && first != "main" && first != "bin").then_some(first)
    }

    /// Every `x` of `crate::x…`, `crate::{x…, y…}` and of `handback::x…` in a binary.
    fn parts_named(&self) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                None => named.extend(identifier(rest)),
                Some(group) => named.extend(heads_of_group(group)),
            }
        }
        // `super::super::x` from the second level is the crate's root too.
        let depth = self.path.components().count().saturating_sub(2) + usize::from(!self.path.ends_with("mod.rs"));
        let climb = "super::".repeat(depth.max(1));
        for (at, _) in self.code.match_indices(&climb) {
            let rest = &self.code[at + climb.len()..];
            if !rest.starts_with("super::") && !self.code[..at].ends_with("super::") {
                named.extend(identifier(rest).filter(|name| TABLE.iter().any(|row| row.part == name)));
            }
        }
        named.remove("self");
        // Macros and re-exports at the root are no part.
        named.retain(|name| TABLE.iter().any(|row| row.part == name));
        named
    }

    fn names_crate(&self, name: &str) -> bool {
        let path = format!("{name}::");
        self.code.match_indices(&path).any(|(at, _)| !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
    }
}

fn identifier(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first name of each item of `a::b, c::{d, e}, f}`.
fn heads_of_group(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut at_head) = (1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => at_head = true,
            c if at_head && !c.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// All `.rs` files below `root`.
fn sources(root: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a readable source");
                let code = without_comments_and_strings(&text);
                found.push(Source { path, text, code });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A lexer just good enough: line and nested block comments, strings, raw strings, characters.
fn without_comments_and_strings(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += block_comment(rest);
        } else if let Some(length) = raw_string(rest) {
            at += length;
            code.push_str("\"\"");
        } else if rest.starts_with('"') {
            at += quoted(rest, b'"');
            code.push_str("\"\"");
        } else if rest.starts_with('\'') && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            at += quoted(rest, b'\'');
            code.push_str("' '");
        } else {
            let c = rest.chars().next().expect("not at the end");
            code.push(c);
            at += c.len_utf8();
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = text.get(at..).unwrap_or("");
        match () {
            () if rest.is_empty() => return text.len(),
            () if rest.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            () if rest.starts_with("*/") => (depth, at) = (depth - 1, at + 2),
            () => at += rest.chars().next().map_or(1, char::len_utf8),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`, if the text begins with one.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.bytes().take_while(|&b| b == b'#').count();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(start + inside.find(&end).map_or(inside.len(), |found| found + end.len()))
}

fn quoted(text: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn the_reader_of_imports_reads_them() {
    let source =
        |path: &str, text: &str| Source { path: PathBuf::from(path), text: text.to_owned(), code: without_comments_and_strings(text) };
    let named = |path, text| source(path, text).parts_named().into_iter().collect::<Vec<_>>();
    assert_eq!(named("src/call/leg.rs", "use crate::{model::{self, CallId}, sip::dialog, media};"), ["media", "model", "sip"]);
    assert_eq!(named("src/call/leg.rs", "fn f() { crate::wire::udp() } // crate::api::x\nconst S: &str = \"crate::store::y\";"), ["wire"]);
    assert_eq!(named("src/call/leg.rs", "use super::super::engine::Handle;"), ["engine"]);
    assert_eq!(named("src/call/mod.rs", "use super::engine::Handle;"), ["engine"]);
    assert_eq!(named("src/call/leg.rs", "use super::bridge::Bridge;"), Vec::<String>::new());
    assert!(source("src/a.rs", "let x = tokio::spawn(f);").names_crate("tokio"));
    assert!(!source("src/a.rs", "let x = r#\"tokio::spawn\"#; let c = '\"'; // tokio::spawn").names_crate("tokio"));
    assert!(!source("src/a.rs", "use crate::model::tokio::x; my_tokio::y();").names_crate("tokio"));
}
