//! TCP for signalling: listeners, connections, and one task for each connection.
//!
//! Everything that happens on any connection arrives on one bounded channel as [`TcpEvent`]; writing is a
//! bounded queue per connection. A peer that does not read loses its connection, never the engine's time.

use std::{collections::HashMap, io, net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

/// Names one connection for as long as the program runs.
pub type ConnectionNumber = u64;

#[derive(Debug)]
pub enum TcpEvent {
    Opened {
        connection: ConnectionNumber,
        local: SocketAddr,
        remote: SocketAddr,
        incoming: bool,
    },
    Bytes {
        connection: ConnectionNumber,
        bytes: Bytes,
    },
    /// A connection that we opened could not be: nothing that was queued on it was sent.
    ConnectFailed {
        connection: ConnectionNumber,
        remote: SocketAddr,
        error: io::Error,
    },
    Closed {
        connection: ConnectionNumber,
    },
}

/// What a TCP endpoint may hold (see the safe defaults in ARCHITECTURE.md).
#[derive(Debug, Clone)]
pub struct TcpLimits {
    pub connections: usize,
    pub connections_per_address: usize,
    pub idle: Duration,
    pub connect: Duration,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self { connections: 512, connections_per_address: 16, idle: Duration::from_secs(120), connect: Duration::from_secs(4) }
    }
}

/// All TCP connections of one party.
pub struct TcpPool {
    events: mpsc::Sender<TcpEvent>,
    accepted: mpsc::Receiver<(TcpStream, SocketAddr)>,
    accepts: mpsc::Sender<(TcpStream, SocketAddr)>,
    listeners: Vec<(SocketAddr, JoinHandle<()>)>,
    connections: HashMap<ConnectionNumber, Connection>,
    limits: TcpLimits,
    next: ConnectionNumber,
}

struct Connection {
    remote: SocketAddr,
    outgoing: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
}

impl TcpPool {
    /// An empty pool and the channel on which its events arrive.
    pub fn new(limits: TcpLimits) -> (Self, mpsc::Receiver<TcpEvent>) {
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let (accepts, accepted) = mpsc::channel(16);
        (Self { events, accepted, accepts, listeners: Vec::new(), connections: HashMap::new(), limits, next: 1 }, receiver)
    }

    /// Listens on `address`; port 0 takes any free port. Returns the address that was taken.
    ///
    /// # Errors
    /// The port is in use, or the address is none of this machine's.
    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // After a restart the port must be free at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(128)?;
        let local = listener.local_addr()?;
        self.listeners.push((local, tokio::spawn(accept_loop(listener, self.accepts.clone()))));
        Ok(local)
    }

    /// The next connection that a listener took. It is either adopted or dropped (over a limit).
    pub fn poll_accepted(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<(TcpStream, SocketAddr)>> {
        self.accepted.poll_recv(cx)
    }

    /// Adopts an accepted connection, unless a limit forbids it.
    pub fn adopt(&mut self, stream: TcpStream, remote: SocketAddr) -> Option<ConnectionNumber> {
        if self.is_full(remote) {
            return None;
        }
        let number = self.number();
        let (outgoing, queue) = mpsc::channel(WRITE_QUEUE);
        let task = tokio::spawn(serve(number, stream, remote, true, queue, self.events.clone(), self.limits.idle));
        self.connections.insert(number, Connection { remote, outgoing, task });
        Some(number)
    }

    /// Opens a connection to `remote`; what is sent on it before it is open is queued.
    pub fn connect(&mut self, remote: SocketAddr) -> Option<ConnectionNumber> {
        if self.connections.len() >= self.limits.connections {
            return None;
        }
        let number = self.number();
        let (outgoing, queue) = mpsc::channel(WRITE_QUEUE);
        let (events, limits) = (self.events.clone(), self.limits.clone());
        let task = tokio::spawn(async move {
            match timeout(limits.connect, TcpStream::connect(remote)).await {
                Ok(Ok(stream)) => serve(number, stream, remote, false, queue, events, limits.idle).await,
                Ok(Err(error)) => fail(number, remote, error, &events).await,
                Err(_) => fail(number, remote, io::ErrorKind::TimedOut.into(), &events).await,
            }
        });
        self.connections.insert(number, Connection { remote, outgoing, task });
        Some(number)
    }

    /// A connection to `remote` that is open or being opened.
    pub fn to(&self, remote: SocketAddr) -> Option<ConnectionNumber> {
        self.connections.iter().filter(|(_, c)| c.remote == remote).map(|(n, _)| *n).max()
    }

    pub fn is_open(&self, connection: ConnectionNumber) -> bool {
        self.connections.contains_key(&connection)
    }

    /// Queues bytes on a connection. `false`: there is no such connection, or its peer does not read.
    pub fn send(&mut self, connection: ConnectionNumber, bytes: Bytes) -> bool {
        let sent = self.connections.get(&connection).is_some_and(|c| c.outgoing.try_send(bytes).is_ok());
        if !sent {
            self.close(connection);
        }
        sent
    }

    /// Ends a connection at once.
    pub fn close(&mut self, connection: ConnectionNumber) {
        if let Some(gone) = self.connections.remove(&connection) {
            gone.task.abort();
        }
    }

    /// To be called with every [`TcpEvent`] that says that a connection is gone.
    pub fn forget(&mut self, connection: ConnectionNumber) {
        self.connections.remove(&connection);
    }

    fn number(&mut self) -> ConnectionNumber {
        self.next += 1;
        self.next
    }

    fn is_full(&self, remote: SocketAddr) -> bool {
        // Many test programs share 127.0.0.1: the limit per address is against strangers.
        let same = self.connections.values().filter(|c| c.remote.ip() == remote.ip()).count();
        self.connections.len() >= self.limits.connections || (!remote.ip().is_loopback() && same >= self.limits.connections_per_address)
    }
}

