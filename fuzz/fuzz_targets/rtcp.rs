//! RTCP: any compound packet is read or refused, and the report that we write next is one that we read ourselves.
#![no_main]

use handback::media::{
    jitter::Report,
    rtcp::{Outline, Reports, Sent},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packets: Vec<(u64, &[u8])>| {
    let mut reports = Reports::default();
    let mut ntp = 1 << 32;
    for (later, bytes) in packets {
        ntp = u64::wrapping_add(ntp, later);
        reports.handle_packet(ntp, 7, bytes);
        let received = Report { ssrc: 9, fraction_lost: later as u8, lost: later as i32, highest: later as u32, jitter: later as u32 };
        for sent in [None, Some(Sent { timestamp: 1, packets: later, bytes: later })] {
            let mut into = [0; 256];
            let length =
                reports.write(ntp, &Outline { ssrc: 7, cname: "fuzz", sent, received: Some(received), bye: later % 2 == 0 }, &mut into);
            assert!(length > 0, "there is room");
            assert!(Reports::default().handle_packet(ntp, 9, &into[..length]), "we read what we write");
        }
    }
});
