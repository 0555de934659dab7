//! A ladder of messages between any addresses, as a capture holds them: nobody says who is who.

use std::{collections::HashSet, fmt::Write as _, net::SocketAddr};

use super::{
    chart::{Chart, clock},
    gist,
};
use crate::model::Timestamp;

/// One message between two addresses.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    pub at: Timestamp,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: &'a [u8],
}

/// All messages on one time axis, a column for each address in the order in which they appear.
pub fn of_hops(hops: &[Hop<'_>]) -> String {
    let mut columns: Vec<String> = Vec::new();
    for by_port in [true, false] {
        columns.clear();
        for address in hops.iter().flat_map(|h| [h.source, h.destination]) {
            let name = column_name(address, by_port);
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        // Connections from ports of the moment would make a column each: then a host is a column.
        if columns.len() <= MOST_COLUMNS {
            break;
        }
    }
    let by_port = columns.iter().any(|c| c.parse::<SocketAddr>().is_ok());
    columns.truncate(MOST_COLUMNS);
    let place = |address: SocketAddr| {
        let name = column_name(address, by_port);
        columns.iter().position(|c| *c == name).unwrap_or(columns.len().saturating_sub(1))
    };

    let chart = Chart::new(columns.iter().map(|c| (String::new(), c.clone())).collect());
    let mut out = String::new();
    chart.draw_head(&mut out);
    let begin = hops.first().map(|h| h.at).unwrap_or_default();
    let mut seen = HashSet::new();
    for hop in hops {
        let again = !seen.insert((hop.source, hop.destination, hop.bytes));
        let row = chart.arrow(place(hop.source), place(hop.destination), &gist(hop.bytes), again);
        let _ = writeln!(out, "{}{row}", clock(begin, hop.at));
    }
    out
}

fn column_name(address: SocketAddr, by_port: bool) -> String {
    if by_port { address.to_string() } else { address.ip().to_string() }
}

const MOST_COLUMNS: usize = 5;
