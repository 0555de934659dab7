//! Agent scripts from TOML: tasks, what they play, what ends them, and with which variables.

use std::{fs, ops::Range, path::Path, sync::Arc};

use super::{
    Fault,
    fault::Faults,
    prompts, speech,
    table::{Entry, Section, document},
};
use crate::{
    contract::payload,
    model::{
        Outcome, Variables,
        script::{End, Play, Prompt, Script, Task, Trigger},
    },
};

/// Gives the samples of a sound file that a script names.
type Sounds<'s> = &'s dyn Fn(&str) -> Result<Arc<[i16]>, String>;

/// The name of the built-in script.
pub const DEMO: &str = "demo";

/// Loads a script: a built-in name, or a TOML file meant from the folder `base`.
///
/// # Errors
/// Every fault of the script, with its line and the reason.
pub fn load(name_or_path: &str, base: &Path) -> Result<Script, Vec<Fault>> {
    if name_or_path == DEMO {
        return read(Path::new(DEMO), DEMO_TOML, &embedded_sound);
    }
    let path = base.join(name_or_path);
    let text = fs::read_to_string(&path).map_err(|error| {
        let hint = if name_or_path.contains(['.', '/', '\\']) { "" } else { "; the one built-in script is \"demo\"" };
        vec![Fault::of_file(&path, format!("the script {} can't be read: {error}{hint}", path.display()))]
    })?;
    let folder = path.parent().unwrap_or(base).to_owned();
    read(&path, &text, &|wav: &str| prompts::load(&folder.join(wav)))
}

/// The built-in script: 1 ends as SYSTEM, 0 as AGENT, and 20 s of nothing as SYSTEM.
pub fn demo() -> Script {
    // It is part of the program, and a test loads it.
    load(DEMO, Path::new("")).unwrap_or_default()
}

fn read(file: &Path, text: &str, sound: Sounds<'_>) -> Result<Script, Vec<Fault>> {
    let mut faults = Faults::new(file, text);
    let mut script = Script { name: file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(), tasks: Vec::new() };
    if let Some(document) = document(text, &mut faults) {
        let mut root = Section::root(&document);
        for section in root.sections("tasks", &mut faults) {
            let (span, key) = (section.span.clone(), section.path.clone());
            let task = task(section, sound, &mut faults);
            if script.tasks.iter().any(|t| t.name == task.name) {
                faults.add(&key, &span, format!("there is a task {:?} already", task.name));
            }
            script.tasks.push(task);
        }
        if script.tasks.is_empty() && faults.list.is_empty() {
            root.missing("tasks", "a script has at least one [[tasks]] table", &mut faults);
        }
        root.finish(&mut faults);
    }
    if faults.list.is_empty() {
        return Ok(script);
    }
    faults.list.sort_by_key(|f| f.line);
    Err(faults.list)
}

fn task(mut section: Section<'_>, sound: Sounds<'_>, faults: &mut Faults<'_>) -> Task {
    let name = section.text("name", faults).map(|(_, text)| text.to_owned()).unwrap_or_default();
    if name.is_empty() {
        section.missing("name", "the task's name is X-GA-taskName; \"*\" serves every other task", faults);
    }
    let play = section.entry("play").and_then(|e| e.section(faults)).and_then(|s| play(s, sound, faults));
    let mut ends: Vec<End> = Vec::new();
    for section in section.sections("ends", faults) {
        let (key, span) = (section.path.clone(), section.span.clone());
        if let Some(end) = end(section, faults) {
            if ends.iter().any(|e| e.on == end.on) {
                faults.add(&format!("{key}.on"), &span, "an end before it has the same trigger: this one can never come");
            }
            ends.push(end);
        }
    }
    section.finish(faults);
    Task { name, play, ends }
}

fn play(mut section: Section<'_>, sound: Sounds<'_>, faults: &mut Faults<'_>) -> Option<Play> {
    let wav = section.text("wav", faults);
    let tone = section.entry("tone_hz");
    let secs = section.entry("secs");
    let say = section.text("say", faults);
    let echo = section.flag("echo", false, faults);
    if usize::from(wav.is_some()) + usize::from(tone.is_some()) + usize::from(say.is_some()) + usize::from(echo) != 1 {
        faults.add(
            &section.path,
            &section.span,
            "plays one of wav = \"FILE\", tone_hz = 440 with secs = 1.5, say = \"text\", or echo = true",
        );
        section.finish(faults);
        return None;
    }
    if tone.is_some() != secs.is_some() {
        faults.add(&section.key("secs"), &section.span, "belongs to tone_hz: a tone has both");
    }
    section.finish(faults);
    if echo {
        return Some(Play::Echo);
    }
    if let Some(tone) = tone {
        // Half of 8 kHz is the highest that can be heard.
        let hz = tone.float(20.0..=3_900.0, faults);
        let secs = secs.and_then(|s| s.float(0.02..=3_600.0, faults));
        return Some(Play::Tone { hz: hz? as f32, secs: secs? as f32 });
    }
    let (entry, name, samples) = match (wav, say) {
        (Some((entry, file)), _) => (entry, file, sound(file)),
        (None, Some((entry, text))) if text.contains("{{") => {
            if unclosed(text).is_some() {
                entry.fault("opens a variable that }} does not close", faults);
            } else if let Err(why) = speech::check() {
                entry.fault(why, faults);
            }
            return Some(Play::Say(text.to_owned()));
        }
        (None, Some((entry, text))) => (entry, text, speech::speak(text)),
        (None, None) => return None,
    };
    match samples {
        Ok(samples) => Some(Play::Wav(Prompt { name: name.to_owned(), samples })),
        Err(why) => {
            entry.fault(why, faults);
            None
        }
    }
}

