//! An HTTP/1.1 server for strangers: connections bounded in number, heads in size and time.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};

/// Who sent a request, by the packets' source; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// Listens on `listen` (port 0: any free one), and serves `router` on a thread of its own until the program ends.
///
/// # Errors
/// The port is in use, or the address is none of this machine's, or there is no thread to be had.
pub(super) fn start(listen: SocketAddr, name: &str, router: Router) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, router).await,
                Err(error) => tracing::error!(%error, "an HTTP server can't listen"),
            }
        });
    })?;
    Ok(address)
}

async fn accept(listener: TcpListener, router: Router) {
    let open = Open::default();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: to ask again at once would only burn the processor.
                tracing::warn!(%error, "an HTTP connection can't be taken");
                tokio::time::sleep_until(tokio::time::Instant::now() + REST).await;
                continue;
            }
        };
        match open.one_more(peer.ip()) {
            Some(place) => {
                tokio::spawn(serve(stream, place, router.clone()));
            }
            None => tracing::debug!(%peer, "too many HTTP connections: this one is closed"),
        }
    }
}

async fn serve(stream: TcpStream, place: Place, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = Connection { inner: TowerToHyperService::new(router), peer: Peer(place.peer) };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, peer = %place.peer, "an HTTP connection ended badly");
    }
}

/// The router, told who asks.
struct Connection {
    inner: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Connection {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.inner.call(request)
    }
}

/// The connections that are open, by address.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them, until it is dropped.
struct Place {
    peer: IpAddr,
    open: Open,
}

impl Open {
    /// `None`: there are enough, of all or of this address.
    fn one_more(&self, peer: IpAddr) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = open.get(&peer).copied().unwrap_or_default();
        if open.values().sum::<usize>() >= CONNECTIONS || of_peer >= CONNECTIONS_OF_ONE {
            return None;
        }
        open.insert(peer, of_peer + 1);
        Some(Place { peer, open: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

const CONNECTIONS: usize = 1024;
/// A proxy in front makes every client one address.
const CONNECTIONS_OF_ONE: usize = 512;
/// For a whole head, and for a connection that is kept open and says nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_BYTES: usize = 16 << 10;
const REST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_in_all_and_by_address() {
        let open = Open::default();
        let [first, second, third] = [1, 2, 3].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut places: Vec<Place> = (0..CONNECTIONS_OF_ONE).map(|_| open.one_more(first).expect("a place")).collect();
        assert!(open.one_more(first).is_none(), "one address has its share");
        places.extend((0..CONNECTIONS - CONNECTIONS_OF_ONE).map(|_| open.one_more(second).expect("a place")));
        assert!(open.one_more(third).is_none(), "all are taken");
        places.pop();
        assert!(open.one_more(third).is_some());
        drop(places);
        assert!(open.0.lock().expect("no panic").is_empty());
    }
}
