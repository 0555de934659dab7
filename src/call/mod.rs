//! The switch, pure: admission, context, agent, bridge, return.
//!
//! | file | what |
//! | --- | --- |
//! | [`admission`] | who may call (contract §1) |
//! | [`throttle`] | who is answered at all |
//! | [`script_run`] | the scripted agent |

pub mod admission;
pub mod script_run;
mod switch;
pub mod throttle;

pub use switch::{Switch, SwitchSetup};
