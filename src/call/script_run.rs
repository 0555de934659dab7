//! A scripted agent at work on one call: what it plays, and which of its ends comes first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    media::Playout,
    model::{
        Context, Variables,
        script::{End, Play, Script, Trigger},
    },
};

/// One task of a script, running since the agent answered.
#[derive(Debug, Clone)]
pub struct ScriptRun {
    script: Arc<Script>,
    task: usize,
    started: Instant,
}

/// What a script wants to be heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    Nothing,
    Play(Playout),
    /// Text to be spoken first, its variables filled in.
    Speak(String),
    /// A beep, then what the caller says.
    Echo,
}

impl ScriptRun {
    /// `None` where no task of the script serves `task_name`.
    pub fn start(now: Instant, script: &Arc<Script>, task_name: Option<&str>) -> Option<Self> {
        let serving = script.task(task_name)?;
        let task = script.tasks.iter().position(|t| std::ptr::eq(t, serving))?;
        Some(Self { script: script.clone(), task, started: now })
    }

    /// The name of the task that serves the call, `*` where it serves all others.
    pub fn task_name(&self) -> &str {
        self.script.tasks.get(self.task).map_or("", |t| t.name.as_str())
    }

    pub fn sound(&self, context: &Context) -> Sound {
        match self.script.tasks.get(self.task).and_then(|t| t.play.as_ref()) {
            None => Sound::Nothing,
            Some(Play::Wav(prompt)) => Sound::Play(Playout::Prompt(prompt.samples.clone())),
            Some(Play::Tone { hz, secs }) => Sound::Play(Playout::Tone { hz: *hz, secs: *secs }),
            Some(Play::Echo) => Sound::Echo,
            Some(Play::Say(text)) => Sound::Speak(fill_in_text(text, context)),
        }
    }

    /// Whether any task of the script sends back what it hears.
    pub fn echoes(script: &Script) -> bool {
        script.tasks.iter().any(|task| task.play == Some(Play::Echo))
    }

    /// The shortest silence that ends the agent's part; a longer one can never come first.
    pub fn silence_secs(&self) -> Option<f64> {
        self.ends().filter_map(|e| if let Trigger::SilenceSecs(secs) = e.on { Some(secs) } else { None }).min_by(f64::total_cmp)
    }

    /// When time alone ends the agent's part.
    pub fn deadline(&self) -> Option<Instant> {
        self.first_by_time().map(|(secs, _)| self.started + to_duration(secs))
    }

    /// The end that a digit brings.
    pub fn on_digit(&self, digit: char) -> Option<&End> {
        self.ends().find(|e| matches!(e.on, Trigger::Dtmf(d) if d.eq_ignore_ascii_case(&digit)))
    }

    /// The end that so many seconds of silence bring.
    pub fn on_silence(&self, secs: f64) -> Option<&End> {
        // Watched in f32: the last bits of what comes back are not those that were asked for.
        self.ends().find(|e| matches!(e.on, Trigger::SilenceSecs(wanted) if wanted <= secs + 0.01))
    }

    /// The end that time brings, if it has come.
    pub fn on_time(&self, now: Instant) -> Option<&End> {
        self.first_by_time().filter(|(secs, _)| now >= self.started + to_duration(*secs)).map(|(_, end)| end)
    }

    fn first_by_time(&self) -> Option<(f64, &End)> {
        self.ends()
            .filter_map(|e| if let Trigger::AfterSecs(secs) = e.on { Some((secs, e)) } else { None })
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
    }

    fn ends(&self) -> impl Iterator<Item = &End> {
        self.script.tasks.get(self.task).into_iter().flat_map(|t| &t.ends)
    }
}

/// The values with `{{name}}` filled in from the input variables, empty where one was not given.
pub fn fill_in(variables: &Variables, context: &Context) -> Variables {
    variables.iter().map(|(name, value)| (name.clone(), fill_in_text(value, context))).collect()
}

fn fill_in_text(text: &str, context: &Context) -> String {
    // Most texts name no variable, and looking for two characters in a row takes a preparation that costs more than the rest.
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (name, after))) = rest.split_once("{{").and_then(|(b, tail)| Some((b, tail.split_once("}}")?))) {
        out.push_str(before);
        out.push_str(context.input_variables.get(name.trim()).map_or("", String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn to_duration(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
}

/// A script's time that is longer than this is as good as never.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, script::Task};

    fn end(on: Trigger, outcome: Outcome) -> End {
        End { on, outcome, current_task: None, transfer: Variables::new(), reference: Variables::new() }
    }

    fn script(ends: Vec<End>) -> Arc<Script> {
        let task = |name: &str, ends| Task { name: name.into(), play: Some(Play::Tone { hz: 440.0, secs: 1.5 }), ends };
        Arc::new(Script { name: "test".into(), tasks: vec![task("billing", vec![]), task("*", ends)] })
    }

    #[test]
    fn a_task_of_that_name_serves_before_the_one_for_all() {
        let now = Instant::now();
        let script = script(vec![]);
        assert_eq!(ScriptRun::start(now, &script, Some("billing")).unwrap().task_name(), "billing");
        assert_eq!(ScriptRun::start(now, &script, Some("other")).unwrap().task_name(), "*");
        assert_eq!(ScriptRun::start(now, &script, None).unwrap().task_name(), "*");
        let none = Arc::new(Script { name: "none".into(), tasks: script.tasks[..1].to_vec() });
        assert!(ScriptRun::start(now, &none, None).is_none());
    }

    #[test]
    fn the_end_that_comes_first_counts() {
        let now = Instant::now();
        let script = script(vec![
            end(Trigger::Dtmf('1'), Outcome::System),
            end(Trigger::AfterSecs(9.0), Outcome::System),
            end(Trigger::AfterSecs(5.0), Outcome::Agent),
            end(Trigger::SilenceSecs(20.0), Outcome::System),
            end(Trigger::SilenceSecs(3.0), Outcome::Agent),
        ]);
        let run = ScriptRun::start(now, &script, None).unwrap();
        assert_eq!(run.deadline(), Some(now + Duration::from_secs(5)));
        assert!(run.on_time(now + Duration::from_secs(4)).is_none());
        assert_eq!(run.on_time(now + Duration::from_secs(5)).unwrap().outcome, Outcome::Agent);
        assert_eq!(run.on_digit('1').unwrap().outcome, Outcome::System);
        assert!(run.on_digit('2').is_none());
        assert_eq!(run.silence_secs(), Some(3.0));
        assert_eq!(run.on_silence(3.0).unwrap().outcome, Outcome::Agent);
        assert!(run.on_silence(1.0).is_none());
    }

    #[test]
    fn input_variables_fill_in_values_and_are_empty_where_not_given() {
        let mut context = Context::default();
        context.input_variables.insert("accountNumber".into(), "42".into());
        let filled = |text: &str| fill_in_text(text, &context);
        assert_eq!(filled("{{accountNumber}}"), "42");
        assert_eq!(filled("no. {{ accountNumber }}, {{name}}!"), "no. 42, !");
        assert_eq!(filled("{{open"), "{{open");
        assert_eq!(filled("a }} b"), "a }} b");
    }

    #[test]
    fn times_without_sense_do_no_harm() {
        assert_eq!(to_duration(f64::NAN), Duration::ZERO);
        assert_eq!(to_duration(f64::INFINITY), LONGEST);
        assert_eq!(to_duration(-1.0), Duration::ZERO);
    }
}
