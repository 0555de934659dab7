//! URIs and name-addrs: what is read is shown exactly as it was, and a URI is equal to itself.
#![no_main]

use handback::sip::message::{NameAddr, Uri, Via, unescape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = unescape(text);
    let _ = Via::parse(text);
    if let Ok(address) = NameAddr::parse(text) {
        let _ = (address.tag(), &address.display);
        look(&address.uri);
    }
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(uri.to_string(), text);
        look(&uri);
    }
});

fn look(uri: &Uri) {
    assert!(uri.matches(uri), "{uri} is equal to itself");
    let _ = (uri.user(), uri.password(), uri.host(), uri.port(), uri.param("transport"), uri.params_text());
    uri.headers().for_each(drop);
    let bare = uri.without_headers();
    assert_eq!(bare.headers().count(), 0);
    Uri::parse(&bare.to_string()).expect("a URI without its headers is a URI");
}
