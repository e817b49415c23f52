//! ui_resident
