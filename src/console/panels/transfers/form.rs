//! The form of a new call transfer: what is typed becomes the body that the API gets.

use serde_json::{Map, Value, json};

use crate::model::{ReturnMethod, TransferKind};

/// As typed. An empty field is left out of the body.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferForm {
    pub kind: TransferKind,
    pub id: String,
    pub conversation: String,
    pub country: String,
    pub method: ReturnMethod,
    pub uri: String,
    pub username: String,
    pub password: String,
    pub task: String,
    pub variables: Vec<(String, String)>,
}

impl Default for TransferForm {
    fn default() -> Self {
        let variables = [("accountNumber", "3434"), ("customerName", "John Doe")];
        Self {
            kind: TransferKind::Sip,
            id: "transfer-1".to_owned(),
            conversation: "conv-12345".to_owned(),
            country: "US".to_owned(),
            method: ReturnMethod::Bye,
            uri: String::new(),
            username: String::new(),
            password: String::new(),
            task: "call_routing".to_owned(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }
}

impl TransferForm {
    /// The body of the POST, written as people read it.
    pub fn body(&self) -> String {
        let mut body = Map::new();
        body.insert("id".to_owned(), json!(self.id));
        body.insert("externalConversationId".to_owned(), json!(self.conversation));
        body.insert("type".to_owned(), json!(self.kind));
        match self.kind {
            TransferKind::PhoneNumber => {
                body.insert("phoneNumber".to_owned(), json!({ "country": self.country }));
            }
            TransferKind::Sip => {
                body.insert("sip".to_owned(), self.sip());
            }
        }
        let mut context = Map::new();
        if !self.task.is_empty() {
            context.insert("taskName".to_owned(), json!(self.task));
        }
        let variables: Map<String, Value> =
            self.variables.iter().filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.clone(), json!(value))).collect();
        if !variables.is_empty() {
            context.insert("inputVariables".to_owned(), Value::Object(variables));
        }
        if !context.is_empty() {
            body.insert("inputContext".to_owned(), Value::Object(context));
        }
        serde_json::to_string_pretty(&body).unwrap_or_default()
    }

    /// The body with the password blanked: what is shown and copied.
    pub fn shown_body(&self) -> String {
        let password = if self.password.is_empty() { String::new() } else { "•••".to_owned() };
        Self { password, ..self.clone() }.body()
    }

    fn sip(&self) -> Value {
        let mut sip = Map::new();
        sip.insert("returnTransferType".to_owned(), json!(self.method));
        if !self.uri.is_empty() {
            sip.insert("returnUri".to_owned(), json!(self.uri));
        }
        if self.method == ReturnMethod::Invite && !(self.username.is_empty() && self.password.is_empty()) {
            let auth = json!({ "username": self.username, "password": self.password });
            sip.insert("returnInviteAuthentication".to_owned(), auth);
        }
        Value::Object(sip)
    }

    /// Ids are for one attempt each: after `transfer-9` comes `transfer-10`.
    pub fn next_id(&mut self) {
        let digits = self.id.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (stem, number) = self.id.split_at(self.id.len() - digits);
        self.id = match number.parse::<u64>() {
            Ok(number) => format!("{stem}{}", number.saturating_add(1)),
            Err(_) => format!("{}-2", self.id),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_is_left_out_and_the_password_is_never_shown() {
        let form = TransferForm {
            method: ReturnMethod::Invite,
            uri: "sip:r@h".to_owned(),
            username: "u".to_owned(),
            password: "secret".to_owned(),
            task: String::new(),
            variables: vec![(String::new(), "x".to_owned())],
            ..TransferForm::default()
        };
        let body: Value = serde_json::from_str(&form.body()).expect("it is JSON");
        assert_eq!(body["sip"]["returnInviteAuthentication"]["password"], "secret");
        assert_eq!(body.get("inputContext"), None);
        assert!(!form.shown_body().contains("secret"));
    }

    #[test]
    fn the_next_attempt_has_an_id_of_its_own() {
        let next = |id: &str| {
            let mut form = TransferForm { id: id.to_owned(), ..TransferForm::default() };
            form.next_id();
            form.id
        };
        assert_eq!([next("transfer-9"), next("a"), next("é7")], ["transfer-10", "a-2", "é8"]);
    }
}
