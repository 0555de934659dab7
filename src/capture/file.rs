//! The container: pcap and pcapng, read as a stream, one packet after the other.
//!
//! Read by hand and not by a crate: what is damaged is noted and what can still be read is read, a length out of a
//! hostile file reserves no memory, and the times of an interface are taken by its own resolution.

use std::io::{self, Read};

use super::notes::Notes;
use crate::model::Timestamp;

/// One packet as it lies in the file.
#[derive(Debug, Default)]
pub struct Packet {
    pub at: Timestamp,
    /// The link type, as registered by tcpdump.org.
    pub link: u32,
    /// Bytes on the wire that the capture left out.
    pub missing: usize,
    pub bytes: Vec<u8>,
}

/// Reads packets until the file, or what can be read of it, is over.
pub struct File<R> {
    input: Counted<R>,
    format: Format,
    last: Timestamp,
    packets: u64,
}

/// The file can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("this is no capture: it is empty")]
    Empty,
    #[error("this is no capture: it begins neither as a pcap nor as a pcapng file. Save it from Wireshark or tcpdump as one of them")]
    NotACapture,
    #[error("this file is compressed: unpack it first (gunzip, unzip, zstd -d)")]
    Compressed,
    #[error("this capture's header is broken: {0}")]
    Header(&'static str),
    #[error("the file can't be read: {0}")]
    Io(#[from] io::Error),
    #[error("reading was stopped")]
    Stopped,
}

enum Format {
    Pcap { big: bool, nanos: bool, link: u32 },
    PcapNg { big: bool, interfaces: Vec<Interface> },
}

struct Interface {
    link: u32,
    snap_length: u32,
    ticks_per_second: u64,
    offset_secs: i64,
}

/// Whether these first bytes begin a capture.
pub fn is_capture(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|magic: &[u8; 4]| *magic == NG_MAGIC || pcap_magic(*magic).is_some())
}

impl<R: Read> File<R> {
    /// Reads the file's own header.
    ///
    /// # Errors
    /// It is no capture, or can't be read.
    pub fn open(input: R) -> Result<Self, ReadError> {
        let mut input = Counted { input, count: 0 };
        let mut magic = [0; 4];
        match input.fill(&mut magic)? {
            0 => return Err(ReadError::Empty),
            4 => {}
            _ => return Err(ReadError::NotACapture),
        }
        let format = if magic == NG_MAGIC {
            Format::PcapNg { big: section(&mut input)?, interfaces: Vec::new() }
        } else if let Some((big, nanos)) = pcap_magic(magic) {
            let mut rest = [0; 20];
            if input.fill(&mut rest)? < rest.len() {
                return Err(ReadError::Header("it breaks off"));
            }
            // The upper bits say whether a frame check sequence follows (draft-ietf-opsawg-pcap §4).
            Format::Pcap { big, nanos, link: u32_at(&rest, 16, big).unwrap_or_default() & 0xffff }
        } else if magic.starts_with(&[0x1f, 0x8b]) || magic.starts_with(b"PK") || magic == [0x28, 0xb5, 0x2f, 0xfd] {
            return Err(ReadError::Compressed);
        } else {
            return Err(ReadError::NotACapture);
        };
        Ok(Self { input, format, last: Timestamp::default(), packets: 0 })
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.input.count
    }

    /// The next packet into `packet`; false: there is no more to be read.
    ///
    /// # Errors
    /// The file can't be read any further for a reason outside it.
    pub fn next(&mut self, packet: &mut Packet, notes: &mut Notes) -> Result<bool, ReadError> {
        let found = match self.format {
            Format::Pcap { big, nanos, link } => self.next_record(packet, notes, big, nanos, link)?,
            Format::PcapNg { .. } => self.next_block(packet, notes)?,
        };
        self.packets += u64::from(found);
        Ok(found)
    }

