//! Messages to systemd for a service of `Type=notify` (`sd_notify(3)`). The only file that names
//! `sd_notify`.
//!
//! Without `$NOTIFY_SOCKET` nothing is sent. A service manager that does not listen stops no pass.

use std::time::Duration;

use sd_notify::NotifyState;

/// The first passes have ended.
pub(crate) fn tell_ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub(crate) fn tell_status(line: &str) {
    let _ = sd_notify::notify(&[NotifyState::Status(line)]);
}

/// Everything goes on.
pub(crate) fn tell_alive() {
    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
}

/// How often [`tell_alive`] is expected: half of `WatchdogSec=`, as `sd_watchdog_enabled(3)` advises.
#[must_use]
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}
