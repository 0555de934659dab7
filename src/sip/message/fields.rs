//! The header fields and the body of a message, as positions in its bytes (RFC 3261 §7.3).

use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::{Deref, Range};

use bytes::Bytes;

use super::header_name::HeaderName;
use super::list::ListItems;
use super::method::Method;
use super::name_addr::{NameAddr, NameAddrError};
use super::text::{HeadedBytes, Text, is_token_byte, lossy, split_at_byte};
use super::verdict::Fault;
use super::via::{Via, ViaAt, ViaError};

/// What a request and a response have in common. Nothing is copied out of the message's bytes until it is asked for.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Start line and headers are its head, which is empty where they are no UTF-8.
    pub(super) raw: HeadedBytes,
    pub(super) headers: Headers,
    pub(super) tags: Tags,
    /// The parts of the top Via, once [`Fields::note_via`] has found them.
    pub(super) via: Option<ViaAt>,
    pub(super) body_start: u32,
    pub(super) body_end: u32,
    /// The first thing that the lexer could not read; the verdict begins with it.
    pub(super) defect: Option<Fault>,
    pub(super) received_from: Option<SocketAddr>,
}

/// Where the tags of From and To lie. They are asked for again and again, so reading a message notes them; who asks for one in
/// a message that was written, or in a folded header, looks for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tags {
    from: TagAt,
    to: TagAt,
}

#[derive(Debug, Clone, Copy, Default)]
enum TagAt {
    #[default]
    Unknown,
    Nowhere,
    Here(u16, u16),
    /// And the header is `<uri>;tag=word`, if that is a URI.
    Alone(u16, u16),
}

/// The headers in wire order, and where each name comes first: a message is asked for some thirty headers, and most are not there.
#[derive(Debug, Clone)]
pub(super) struct Headers {
    all: Vec<Header>,
    /// Its place, counted from 1, or 255 for any that is as far behind; 0 where there is none.
    first: [u8; HeaderName::COUNT],
}

impl Headers {
    pub fn new() -> Self {
        // More than nearly all messages have: one allocation.
        Self { all: Vec::with_capacity(32), first: [0; HeaderName::COUNT] }
    }

    pub fn push(&mut self, header: Header) {
        self.all.push(header);
        let first = &mut self.first[header.name as usize];
        if *first == 0 {
            *first = self.all.len().try_into().unwrap_or(u8::MAX);
        }
    }

    fn named(&self, name: HeaderName) -> impl Iterator<Item = &Header> {
        let from = match self.first[name as usize] {
            0 => self.all.len(),
            place => usize::from(place) - 1,
        };
        self.all.get(from..).unwrap_or_default().iter().filter(move |header| header.name == name)
    }
}

impl Deref for Headers {
    type Target = [Header];
    fn deref(&self) -> &[Header] {
        &self.all
    }
}

/// Where one header lies. A head is at most 64 KiB, so 16 bits reach everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub name: HeaderName,
    /// Folded over lines, or with a stray CR: its reader gets a copy without line breaks.
    pub uneven: bool,
    pub name_start: u16,
    pub name_len: u16,
    pub value_start: u16,
    pub value_len: u16,
}

/// Why CSeq or another number can not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("the header is missing")]
    Missing,
    #[error("the header can not be read")]
    Malformed,
}

impl Fields {
    /// The whole message as it came, or as it goes.
    pub fn raw(&self) -> &Bytes {
        self.raw.whole()
    }

    pub fn body(&self) -> &[u8] {
        self.raw().get(self.body_start as usize..self.body_end as usize).unwrap_or_default()
    }

    /// The body, sharing the message's bytes.
    pub fn body_bytes(&self) -> Bytes {
        self.raw().slice(self.body_start as usize..self.body_end as usize)
    }

    /// How many header fields there are.
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// All headers in wire order: the name as written, what it is, its value (trimmed, unfolded).
    pub fn iter(&self) -> impl Iterator<Item = (&str, HeaderName, Cow<'_, str>)> {
        self.headers.iter().map(|header| (self.name_text(header), header.name, self.value(header)))
    }

