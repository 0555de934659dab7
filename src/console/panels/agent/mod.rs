//! The place *Agent*: calls that wait for the operator, the talk, what goes back, and the wrap-up.

mod act;
pub mod data;
mod hand_back;
mod state;
mod ui;
pub mod voice;

pub use act::Act;
pub use state::{Edit, State};
pub use ui::{AgentView, agent_ui, ringing_ui};
