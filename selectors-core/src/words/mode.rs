//! How often a condition that lasts is reported.

/// The trigger mode of a key. Level is the contract and works everywhere; the others are
/// [`Capabilities`](crate::Capabilities) of a backend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Reported by every `select` for as long as it holds.
    #[default]
    Level,
    /// Reported when it begins, or when more arrives; drain until `WouldBlock` before waiting.
    Edge,
    /// Reported once; then the key is silent until `modify` arms it again.
    Oneshot,
    /// Both: reported once and only at a change; `modify` arms it again and looks anew.
    EdgeOneshot,
}

impl Mode {
    /// Whether only changes are reported.
    #[must_use]
    pub const fn is_edge(self) -> bool {
        matches!(self, Mode::Edge | Mode::EdgeOneshot)
    }

    /// Whether the key falls silent after one report.
    #[must_use]
    pub const fn is_oneshot(self) -> bool {
        matches!(self, Mode::Oneshot | Mode::EdgeOneshot)
    }
}
