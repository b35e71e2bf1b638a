//! What Zeek's logs are called, what they hold, and the fields that their columns become.

use std::sync::LazyLock;

use hashbrown::HashTable;

use crate::event::LogSource;
use crate::field::Field;

macro_rules! paths {
    ($($name:literal $action:literal [$($category:literal),*];)*) => {
        /// A log's name (`#path`, `_path`) and what its rows say happened.
        pub(super) static PATHS: &[(&str, &str)] = &[$(($name, $action)),*, ("", "")];

        /// What Sigma calls each of [`PATHS`]; the last is any other Zeek log.
        pub(super) static LOGSOURCES: &[LogSource] = &[
            $(LogSource { product: "zeek", categories: &[$($category),*], services: &[$name] }),*,
            LogSource { product: "zeek", categories: &[], services: &[] },
        ];
    };
}

paths! {
    "conn" "connection" ["firewall", "network_connection"];
    "ssh" "ssh_connection" [];
    "dns" "dns_query" ["dns"];
    "http" "http_request" ["webserver", "proxy"];
    "ssl" "tls_connection" [];
    "x509" "certificate" [];
    "files" "file_transfer" [];
    "smb_files" "smb_file" [];
    "smb_mapping" "smb_mapping" [];
    "smb_cmd" "smb_command" [];
    "kerberos" "kerberos_request" [];
    "ntlm" "ntlm_authentication" [];
    "rdp" "rdp_connection" [];
    "rfb" "rfb_connection" [];
    "dce_rpc" "dce_rpc_call" [];
    "ftp" "ftp_command" [];
    "smtp" "smtp_message" [];
    "dhcp" "dhcp_lease" [];
    "radius" "radius_authentication" [];
    "ldap" "ldap_message" [];
    "ldap_search" "ldap_search" [];
    "mysql" "mysql_command" [];
    "postgresql" "postgresql_message" [];
    "redis" "redis_command" [];
    "snmp" "snmp_message" [];
    "sip" "sip_message" [];
    "socks" "socks_request" [];
    "irc" "irc_command" [];
    "mqtt_connect" "mqtt_connection" [];
    "mqtt_publish" "mqtt_publish" [];
    "mqtt_subscribe" "mqtt_subscribe" [];
    "modbus" "modbus_request" [];
    "dnp3" "dnp3_request" [];
    "ntp" "ntp_message" [];
    "quic" "quic_connection" [];
    "websocket" "websocket" [];
    "ocsp" "ocsp_response" [];
    "pe" "executable" [];
    "notice" "notice" [];
    "notice_alarm" "notice" [];
    "weird" "protocol_anomaly" [];
    "dpd" "protocol_anomaly" [];
    "analyzer" "protocol_anomaly" [];
    "signatures" "signature_match" [];
    "intel" "intelligence_match" [];
    "traceroute" "traceroute" [];
    "tunnel" "tunnel" [];
    "software" "software_seen" [];
    "known_hosts" "host_seen" [];
    "known_services" "service_seen" [];
    "known_certs" "certificate_seen" [];
    "known_devices" "device_seen" [];
    "known_modbus" "device_seen" [];
    "syslog" "syslog_message" [];
}

/// The row of [`PATHS`] for a log's name; its last row when we do not know it.
pub(super) fn path_row(path: &[u8]) -> u8 {
    let other = PATHS.len() - 1;
    let at = PATHS.iter().position(|p| p.0.as_bytes() == path);
    u8::try_from(at.unwrap_or(other)).unwrap_or(u8::MAX)
}

/// How a column's value goes into its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// As it is; no other column has these fields.
    Set,
    /// Only where no better column said it.
    Weak,
    /// Over what a weak column said.
    Strong,
}

/// What else a column says about its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    None,
    /// When.
    Time,
    /// Conn's state: whether it was established.
    State,
    /// T or F: whether it worked.
    Success,
    /// Whether the originator is local.
    LocalOrig,
    /// Whether the responder is local.
    LocalResp,
    /// What was done, in the protocol's word.
    Action,
}

