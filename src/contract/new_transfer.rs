//! The body of `POST …/call-transfers` (contract §4): bytes in, a call transfer to be made out, or the one thing that is wrong.
//!
//! First all that the schema says (400), field by field in the schema's order; then what fits it and is impossible all the same
//! (422). Unknown fields are tolerated.

mod fields;
#[cfg(test)]
mod tests;

use iso3166_static::Alpha2;
use serde_json::Value;

use self::fields::{Fields, Text};
use super::{
    api_fault::{ApiFault, Cause},
    payload::check_uri,
    strict_json::{self, JsonFault},
};
use crate::model::{
    InputContext, NewCallTransfer, ReturnMethod, SipReturn, TransferKind, TransferTarget, Variables,
    settings::{NumberRange, Secret, User},
};

/// Of `id` and `externalConversationId`, counted as JSON Schema counts: Unicode characters.
pub const ID_CHARACTERS: usize = 255;
pub const RETURN_URI_CHARACTERS: usize = 1024;
/// Levels of arrays and objects.
pub const DEPTH: usize = 32;

/// Reads a body; `pools` says which countries have numbers.
///
/// # Errors
/// The first thing that is wrong: its status and code, and a message that names the field and what is allowed.
pub fn read(body: &[u8], pools: &[NumberRange]) -> Result<NewCallTransfer, ApiFault> {
    if body.trim_ascii().is_empty() {
        return Err(ApiFault::new(Cause::NotJson, "The body is empty: it must be a JSON object"));
    }
    let value = strict_json::read(body, DEPTH).map_err(|fault| {
        let cause = match &fault {
            JsonFault::Syntax(_) => Cause::NotJson,
            JsonFault::TooDeep { .. } => Cause::TooDeep,
            JsonFault::RepeatedName { .. } => Cause::RepeatedName,
        };
        let what = if cause == Cause::NotJson { "The body is not JSON" } else { "The body can't be taken" };
        ApiFault::new(cause, format!("{what}: {fault}"))
    })?;
    let Value::Object(object) = &value else {
        let what = fields::kind_of(&value);
        return Err(ApiFault::new(Cause::NotAnObject, format!("The body is {what}: it must be a JSON object")));
    };
    Draft::read(&Fields::top(object))?.judged(pools)
}

/// What fits the schema.
struct Draft<'a> {
    id: &'a str,
    external_conversation_id: &'a str,
    kind: TransferKind,
    country: Option<&'a str>,
    sip: DraftSip<'a>,
    input_context: Option<InputContext>,
}

#[derive(Default)]
struct DraftSip<'a> {
    method: ReturnMethod,
    return_uri: Option<&'a str>,
    /// The other spelling, `returnURI`.
    return_uri_in_capitals: Option<&'a str>,
    username: Option<&'a str>,
    password: Option<&'a str>,
}

impl<'a> Draft<'a> {
    fn read(top: &Fields<'a>) -> Result<Self, ApiFault> {
        Ok(Self {
            id: top.required_text("id", ID)?,
            external_conversation_id: top.required_text("externalConversationId", ID)?,
            kind: top.required_word("type", &[("PHONE_NUMBER", TransferKind::PhoneNumber), ("SIP", TransferKind::Sip)])?,
            country: match top.object("phoneNumber")? {
                Some(number) => Some(country(&number)?),
                None => None,
            },
            sip: match top.object("sip")? {
                Some(sip) => DraftSip::read(&sip)?,
                None => DraftSip::default(),
            },
            input_context: match top.object("inputContext")? {
                Some(context) => Some(input_context(&context)?),
                None => None,
            },
        })
    }

    /// Whether it can be, too.
    fn judged(self, pools: &[NumberRange]) -> Result<NewCallTransfer, ApiFault> {
        let returns = self.sip.judged()?;
        let target = match self.kind {
            TransferKind::Sip => {
                // The INVITE names the id in X-ASAPP-CallTransferId, and a header's value is read without outer spaces.
                if self.id.starts_with(' ') || self.id.ends_with(' ') {
                    let why = "id begins or ends with a space: for SIP it must not, since the INVITE names it in a header, whose value is trimmed";
                    return Err(ApiFault::new(Cause::UnsendableId, why));
                }
                if returns.method != ReturnMethod::Bye && returns.uri.is_none() {
                    let why = format!("sip.returnUri is missing: {} needs a sip: or sips: URI to return to", returns.method.name());
                    return Err(ApiFault::new(Cause::NoReturnUri, why));
                }
                TransferTarget::Sip(returns)
            }
            TransferKind::PhoneNumber => {
                if returns.method != ReturnMethod::Bye {
                    let why = "sip.returnTransferType must be BYE for PHONE_NUMBER: such a call can't be sent back";
                    return Err(ApiFault::new(Cause::OnlyByBye, why));
                }
                TransferTarget::PhoneNumber { country: self.judged_country(pools)?.to_owned() }
            }
        };
        Ok(NewCallTransfer {
            id: self.id.to_owned(),
            external_conversation_id: self.external_conversation_id.to_owned(),
            target,
            input_context: self.input_context,
        })
    }

