//! UDP sockets for signalling: bound once, read in batches.

use std::{
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

use bytes::Bytes;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// A bound UDP socket.
pub struct UdpListener {
    socket: tokio::net::UdpSocket,
    local: SocketAddr,
}

impl UdpListener {
    /// Binds `address`; port 0 takes any free port. Needs a tokio runtime.
    ///
    /// # Errors
    /// The port is in use, or the address is none of this machine's.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // A burst of calls must fit while the engine is busy; what the system grants below this is good enough.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(RECEIVE_BUFFER_BYTES);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = tokio::net::UdpSocket::from_std(socket.into())?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Ready when a datagram waits.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }

    /// Takes the next datagram that waits; `None` when there is none. `buffer` is scratch space of 64 KiB.
    /// A failed read (an ICMP error of an earlier send) is reported as the error, and reading goes on.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Option<io::Result<(Bytes, SocketAddr)>> {
        match self.socket.try_recv_from(buffer) {
            Ok((length, from)) => Some(Ok((Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default()), from))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Sends one datagram; a full send buffer drops it, as the network would.
    ///
    /// # Errors
    /// The destination can't be reached, or the datagram is too long.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        // Not tokio's own send: that waits for the first readiness event, and a fresh socket's first datagram would be lost.
        match SockRef::from(&self.socket).send_to(bytes, &to.into()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(drop),
        }
    }
}

const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
