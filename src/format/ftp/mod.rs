//! FTP servers, one file each. They share the words `ftp_login`, `ftp_connection`
//! and `ftp_max_attempts`.

pub(super) mod ftpd;
pub(super) mod proftpd;
pub(super) mod pureftpd;
pub(super) mod vsftpd;
pub(super) mod xferlog;
