//! A settings file as it is being edited: one value changes, and a person's comments, order and spacing stay.
//!
//! Values are named by the keys that faults name: `peers[0].return.uri`.

use std::{collections::BTreeMap, fmt};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// See the module. Its text may hold secrets, so `Debug` shows none of it.
#[derive(Clone)]
pub struct Draft {
    document: DocumentMut,
}

/// A step on the way to a value.
#[derive(Clone, Copy, PartialEq)]
enum Step<'k> {
    Name(&'k str),
    Index(usize),
}

impl Draft {
    /// # Errors
    /// One sentence where the text is no TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document = text.parse::<DocumentMut>();
        document.map(|document| Self { document }).map_err(|fault| format!("this is no TOML: {}", fault.message()))
    }

    /// The whole file.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    pub fn has(&self, key: &str) -> bool {
        self.at(key).is_some()
    }

    /// A value as one types it: a string without its quotes, a number, `true` or `false`.
    pub fn value(&self, key: &str) -> Option<String> {
        match self.at(key)?.value()? {
            Value::String(text) => Some(text.value().clone()),
            Value::Integer(number) => Some(number.value().to_string()),
            Value::Float(number) => Some(number.value().to_string()),
            Value::Boolean(flag) => Some(flag.value().to_string()),
            Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_) => None,
        }
    }

    /// How many items an array has.
    pub fn len(&self, key: &str) -> usize {
        match self.at(key) {
            Some(Found::Item(Item::ArrayOfTables(tables))) => tables.len(),
            Some(found) => found.value().and_then(Value::as_array).map_or(0, Array::len),
            None => 0,
        }
    }

    /// Sets a string. The tables on the way are made where they are missing.
    pub fn set_text(&mut self, key: &str, text: &str) {
        self.set(key, text.into());
    }

    /// Sets a whole number as it was typed; what is none stays text, for the validator to name.
    pub fn set_number(&mut self, key: &str, typed: &str) {
        match typed.parse::<i64>() {
            Ok(number) if number.to_string() == typed => self.set(key, number.into()),
            _ => self.set(key, typed.into()),
        }
    }

    pub fn set_flag(&mut self, key: &str, flag: bool) {
        self.set(key, flag.into());
    }

    /// Removes a value, a table, or an item of an array.
    pub fn remove(&mut self, key: &str) {
        let steps = steps(key);
        match steps.split_last() {
            Some((Step::Name(name), way)) => {
                if let Some(mut place) = Place::find(self.document.as_table_mut(), way, false) {
                    place.remove(name);
                }
            }
            Some((Step::Index(index), way)) => match item_mut(self.document.as_table_mut(), way) {
                Some(Item::ArrayOfTables(tables)) if *index < tables.len() => {
                    tables.remove(*index);
                }
                Some(Item::Value(Value::Array(array))) if *index < array.len() => {
                    array.remove(*index);
                    tidy(array);
                }
                _ => {}
            },
            None => {}
        }
    }

    /// Adds a string to an array, which is made where it is missing.
    pub fn push_text(&mut self, key: &str, text: &str) {
        if let Some(array) = self.array_mut(key) {
            push(array, text.into());
        }
    }

    /// Adds a table to an array: `[[key]]` where that is how the file has it or `key` is one of the file's own, else inline.
    pub fn push_table(&mut self, key: &str, values: &[(&str, &str)]) {
        let is_inline = self.at(key).is_some_and(|found| found.value().is_some());
        if is_inline || key.contains('.') {
            let table: InlineTable = values.iter().map(|(name, value)| (*name, Value::from(*value))).collect();
            if let Some(array) = self.array_mut(key) {
                push(array, table.into());
            }
            return;
        }
        let mut table = Table::new();
        for (name, value) in values {
            table.insert(name, (*value).into());
        }
        let root = self.document.as_table_mut();
        if let Item::ArrayOfTables(tables) = root.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
            tables.push(table);
        }
    }

    /// Moves an item of an array to another place in it.
    pub fn move_item(&mut self, key: &str, from: usize, to: usize) {
        match item_mut(self.document.as_table_mut(), &steps(key)) {
            Some(Item::ArrayOfTables(tables)) if from < tables.len() && to < tables.len() => reorder(tables, from, to),
            Some(Item::Value(Value::Array(array))) if from < array.len() && to < array.len() => {
                let moved = array.remove(from);
                array.insert_formatted(to, moved);
                tidy(array);
            }
            _ => {}
        }
    }

    /// Every value by its key, for comparing two drafts. Not for showing: secrets are among them.
    pub fn leaves(&self) -> BTreeMap<String, String> {
        let mut leaves = BTreeMap::new();
        for (name, item) in self.document.as_table() {
            collect_item(name, item, &mut leaves);
        }
        leaves
    }

    fn set(&mut self, key: &str, value: Value) {
        let steps = steps(key);
        match steps.split_last() {
            Some((Step::Name(name), way)) => {
                if let Some(mut place) = Place::find(self.document.as_table_mut(), way, true) {
                    place.set(name, value);
                }
            }
            Some((Step::Index(index), way)) => {
                if let Some(old) = item_mut(self.document.as_table_mut(), way).and_then(|item| item.as_array_mut()?.get_mut(*index)) {
                    replace(old, value);
                }
            }
            None => {}
        }
    }

    fn array_mut(&mut self, key: &str) -> Option<&mut Array> {
        if !self.has(key) {
            self.set(key, Value::Array(Array::new()));
        }
        item_mut(self.document.as_table_mut(), &steps(key))?.as_array_mut()
    }

    fn at(&self, key: &str) -> Option<Found<'_>> {
        let mut found = Found::Table(self.document.as_table());
        for step in steps(key) {
            found = found.child(step)?;
        }
        Some(found)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(…)")
    }
}

