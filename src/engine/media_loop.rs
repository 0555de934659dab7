//! tmp
use super::clock::Clock;
use crate::media::*;
use crate::model::RtpPacket;
use std::{io, net::IpAddr, ops::RangeInclusive};
use tokio::sync::{mpsc, oneshot};
pub struct MediaHandle;
pub enum MediaReport {
    Event(MediaEvent),
    PortsOpened(Vec<u16>),
}
impl MediaHandle {
    pub fn send(&mut self, _c: MediaCommand) {}
    pub fn open_ports(&mut self, _n: usize) {}
    pub fn stop(&mut self) {}
    pub fn packets_of(&mut self, _streams: &[StreamId], answer: oneshot::Sender<Vec<RtpPacket>>) {
        let _ = answer.send(Vec::new());
    }
}
pub fn start(
    _name: &'static str,
    _address: IpAddr,
    _ports: RangeInclusive<u16>,
    _clock: Clock,
) -> io::Result<(MediaHandle, mpsc::Receiver<MediaReport>)> {
    let (tx, rx) = mpsc::channel(1);
    std::mem::forget(tx);
    Ok((MediaHandle, rx))
}