/// A column of a log, and what becomes of it.
#[derive(Debug)]
pub(super) struct Column {
    /// The log; empty for all.
    pub(super) path: &'static str,
    /// The column's name.
    pub(super) name: &'static str,
    /// Its fields.
    pub(super) fields: &'static [Field],
    pub(super) put: Put,
    pub(super) role: Role,
}

macro_rules! columns {
    ($($path:literal { $($name:literal [$($field:ident),*] $put:ident $role:ident;)* })*) => {
        static COLUMNS: &[Column] = &[$($(Column {
            path: $path, name: $name, fields: &[$(Field::$field),*], put: Put::$put, role: Role::$role,
        }),*),*];
    };
}

columns! {
    "" {
        "_path" [] Set None;
        "ts" [] Set Time;
        "uid" [EVENT_ID, ZEEK_UID] Set None;
        "id.orig_h" [SOURCE_IP] Strong None;
        "id.orig_p" [SOURCE_PORT] Set None;
        "id.resp_h" [DESTINATION_IP] Strong None;
        "id.resp_p" [DESTINATION_PORT] Strong None;
        "proto" [NETWORK_TRANSPORT] Set None;
        "community_id" [NETWORK_COMMUNITY_ID] Set None;
        "fuid" [ZEEK_FUID] Set None;
    }
    "conn" {
        "service" [NETWORK_PROTOCOL] Set None;
        "duration" [EVENT_DURATION, ZEEK_DURATION] Set None;
        "orig_bytes" [SOURCE_BYTES, ZEEK_ORIG_BYTES] Weak None;
        "resp_bytes" [DESTINATION_BYTES, ZEEK_RESP_BYTES] Weak None;
        "orig_ip_bytes" [SOURCE_BYTES] Strong None;
        "resp_ip_bytes" [DESTINATION_BYTES] Strong None;
        "orig_pkts" [SOURCE_PACKETS] Set None;
        "resp_pkts" [DESTINATION_PACKETS] Set None;
        "conn_state" [ZEEK_CONN_STATE] Set State;
        "local_orig" [ZEEK_LOCAL_ORIG] Set LocalOrig;
        "local_resp" [ZEEK_LOCAL_RESP] Set LocalResp;
        "missed_bytes" [ZEEK_MISSED_BYTES] Set None;
        "history" [ZEEK_HISTORY] Set None;
        "orig_l2_addr" [SOURCE_MAC] Set None;
    }
    "ssh" {
        "auth_success" [ZEEK_SSH_AUTH_SUCCESS] Set Success;
        "auth_attempts" [ZEEK_SSH_AUTH_ATTEMPTS] Set None;
        "client" [ZEEK_SSH_CLIENT] Set None;
        "server" [ZEEK_SSH_SERVER] Set None;
    }
    "dns" {
        "trans_id" [DNS_ID] Set None;
        "rtt" [EVENT_DURATION] Set None;
        "query" [DNS_QUESTION_NAME] Set None;
        "qtype_name" [DNS_QUESTION_TYPE] Set None;
        "rcode_name" [DNS_RESPONSE_CODE] Set None;
        "answers" [DNS_ANSWERS_DATA] Set None;
    }
    "http" {
        "method" [HTTP_METHOD] Set None;
        "host" [URL_DOMAIN] Set None;
        "uri" [URL_ORIGINAL] Set None;
        "referrer" [HTTP_REFERRER] Set None;
        "version" [HTTP_VERSION] Set None;
        "user_agent" [USER_AGENT] Set None;
        "request_body_len" [HTTP_REQUEST_BYTES] Set None;
        "response_body_len" [HTTP_RESPONSE_BYTES] Set None;
        "status_code" [HTTP_STATUS] Set None;
        "username" [USER_NAME] Set None;
        "orig_mime_types" [HTTP_REQUEST_MIME] Set None;
        "resp_mime_types" [HTTP_RESPONSE_MIME] Set None;
    }
    "ssl" {
        "version" [ZEEK_SSL_VERSION] Set None;
        "cipher" [TLS_CIPHER] Set None;
        "server_name" [TLS_SERVER_NAME] Set None;
        "established" [TLS_ESTABLISHED] Set None;
        "subject" [TLS_SERVER_SUBJECT] Set None;
        "issuer" [TLS_SERVER_ISSUER] Set None;
        "ja3" [TLS_JA3] Set None;
    }
    "files" {
        "filename" [FILE_NAME] Set None;
        "mime_type" [FILE_MIME] Set None;
        "total_bytes" [FILE_SIZE] Set None;
        "md5" [FILE_MD5] Set None;
        "sha1" [FILE_SHA1] Set None;
        "sha256" [FILE_SHA256] Set None;
        "duration" [EVENT_DURATION] Set None;
        "conn_uids" [EVENT_ID] Weak None;
    }
    "notice" {
        "note" [RULE_NAME] Set None;
        "msg" [MESSAGE] Set None;
        "sub" [ZEEK_NOTICE_SUB] Set None;
        "src" [SOURCE_IP] Weak None;
        "dst" [DESTINATION_IP] Weak None;
        "p" [DESTINATION_PORT] Weak None;
    }
    "weird" { "name" [ZEEK_WEIRD_NAME] Set None; }
    "syslog" {
        "message" [MESSAGE] Set None;
        "facility" [SYSLOG_FACILITY] Set None;
        "severity" [SYSLOG_SEVERITY] Set None;
    }
    "kerberos" {
        "client" [USER_NAME] Set None;
        "request_type" [ZEEK_KERBEROS_REQUEST] Set None;
        "service" [ZEEK_KERBEROS_SERVICE] Set None;
        "cipher" [ZEEK_KERBEROS_CIPHER] Set None;
        "error_msg" [ZEEK_KERBEROS_ERROR] Set None;
        "success" [] Set Success;
    }
    "ntlm" {
        "username" [USER_NAME] Set None;
        "domainname" [USER_DOMAIN] Set None;
        "success" [] Set Success;
    }
    "radius" { "username" [USER_NAME] Set None; }
    "mysql" {
        "cmd" [ZEEK_MYSQL_CMD] Set None;
        "success" [] Set Success;
    }
    "ftp" {
        "user" [USER_NAME] Set None;
        "command" [] Set Action;
        "arg" [ZEEK_FTP_ARG] Set None;
        "mime_type" [FILE_MIME] Set None;
        "file_size" [FILE_SIZE] Set None;
    }
    "rdp" {
        "cookie" [ZEEK_RDP_COOKIE] Set None;
        "result" [ZEEK_RDP_RESULT] Set None;
    }
    "smtp" {
        "helo" [ZEEK_SMTP_HELO] Set None;
        "mailfrom" [EMAIL_FROM] Set None;
        "rcptto" [EMAIL_TO] Set None;
        "subject" [EMAIL_SUBJECT] Set None;
        "user_agent" [USER_AGENT] Set None;
    }
    "smb_mapping" {
        "path" [ZEEK_SMB_PATH] Set None;
        "share_type" [ZEEK_SMB_SHARE_TYPE] Set None;
    }
    "smb_files" {
        "action" [ZEEK_SMB_ACTION] Set None;
        "path" [ZEEK_SMB_PATH] Set None;
        "name" [FILE_NAME] Set None;
        "size" [FILE_SIZE] Set None;
    }
    "dce_rpc" {
        "named_pipe" [ZEEK_DCE_RPC_PIPE] Set None;
        "endpoint" [ZEEK_DCE_RPC_ENDPOINT] Set None;
        "operation" [ZEEK_DCE_RPC_OPERATION] Set None;
    }
    "sip" { "user_agent" [USER_AGENT] Set None; }
    "snmp" { "duration" [EVENT_DURATION] Set None; }
}

