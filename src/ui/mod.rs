//! The window: egui widgets that read state and return commands. No I/O here.