    fn next_record(&mut self, packet: &mut Packet, notes: &mut Notes, big: bool, nanos: bool, link: u32) -> Result<bool, ReadError> {
        let mut head = [0; 16];
        match self.input.fill(&mut head)? {
            0 => return Ok(false),
            16 => {}
            _ => return Ok(self.breaks_off(notes)),
        }
        let field = |at| u32_at(&head, at, big).unwrap_or_default();
        let (captured, on_wire) = (field(8), field(12));
        if captured > LARGEST_PACKET {
            let (number, place) = (self.packets + 1, self.input.count - 16);
            notes.add("damage", Some(self.last), || {
                format!("Packet {number}, at byte {place} of the file, says it is {captured} bytes long: the file is damaged there, and what follows can't be read")
            });
            return Ok(false);
        }
        let fraction = if nanos { field(4) / 1_000 } else { field(4) };
        packet.at = Timestamp(u64::from(field(0)) * 1_000_000 + u64::from(fraction));
        packet.link = link;
        packet.missing = on_wire.saturating_sub(captured) as usize;
        self.last = packet.at;
        Ok(self.input.take_into(captured as usize, &mut packet.bytes)? || self.breaks_off(notes))
    }

    fn next_block(&mut self, packet: &mut Packet, notes: &mut Notes) -> Result<bool, ReadError> {
        let Format::PcapNg { big, interfaces } = &mut self.format else { return Ok(false) };
        let mut body = Vec::new();
        loop {
            let place = self.input.count;
            let mut kind = [0; 4];
            match self.input.fill(&mut kind)? {
                0 => return Ok(false),
                4 => {}
                _ => return Ok(self.breaks_off(notes)),
            }
            if kind == NG_MAGIC {
                let Ok(order) = section(&mut self.input) else { return Ok(self.breaks_off(notes)) };
                *big = order;
                interfaces.clear();
                continue;
            }
            let mut length = [0; 4];
            if self.input.fill(&mut length)? < 4 {
                return Ok(self.breaks_off(notes));
            }
            let length = u32_at(&length, 0, *big).unwrap_or_default();
            if length < 12 || !length.is_multiple_of(4) || length > LARGEST_BLOCK {
                notes.add("damage", Some(self.last), || {
                    format!("The block at byte {place} of the file says it is {length} bytes long: the file is damaged there, and what follows can't be read")
                });
                return Ok(false);
            }
            if !self.input.take_into(length as usize - 12, &mut body)? || !self.input.skip(4)? {
                return Ok(self.breaks_off(notes));
            }
            match u32_at(&kind, 0, *big) {
                Some(INTERFACE) if interfaces.len() < MOST_INTERFACES => interfaces.extend(Interface::read(&body, *big)),
                Some(kind @ (ENHANCED_PACKET | PACKET | SIMPLE_PACKET)) => {
                    if read_packet(kind, &body, *big, interfaces, self.last, packet).is_some() {
                        self.last = packet.at;
                        return Ok(true);
                    }
                    notes.add("broken block", Some(self.last), || {
                        format!("The packet block at byte {place} of the file is broken, and was passed over")
                    });
                }
                // Names, statistics, keys and the like hold no packets.
                _ => {}
            }
        }
    }

    fn breaks_off(&self, notes: &mut Notes) -> bool {
        let (number, place) = (self.packets + 1, self.input.count);
        notes.add("breaks off", Some(self.last), || {
            format!("The file breaks off in packet {number}, at byte {place}; what comes before was read")
        });
        false
    }
}

fn read_packet(kind: u32, body: &[u8], big: bool, interfaces: &[Interface], last: Timestamp, packet: &mut Packet) -> Option<()> {
    let field = |at| u32_at(body, at, big);
    let (interface, ticks, captured, on_wire, from) = match kind {
        SIMPLE_PACKET => {
            let interface = interfaces.first()?;
            let limit = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
            // It has no time of its own.
            (interface, None, field(0)?.min(limit).min(body.len() as u32 - 4), field(0)?, 4)
        }
        _ => {
            let interface = if kind == ENHANCED_PACKET { field(0)? } else { u32::from(u16_at(body, 0, big)?) };
            let ticks = u64::from(field(4)?) << 32 | u64::from(field(8)?);
            (interfaces.get(interface as usize)?, Some(ticks), field(12)?, field(16)?, 20)
        }
    };
    let bytes = body.get(from..)?.get(..captured as usize)?;
    packet.at = ticks.map_or(last, |ticks| interface.time(ticks));
    packet.link = interface.link;
    packet.missing = on_wire.saturating_sub(captured) as usize;
    packet.bytes.clear();
    packet.bytes.extend_from_slice(bytes);
    Some(())
}

