//! SIP in a pcap or pcapng file: over UDP, and over TCP put back in order.

use std::time::Duration;

use pcap_file::{
    DataLink,
    pcap::PcapReader,
    pcapng::{Block, PcapNgReader, blocks::interface_description::InterfaceDescriptionOption},
};

use super::{packets::Packets, report::Wired};

/// By the first four bytes.
pub fn is_one(bytes: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 5] =
        [[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4], [0x4d, 0x3c, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], [0x0a, 0x0d, 0x0d, 0x0a]];
    MAGIC.iter().any(|m| bytes.starts_with(m))
}

/// The SIP messages in their order, and how many packets were something else.
///
/// # Errors
/// One sentence: it is broken from its beginning on. A capture that breaks off later is read until there.
pub fn read(bytes: &[u8]) -> Result<(Vec<Wired>, usize), String> {
    let mut packets = Packets::default();
    let read = if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) { pcapng(bytes, &mut packets) } else { pcap(bytes, &mut packets) };
    let (messages, others) = packets.finish();
    match read {
        Err(why) if messages.is_empty() && others == 0 => Err(format!("this capture can't be read: {why}")),
        _ => Ok((messages, others)),
    }
}

fn pcap(bytes: &[u8], packets: &mut Packets) -> Result<(), String> {
    let mut reader = PcapReader::new(bytes).map_err(|e| e.to_string())?;
    let (link, resolution) = (reader.header().datalink, reader.header().ts_resolution);
    while let Some(packet) = reader.next_raw_packet() {
        let packet = packet.map_err(|e| e.to_string())?;
        let fraction = match resolution {
            pcap_file::TsResolution::MicroSecond => u64::from(packet.ts_frac),
            pcap_file::TsResolution::NanoSecond => u64::from(packet.ts_frac) / 1_000,
        };
        packets.add(u64::from(packet.ts_sec) * 1_000_000 + fraction, u32::from(link), &packet.data);
    }
    Ok(())
}

fn pcapng(bytes: &[u8], packets: &mut Packets) -> Result<(), String> {
    let mut reader = PcapNgReader::new(bytes).map_err(|e| e.to_string())?;
    // Of each interface: its link type, and its ticks a second.
    let mut interfaces: Vec<(DataLink, u64)> = Vec::new();
    let mut last = 0;
    while let Some(block) = reader.next_block() {
        match block.map_err(|e| e.to_string())? {
            Block::SectionHeader(_) => interfaces.clear(),
            Block::InterfaceDescription(interface) => {
                let resolution =
                    interface.options.iter().find_map(|o| if let InterfaceDescriptionOption::IfTsResol(r) = o { Some(*r) } else { None });
                interfaces.push((interface.linktype, ticks_per_second(resolution.unwrap_or(6))));
            }
            Block::EnhancedPacket(packet) => {
                let Some((link, ticks)) = interfaces.get(packet.interface_id as usize) else { continue };
                last = micros(packet.timestamp, *ticks);
                packets.add(last, u32::from(*link), &packet.data);
            }
            // It has no time of its own.
            Block::SimplePacket(packet) => {
                let Some((link, _)) = interfaces.first() else { continue };
                packets.add(last, u32::from(*link), &packet.data);
            }
            // Names, statistics and the like hold no packets.
            _ => {}
        }
    }
    Ok(())
}

/// if_tsresol: a power of 10, or of 2 where the highest bit is set.
fn ticks_per_second(resolution: u8) -> u64 {
    let (base, power) = if resolution & 0x80 == 0 { (10_u64, resolution) } else { (2, resolution & 0x7f) };
    base.checked_pow(u32::from(power)).unwrap_or(u64::MAX)
}

/// The reader takes all ticks for nanoseconds, whatever the interface says.
fn micros(timestamp: Duration, ticks_per_second: u64) -> u64 {
    let ticks = timestamp.as_nanos();
    u64::try_from(ticks * 1_000_000 / u128::from(ticks_per_second.max(1))).unwrap_or(u64::MAX)
}
