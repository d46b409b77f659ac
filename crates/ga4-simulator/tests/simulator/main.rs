//! The simulator over real sockets, with a real HTTP client and real RS256 signatures.

// `cfg(test)` tells clippy that helpers are tests too.
#[cfg(test)]
mod admin;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod custom;
#[cfg(test)]
mod empty;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod google;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod played;
#[cfg(test)]
mod program;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod realtime;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod support;