impl Interface {
    fn read(body: &[u8], big: bool) -> Option<Self> {
        let mut interface = Self {
            link: u32::from(u16_at(body, 0, big)?),
            snap_length: u32_at(body, 4, big)?,
            ticks_per_second: 1_000_000,
            offset_secs: 0,
        };
        let mut rest = body.get(8..).unwrap_or_default();
        while let (Some(code), Some(length)) = (u16_at(rest, 0, big), u16_at(rest, 2, big)) {
            let value = rest.get(4..4 + usize::from(length)).unwrap_or_default();
            match (code, value.first()) {
                (0, _) => break,
                (IF_TSRESOL, Some(resolution)) => interface.ticks_per_second = ticks_per_second(*resolution),
                (IF_TSOFFSET, Some(_)) => {
                    let bytes: Option<[u8; 8]> = value.first_chunk().copied();
                    interface.offset_secs = bytes.map_or(0, |b| if big { i64::from_be_bytes(b) } else { i64::from_le_bytes(b) });
                }
                _ => {}
            }
            rest = rest.get(4 + usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }

    fn time(&self, ticks: u64) -> Timestamp {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(self.ticks_per_second.max(1));
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        Timestamp(micros.saturating_add_signed(self.offset_secs.saturating_mul(1_000_000)))
    }
}

/// if_tsresol: a power of 10, or of 2 where the highest bit is set.
fn ticks_per_second(resolution: u8) -> u64 {
    let (base, power) = if resolution & 0x80 == 0 { (10_u64, resolution) } else { (2, resolution & 0x7f) };
    base.checked_pow(u32::from(power)).unwrap_or(u64::MAX)
}

/// The rest of a section header block: whether what follows is big-endian.
fn section<R: Read>(input: &mut Counted<R>) -> Result<bool, ReadError> {
    let mut head = [0; 8];
    if input.fill(&mut head)? < head.len() {
        return Err(ReadError::Header("it breaks off"));
    }
    let big = match head.last_chunk() {
        Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
        Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
        _ => return Err(ReadError::Header("its section does not say the order of its bytes")),
    };
    let length = u32_at(&head, 0, big).unwrap_or_default();
    if length < 28 || !length.is_multiple_of(4) || length > LARGEST_BLOCK {
        return Err(ReadError::Header("its section header has an impossible length"));
    }
    if !input.skip(u64::from(length) - 12)? {
        return Err(ReadError::Header("it breaks off"));
    }
    Ok(big)
}

/// Order of bytes, and whether fractions are nanoseconds.
fn pcap_magic(magic: [u8; 4]) -> Option<(bool, bool)> {
    Some(match magic {
        [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
        [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
        [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
        [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
        _ => return None,
    })
}

fn u16_at(bytes: &[u8], at: usize, big: bool) -> Option<u16> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}

fn u32_at(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

/// The input, with how much of it was read.
struct Counted<R> {
    input: R,
    count: u64,
}

impl<R: Read> Counted<R> {
    /// As many bytes as there are, up to all of `into`.
    fn fill(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.count += filled as u64;
        Ok(filled)
    }

    /// Exactly `length` bytes in place of what `into` held; false: there are not so many.
    fn take_into(&mut self, length: usize, into: &mut Vec<u8>) -> io::Result<bool> {
        into.clear();
        let read = Read::by_ref(&mut self.input).take(length as u64).read_to_end(into)?;
        self.count += read as u64;
        Ok(read == length)
    }

    fn skip(&mut self, length: u64) -> io::Result<bool> {
        let skipped = io::copy(&mut Read::by_ref(&mut self.input).take(length), &mut io::sink())?;
        self.count += skipped;
        Ok(skipped == length)
    }
}

const NG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const INTERFACE: u32 = 1;
/// Obsolete, and still written by old devices.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
/// Twice what tcpdump takes at most: the largest loopback packets fit.
const LARGEST_PACKET: u32 = 512 << 10;
const LARGEST_BLOCK: u32 = 16 << 20;
const MOST_INTERFACES: usize = 4_096;