fn end(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<End> {
    let on = match section.entry("on") {
        Some(entry) => entry.section(faults).and_then(|s| trigger(s, faults)),
        None => {
            section.missing("on", "what ends the task: { dtmf = \"1\" }, { after_secs = 5.0 } or { silence_secs = 3.0 }", faults);
            None
        }
    };
    let outcomes = [("AGENT", Outcome::Agent), ("SYSTEM", Outcome::System)];
    let outcome = match section.entry("outcome") {
        Some(entry) => entry.choice(&outcomes, faults),
        None => {
            section.missing("outcome", "\"SYSTEM\" or \"AGENT\"", faults);
            None
        }
    };
    let current_task = section.text("current_task", faults).map(|(_, text)| text.to_owned());
    let transfer = variables(&section.section("transfer", faults), faults);
    let reference = variables(&section.section("reference", faults), faults);
    section.finish(faults);
    Some(End { on: on?, outcome: outcome?, current_task, transfer, reference })
}

fn trigger(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<Trigger> {
    let digit = section.text("dtmf", faults);
    let after = section.entry("after_secs");
    let silence = section.entry("silence_secs");
    let (path, span) = (section.path.clone(), section.span.clone());
    section.finish(faults);
    match (digit, after, silence) {
        (Some((entry, text)), None, None) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(digit @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Some(Trigger::Dtmf(digit)),
                _ => {
                    entry.fault(format!("{text:?} is no single digit of 0-9 * # A-D"), faults);
                    None
                }
            }
        }
        (None, Some(entry), None) => Some(Trigger::AfterSecs(entry.float(0.0..=86_400.0, faults)?)),
        (None, None, Some(entry)) => Some(Trigger::SilenceSecs(entry.float(0.1..=86_400.0, faults)?)),
        _ => {
            faults.add(&path, &span, "is one of { dtmf = \"1\" }, { after_secs = 5.0 } and { silence_secs = 3.0 }");
            None
        }
    }
}

/// Variables in the file's order, which is their order on the wire.
fn variables(section: &Section<'_>, faults: &mut Faults<'_>) -> Variables {
    let mut variables = Variables::new();
    for (name, span, entry) in section.free_entries() {
        if let Err(why) = payload::check_variable_name(&name) {
            faults.add(&section.path, &span, why.to_string());
        }
        if let Some(value) = value(&entry, faults) {
            variables.insert(name, value);
        }
    }
    variables
}

fn value(entry: &Entry<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let text = entry.text(faults)?;
    if let Some(open) = unclosed(text) {
        entry.fault(format!("{:?} opens a variable that }}}} does not close", &text[open]), faults);
        return None;
    }
    Some(text.to_owned())
}

/// Where a `{{` has no `}}`.
fn unclosed(text: &str) -> Option<Range<usize>> {
    let open = text.rfind("{{")?;
    (!text[open..].contains("}}")).then_some(open..text.len())
}

fn embedded_sound(wav: &str) -> Result<Arc<[i16]>, String> {
    match wav {
        "prompts/welcome.wav" => prompts::decode(include_bytes!("../../assets/prompts/welcome.wav")),
        other => Err(format!("{other} is not built in")),
    }
}

const DEMO_TOML: &str = include_str!("../../assets/scripts/demo.toml");

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Script, Vec<String>> {
        let silence = |_: &str| Ok(Arc::from(vec![0_i16; 8]));
        read(Path::new("s.toml"), text, &silence).map_err(|list| list.iter().map(ToString::to_string).collect())
    }

    fn only_fault(text: &str) -> String {
        let list = read_text(text).expect_err("has a fault");
        assert_eq!(list.len(), 1, "{list:#?}");
        list[0].clone()
    }

    #[test]
    fn the_example_of_the_format_is_read_in_its_order() {
        let script = read_text(
            r#"
[[tasks]]
name = "call_routing"
play = { wav = "prompts/welcome.wav" }
[[tasks.ends]]
on      = { dtmf = "1" }
outcome = "SYSTEM"
[tasks.ends.transfer]
next_action = "schedule_callback"
a_later_one = "x"
[tasks.ends.reference]
account = "{{accountNumber}}"
[[tasks.ends]]
on      = { after_secs = 0 }
outcome = "AGENT"
current_task = "other"
[[tasks]]
name = "*"
play = { tone_hz = 440, secs = 1.5 }
"#,
        )
        .expect("reads");
        assert_eq!(script.name, "s");
        let [routing, rest] = &script.tasks[..] else { panic!("two tasks") };
        assert_eq!(routing.ends[0].transfer.keys().collect::<Vec<_>>(), ["next_action", "a_later_one"]);
        assert_eq!(routing.ends[0].reference["account"], "{{accountNumber}}");
        assert_eq!((&routing.ends[1].on, routing.ends[1].current_task.as_deref()), (&Trigger::AfterSecs(0.0), Some("other")));
        assert_eq!(rest.play, Some(Play::Tone { hz: 440.0, secs: 1.5 }));
    }

    #[test]
    fn a_fault_has_its_line_and_the_reason() {
        let end = |rest: &str| format!("[[tasks]]\nname = \"t\"\n[[tasks.ends]]\non = {{ dtmf = \"1\" }}\noutcome = \"SYSTEM\"\n{rest}");
        assert_eq!(
            only_fault("[[tasks]]\nname = \"t\"\nplays = {}\n"),
            "s.toml:3: tasks[0].plays: unknown key; the nearest known one is \"play\""
        );
        assert!(
            only_fault(&end("[tasks.ends.transfer]\n\"a b\" = \"1\"\n"))
                .starts_with("s.toml:7: tasks[0].ends[0].transfer: variable name \"a b\" is no token")
        );
        assert!(only_fault(&end("[tasks.ends.transfer]\na = 1\n")).contains("must be a string"));
        assert!(only_fault(&end("[tasks.ends.transfer]\na = \"x\\r\\ny\"\n")).contains("control character"));
        assert!(only_fault(&end("[tasks.ends.reference]\na = \"{{b\"\n")).contains("does not close"));
        assert!(
            only_fault("[[tasks]]\nname = \"t\"\n[[tasks.ends]]\non = { dtmf = \"1\" }\noutcome = \"HUMAN\"\n")
                .contains("s.toml:5: tasks[0].ends[0].outcome: \"HUMAN\" is none of")
        );
        assert!(
            only_fault("[[tasks]]\nname = \"t\"\n[[tasks.ends]]\non = { dtmf = \"12\" }\noutcome = \"AGENT\"\n")
                .contains("no single digit")
        );
        assert!(
            only_fault("[[tasks]]\nname = \"t\"\n[[tasks.ends]]\non = { dtmf = \"1\", after_secs = 1 }\noutcome = \"AGENT\"\n")
                .contains("is one of")
        );
        assert!(only_fault("[[tasks]]\nname = \"t\"\nplay = { tone_hz = 9000, secs = 1 }\n").contains("from 20 to 3900"));
        assert!(read_text("[[tasks]]\nname = \"t\"\nplay = { say = \"Hello {{name\" }\n").is_err());
        assert!(only_fault("[[tasks]]\nname = \"t\"\n[[tasks]]\nname = \"t\"\n").contains("already"));
        assert!(only_fault("").contains("tasks: is missing"));
        let twice = end("[[tasks.ends]]\non = { dtmf = \"1\" }\noutcome = \"AGENT\"\n");
        assert!(only_fault(&twice).contains("can never come"));
    }

    #[test]
    fn text_is_spoken_where_a_speech_program_is_installed_and_else_refused() {
        for (text, variables) in [("Hello", false), ("Hello {{name}}", true)] {
            match read_text(&format!("[[tasks]]\nname = \"t\"\nplay = {{ say = \"{text}\" }}\n")) {
                Ok(script) => match &script.tasks[0].play {
                    Some(Play::Wav(prompt)) => assert!(!variables && prompt.samples.len() > 1_000),
                    other => assert_eq!((variables, other), (true, &Some(Play::Say(text.to_owned())))),
                },
                Err(list) => assert!(list[0].contains("install it"), "{list:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("s.toml"), "[[tasks]]\nname = \"t\"\nplay = { wav = \"no.wav\" }\n").expect("writes");
        let list = load("s.toml", folder.path()).expect_err("no such sound");
        assert_eq!((list[0].line, list[0].key.as_str()), (Some(3), "tasks[0].play.wav"));
        assert!(list[0].text.contains("no.wav can't be read"));
        assert!(load("dem0", folder.path()).expect_err("no such script")[0].text.contains("built-in script is \"demo\""));
    }
}