impl PartialEq for Draft {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// What a key leads to.
#[derive(Clone, Copy)]
enum Found<'d> {
    Item(&'d Item),
    Value(&'d Value),
    Table(&'d Table),
}

impl<'d> Found<'d> {
    fn child(self, step: Step<'_>) -> Option<Self> {
        match (step, self) {
            (Step::Name(name), Self::Item(item)) => item.as_table_like()?.get(name).map(Self::Item),
            (Step::Name(name), Self::Value(value)) => value.as_inline_table()?.get(name).map(Self::Value),
            (Step::Name(name), Self::Table(table)) => table.get(name).map(Self::Item),
            (Step::Index(index), Self::Item(Item::ArrayOfTables(tables))) => tables.get(index).map(Self::Table),
            (Step::Index(index), found) => found.value()?.as_array()?.get(index).map(Self::Value),
        }
    }

    fn value(self) -> Option<&'d Value> {
        match self {
            Self::Item(item) => item.as_value(),
            Self::Value(value) => Some(value),
            Self::Table(_) => None,
        }
    }
}

/// A table that is changed, of either form.
enum Place<'d> {
    Table(&'d mut Table),
    Inline(&'d mut InlineTable),
}

impl<'d> Place<'d> {
    /// Follows `way`; `make`: makes what is missing.
    fn find(root: &'d mut Table, way: &[Step<'_>], make: bool) -> Option<Self> {
        let mut place = Self::Table(root);
        let mut way = way.iter().peekable();
        while let Some(step) = way.next() {
            let Step::Name(name) = step else { return None };
            let index = way.next_if(|next| matches!(next, Step::Index(_)));
            place = match index {
                Some(Step::Index(index)) => place.element(name, *index)?,
                _ => place.table(name, make)?,
            };
        }
        Some(place)
    }

    fn table(self, name: &str, make: bool) -> Option<Self> {
        match self {
            Self::Table(table) => {
                if make && !table.contains_key(name) {
                    // What belongs to one line stays on one.
                    let is_small = name == "auth";
                    table.insert(name, if is_small { Item::Value(InlineTable::new().into()) } else { Item::Table(Table::new()) });
                }
                Self::of(table.get_mut(name)?)
            }
            Self::Inline(table) => {
                if make && !table.contains_key(name) {
                    table.insert(name, InlineTable::new().into());
                    table.fmt();
                }
                table.get_mut(name)?.as_inline_table_mut().map(Self::Inline)
            }
        }
    }

    fn element(self, name: &str, index: usize) -> Option<Self> {
        let item = match self {
            Self::Table(table) => table.get_mut(name)?,
            Self::Inline(table) => TableLike::get_mut(table, name)?,
        };
        match item {
            Item::ArrayOfTables(tables) => tables.get_mut(index).map(Self::Table),
            Item::Value(Value::Array(array)) => array.get_mut(index)?.as_inline_table_mut().map(Self::Inline),
            Item::None | Item::Value(_) | Item::Table(_) => None,
        }
    }

    fn of(item: &'d mut Item) -> Option<Self> {
        match item {
            Item::Table(table) => Some(Self::Table(table)),
            Item::Value(Value::InlineTable(table)) => Some(Self::Inline(table)),
            Item::None | Item::Value(_) | Item::ArrayOfTables(_) => None,
        }
    }

    fn set(&mut self, name: &str, value: Value) {
        match self {
            Self::Table(table) => match table.get_mut(name).and_then(Item::as_value_mut) {
                Some(old) => replace(old, value),
                None => {
                    table.insert(name, Item::Value(value));
                }
            },
            Self::Inline(table) => match table.get_mut(name) {
                Some(old) => replace(old, value),
                None => {
                    table.insert(name, value);
                    table.fmt();
                }
            },
        }
    }

    fn remove(&mut self, name: &str) {
        match self {
            Self::Table(table) => {
                table.remove(name);
            }
            Self::Inline(table) => {
                table.remove(name);
                table.fmt();
            }
        }
    }
}

fn item_mut<'d>(root: &'d mut Table, steps: &[Step<'_>]) -> Option<&'d mut Item> {
    let (Step::Name(name), way) = steps.split_last()? else { return None };
    match Place::find(root, way, false)? {
        Place::Table(table) => table.get_mut(name),
        Place::Inline(table) => TableLike::get_mut(table, name),
    }
}

/// The spaces and the comment around the old value stay.
fn replace(old: &mut Value, new: Value) {
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}

/// At the end, on a line of its own where the others have theirs.
fn push(array: &mut Array, mut value: Value) {
    let last = array.iter().last().and_then(|last| last.decor().prefix()?.as_str()).unwrap_or_default();
    match last.rsplit_once('\n') {
        Some((_, indent)) => {
            value.decor_mut().set_prefix(format!("\n{indent}"));
            array.push_formatted(value);
        }
        None => array.push(value),
    }
}

/// An array on one line is spaced as one; one over several lines keeps its comments.
fn tidy(array: &mut Array) {
    let text = array.to_string();
    if !text.trim().contains('\n') {
        array.fmt();
    }
}

/// The tables are written in the order of their positions in the file, so those are given anew.
fn reorder(tables: &mut ArrayOfTables, from: usize, to: usize) {
    let mut all: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        all.push(tables.remove(0));
    }
    let first = all.iter().filter_map(Table::position).min();
    let moved = all.remove(from);
    all.insert(to, moved);
    for (index, mut table) in all.into_iter().enumerate() {
        forget_positions(&mut table);
        if index == 0
            && let Some(first) = first
        {
            table.set_position(Some(first));
        }
        tables.push(table);
    }
}

fn forget_positions(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(table) => forget_positions(table),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(forget_positions),
            Item::None | Item::Value(_) => {}
        }
    }
}

