//! EVE's types of event and its keys, and the fields that they become.

use std::sync::LazyLock;

use hashbrown::HashTable;

use crate::event::LogSource;
use crate::field::Field;
use crate::format::zeek::spread;

macro_rules! types {
    ($($name:literal $action:literal [$($category:literal),*];)*) => {
        /// A type's name, and what its events say happened.
        pub(super) static TYPES: &[(&str, &str)] = &[$(($name, $action)),*, ("", "")];

        /// What Sigma calls each of [`TYPES`]; the last is any other.
        pub(super) static LOGSOURCES: &[LogSource] = &[
            $(LogSource { product: "suricata", categories: &[$($category),*], services: &[$name] }),*,
            LogSource { product: "suricata", categories: &[], services: &[] },
        ];
    };
}

types! {
    "alert" "alert" ["ids"];
    "flow" "connection" ["firewall", "network_connection", "netflow"];
    "netflow" "connection" ["netflow"];
    "http" "http_request" ["webserver", "proxy"];
    "http2" "http_request" ["webserver", "proxy"];
    "dns" "dns_query" ["dns"];
    "mdns" "mdns_message" [];
    "tls" "tls_connection" [];
    "quic" "quic_connection" [];
    "ssh" "ssh_connection" [];
    "anomaly" "protocol_anomaly" [];
    "fileinfo" "file_transfer" [];
    "smtp" "smtp_message" [];
    "smb" "smb_command" [];
    "krb5" "kerberos_request" [];
    "ftp" "ftp_command" [];
    "ftp_data" "file_transfer" [];
    "rdp" "rdp_connection" [];
    "rfb" "rfb_connection" [];
    "dhcp" "dhcp_lease" [];
    "snmp" "snmp_message" [];
    "sip" "sip_message" [];
    "ldap" "ldap_message" [];
    "nfs" "nfs_request" [];
    "tftp" "tftp_request" [];
    "dcerpc" "dce_rpc_call" [];
    "mqtt" "mqtt_message" [];
    "modbus" "modbus_request" [];
    "dnp3" "dnp3_request" [];
    "ike" "ike_message" [];
    "ikev2" "ike_message" [];
    "pgsql" "postgresql_message" [];
    "websocket" "websocket" [];
    "arp" "arp_message" [];
    "drop" "connection" ["firewall"];
    "stats" "stats" [];
}

/// The row of [`TYPES`] for a type's name; its last row when we do not know it.
pub(super) fn type_row(name: &[u8]) -> u8 {
    let other = TYPES.len() - 1;
    let at = TYPES.iter().position(|t| t.0.as_bytes() == name);
    u8::try_from(at.unwrap_or(other)).unwrap_or(u8::MAX)
}

/// What else a key says about its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    None,
    /// When.
    Time,
    /// The type of event.
    Type,
    /// An id that every event of a connection has.
    Flow,
    /// The source's address.
    Source,
    /// TCP, UDP, IPv6-ICMP, ...
    Protocol,
    /// `allowed` or `blocked`.
    Action,
    /// How a flow stands.
    State,
    /// The server's TCP flags, in hexadecimal.
    ServerFlags,
    Start,
    End,
    /// Seconds between the two.
    Age,
    Packets,
    /// Packets from the server.
    PacketsBack,
    Bytes,
    /// `HTTP/1.1`.
    HttpVersion,
    /// A query or an answer.
    DnsType,
    /// The list of questions.
    Queries,
    /// The list of answers.
    Answers,
    /// A list of addresses.
    Resolved,
    /// A flag of DNS' header, by its name.
    Flag(&'static str),
}

/// A key by its dotted path, and what becomes of it.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) path: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) role: Role,
}

macro_rules! keys {
    ($($path:literal [$($field:ident),*] $role:ident $(($name:literal))?;)*) => {
        static KEYS: &[Key] = &[$(Key { path: $path, fields: &[$(Field::$field),*], role: Role::$role $(($name))? }),*];
    };
}

