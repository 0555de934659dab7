//! Names to addresses (the network half of RFC 3263: SRV, then A and AAAA).

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::{
    TokioResolver,
    proto::rr::{RData, RecordType},
};

/// One look-up, as the pure half asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    pub host: String,
    /// An explicit port skips SRV (RFC 3263 §4.2).
    pub port: Option<u16>,
    /// SRV names to try in this order, each with the label of its transport, for example `("udp", "_sip._udp.example.com")`.
    pub services: Vec<(&'static str, String)>,
    /// Used where no SRV record exists.
    pub default_transport: &'static str,
    pub default_port: u16,
}

/// Asks the system's resolver, `/etc/hosts` included. An empty answer means that the name does not resolve.
pub async fn resolve(lookup: Lookup) -> Vec<(&'static str, SocketAddr)> {
    let mut found = Vec::new();
    if lookup.port.is_none()
        && let Some(resolver) = system_resolver()
    {
        for (transport, service) in &lookup.services {
            for (host, port) in srv(&resolver, service).await {
                found.extend(addresses(&host, port).await.into_iter().map(|address| (*transport, address)));
            }
        }
    }
    if found.is_empty() {
        let port = lookup.port.unwrap_or(lookup.default_port);
        found.extend(addresses(&lookup.host, port).await.into_iter().map(|address| (lookup.default_transport, address)));
    }
    found.truncate(MOST_TARGETS);
    found
}

fn system_resolver() -> Option<TokioResolver> {
    TokioResolver::builder_tokio().ok()?.build().ok()
}

/// The service's hosts in the order of RFC 2782: lowest priority first, and within it heavier ones first.
async fn srv(resolver: &TokioResolver, service: &str) -> Vec<(String, u16)> {
    let Ok(answer) = resolver.lookup(service, RecordType::SRV).await else { return Vec::new() };
    let mut records: Vec<_> = answer
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(srv) => Some((srv.priority, u16::MAX - srv.weight, srv.target.to_utf8(), srv.port)),
            _ => None,
        })
        .collect();
    records.sort();
    records.into_iter().map(|(_, _, host, port)| (host.trim_end_matches('.').to_owned(), port)).collect()
}

/// A and AAAA through the system's own resolver, so that `/etc/hosts` counts.
async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return vec![SocketAddr::new(ip, port)];
    }
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((bare, port))).await {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
const MOST_TARGETS: usize = 8;