fn collect_item(key: &str, item: &Item, leaves: &mut BTreeMap<String, String>) {
    match item {
        Item::None => {}
        Item::Value(value) => collect_value(key, value, leaves),
        Item::Table(table) => collect_table(key, table, leaves),
        Item::ArrayOfTables(tables) => {
            tables.iter().enumerate().for_each(|(index, table)| collect_table(&format!("{key}[{index}]"), table, leaves));
        }
    }
}

/// A table that is there counts, even an empty one: `[api]` alone serves the API.
fn collect_table(key: &str, table: &Table, leaves: &mut BTreeMap<String, String>) {
    leaves.insert(key.to_owned(), String::new());
    for (name, item) in table {
        collect_item(&format!("{key}.{name}"), item, leaves);
    }
}

fn collect_value(key: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Array(array) => {
            leaves.insert(key.to_owned(), String::new());
            array.iter().enumerate().for_each(|(index, value)| collect_value(&format!("{key}[{index}]"), value, leaves));
        }
        Value::InlineTable(table) => {
            leaves.insert(key.to_owned(), String::new());
            for (name, value) in table {
                collect_value(&format!("{key}.{name}"), value, leaves);
            }
        }
        other => {
            let mut bare = other.clone();
            bare.decor_mut().clear();
            leaves.insert(key.to_owned(), bare.to_string());
        }
    }
}

