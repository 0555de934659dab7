//! Refer-To: any value is decoded, and what we encode is decoded to what was meant, within 1,024 characters.
#![no_main]

use handback::{
    contract::payload::{LIMIT, Return, decode, encode},
    model::{Outcome, PayloadPart, Variables},
};
use libfuzzer_sys::fuzz_target;

type Pairs = Vec<(String, String)>;

fuzz_target!(|input: (String, bool, Option<String>, Pairs, Pairs)| {
    let (text, system, conversation, transfer, reference) = input;
    let _ = decode(&text);

    let transfer: Variables = transfer.into_iter().collect();
    let reference: Variables = reference.into_iter().collect();
    let outcome = if system { Outcome::System } else { Outcome::Agent };
    let what = Return {
        return_uri: "sip:transfer@example.com;user=phone?Subject=kept",
        ext_conversation_id: conversation.as_deref(),
        outcome,
        transfer: &transfer,
        reference: &reference,
    };
    let Ok(payload) = encode(&what) else { return };
    assert!(payload.used <= LIMIT);
    assert!(payload.refer_to.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "no control and no raw UTF-8: {}", payload.refer_to);
    let decoded = decode(&payload.refer_to);
    let sent = |part| payload.items.iter().filter(move |item| item.part == part).map(|item| item.value.as_str());
    assert_eq!(decoded.outcome.map(Outcome::wire), sent(PayloadPart::Outcome).next());
    // An escaped control is taken for an injection by a careful reader; everything else comes back as it was.
    let plain: Vec<_> = payload.items.iter().filter(|item| !item.value.chars().any(char::is_control)).collect();
    let back: Vec<_> = decoded.payload.items.iter().filter(|item| plain.iter().any(|there| there.parameter == item.parameter)).collect();
    assert_eq!(back.len(), plain.len(), "{}", payload.refer_to);
    for (there, back) in plain.into_iter().zip(back) {
        assert_eq!((&there.parameter, there.part, there.cost), (&back.parameter, back.part, back.cost));
        if there.value.trim() == there.value {
            assert_eq!(there.value, back.value, "{}", payload.refer_to);
        }
    }
});
