//! Attacks on the program as it is shipped: by clients, by whatever answers in Google's place, and by what reads its log and
//! holds its files. All of it happens between processes of this machine over loopback. What takes some seconds runs with the
//! suite, the rest with `make attack`.
//!
//! No test asserts how long something takes: what an attack would hold up for ever is awaited, and the deadline is far away.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod dead_mount;
#[cfg(test)]
mod files;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod program;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod troubles;
