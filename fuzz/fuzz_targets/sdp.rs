//! SDP: any body as an offer and as an answer, in one session after the other; what we say is SDP.
#![no_main]

use handback::sip::sdp::{LocalMedia, SdpSession, SessionDescription};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bodies: (&[u8], &[u8])| {
    let (first, second) = bodies;
    if let Ok(description) = SessionDescription::parse(first) {
        for media in &description.media {
            let _ = (description.remote(media), description.remote_rtcp(media), description.direction(media));
            media.rtp_formats().for_each(drop);
        }
    }
    let local = LocalMedia::new([127, 0, 0, 1].into(), 40_000);
    let mut session = SdpSession::new(7);
    if let Ok((answer, agreed)) = session.answer(first, &local) {
        SessionDescription::parse(&answer).expect("our answer is SDP");
        let _ = agreed.held_by_peer();
    }
    let offer = session.offer(&local);
    SessionDescription::parse(&offer).expect("our offer is SDP");
    let _ = session.take_answer(second);
    if let Ok((answer, _)) = session.answer(second, &local) {
        SessionDescription::parse(&answer).expect("our answer is SDP");
    }
});
