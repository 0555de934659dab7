//! Any bytes as the body of a create: refused with a cause, or taken with nothing in it that could end a header.
#![no_main]

use handback::{contract::new_transfer, model::settings::NumberRange};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let pools = [NumberRange { country: "US".into(), first: 19_995_550_100, last: 19_995_550_199 }];
    match new_transfer::read(body, &pools) {
        Ok(new) => {
            assert!((1..=255).contains(&new.id.chars().count()));
            let context = new.input_context.unwrap_or_default();
            let texts = context.input_variables.iter().flat_map(|(name, value)| [name, value]).chain(&context.task_name);
            assert!(texts.chain([&new.id, &new.external_conversation_id]).all(|text| !text.chars().any(char::is_control)));
        }
        Err(fault) => assert!(matches!(fault.cause.status(), 400 | 422) && !fault.message.is_empty()),
    }
});
