//! SetConsoleCtrlHandler().

use std::io;

use windows_sys::Win32::System::Console as console;

/// Ctrl-C.
pub const CTRL_C_EVENT: u32 = console::CTRL_C_EVENT;

/// What the system calls, on a thread that it makes for it: with the event, for the answer whether that
/// was all (1), or others shall be asked (0).
pub type Handler = extern "system" fn(u32) -> i32;

/// SetConsoleCtrlHandler(): calls `handler` from now on, and before those that were there.
///
/// # Errors
///
/// What the system says; it has no reason to.
pub fn set_console_ctrl_handler(handler: Handler) -> io::Result<()> {
    // SAFETY: the handler is a function, and so there for ever; what it does is safe on any thread.
    match unsafe { console::SetConsoleCtrlHandler(Some(handler), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