    /// The schema leaves `phoneNumber` open and the contract's text asks for its country with PHONE_NUMBER, as it asks for a
    /// return URI with REFER: both fit the schema and are impossible, so both are 422. (A decision of ours.)
    fn judged_country(&self, pools: &[NumberRange]) -> Result<&'a str, ApiFault> {
        let Some(country) = self.country else {
            let why = format!("phoneNumber.country is missing: PHONE_NUMBER needs {COUNTRY}");
            return Err(ApiFault::new(Cause::NoCountry, why));
        };
        // Settings may name a pool for a code that is not in the standard, such as XK.
        if pools.iter().any(|pool| pool.country == country) {
            return Ok(country);
        }
        if !Alpha2::try_from(country).is_ok_and(|code| !code.is_user_assigned()) {
            let why = format!("phoneNumber.country is no country of ISO 3166: it must be {COUNTRY}");
            return Err(ApiFault::new(Cause::UnknownCountry, why));
        }
        let mut known: Vec<&str> = pools.iter().map(|pool| pool.country.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        let known = if known.is_empty() {
            "there are no numbers at all".to_owned()
        } else {
            format!("those with numbers are {}", known.join(", "))
        };
        Err(ApiFault::new(Cause::CountryWithoutNumbers, format!("phoneNumber.country: there are no numbers for {country}; {known}")))
    }
}

impl<'a> DraftSip<'a> {
    fn read(sip: &Fields<'a>) -> Result<Self, ApiFault> {
        let methods = [("BYE", ReturnMethod::Bye), ("REFER", ReturnMethod::Refer), ("INVITE", ReturnMethod::Invite)];
        let method = sip.word("returnTransferType", &methods)?.unwrap_or_default();
        let return_uri = sip.text("returnUri", RETURN_URI)?;
        let return_uri_in_capitals = sip.text("returnURI", RETURN_URI)?;
        let (username, password) = match sip.object("returnInviteAuthentication")? {
            Some(credential) => (credential.text("username", ANY)?, credential.text("password", ANY)?),
            None => (None, None),
        };
        Ok(Self { method, return_uri, return_uri_in_capitals, username, password })
    }

    fn judged(&self) -> Result<SipReturn, ApiFault> {
        let (name, uri) = match (self.return_uri, self.return_uri_in_capitals) {
            (Some(_), Some(_)) => {
                let why = "sip.returnUri and sip.returnURI are two spellings of one field: give one of them";
                return Err(ApiFault::new(Cause::BothSpellings, why));
            }
            (None, Some(uri)) => ("sip.returnURI", Some(uri)),
            (uri, None) => ("sip.returnUri", uri),
        };
        if let Some(Err(fault)) = uri.map(check_uri) {
            let why = format!("{name} must be a sip: or sips: URI, such as sip:transfer@example.com: {fault}");
            return Err(ApiFault::new(Cause::BadReturnUri, why));
        }
        let auth = match (self.username, self.password) {
            (Some(username), Some(password)) => Some(User { username: username.to_owned(), secret: Secret::new(password) }),
            (None, None) => None,
            (username, _) => {
                let missing = if username.is_some() { "password" } else { "username" };
                let why = format!("sip.returnInviteAuthentication.{missing} is missing: a credential is a username and a password");
                return Err(ApiFault::new(Cause::HalfACredential, why));
            }
        };
        Ok(SipReturn { method: self.method, uri: uri.map(str::to_owned), auth })
    }
}

fn country<'a>(number: &Fields<'a>) -> Result<&'a str, ApiFault> {
    let text = number.required_text("country", Text { allowed: COUNTRY, ..ANY })?;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(ApiFault::new(Cause::Pattern, format!("{} must be {COUNTRY}", number.path("country"))))
}

/// A variable may have any name that is not empty and holds no control character: the schema allows it. Where a name is no token,
/// [`super::context::header_name`] says how it travels.
fn input_context(context: &Fields<'_>) -> Result<InputContext, ApiFault> {
    let task_name = context.text("taskName", ANY)?.map(str::to_owned);
    let mut input_variables = Variables::new();
    if let Some(variables) = context.object("inputVariables")? {
        for name in variables.names() {
            variables.check_name(name)?;
            let value = variables.required_text(name, ANY)?;
            input_variables.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(InputContext { task_name, input_variables })
}

const ID: Text = Text { least: 1, most: ID_CHARACTERS, allowed: "a string of 1 to 255 characters" };
const RETURN_URI: Text = Text { least: 0, most: RETURN_URI_CHARACTERS, allowed: "a string of at most 1024 characters" };
const ANY: Text = Text { least: 0, most: usize::MAX, allowed: "a string" };
const COUNTRY: &str = "a country code of two capital letters (ISO 3166-1 alpha-2), such as US";
