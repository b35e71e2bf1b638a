//! Black-box and whole-tree tests, one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a broken test should stop where it broke"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::default_trait_access,
    reason = "a test's index is its assertion"
)]

// The shipped rules over a folder of logs; the world that sample logs are made from.
mod support;

// Same alerts for 1 thread and N, one file and two halves.
mod agree;
// Stamps, numbers and names that should not be: counted, and nothing else changes.
mod bad_input;
// Black box: help, exit codes, output.
mod cli;
// Lists, correlations and explanations of `match`.
mod cli_match;
// What `tune` advises holds when it is done.
mod cli_tune;
// What other projects expect of the same lines.
mod conformance;
// Files that are not an event a line: the journal's export, JSON documents.
mod containers;
// The tables of networks and users.
mod enrich;
// What a team does is expected of its new members.
mod peers;
// Holidays and value lists, and what the service does when they change.
mod calendar;
// What was odd and raised no alert, and why.
mod held_back;
// What was learnt, carried over, shown and forgotten.
mod learnt;
// Any bytes in any format and envelope: an end, soon, in little memory.
mod fuzz;
// Entities without end: told, and nobody who is known is forgotten.
mod flood;
// Every line shape that is claimed; every cut and mutation of it.
mod formats;
// Remote text that imitates a program's words moves no address and no name.
mod injection;
// What the README shows is what the program prints.
mod readme;
// The same for what stands around a message.
mod injection_envelopes;
mod injection_sshd;
// The same for accounts, desktops and VPNs.
mod injection_remote;
mod injection_web;
// The same in what firewalls and sensors quote.
mod injection_network;
// The same in audit records, whose writers encode what others chose.
mod injection_audit;
// The same for mail, FTP, directory and database servers.
// Attacks on lines that are fixed words around names and addresses.
mod injection_lines;
mod injection_servers;
// What is too long, too many, broken or forged.
mod limits;
// Who teaches a baseline something on purpose, with whole logs.
mod poisoning;
// Every scenario against its expectations.
mod replay;
// Files and folders of rules, whole and broken.
mod rule_loading;
// Every mistake in a rule is told with its place.
mod rule_mistakes;
mod rule_support;
// The published Sigma vectors load, or are refused.
mod rule_vectors;
// Stopped, killed, reloaded and started again.
mod restart;
// The shipped rules: sound, tested, and found by what they are for.
mod rules;
// The logs in sample-logs are made by support/world, and are exactly that.
mod samples;
// Followed files through append, rotation, truncation and restarts, against a model.
mod tail;
// Each log read in its own way, live and replayed.
mod settings;
// Reloads, systemd, full disks.
mod service;
// The service with a real sshd, rsyslog and logrotate.
mod servers;
// Made-up months, their twins, and how what is found in them is counted.
mod worlds;
// Layering, registration, size: the shape of the code.
mod tidy;
// Zeek's logs against what others say that they mean.
mod zeek_conformance;
