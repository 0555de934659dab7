//! Sample call transfers, one in each status.

use std::sync::Arc;

use super::{NOON, WITH_AGENT};
use crate::console::{ApiAnswer, TransfersView};
use crate::model::{
    CallTransfer, InputContext, Outcome, OutputContext, PoolFigures, ReturnMethod, SipReturn, Timestamp, TransferStatus, TransferTarget,
};

/// The API is served, and nothing was made yet.
pub fn empty() -> Arc<TransfersView> {
    Arc::new(TransfersView {
        url: "http://127.0.0.1:8080".to_owned(),
        key_id: "demo".to_owned(),
        transfers: Arc::default(),
        pools: vec![PoolFigures { country: "US".to_owned(), total: 100, leased: 1 }].into(),
    })
}

pub fn filled() -> Arc<TransfersView> {
    let number = transfer("t-104", 12, TransferTarget::PhoneNumber { country: "US".to_owned() });
    let refer = SipReturn { method: ReturnMethod::Refer, uri: Some("sip:transfer@your-company.com".to_owned()), auth: None };
    let ongoing = transfer("t-103", 41, TransferTarget::Sip(refer));
    let completed = transfer("t-102", 300, TransferTarget::Sip(SipReturn::default()));
    let output = OutputContext {
        transfer_type: Outcome::System,
        current_task_name: Some("call_routing".to_owned()),
        reference_variables: [("account_balance".to_owned(), "1250.00".to_owned())].into_iter().collect(),
        transfer_variables: [("next_action".to_owned(), "schedule_callback".to_owned())].into_iter().collect(),
    };
    let at = |secs: u64| Some(Timestamp(NOON + secs * 1_000_000));
    let transfers = [
        CallTransfer { number: Some("+19995550100".to_owned()), ..number },
        CallTransfer { status: TransferStatus::Ongoing, call_received_at: at(21), call: Some(WITH_AGENT), ..ongoing },
        CallTransfer {
            status: TransferStatus::Completed,
            call_received_at: at(1),
            completed_at: at(40),
            output_context: Some(output),
            ..completed
        },
        CallTransfer { status: TransferStatus::Expired, ..transfer("t-101", 600, TransferTarget::Sip(SipReturn::default())) },
    ];
    Arc::new(TransfersView { transfers: transfers.into_iter().map(Arc::new).collect(), ..(*empty()).clone() })
}

/// The list with one more.
pub fn with(view: &TransfersView, id: &str) -> Arc<TransfersView> {
    let new = Arc::new(transfer(id, 0, TransferTarget::Sip(SipReturn::default())));
    let transfers = std::iter::once(new).chain(view.transfers.iter().cloned()).collect();
    Arc::new(TransfersView { transfers, ..view.clone() })
}

/// As the API answers: the same id twice is a conflict.
pub fn answer(view: &TransfersView, body: &str) -> ApiAnswer {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let id = body["id"].as_str().unwrap_or_default();
    if view.transfers.iter().any(|transfer| transfer.id == id) {
        let message = format!("There is a call transfer {id:?} already: an id is for one attempt");
        return ApiAnswer { status: 409, line: "409-01".to_owned(), message };
    }
    ApiAnswer { status: 200, line: "200 OK".to_owned(), message: id.to_owned() }
}

fn transfer(id: &str, secs_ago: u64, target: TransferTarget) -> CallTransfer {
    // The sample's snapshot was taken a minute after noon.
    let created_at = Timestamp(NOON + 62_500_000 - secs_ago * 1_000_000);
    CallTransfer {
        id: id.to_owned(),
        external_conversation_id: "conv-12345".to_owned(),
        status: TransferStatus::Active,
        created_at,
        expires_at: Timestamp(created_at.0 + 60_000_000),
        call_received_at: None,
        completed_at: None,
        target,
        number: None,
        input_context: Some(InputContext {
            task_name: Some("call_routing".to_owned()),
            input_variables: [("accountNumber".to_owned(), "3434".to_owned())].into_iter().collect(),
        }),
        output_context: None,
        call: None,
        interrupted: false,
    }
}