keys! {
    "timestamp" [] Time;
    "event_type" [SURICATA_EVENT_TYPE] Type;
    "flow_id" [SURICATA_FLOW_ID] Flow;
    "in_iface" [OBSERVER_INGRESS] None;
    "host" [HOST_NAME] None;
    "src_ip" [SOURCE_IP, SOURCE_ADDRESS] Source;
    "src_port" [SOURCE_PORT] None;
    "dest_ip" [DESTINATION_IP, DESTINATION_ADDRESS] None;
    "dest_port" [DESTINATION_PORT] None;
    "proto" [] Protocol;
    "app_proto" [NETWORK_PROTOCOL] None;
    "community_id" [NETWORK_COMMUNITY_ID] None;
    "icmp_type" [ICMP_TYPE] None;
    "icmp_code" [ICMP_CODE] None;
    "ether.src_mac" [SOURCE_MAC] None;
    "ether.dest_mac" [DESTINATION_MAC] None;
    "alert.action" [SURICATA_ALERT_ACTION] Action;
    "alert.signature_id" [RULE_ID] None;
    "alert.rev" [RULE_VERSION] None;
    "alert.signature" [RULE_NAME] None;
    "alert.category" [RULE_CATEGORY] None;
    "alert.severity" [EVENT_SEVERITY] None;
    "http.hostname" [URL_DOMAIN, DESTINATION_DOMAIN] None;
    "http.url" [URL_ORIGINAL] None;
    "http.http_user_agent" [USER_AGENT] None;
    "http.http_content_type" [HTTP_RESPONSE_MIME] None;
    "http.http_refer" [HTTP_REFERRER] None;
    "http.http_method" [HTTP_METHOD] None;
    "http.protocol" [] HttpVersion;
    "http.status" [HTTP_STATUS] None;
    "http.length" [HTTP_RESPONSE_BYTES] None;
    "dns.type" [] DnsType;
    "dns.id" [DNS_ID] None;
    "dns.rrname" [DNS_QUESTION_NAME] None;
    "dns.rrtype" [DNS_QUESTION_TYPE] None;
    "dns.rcode" [DNS_RESPONSE_CODE] None;
    "dns.rdata" [DNS_ANSWERS_DATA] None;
    "dns.query" [] Queries;
    "dns.queries" [] Queries;
    "dns.answers" [] Answers;
    "dns.grouped.A" [] Resolved;
    "dns.grouped.AAAA" [] Resolved;
    "dns.answer.rcode" [DNS_RESPONSE_CODE] None;
    "dns.aa" [] Flag("AA");
    "dns.tc" [] Flag("TC");
    "dns.rd" [] Flag("RD");
    "dns.ra" [] Flag("RA");
    "tls.sni" [TLS_SERVER_NAME] None;
    "tls.version" [TLS_VERSION] None;
    "tls.subject" [TLS_SERVER_SUBJECT] None;
    "tls.issuerdn" [TLS_SERVER_ISSUER] None;
    "tls.fingerprint" [TLS_SERVER_SHA1] None;
    "tls.ja3.hash" [TLS_JA3] None;
    "tls.ja3s.hash" [TLS_JA3S] None;
    "tls.ja4" [TLS_JA4] None;
    "quic.sni" [TLS_SERVER_NAME] None;
    "ssh.client.software_version" [SSH_CLIENT_SOFTWARE] None;
    "ssh.server.software_version" [SSH_SERVER_SOFTWARE] None;
    "flow.pkts_toserver" [SOURCE_PACKETS] Packets;
    "flow.pkts_toclient" [DESTINATION_PACKETS] PacketsBack;
    "flow.bytes_toserver" [SOURCE_BYTES] Bytes;
    "flow.bytes_toclient" [DESTINATION_BYTES] Bytes;
    "flow.start" [] Start;
    "flow.end" [] End;
    "flow.age" [] Age;
    "flow.state" [SURICATA_FLOW_STATE] State;
    "netflow.pkts" [SOURCE_PACKETS] Packets;
    "netflow.bytes" [SOURCE_BYTES] Bytes;
    "netflow.start" [] Start;
    "netflow.end" [] End;
    "netflow.age" [] Age;
    "tcp.tcp_flags" [TCP_FLAGS] None;
    "tcp.tcp_flags_tc" [] ServerFlags;
    "anomaly.event" [SURICATA_ANOMALY] None;
    "anomaly.type" [RULE_CATEGORY] None;
    "fileinfo.filename" [FILE_NAME] None;
    "fileinfo.size" [FILE_SIZE] None;
    "fileinfo.md5" [FILE_MD5] None;
    "fileinfo.sha1" [FILE_SHA1] None;
    "fileinfo.sha256" [FILE_SHA256] None;
    "smtp.helo" [SMTP_HELO] None;
    "smtp.mail_from" [EMAIL_FROM] None;
    "smtp.rcpt_to" [EMAIL_TO] None;
    "email.subject" [EMAIL_SUBJECT] None;
    "smb.command" [SMB_COMMAND] None;
    "smb.share" [SMB_SHARE] None;
    "smb.filename" [FILE_NAME] None;
    "smb.ntlmssp.user" [USER_NAME] None;
    "smb.ntlmssp.domain" [USER_DOMAIN] None;
    "krb5.cname" [USER_NAME] None;
    "krb5.realm" [USER_DOMAIN] None;
}

static BY_PATH: LazyLock<HashTable<&'static Key>> = LazyLock::new(|| {
    let mut table = HashTable::with_capacity(KEYS.len());
    let hash = |key: &&'static Key| spread(key.path.as_bytes());
    for key in KEYS {
        table.insert_unique(hash(&key), key, hash);
    }
    table
});

/// What is known of a key of that path.
pub(super) fn key(path: &str) -> Option<&'static Key> {
    BY_PATH
        .find(spread(path.as_bytes()), |key| key.path == path)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_type_is_found_by_its_name() {
        for one in KEYS {
            assert!(std::ptr::eq(key(one.path).unwrap(), one), "{one:?}");
        }
        assert!(key("no.such.key").is_none() && key("").is_none());
        for (row, (name, _)) in TYPES.iter().enumerate() {
            assert_eq!(usize::from(type_row(name.as_bytes())), row);
        }
        assert_eq!(usize::from(type_row(b"?")), TYPES.len() - 1);
    }
}