    /// The first value of a header: trimmed, folds joined by one space, invalid UTF-8 replaced.
    pub fn text(&self, name: HeaderName) -> Option<Cow<'_, str>> {
        self.texts(name).next()
    }

    /// The values of all headers of this name, in wire order.
    pub fn texts(&self, name: HeaderName) -> impl Iterator<Item = Cow<'_, str>> {
        self.named(name).map(|header| self.value(header))
    }

    /// The comma-separated items of all headers of this name, in wire order; commas in quotes and in `<…>` do not separate.
    pub fn list(&self, name: HeaderName) -> impl Iterator<Item = Cow<'_, str>> {
        self.texts(name).flat_map(ListItems::new)
    }

    /// The first value of a header that has no [`HeaderName`], its name compared without regard to case.
    pub fn other(&self, name: &str) -> Option<Cow<'_, str>> {
        self.named(HeaderName::Other)
            .find(|header| self.name_bytes(header).eq_ignore_ascii_case(name.as_bytes()))
            .map(|header| self.value(header))
    }

    /// Headers whose name begins so, in wire order: the name as written, and the value.
    pub fn others_with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let begins = |header: &&Header| {
            self.name_bytes(header).get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        self.named(HeaderName::Other).filter(begins).map(|header| (self.name_text(header), self.value(header)))
    }

    pub fn has(&self, name: HeaderName) -> bool {
        self.named(name).next().is_some()
    }

    pub fn count(&self, name: HeaderName) -> usize {
        self.named(name).count()
    }

    /// Whether a list header has this item, without regard to case: `has_token(HeaderName::Require, "100rel")`.
    pub fn has_token(&self, name: HeaderName, token: &str) -> bool {
        self.any_item(name, |item| item.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(token))
    }

    /// Whether an item of a list header is so. As [`Fields::list`], which costs more: it hands the items out.
    pub(super) fn any_item(&self, name: HeaderName, is_so: impl Fn(&str) -> bool) -> bool {
        self.texts(name).any(|value| {
            let mut at = 0;
            while let Some((item, next)) = ListItems::next_in(&value, at) {
                if is_so(item) {
                    return true;
                }
                at = next;
            }
            false
        })
    }

    /// The value as text that goes on sharing the message's bytes.
    pub fn shared(&self, name: HeaderName) -> Option<Text> {
        self.named(name).next().map(|header| self.shared_value(header))
    }

    pub fn top_via(&self) -> Result<Via<'_>, ViaError> {
        let text = self.text(HeaderName::Via).ok_or(ViaError::Missing)?;
        match (self.via, text) {
            (Some(at), Cow::Borrowed(text)) => Ok(Via::noted(text, at)),
            (_, text) => Via::parse(ListItems::new(text).next().unwrap_or_default()),
        }
    }

    /// All Via values, top first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, ViaError>> {
        let mut noted = self.via;
        self.list(HeaderName::Via).map(move |text| match (noted.take(), text) {
            (Some(at), Cow::Borrowed(text)) => Ok(Via::noted(text, at)),
            (_, text) => Via::parse(text),
        })
    }

    pub fn from(&self) -> Result<NameAddr, AddressError> {
        self.address(HeaderName::From)
    }

    pub fn to(&self) -> Result<NameAddr, AddressError> {
        self.address(HeaderName::To)
    }

    /// The one address of a header that holds one.
    pub fn address(&self, name: HeaderName) -> Result<NameAddr, AddressError> {
        let text = self.shared(name).ok_or(AddressError::Missing)?;
        Ok(NameAddr::from_text(&text)?)
    }

    /// All addresses of a header that holds a list: Route, Record-Route, Contact, Diversion, P-Asserted-Identity.
    pub fn addresses(&self, name: HeaderName) -> impl Iterator<Item = Result<NameAddr, NameAddrError>> {
        self.shared_items(name).map(|item| NameAddr::from_text(&item))
    }

    /// The first Contact.
    pub fn contact(&self) -> Option<Result<NameAddr, NameAddrError>> {
        self.addresses(HeaderName::Contact).next()
    }

    /// Whether the first Contact's URI is written just so.
    pub fn contact_is(&self, uri: &str) -> bool {
        let value = self.text(HeaderName::Contact);
        let first = value.as_deref().and_then(|value| ListItems::next_in(value, 0));
        first.is_some_and(|(item, _)| NameAddr::uri_text(item) == Some(uri))
    }

    /// The URI of a header that holds one address, as written; None where that is no address.
    pub fn uri_of(&self, name: HeaderName) -> Option<String> {
        NameAddr::uri_text(&self.text(name)?).map(str::to_owned)
    }

    /// The tag of From, read without making an address of it.
    pub fn from_tag(&self) -> Option<Cow<'_, str>> {
        self.tag_of(HeaderName::From, self.tags.from)
    }

    /// The tag of To, read without making an address of it.
    pub fn to_tag(&self) -> Option<Cow<'_, str>> {
        self.tag_of(HeaderName::To, self.tags.to)
    }

    /// None where it is missing, empty, or not the one word that it must be.
    pub fn call_id(&self) -> Option<&str> {
        let header = self.named(HeaderName::CallId).next()?;
        let id = self.plain(header).or_else(|| std::str::from_utf8(self.value_bytes(header)).ok())?;
        (!id.is_empty() && id.bytes().all(|byte| byte > b' ' && byte != 0x7f)).then_some(id)
    }

    /// §20.16: a number below 2^31 and a method.
    pub fn cseq(&self) -> Result<(u32, Method), FieldError> {
        let text = self.text(HeaderName::CSeq).ok_or(FieldError::Missing)?;
        let blank = text.bytes().position(|byte| matches!(byte, b' ' | b'\t')).ok_or(FieldError::Malformed)?;
        let (number, method) = text.split_at(blank);
        let number = decimal(number).filter(|&number| number < 1 << 31).ok_or(FieldError::Malformed)?;
        let method = Method::parse(method.trim_ascii().as_bytes()).ok_or(FieldError::Malformed)?;
        Ok((number as u32, method))
    }

    /// None where it is missing or unreadable (the verdict tells those apart).
    pub fn max_forwards(&self) -> Option<u8> {
        self.text(HeaderName::MaxForwards).and_then(|text| decimal(text.as_bytes())).and_then(|number| number.try_into().ok())
    }

    /// A header that is a number, perhaps with parameters after it: Expires, Min-SE, Session-Expires, RSeq, Retry-After.
    pub fn number(&self, name: HeaderName) -> Option<u32> {
        let text = self.text(name)?;
        let digits = text.split([';', ' ', '(']).next()?;
        decimal(digits).and_then(|number| number.try_into().ok())
    }

    /// The media type without its parameters, in lower case: `application/sdp`.
    pub fn content_type(&self) -> Option<String> {
        let text = self.text(HeaderName::ContentType)?;
        let mut parts = text.split(';').next()?.split('/').map(str::trim);
        let (kind, subtype) = (parts.next()?, parts.next()?);
        Some(format!("{kind}/{subtype}").to_ascii_lowercase())
    }

    /// Where the message came from, once [`Fields::mark_received`] said so.
    pub fn received_from(&self) -> Option<SocketAddr> {
        self.received_from
    }

    /// Notes the packet's source: responses then carry `received` and `rport` (§18.2.1, RFC 3581).
    pub fn mark_received(&mut self, source: SocketAddr) {
        self.received_from = Some(source);
    }

    pub(super) fn named(&self, name: HeaderName) -> impl Iterator<Item = &Header> {
        self.headers.named(name)
    }

    pub(super) fn name_text(&self, header: &Header) -> &str {
        let start = header.name_start as usize;
        let name = self.raw.head().get(start..start + header.name_len as usize);
        name.or_else(|| std::str::from_utf8(self.name_bytes(header)).ok()).unwrap_or("")
    }

    /// A part of the start line; empty where it is no UTF-8.
    pub(super) fn start_line_part(&self, (start, end): (u16, u16)) -> &str {
        let range = usize::from(start)..usize::from(end);
        let part = self.raw.head().get(range.clone());
        part.or_else(|| std::str::from_utf8(self.raw().get(range)?).ok()).unwrap_or("")
    }

    fn name_bytes(&self, header: &Header) -> &[u8] {
        let start = header.name_start as usize;
        self.raw().get(start..start + header.name_len as usize).unwrap_or_default()
    }

    /// As [`Fields::list`], each item sharing the message's bytes.
    pub(super) fn shared_items(&self, name: HeaderName) -> impl Iterator<Item = Text> {
        self.named(name).flat_map(|header| {
            let value = self.shared_value(header);
            let mut at = 0;
            std::iter::from_fn(move || {
                let (item, next) = ListItems::next_in(&value, at)?;
                let item = value.share(item);
                at = next;
                Some(item)
            })
        })
    }

    /// Whether a value may hold a control character other than a tab: the head has one that ends no line, or a line goes on.
    pub(super) fn may_hold_controls(&self) -> bool {
        let head = self.raw().get(..self.body_start as usize).unwrap_or_default();
        let control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\r') & (byte != b'\n') | (byte == 0x7f);
        self.headers.iter().any(|header| header.uneven) || head.iter().fold(false, |found, &byte| found | control(byte))
    }

    pub(super) fn value_bytes(&self, header: &Header) -> &[u8] {
        let start = header.value_start as usize;
        self.raw().get(start..start + header.value_len as usize).unwrap_or_default()
    }

    pub(super) fn value(&self, header: &Header) -> Cow<'_, str> {
        match self.plain(header) {
            Some(text) if !header.uneven => Cow::Borrowed(text),
            _ if header.uneven => Cow::Owned(unfold(self.value_bytes(header))),
            _ => lossy(self.value_bytes(header)),
        }
    }

    /// A value as written, line ends and all; `None` where the head is no UTF-8.
    fn plain(&self, header: &Header) -> Option<&str> {
        let start = header.value_start as usize;
        self.raw.head().get(start..start + header.value_len as usize)
    }

    fn shared_value(&self, header: &Header) -> Text {
        if header.uneven {
            return Text::from(unfold(self.value_bytes(header)));
        }
        match self.plain(header) {
            Some(value) => self.raw.share(value),
            None => Text::from(lossy(self.value_bytes(header)).into_owned()),
        }
    }

    /// Notes where the tags are.
    pub(super) fn note_tags(&mut self) {
        let find = |name| {
            let Some(header) = self.named(name).next() else { return TagAt::Nowhere };
            let Some(text) = self.plain(header).filter(|_| !header.uneven) else { return TagAt::Unknown };
            // Within the head, which 16 bits hold.
            let at = |tag: usize| header.value_start + tag as u16;
            match lone_tag_in(text) {
                Some(tag) => TagAt::Alone(at(tag.start), at(tag.end)),
                None => tag_in(text).map_or(TagAt::Nowhere, |tag| TagAt::Here(at(tag.start), at(tag.end))),
            }
        };
        self.tags = Tags { from: find(HeaderName::From), to: find(HeaderName::To) };
    }

    /// Takes the top Via apart once, for who will ask for it again and again: where it can be read, and is alone in its header.
    pub fn note_via(&mut self) {
        let header = self.named(HeaderName::Via).next().filter(|header| !header.uneven);
        let text = header.and_then(|header| self.plain(header)).filter(|text| memchr::memchr(b',', text.as_bytes()).is_none());
        self.via = text.and_then(|text| ViaAt::of(text).ok());
    }

    /// Whether the message is known to have one Via, which can be read.
    pub(super) fn has_lone_via(&self) -> bool {
        self.via.is_some() && self.count(HeaderName::Via) == 1
    }

    /// The URI of From or To, where the header is `<uri>;tag=word`, if that is a URI.
    pub(super) fn lone_uri(&self, name: HeaderName) -> Option<&str> {
        let noted = if name == HeaderName::From { self.tags.from } else { self.tags.to };
        let TagAt::Alone(tag, _) = noted else { return None };
        let header = self.named(name).next()?;
        let end = usize::from(tag - header.value_start).checked_sub(LONE_TAG.len())?;
        self.plain(header)?.get(..end)?.strip_prefix('<')
    }

    fn tag_of(&self, name: HeaderName, noted: TagAt) -> Option<Cow<'_, str>> {
        match noted {
            TagAt::Nowhere => None,
            TagAt::Here(start, end) | TagAt::Alone(start, end) => {
                self.raw.head().get(usize::from(start)..usize::from(end)).map(Cow::Borrowed)
            }
            TagAt::Unknown => match self.text(name)? {
                Cow::Borrowed(text) => text.get(tag_in(text)?).map(Cow::Borrowed),
                Cow::Owned(text) => text.get(tag_in(&text)?).map(|tag| Cow::Owned(tag.to_owned())),
            },
        }
    }
}

