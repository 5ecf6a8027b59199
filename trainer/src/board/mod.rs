//! Boards as the host sees them: build, boot, talk over the link.
