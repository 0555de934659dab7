//! The database's file: one program's alone, one user's alone, and never taken for what it is not.

use handback::store::Store;

use crate::support::*;

fn refused(settings: &handback::model::settings::Store) -> String {
    Store::open(settings, Some(&api())).err().expect("it must be refused").to_string()
}

#[test]
fn a_second_program_is_refused_with_a_sentence() {
    let lab = Lab::new();
    let fault = refused(&lab.settings);
    assert!(fault.contains("handback.db") && fault.contains(&std::process::id().to_string()) && fault.contains("stop it"), "{fault}");
    drop(lab.reopened());
}

#[cfg(unix)]
#[test]
fn its_files_are_its_users_alone_and_are_closed_where_they_were_open() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    lab.create(by_sip("a")).unwrap();
    let modes = |lab: &Lab| {
        let files = std::fs::read_dir(lab.database().parent().unwrap()).unwrap().flatten();
        files.map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode() & 0o777)).collect::<Vec<_>>()
    };
    assert!(modes(&lab).len() >= 4, "the database, its log, its key, its lock");
    assert!(modes(&lab).iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes(&lab));
    std::fs::set_permissions(lab.database(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let lab = lab.reopened();
    assert!(modes(&lab).iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes(&lab));
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let lab = Lab::new();
    lab.create(by_sip("a")).unwrap();
    let (database, settings, _folder) = (lab.database(), lab.settings.clone(), lab.folder.clone());
    drop(lab);
    rusqlite::Connection::open(&database).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let fault = refused(&settings);
    assert!(fault.contains("version 99") && fault.contains("newer handback"), "{fault}");
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings_in(&folder);
    let text = "Dear diary, ".repeat(1_000);
    std::fs::write(settings.path.as_ref().unwrap(), &text).unwrap();
    let fault = refused(&settings);
    assert!(fault.contains("handback.db is damaged") && fault.contains("move it aside"), "{fault}");
    assert_eq!(std::fs::read_to_string(settings.path.as_ref().unwrap()).unwrap(), text);
}

#[test]
fn damage_after_a_crash_is_found_at_the_start() {
    let lab = Lab::new();
    for call in 0..200 {
        lab.ask(tell_ended(call, 3));
    }
    let (database, settings, _folder) = (lab.database(), lab.settings.clone(), lab.folder.clone());
    drop(lab);
    let mut bytes = std::fs::read(&database).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 3 * 4_096].fill(0xa5);
    std::fs::write(&database, bytes).unwrap();
    // As after a crash: a log is there.
    std::fs::write(database.with_extension("db-wal"), [0; 32]).unwrap();
    let fault = refused(&settings);
    assert!(fault.contains("is damaged"), "{fault}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let settings = handback::model::settings::Store { path: Some("/nowhere/at/all/h.db".into()), ..Default::default() };
    let fault = refused(&settings);
    assert!(fault.contains("/nowhere/at/all/h.db") && fault.contains("can't be opened"), "{fault}");
}
