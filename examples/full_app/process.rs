//! What every process shows its operator: memory, files, time, tasks. Linux says so in `/proc`; elsewhere only the start and the tasks are known.

use std::{
    fs,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::runtime::Handle;

/// The unit of times in `/proc`: the same on every Linux that Rust runs on, whatever the kernel's own.
const TICKS_PER_SECOND: u64 = 100;

static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

/// Says what the numbers mean; the process counts as started now.
pub(crate) fn describe() {
    LazyLock::force(&STARTED);
    describe_gauge!("process_start_time_seconds", "When the process started, since 1970.");
    describe_gauge!("process_resident_memory_bytes", "Memory that is resident.");
    describe_gauge!("process_open_fds", "Descriptors that are open.");
    describe_gauge!("process_max_fds", "Descriptors that may be open.");
    describe_counter!("process_cpu_seconds_total", "Processor time, whole seconds.");
    describe_gauge!("full_app_tasks", "Tasks that have not ended.");
}

/// Takes the numbers of now, within the runtime.
pub(crate) fn observe() {
    gauge!("full_app_tasks").set(Handle::current().metrics().num_alive_tasks() as f64);
    let started = STARTED.duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!("process_start_time_seconds").set(started.as_secs_f64());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kibibytes) = after(&status, "VmRSS:") {
        gauge!("process_resident_memory_bytes").set(kibibytes as f64 * 1024.0);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        // One is the folder itself while it is read.
        gauge!("process_open_fds").set(descriptors.count().saturating_sub(1) as f64);
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = after(&limits, "Max open files") {
        gauge!("process_max_fds").set(most as f64);
    }
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(ticks) = processor_time(&stat) {
        counter!("process_cpu_seconds_total").absolute(ticks / TICKS_PER_SECOND);
    }
}

/// The number that follows a label at the beginning of a line.
fn after(text: &str, label: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time. The process' name stands before them in brackets and may hold anything.
fn processor_time(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut time = || fields.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_understood() {
        let status = "Name:\tfull_app\nVmPeak:\t  900 kB\nVmRSS:\t   1234 kB\n";
        assert_eq!(after(status, "VmRSS:"), Some(1234));
        assert_eq!(after(status, "VmSwap:"), None);
        let limits =
            "Limit   Soft Limit  Hard Limit  Units\nMax open files   1024   4096   files\n";
        assert_eq!(after(limits, "Max open files"), Some(1024));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 30 0 0 20 0 4 0";
        assert_eq!(processor_time(stat), Some(280));
        assert_eq!(processor_time("7 (a) S 1"), None);
    }
}
