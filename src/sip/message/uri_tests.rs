//! What a URI may look like, and what it may not.

use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn all_parts_of_a_sip_uri() {
    let uri = uri("sip:alice:secret@atlanta.com:5080;transport=tcp;lr?Subject=x%20y&Priority=urgent");
    assert_eq!(uri.scheme(), Scheme::Sip);
    assert_eq!(uri.user(), Some("alice"));
    assert_eq!(uri.password(), Some("secret"));
    assert_eq!(uri.host(), Some(&Host::Name("atlanta.com".into())));
    assert_eq!(uri.port(), Some(5080));
    assert_eq!(uri.param("Transport"), Some("tcp"));
    assert_eq!(uri.param("lr"), Some(""));
    assert_eq!(uri.params_text(), ";transport=tcp;lr");
    assert_eq!(uri.headers().collect::<Vec<_>>(), [("Subject", "x%20y"), ("Priority", "urgent")]);
    assert_eq!(uri.without_headers().to_string(), "sip:alice:secret@atlanta.com:5080;transport=tcp;lr");
}

#[test]
fn parameters_and_headers_are_both_honoured() {
    let uri = uri("sip:h;transport=tcp?X-GA-a=b");
    assert_eq!((uri.param("transport"), uri.headers().collect::<Vec<_>>()), (Some("tcp"), vec![("X-GA-a", "b")]));
}

#[test]
fn the_user_part_may_hold_separators() {
    let weird = uri("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com");
    assert_eq!(weird.user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(weird.host().map(ToString::to_string).as_deref(), Some("example.com"));
    assert_eq!(uri("sip:user;par=u%40example.net@example.com").user(), Some("user;par=u%40example.net"));
    assert_eq!(uri("sip:a.g.bell@bell-tel.com").user(), Some("a.g.bell"));
}

#[test]
fn ipv6_hosts() {
    let ambiguous = uri("sip:[2001:db8::10:5070]");
    assert_eq!((ambiguous.port(), ambiguous.host().and_then(Host::ip)), (None, "2001:db8::10:5070".parse().ok()));
    let plain = uri("sip:[2001:db8::10]:5070;lr");
    assert_eq!((plain.port(), plain.host().and_then(Host::ip)), (Some(5070), "2001:db8::10".parse().ok()));
    assert_eq!(uri("sip:user@[2001:db8:::192.0.2.1]").host().and_then(Host::ip), "2001:db8::192.0.2.1".parse().ok());
    assert_eq!(Uri::parse("sip:2001:db8::10"), Err(UriError::Port));
}

#[test]
fn telephone_numbers() {
    let tel = uri("tel:+1-201-555-0123;phone-context=example.com");
    assert_eq!((tel.scheme(), tel.user(), tel.host()), (Scheme::Tel, Some("+1-201-555-0123"), None));
    assert!(tel.matches(&uri("tel:+12015550123")));
    assert!(!tel.matches(&uri("tel:+12015550124")));
    assert_eq!(Uri::parse("tel:"), Err(UriError::User));
    assert_eq!(Uri::parse("tel:+"), Err(UriError::User));
}

#[test]
fn escapes_come_off_once() {
    assert_eq!(unescape("a%2520b"), "a%20b");
    assert_eq!(unescape("1+2%2B3"), "1+2+3");
    assert_eq!(unescape("%Z1%"), "%Z1%");
    assert_eq!(unescape("%C3%BC%FF"), "ü\u{fffd}");
    assert_eq!(uri("sip:sips%3Auser%40example.com@example.net").user_unescaped().as_deref(), Some("sips:user@example.com"));
}

#[test]
fn what_is_no_uri() {
    for (text, why) in [
        ("", UriError::Scheme),
        ("alice", UriError::Scheme),
        (":a", UriError::Scheme),
        ("1sip:a", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:@h", UriError::User),
        ("sip::pw@h", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a b@h", UriError::Character),
        ("<sip:a@h>", UriError::Scheme),
        ("sip:a@h\r\nX: y", UriError::Character),
        ("sip:a%4@h", UriError::Escape),
        ("sip:a@h;x=%", UriError::Escape),
        ("sip:a@h:", UriError::Port),
        ("sip:a@h:99999", UriError::Port),
        ("sip:a@h:50x", UriError::Trailing),
        ("sip:a@[::1]x", UriError::Trailing),
        ("sip:a@h/x", UriError::Host),
        ("mailto:", UriError::Trailing),
    ] {
        assert_eq!(Uri::parse(text), Err(why), "{text:?}");
    }
}

#[test]
fn other_schemes_are_opaque() {
    let uri = uri("nobodyKnowsThisScheme:totallyopaquecontent");
    assert_eq!((uri.scheme(), uri.scheme_text(), uri.user()), (Scheme::Other, "nobodyKnowsThisScheme", None));
}

#[test]
fn equality_of_19_1_4() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
    ] {
        assert!(uri(a).matches(&uri(b)) && uri(b).matches(&uri(a)), "{a} = {b}");
    }
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtlanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
    ] {
        assert!(!uri(a).matches(&uri(b)) && !uri(b).matches(&uri(a)), "{a} != {b}");
    }
}

proptest::proptest! {
    #[test]
    fn a_look_at_a_uri_says_what_reading_it_says(text in "(sip:|SIP:|sips:|)[+a1.@_:;?%-]{0,12}") {
        let read = Uri::parse(&text).map(|uri| (uri.scheme(), uri.has_headers()));
        proptest::prop_assert_eq!(Uri::check(&text), read);
    }
}
