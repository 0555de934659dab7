//! A settings file in a folder of its own, kept by the real desk, so that Settings is tested without an engine.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    config::{
        self,
        desk::{AdmittedCall, Answer, Ask, Program, SettingsDesk},
    },
    model::{Admission, CallId, Timestamp, settings::Settings},
    start::trial,
};

pub struct SampleSettings {
    folder: tempfile::TempDir,
    desk: Mutex<SettingsDesk>,
    answers: Mutex<Vec<Answer>>,
    /// What was brought into force.
    pub applied: Arc<Mutex<Vec<Settings>>>,
}

impl Default for SampleSettings {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("handback.toml");
        let applied: Arc<Mutex<Vec<Settings>>> = Arc::default();
        let kept = applied.clone();
        let apply = move |settings| {
            let applied = config::in_force(&config::demo(), &settings).1;
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(settings);
            Ok(applied)
        };
        let call = |id, by| AdmittedCall {
            id: CallId(id),
            at: Timestamp(id),
            peer: "SBC lab".to_owned(),
            by,
            source: "10.4.2.11:5060".to_owned(),
        };
        let user = Admission::Digest { user: "sbc-east".to_owned(), algorithm: "SHA-256".to_owned() };
        let calls = vec![call(1, Admission::Network("10.4.0.0/16".to_owned())), call(2, user)];
        let admitted = Box::new(move |_| Ok((calls.clone(), false)));
        let program = Program { apply: Box::new(apply), trial, admitted, probe: Box::new(|_| Err("port 5060 is in use".to_owned())) };
        let desk = SettingsDesk::new(Some(path), program);
        Self { folder, desk: Mutex::new(desk), answers: Mutex::default(), applied }
    }
}

impl SampleSettings {
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("handback.toml")
    }

    pub fn write(&self, text: &str) {
        std::fs::write(self.path(), text).expect("writes");
    }

    pub fn read(&self) -> String {
        std::fs::read_to_string(self.path()).expect("is there")
    }

    pub fn ask(&self, ask: Ask) {
        let answer = self.desk.lock().unwrap_or_else(PoisonError::into_inner).answer(ask);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }

    pub fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
