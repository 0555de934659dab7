//! Calls as text, captures and JSON.
