//! What is wrong or risky in a message or a call.
