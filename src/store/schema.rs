//! The versions of the database's schema, and the way from one to the next.
//!
//! `PRAGMA user_version` counts the files under `schema/` that have been carried out. A file, once released, never
//! changes: what is wrong with it is mended by the next one.

use rusqlite::Connection;

use super::fault::StoreError;

/// In order; the first makes version 1.
const VERSIONS: &[&str] = &[include_str!("schema/0001_call_transfers_and_calls.sql"), include_str!("schema/0002_sound.sql")];

/// Brings the database to this program's version, all in one transaction: after a crash in between it is as before.
///
/// # Errors
/// A newer program made it, or it can't be written.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_by(connection, VERSIONS)
}

fn migrate_by(connection: &mut Connection, versions: &[&str]) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let current = versions.len();
    let Some(pending) = usize::try_from(found).ok().and_then(|found| versions.get(found..)) else {
        return Err(StoreError::Newer { found, current });
    };
    if pending.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for version in pending {
        transaction.execute_batch(version)?;
    }
    transaction.pragma_update(None, "user_version", current as i64)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_new_file_comes_to_the_present_version_and_stays_there() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection), VERSIONS.len() as i64);
        let made = tables(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(tables(&connection), made);
    }

    #[test]
    fn an_old_file_is_upgraded_with_its_rows() {
        let steps = [
            "CREATE TABLE a (x) ; INSERT INTO a VALUES (1)",
            "ALTER TABLE a ADD y DEFAULT 2",
            "CREATE TABLE b AS SELECT x + y AS z FROM a",
        ];
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &steps[..1]).unwrap();
        assert_eq!(version(&connection), 1);
        migrate_by(&mut connection, &steps).unwrap();
        assert_eq!(version(&connection), 3);
        assert_eq!(connection.query_row("SELECT z FROM b", [], |row| row.get::<_, i64>(0)).unwrap(), 3);
    }

    #[test]
    fn calls_of_the_first_version_stay_and_have_no_sound() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &VERSIONS[..1]).unwrap();
        connection.execute("INSERT INTO messages (call, size, data) VALUES (7, 1, x'01')", []).unwrap();
        migrate(&mut connection).unwrap();
        let kept = connection.query_row("SELECT call, data, sound FROM messages", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        assert_eq!(kept, Ok((7, vec![1u8], None::<Vec<u8>>)));
    }

    #[test]
    fn an_upgrade_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        assert!(migrate_by(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE a (x)"]).is_err());
        assert_eq!((version(&connection), tables(&connection)), (1, vec!["a".to_owned()]));
    }

    #[test]
    fn a_newer_file_is_refused_with_a_sentence() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let fault = migrate(&mut connection).unwrap_err().to_string();
        assert!(fault.contains("version 99") && fault.contains("newer"), "{fault}");
        connection.pragma_update(None, "user_version", -1).unwrap();
        assert!(migrate(&mut connection).is_err());
    }
}
