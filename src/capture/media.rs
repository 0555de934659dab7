//! Sound in a capture: RTP and RTCP bound to what SDP announced, measured where it was captured (RFC 3550).

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::Arc,
};

use super::packets::Wired;
use crate::{
    media::{
        dtmf::{self, EventPacket},
        jitter::{Arrival, Reception},
        rtcp, rtp,
    },
    model::Timestamp,
    sip::{
        dialog::sdp_of,
        message::{Message, Method},
        sdp::{Format, SessionDescription},
    },
};

/// All sound of a capture.
#[derive(Default)]
pub struct Media {
    /// Where RTP goes, by the address that an SDP named.
    bound: HashMap<SocketAddr, Binding>,
    /// The same for RTCP where SDP names a port of its own for it.
    rtcp_bound: HashMap<SocketAddr, SocketAddr>,
    flows: Vec<Flow>,
    by_addresses: HashMap<(SocketAddr, SocketAddr), usize>,
    /// Calls that are over: their ports may be another's.
    over: HashSet<Arc<str>>,
    rtcp_packets: u64,
    /// The capture holds packets twice: doubles say nothing of the network.
    pub captured_twice: bool,
    by_leg: Vec<Vec<usize>>,
}

struct Binding {
    /// The message whose SDP it was.
    message: usize,
    call_id: Arc<str>,
    author: Option<Box<str>>,
    formats: Arc<[Format]>,
}

/// One direction of a leg's sound.
pub struct Flow {
    /// The message whose SDP announced it.
    pub message: usize,
    /// It goes to the message's sender; otherwise it comes from there.
    pub to_sender: bool,
    announced: SocketAddr,
    pub codec: String,
    pub first_at: Timestamp,
    pub reception: Reception,
    /// What the receiver's RTCP said of it.
    pub remote_lost: Option<i64>,
    pub remote_jitter_ms: Option<f32>,
    pub digits: Vec<(Timestamp, char)>,
    /// Packets that came again at once: doubles of the network, or of a capture at two places of one machine.
    pub doubles: u64,
    last: Option<(Timestamp, u32, u16)>,
    ssrc: u32,
    clock_rate: u32,
    events: dtmf::Receiver,
    formats: Arc<[Format]>,
}

impl Media {
    /// What a message says of sound.
    pub fn learn(&mut self, index: usize, wired: &Wired) {
        // Most messages have nothing to say here, and are parsed elsewhere soon enough.
        let has_sdp = memchr::memmem::find(&wired.bytes, b"application/sdp").is_some();
        let ends = wired.bytes.starts_with(b"BYE ") || wired.bytes.starts_with(b"CANCEL ");
        if !has_sdp && !ends {
            return;
        }
        let Ok(message) = Message::parse(wired.bytes.clone()) else { return };
        let fields = message.fields();
        let Some(call_id) = fields.call_id() else { return };
        if matches!(&message, Message::Request(request) if matches!(*request.method(), Method::BYE | Method::CANCEL)) {
            self.over.insert(call_id.into());
            return;
        }
        let Some(session) = sdp_of(fields).and_then(|body| SessionDescription::parse(&body).ok()) else { return };
        let author = if matches!(message, Message::Request(_)) { fields.from_tag() } else { fields.to_tag() };
        let call_id: Arc<str> = call_id.into();
        for section in session.media.iter().filter(|section| &*section.kind == "audio" && section.port != 0) {
            let Some(address) = session.remote(section).filter(|address| !address.ip().is_unspecified()) else { continue };
            if self.bound.len() >= MOST_BOUND && !self.bound.contains_key(&address) {
                return;
            }
            // Re-stated by the same party, or the same sound on the next leg of a B2BUA that does not anchor it: the first counts.
            let keeps = self.bound.get(&address).is_some_and(|known| {
                !self.over.contains(&known.call_id) && (known.call_id != call_id || known.author.as_deref() == author.as_deref())
            });
            if keeps {
                continue;
            }
            if let Some(rtcp) = session.remote_rtcp(section) {
                self.rtcp_bound.insert(rtcp, address);
            }
            let formats = section.rtp_formats().collect();
            let author = author.as_deref().map(Into::into);
            self.bound.insert(address, Binding { message: index, call_id: call_id.clone(), author, formats });
        }
    }

    /// Whether it was sound that an SDP announced.
    pub fn take(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        if bytes.get(1).is_some_and(|kind| (200..=207).contains(kind)) && bytes.first().is_some_and(|first| first >> 6 == 2) {
            return self.take_rtcp(source, destination, bytes);
        }
        let Some(header) = rtp::parse(bytes) else { return false };
        let Some(index) = self.flow(at, source, destination) else { return false };
        let Some(flow) = self.flows.get_mut(index) else { return false };
        flow.take(at, &header, bytes.get(header.payload.clone()).unwrap_or_default());
        true
    }

    /// Packets of sound, and of reports about it.
    pub fn counts(&self) -> (u64, u64) {
        (self.flows.iter().map(|flow| flow.reception.packets + flow.doubles).sum(), self.rtcp_packets)
    }

    /// Messages were put into another order: `order` tells which one stands at each place now.
    pub fn renumber(&mut self, order: &[usize]) {
        let places: HashMap<usize, usize> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        for flow in &mut self.flows {
            flow.message = places.get(&flow.message).copied().unwrap_or(flow.message);
        }
    }

