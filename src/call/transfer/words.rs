//! What a transfer is told, and what it wants done.

use crate::{
    call::handback::{AgentPart, ReturnOrder},
    model::{CallEvent, ClaimRefusal, Claimed, Ended, Keep, Missed},
};

/// What happens to a transfer.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The call transfer is ONGOING for this call.
    Claimed(Box<Claimed>),
    ClaimRefused(ClaimRefusal),
    /// The customer's leg has a port for its sound.
    PortReady,
    /// What the agent hands back is kept; not `stored`: the disk refuses for now.
    Kept {
        stored: bool,
    },
    /// The agent's phone rings; `early` where it already has sound to be heard.
    AgentRings {
        code: u16,
        early: bool,
    },
    AgentAnswered,
    /// The agent can't be had, or is lost.
    AgentFailed(Ended),
    /// The agent has done its part, by BYE or by REFER (its leg then waits for the verdict).
    AgentDone {
        part: AgentPart,
        waits: bool,
    },
    /// The agent's leg is gone after its part, or was told to go.
    AgentLeft,
    /// The customer's ACK.
    CustomerReady,
    CustomerLeft(Ended),
    /// A digit from the customer.
    Digit(char),
    /// So many seconds without sound from the customer.
    Silence(f64),
    ReferAnswered {
        code: u16,
        reason: String,
    },
    /// `code`: what the sipfrag said, if there was one to read.
    Notified {
        said: Option<(u16, String)>,
        terminated: bool,
    },
    /// Our own return point has taken the call that a REFER asked for.
    TakenBack,
    ReturnRings {
        code: u16,
        reason: String,
    },
    ReturnAnswered {
        code: u16,
        reason: String,
    },
    /// The return leg was refused, or is gone.
    ReturnLeft(Ended),
    /// The operator, being the agent, takes the call.
    OperatorAnswers,
    /// It does not, or is gone altogether.
    OperatorDeclines(Missed),
    OperatorHolds(bool),
    OperatorReturns(ReturnOrder),
    OperatorHangsUp,
    /// The deadline has come.
    Timeout,
}

/// What a transfer wants done, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Tell(CallEvent),
    /// Has a port opened for the customer's sound.
    TakePort,
    /// Refuses the customer's INVITE.
    Refuse {
        code: u16,
        why: ClaimRefusal,
    },
    /// Makes what the agent hands back durable.
    Keep(Box<Keep>),
    InviteAgent,
    RingCustomer {
        code: u16,
        early: bool,
    },
    AnswerCustomer,
    /// Plays the script's prompt to the customer and watches for silence.
    StartScript,
    StopScript,
    BridgeAgent,
    /// The call waits for the operator; `answered` where the customer's leg is up already, `tone` where we make the ringing.
    RingOperator {
        answered: bool,
        tone: bool,
    },
    /// The operator talks with the customer.
    OperatorOn,
    /// The operator's part is over.
    OperatorOff,
    HoldCustomer {
        on: bool,
    },
    SendRefer {
        refer_to: String,
    },
    InviteReturn {
        uri: String,
        headers: Vec<(String, String)>,
    },
    /// Customer and return leg hear each other; both directions stay tapped.
    BridgeReturn,
    /// The agent that waits for a verdict gets it.
    TellAgent {
        code: u16,
        reason: String,
    },
    HangUpAgent,
    HangUpReturn,
    HangUpCustomer,
}