/// Where the tag lies in an address as nearly everybody writes it: `<uri>;tag=word`.
fn lone_tag_in(text: &str) -> Option<Range<usize>> {
    let length = text.bytes().rev().take_while(|byte| is_token_byte(*byte)).count();
    let start = text.len() - length;
    let before = text.as_bytes().get(..start)?;
    // Without a display name: then whoever checks the URI sees whether another bracket stands in it.
    (length > 0 && before.ends_with(LONE_TAG) && before.first() == Some(&b'<')).then_some(start..text.len())
}

const LONE_TAG: &[u8] = b">;tag=";

/// Where the tag of an address lies. It is the header's parameter: after the closing bracket, where there is one outside of quotes.
fn tag_in(text: &str) -> Option<Range<usize>> {
    let after_display = if text.starts_with('"') { super::text::quoted_end(text)? } else { 0 };
    let tail = text.get(after_display..)?;
    let tail = split_at_byte(tail, b'>').map_or(tail, |(_, tail)| tail);
    let (_, params) = split_at_byte(tail, b';')?;
    let value = super::params::Params::new(params).find("tag").filter(|tag| !tag.is_empty())?;
    let start = value.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + value.len())
}

/// Why an address header can not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the header is missing")]
    Missing,
    #[error(transparent)]
    Malformed(#[from] NameAddrError),
}

/// §7.3.1: a line end and the blanks around it stand for one space.
fn unfold(bytes: &[u8]) -> String {
    let text = lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    for (index, line) in text.split(['\r', '\n']).enumerate() {
        let part = if index == 0 { line.trim_end_matches([' ', '\t']) } else { line.trim_matches([' ', '\t']) };
        if !plain.is_empty() && !part.is_empty() {
            plain.push(' ');
        }
        plain.push_str(part);
    }
    plain
}

/// Digits only: no sign, no blank, no overflow.
pub(super) fn decimal(text: impl AsRef<[u8]>) -> Option<u64> {
    let digits = Some(text.as_ref()).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}
