//! A mount that never answers, like a dead network file system: whoever looks into it waits.
//!
//! It is a FUSE mount without the program that would answer for it. Root may do that, where the kernel has FUSE.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// It hangs until it is dropped; whoever waits gets an error then.
pub(crate) struct DeadMount {
    /// Holds the device open.
    holder: Child,
    path: PathBuf,
}

impl DeadMount {
    /// Over this directory; `None` where this user may mount nothing.
    pub(crate) fn over(directory: &Path) -> Option<Self> {
        let mut holder = Command::new("sh")
            .args(["-c", HOLD])
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut line).ok()?;
        if line.is_empty() {
            println!("skipped: nothing can be mounted here");
            let _ = holder.wait();
            return None;
        }
        Some(Self { holder, path: directory.to_owned() })
    }
}

impl Drop for DeadMount {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

const HOLD: &str = "exec 3<>/dev/fuse && \
    mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$0\" && echo mounted && exec sleep 3600";
