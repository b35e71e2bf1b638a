//! Database servers, one file each. They share the words `db_login`,
//! `db_connection` and `db_disconnect`.

pub(super) mod mongodb;
pub(super) mod mysqld;
pub(super) mod others;
pub(super) mod postgres;