impl Drop for TcpPool {
    fn drop(&mut self) {
        self.listeners.iter().for_each(|(_, task)| task.abort());
        self.connections.values().for_each(|c| c.task.abort());
    }
}

async fn accept_loop(listener: TcpListener, accepts: mpsc::Sender<(TcpStream, SocketAddr)>) {
    loop {
        match listener.accept().await {
            Ok(accepted) => {
                if accepts.send(accepted).await.is_err() {
                    return;
                }
            }
            // A connection that died in the queue: others may still come. Out of file descriptors: the same error
            // comes at once again, and asking without a pause would take the engine's thread.
            Err(_) => sleep_until(Instant::now() + ACCEPT_PAUSE).await,
        }
    }
}

/// Reads and writes one connection until it ends, is idle for too long, or its peer stops reading.
async fn serve(
    number: ConnectionNumber,
    stream: TcpStream,
    remote: SocketAddr,
    incoming: bool,
    mut queue: mpsc::Receiver<Bytes>,
    events: mpsc::Sender<TcpEvent>,
    idle: Duration,
) {
    let _ = stream.set_nodelay(true);
    if let Ok(local) = stream.local_addr()
        && events.send(TcpEvent::Opened { connection: number, local, remote, incoming }).await.is_ok()
    {
        let (mut reader, mut writer) = stream.into_split();
        let mut buffer = BytesMut::with_capacity(READ_BUFFER);
        loop {
            buffer.reserve(READ_BUFFER / 2);
            tokio::select! {
                read = timeout(idle, reader.read_buf(&mut buffer)) => match read {
                    Ok(Ok(length)) if length > 0 => {
                        let event = TcpEvent::Bytes { connection: number, bytes: buffer.split().freeze() };
                        if events.send(event).await.is_err() {
                            break;
                        }
                    }
                    _ => break,
                },
                next = queue.recv() => {
                    let Some(bytes) = next else { break };
                    if !matches!(timeout(WRITE_PATIENCE, writer.write_all(&bytes)).await, Ok(Ok(()))) {
                        break;
                    }
                }
            }
        }
    }
    let _ = events.send(TcpEvent::Closed { connection: number }).await;
}

async fn fail(connection: ConnectionNumber, remote: SocketAddr, error: io::Error, events: &mpsc::Sender<TcpEvent>) {
    let _ = events.send(TcpEvent::ConnectFailed { connection, remote, error }).await;
}

/// How long a listener rests after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const EVENT_QUEUE: usize = 1024;
const WRITE_QUEUE: usize = 256;
const READ_BUFFER: usize = 16 << 10;
/// A peer that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
