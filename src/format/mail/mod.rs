//! Mail servers, one file each. They share the words `smtp_login`,
//! `imap_login`, `pop3_login`, `sieve_login`, `smtp_connection`,
//! `smtp_disconnect`, `smtp_reject` and `smtp_protocol_error`.

pub(super) mod dovecot;
pub(super) mod exim;
pub(super) mod imapd;
mod lines;
pub(super) mod others;
pub(super) mod postfix;
pub(super) mod saslauthd;
pub(super) mod sendmail;