/// What a key of a JSON log may be: columns of that name, and what it tells.
#[derive(Default)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) columns: Vec<&'static Column>,
    /// The log that alone has this column, and has it in every row: tells JSON
    /// logs apart that do not name themselves.
    pub(super) tells: Option<&'static str>,
}

/// Never grows after it is built, so that its hash may be public and cheap.
static KEYS: LazyLock<HashTable<Key>> = LazyLock::new(|| {
    let mut keys: HashTable<Key> = HashTable::new();
    let mut add = |name: &'static str, column: Option<&'static Column>, tells| {
        let hash = spread(name.as_bytes());
        let fresh = || Key {
            name,
            ..Key::default()
        };
        let mut entry = keys
            .entry(hash, |k| k.name == name, |k| spread(k.name.as_bytes()))
            .or_insert_with(fresh);
        let key = entry.get_mut();
        key.columns.extend(column);
        key.tells = key.tells.or(tells);
    };
    for column in COLUMNS {
        add(column.name, Some(column), None);
    }
    for (name, path) in TELLING {
        add(name, None, Some(*path));
    }
    keys
});

/// A hash of a name's length and ends.
pub(in crate::format) fn spread(name: &[u8]) -> u64 {
    let word = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    let ends = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(head), Some(tail)) => word(head) << 32 | word(tail),
        _ => name.iter().fold(0, |sum, &b| sum << 8 | u64::from(b)),
    };
    let hash = (ends ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

/// What is known of a key or column of that name.
pub(super) fn key(name: &str) -> Option<&'static Key> {
    KEYS.find(spread(name.as_bytes()), |k| k.name == name)
}