/// `peers[0].return.uri` as its steps.
fn steps(key: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in key.split('.').filter(|part| !part.is_empty()) {
        let (name, indices) = part.split_once('[').unwrap_or((part, ""));
        steps.push(Step::Name(name));
        steps.extend(indices.split(['[', ']']).filter_map(|index| index.parse().ok()).map(Step::Index));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# Our bridge.

[sip]
listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]   # loopback
realm  = "handback"

# The lab.
[[peers]]
name     = "lab"
networks = [
    "10.4.0.0/16",   # rack 4
    "10.5.0.0/16",
]
users    = [{ username = "sbc-east", secret = "s" }, { username = "sbc-west", secret = "t" }]

[peers.return]
method = "REFER"   # blind

# The other one.
[[peers]]
name = "east"
networks = ["10.6.0.0/16"]

[limits]
calls = 500
"#;

    fn edited(edit: impl FnOnce(&mut Draft)) -> String {
        let mut draft = Draft::parse(FILE).expect("it is TOML");
        edit(&mut draft);
        draft.text()
    }

    /// The lines that went, and those that came.
    fn changed(edit: impl FnOnce(&mut Draft)) -> (Vec<String>, Vec<String>) {
        let after = edited(edit);
        let (old, new): (Vec<&str>, Vec<&str>) = (FILE.lines().collect(), after.lines().collect());
        let only = |these: &[&str], those: &[&str]| {
            these.iter().filter(|line| !those.contains(line)).map(|line| (*line).to_owned()).collect::<Vec<_>>()
        };
        (only(&old, &new), only(&new, &old))
    }

    #[test]
    fn nothing_changes_by_being_read() {
        assert_eq!(edited(|_| {}), FILE);
    }

    #[test]
    fn a_changed_value_keeps_the_comment_behind_it() {
        let (gone, come) = changed(|draft| draft.set_text("peers[0].return.method", "INVITE"));
        assert_eq!((gone, come), (vec!["method = \"REFER\"   # blind".into()], vec!["method = \"INVITE\"   # blind".into()]));
        let (gone, come) = changed(|draft| draft.set_text("sip.listen[1]", "tcp:127.0.0.1:5070"));
        assert_eq!(gone.len(), 1);
        assert_eq!(come, ["listen = [\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5070\"]   # loopback"]);
    }

    #[test]
    fn what_is_typed_is_what_is_read_back() {
        let mut draft = Draft::parse(FILE).expect("it is TOML");
        for typed in ["12", "007", "x", "", "-3", "1e9"] {
            draft.set_number("limits.calls", typed);
            assert_eq!(draft.value("limits.calls").as_deref(), Some(typed));
        }
        assert_eq!(draft.value("peers[0].users[1].username").as_deref(), Some("sbc-west"));
        assert_eq!((draft.len("peers"), draft.len("peers[0].networks"), draft.len("peers[1].users")), (2, 2, 0));
        assert_eq!((draft.value("sip"), draft.value("nothing.here"), draft.value("peers[9].name")), (None, None, None));
    }

    #[test]
    fn items_come_and_go_in_the_form_of_their_neighbours() {
        let (gone, come) = changed(|draft| draft.push_text("peers[0].networks", "10.7.0.0/16"));
        assert_eq!((gone, come), (vec![], vec!["    \"10.7.0.0/16\",".into()]));
        let (_, come) = changed(|draft| draft.remove("sip.listen[0]"));
        assert_eq!(come, ["listen = [\"tcp:127.0.0.1:5060\"]   # loopback"]);
        let (_, come) = changed(|draft| draft.push_table("peers[0].users", &[("username", "new")]));
        assert!(come[0].ends_with("{ username = \"sbc-west\", secret = \"t\" }, { username = \"new\" }]"), "{come:?}");
        let (_, come) = changed(|draft| {
            draft.remove("peers[0].users[0].secret");
            draft.set_text("peers[0].users[0].secret_env", "EAST");
        });
        assert!(come[0].contains("[{ username = \"sbc-east\", secret_env = \"EAST\" }, "), "{come:?}");
    }

    #[test]
    fn missing_tables_are_made() {
        let (gone, come) = changed(|draft| {
            draft.set_text("peers[1].return.uri", "sip:r@h");
            draft.set_text("peers[1].return.auth.username", "u");
            draft.set_text("media.ports", "40000-40099");
        });
        assert!(gone.is_empty(), "{gone:?}");
        let made = ["uri = \"sip:r@h\"", "auth = { username = \"u\" }", "[media]", "ports = \"40000-40099\""];
        assert_eq!(come, made);
    }

    #[test]
    fn peers_are_added_moved_and_removed_with_their_comments() {
        let text = edited(|draft| {
            draft.push_table("peers", &[("name", "third")]);
            draft.set_text("peers[2].return.method", "BYE");
            draft.move_item("peers", 2, 0);
            draft.move_item("peers", 1, 2);
        });
        let order: Vec<&str> = text.lines().filter(|line| line.starts_with("name") || line.starts_with('[')).collect();
        assert_eq!(
            order,
            [
                "[sip]",
                "[[peers]]",
                "name = \"third\"",
                "[peers.return]",
                "[[peers]]",
                "name = \"east\"",
                "[[peers]]",
                "name     = \"lab\"",
                "[peers.return]",
                "[limits]"
            ],
            "{text}"
        );
        assert!(text.contains("# The lab.\n[[peers]]\nname     = \"lab\""), "{text}");
        assert!(!edited(|draft| draft.remove("peers[0]")).contains("blind"));
    }

    #[test]
    fn inline_and_dotted_tables_are_edited_in_their_own_form() {
        let text = "api = { listen = \"127.0.0.1:0\" }   # small\npeers = [{ name = \"a\", return.method = \"BYE\" }]\nsip.realm = \"r\"\n";
        let mut draft = Draft::parse(text).expect("it is TOML");
        draft.set_text("peers[0].return.method", "REFER");
        draft.set_text("peers[0].return.uri", "sip:r@h");
        draft.push_text("peers[0].networks", "10.0.0.0/8");
        draft.push_table("peers", &[("name", "b")]);
        draft.push_table("api.keys", &[("id", "k")]);
        draft.set_text("sip.realm", "s");
        let again = Draft::parse(&draft.text()).unwrap_or_else(|why| panic!("{why}: {}", draft.text()));
        let values =
            ["peers[0].return.method", "peers[0].return.uri", "peers[0].networks[0]", "peers[1].name", "api.keys[0].id", "sip.realm"];
        let read = values.map(|key| again.value(key).unwrap_or_default());
        assert_eq!(read, ["REFER", "sip:r@h", "10.0.0.0/8", "b", "k", "s"], "{}", draft.text());
        assert!(draft.text().contains("# small"), "{}", draft.text());
        draft.remove("api");
        draft.move_item("peers", 1, 0);
        assert_eq!((draft.has("api"), draft.value("peers[0].name").as_deref()), (false, Some("b")));
    }

    #[test]
    fn its_text_is_never_printed_by_accident() {
        assert_eq!(format!("{:?}", Draft::parse("a = \"secret\"").expect("it is TOML")), "Draft(…)");
    }
}