    /// Files the flows under their legs; `leg_of` tells a message's.
    pub fn sort(&mut self, leg_of: impl Fn(usize) -> Option<usize>, legs: usize) {
        self.by_leg.resize_with(legs, Vec::new);
        for (index, flow) in self.flows.iter().enumerate() {
            if let Some(leg) = leg_of(flow.message).and_then(|leg| self.by_leg.get_mut(leg)) {
                leg.push(index);
            }
        }
    }

    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// Indices of a leg's flows.
    pub fn of_leg(&self, leg: usize) -> &[usize] {
        self.by_leg.get(leg).map(Vec::as_slice).unwrap_or_default()
    }

    fn flow(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr) -> Option<usize> {
        let known = self.by_addresses.get(&(source, destination)).and_then(|index| Some((*index, self.flows.get(*index)?)));
        if let Some((index, flow)) = known
            && self.bound.get(&flow.announced).is_some_and(|binding| binding.message == flow.message)
        {
            return Some(index);
        }
        // By where it goes, else by where it comes from: behind a NAT only that is as announced.
        let (address, to_sender) = if self.bound.contains_key(&destination) { (destination, true) } else { (source, false) };
        let binding = self.bound.get(&address)?;
        if self.flows.len() >= MOST_FLOWS {
            return None;
        }
        self.flows.push(Flow {
            message: binding.message,
            to_sender,
            announced: address,
            codec: String::new(),
            first_at: at,
            reception: Reception::default(),
            remote_lost: None,
            remote_jitter_ms: None,
            digits: Vec::new(),
            doubles: 0,
            last: None,
            ssrc: 0,
            clock_rate: 8_000,
            events: dtmf::Receiver::default(),
            formats: binding.formats.clone(),
        });
        self.by_addresses.insert((source, destination), self.flows.len() - 1);
        Some(self.flows.len() - 1)
    }

    fn take_rtcp(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        // The sender of a report is the receiver of the sound that it is about.
        let rtp_of = |address: SocketAddr| {
            let below = SocketAddr::new(address.ip(), address.port().wrapping_sub(1));
            self.rtcp_bound.get(&address).copied().unwrap_or(below)
        };
        let candidates = [(rtp_of(destination), rtp_of(source)), (destination, source)];
        let Some(index) = candidates.iter().find_map(|pair| self.by_addresses.get(pair)) else { return false };
        let Some(flow) = self.flows.get_mut(*index) else { return false };
        let mut reports = rtcp::Reports::default();
        if !reports.handle_packet(0, flow.ssrc, bytes) {
            return false;
        }
        if let Some(lost) = reports.remote_lost {
            flow.remote_lost = Some(i64::from(lost));
        }
        if let Some(jitter) = reports.remote_jitter {
            flow.remote_jitter_ms = Some(jitter as f32 * 1_000.0 / flow.clock_rate.max(1) as f32);
        }
        self.rtcp_packets += 1;
        true
    }
}

impl Flow {
    /// Of what arrived where it was captured, in milliseconds.
    pub fn jitter_ms(&self) -> f32 {
        self.reception.jitter() as f32 * 1_000.0 / self.clock_rate.max(1) as f32
    }

    fn take(&mut self, at: Timestamp, header: &rtp::Header, payload: &[u8]) {
        let this = (header.ssrc, header.sequence);
        if self.last.is_some_and(|(before, ssrc, sequence)| this == (ssrc, sequence) && at.micros_since(before) < DOUBLE_US) {
            self.doubles += 1;
            return;
        }
        self.last = Some((at, header.ssrc, header.sequence));
        let format = self.formats.iter().find(|format| format.payload_type == header.pt);
        let is_event = format.is_some_and(|format| format.encoding.eq_ignore_ascii_case("telephone-event"));
        if let Some(format) = format.filter(|_| !is_event) {
            if *self.codec != *format.encoding {
                self.codec = format.encoding.to_string();
            }
            self.clock_rate = format.clock_rate.max(1);
        } else if format.is_none() && self.codec.is_empty() {
            // Static types need no rtpmap, and an answer may use what only the offer explained.
            self.codec = match header.pt {
                0 => "PCMU".to_owned(),
                8 => "PCMA".to_owned(),
                9 => "G722".to_owned(),
                18 => "G729".to_owned(),
                other => format!("type {other}"),
            };
        }
        self.ssrc = header.ssrc;
        let clock = u128::from(at.0) * u128::from(self.clock_rate) / 1_000_000;
        let timing = (!is_event).then_some((clock as u32, header.timestamp));
        let arrival = self.reception.handle_packet(header.ssrc, header.sequence, payload.len(), timing);
        if arrival == Arrival::Start {
            self.events.restart();
        }
        if is_event
            && !matches!(arrival, Arrival::Duplicate | Arrival::Odd)
            && let Some(packet) = EventPacket::parse(payload)
            && let Some(digit) = self.events.handle_packet(header.marker, header.timestamp, packet)
            && self.digits.len() < MOST_DIGITS
        {
            self.digits.push((at, digit));
        }
    }
}

/// As for messages.
const DOUBLE_US: u64 = 10_000;
const MOST_BOUND: usize = 200_000;
const MOST_FLOWS: usize = 200_000;
const MOST_DIGITS: usize = 256;