/// The one of these columns of one name that a log has.
pub(super) fn of_path(columns: &[&'static Column], path: &str) -> Option<&'static Column> {
    let own = columns.iter().find(|c| c.path == path && !path.is_empty());
    own.or_else(|| columns.iter().find(|c| c.path.is_empty()))
        .copied()
}

/// Columns that one log alone has, and has in every row.
const TELLING: &[(&str, &str)] = &[
    ("conn_state", "conn"),
    ("AA", "dns"),
    ("request_body_len", "http"),
    ("established", "ssl"),
    ("auth_attempts", "ssh"),
    ("seen_bytes", "files"),
    ("suppress_for", "notice"),
    ("certificate.serial", "x509"),
    ("share_type", "smb_mapping"),
    ("request_type", "kerberos"),
    ("security_protocol", "rdp"),
    ("msg_types", "dhcp"),
    ("tunnel_type", "tunnel"),
    ("call_id", "sip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_found_by_its_name_and_its_log() {
        for column in COLUMNS {
            let found = of_path(&key(column.name).unwrap().columns, column.path).unwrap();
            assert!(std::ptr::eq(found, column), "{column:?}");
            assert!(column.path.is_empty() || path_row(column.path.as_bytes()) < path_row(b"?"));
        }
        assert!(key("no_such_column").is_none() && key("").is_none());
        for (name, path) in TELLING {
            assert_eq!(key(name).unwrap().tells, Some(*path));
            assert!(path_row(path.as_bytes()) < path_row(b"?"));
        }
    }

    #[test]
    fn rivals_for_a_field_are_weak_and_strong_never_equal() {
        for (path, _) in PATHS {
            let mine = |c: &&Column| c.path == *path || c.path.is_empty();
            for a in COLUMNS.iter().filter(mine) {
                for b in COLUMNS.iter().filter(mine) {
                    let shared = a.fields.iter().any(|f| b.fields.contains(f));
                    if shared && !std::ptr::eq(a, b) {
                        let weak = a.put == Put::Weak || b.put == Put::Weak;
                        assert!(weak && a.put != b.put, "{path}: {} and {}", a.name, b.name);
                    }
                }
            }
        }
    }
}
