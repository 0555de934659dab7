//! HTTP, thin: control.
