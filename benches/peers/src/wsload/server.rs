//! What the server under load costs, from `/proc`: the process and everything below it.

use std::{collections::BTreeMap, fs};

/// Seconds of CPU.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cpu {
    pub(super) user: f64,
    pub(super) system: f64,
}

impl Cpu {
    /// What a process tree has used, with what it has reaped.
    pub(super) fn of(process: Option<u32>) -> Self {
        let mut cpu = Self::default();
        for process in process.map(tree).unwrap_or_default() {
            let fields = stat(process);
            cpu.user += ticks(&fields, 11) + ticks(&fields, 13);
            cpu.system += ticks(&fields, 12) + ticks(&fields, 14);
        }
        cpu
    }

    /// What this process has used.
    pub(super) fn own() -> Self {
        let fields = stat(std::process::id());
        Self { user: ticks(&fields, 11), system: ticks(&fields, 12) }
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self { user: self.user - before.user, system: self.system - before.system }
    }

    pub(super) fn total(self) -> f64 {
        self.user + self.system
    }
}

/// The proportional set size of a process tree, in KiB.
pub(super) fn memory(process: Option<u32>) -> u64 {
    let pss = |process| {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    process.map(tree).unwrap_or_default().into_iter().filter_map(pss).sum()
}

pub(super) fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// A process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = stat(process).get(1).and_then(|parent| parent.parse().ok()) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while let Some(process) = found.get(at) {
        found.extend(children.remove(process).unwrap_or_default());
        at += 1;
    }
    found
}

/// The fields after a process's name, which may hold anything.
fn stat(process: u32) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    fields.split(' ').map(str::to_owned).collect()
}

fn ticks(fields: &[String], field: usize) -> f64 {
    let ticks: f64 = fields.get(field).and_then(|ticks| ticks.parse().ok()).unwrap_or_default();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::{Cpu, memory};

    #[test]
    fn a_process_has_memory_and_no_process_none() {
        assert!(memory(Some(std::process::id())) > 0);
        assert_eq!(memory(None), 0);
        assert!(Cpu::of(Some(std::process::id())).total() >= Cpu::of(None).total());
    }
}
