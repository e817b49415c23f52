//! ui_staff
