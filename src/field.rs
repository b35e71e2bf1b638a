//! The FIELDS table: every field a parser can produce.
//!
//! One row is a field's ECS name, its type, who chose its text, and the names
//! that Sigma rules of a log class use for it. Rules may name fields that are
//! not here (any JSON log has some); those get numbers above the table's in
//! the [`Names`] of a rule set.

use hashbrown::HashMap;

/// A field's number: its row in [`FIELDS`], or above, its place in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(pub u16);

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes, mostly UTF-8.
    Text,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// Yes or no.
    Bool,
}

/// Who chose a field's text: decides what may raise severity or name a culprit.
/// Later ones are less to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Set by the kernel, journald or tipstaff itself.
    System,
    /// Written by the application from what it knows.
    Application,
    /// Chosen by the remote or local user: an attacker's text.
    User,
}

impl Trust {
    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Trust::System => "system",
            Trust::Application => "application",
            Trust::User => "user",
        }
    }

    /// Who chose the text of a field that a rule calls by its name in the table
    /// or by any of its aliases; of several, the one least to be believed.
    pub fn of(name: &str) -> Option<Trust> {
        let called = |info: &&FieldInfo| {
            info.name == name || info.aliases.iter().any(|(_, alias)| *alias == name)
        };
        FIELDS.iter().filter(called).map(|info| info.trust).max()
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// ECS name, or our own where ECS has none.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Who chose them.
    pub trust: Trust,
    /// `(log class, name)`: what Sigma rules of a product, service or category call it.
    pub aliases: &'static [(&'static str, &'static str)],
    /// One line for people.
    pub about: &'static str,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $id:ident $name:literal $kind:ident $trust:ident [$($class:literal $alias:literal),*] $about:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers the rows; never leaves this file")]
        #[derive(Clone, Copy)]
        enum Row { $($id),* }

        impl Field {
            $(#[doc = concat!("`", $name, "`: ", $about)] pub const $id: Field = Field(Row::$id as u16);)*
        }

        /// Every field that a parser can produce, in the order shown to people.
        pub static FIELDS: &[FieldInfo] = &[
            $(FieldInfo { name: $name, kind: Kind::$kind, trust: Trust::$trust,
                aliases: &[$(($class, $alias)),*], about: $about }),*
        ];
    };
}

fields! {
    MESSAGE "message" Text User ["okta" "displaymessage"] "the program's text, after the envelope";
    SYSLOG_SEVERITY "log.syslog.severity.name" Text Application ["syslog" "severity"] "severity in PRI: emerg, alert, crit, err, warning, notice, info, debug";
    SYSLOG_FACILITY "log.syslog.facility.name" Text Application ["syslog" "facility"] "facility in PRI: kern, user, auth, authpriv, local0, ...";
    SYSLOG_VERSION "log.syslog.version" Int Application [] "version of the RFC 5424 envelope";
    SESSION_OPENED_BY "session.opened_by.name" Text Application [] "who opened the session, as PAM says";
    EVENT_ACTION "event.action" Text Application ["okta" "eventtype"] "what happened, in one of the words listed by `tipstaff formats`";
    EVENT_OUTCOME "event.outcome" Text Application [] "success, failure or unknown";
    EVENT_CATEGORY "event.category" Text Application [] "authentication, session, network, web, iam, process or configuration";
    EVENT_REASON "event.reason" Text User [] "why it happened, in the program's words, some of which quote the remote side";
    EVENT_DURATION "event.duration" Int Application [] "how long it took, in nanoseconds";
    EVENT_ID "event.id" Text Application ["zeek" "uid"] "the program's own id of the event";
    HOST_NAME "host.name" Text Application [] "the machine that wrote the line, as the envelope says";
    PROCESS_NAME "process.name" Text Application ["auditd" "comm"] "the program that wrote the line";
    PROCESS_PID "process.pid" Int Application ["auditd" "pid"] "its process id";
    PROCESS_COMMAND_LINE "process.command_line" Text User ["sudo" "COMMAND", "linux" "CommandLine"] "the command that was run";
    PROCESS_EXECUTABLE "process.executable" Text Application ["linux" "Image", "auditd" "exe"] "path of the program that was run";
    PROCESS_WORKING_DIRECTORY "process.working_directory" Text User ["sudo" "PWD", "auditd" "cwd", "process_creation" "CurrentDirectory"] "the folder it was run in";
    PROCESS_TTY "process.tty.name" Text Application ["sudo" "TTY"] "the terminal it was run on";
    USER_NAME "user.name" Text User ["webserver" "cs-username", "proxy" "cs-username", "process_creation" "User"] "who did it or tried to";
    USER_ID "user.id" Text Application ["auditd" "uid"] "the numeric id of who did it";
    USER_DOMAIN "user.domain" Text User [] "the domain or realm of the user";
    USER_EFFECTIVE_NAME "user.effective.name" Text Application ["sudo" "USER"] "as whom it was done";
    USER_EFFECTIVE_ID "user.effective.id" Text Application ["auditd" "euid"] "the numeric id as whom it was done";
    USER_TARGET_NAME "user.target.name" Text User [] "the account that was changed";
    GROUP_NAME "group.name" Text Application ["sudo" "GROUP"] "the group";
    GROUP_ID "group.id" Text Application [] "the numeric id of the group";
    SOURCE_IP "source.ip" Ip Application ["zeek" "id.orig_h", "firewall" "src_ip", "network_connection" "SourceIp", "webserver" "c-ip", "proxy" "c-ip", "dns" "src_ip"] "the address it came from";
    SOURCE_PORT "source.port" Int Application ["zeek" "id.orig_p", "firewall" "src_port"] "the port it came from";
    SOURCE_DOMAIN "source.domain" Text User [] "the name it came from, as logged; never resolved";
    SOURCE_BYTES "source.bytes" Int Application ["zeek" "orig_ip_bytes"] "bytes sent by the source (IP bytes where known)";
    SOURCE_PACKETS "source.packets" Int Application ["zeek" "orig_pkts"] "packets sent by the source";
    SOURCE_MAC "source.mac" Text Application [] "the source's hardware address";
    DESTINATION_IP "destination.ip" Ip Application ["zeek" "id.resp_h", "firewall" "dst_ip", "network_connection" "DestinationIp"] "the address it went to";
    DESTINATION_PORT "destination.port" Int Application ["zeek" "id.resp_p", "firewall" "dst_port", "network_connection" "DestinationPort"] "the port it went to";
    DESTINATION_DOMAIN "destination.domain" Text User [] "the name it went to, as logged";
    DESTINATION_BYTES "destination.bytes" Int Application ["zeek" "resp_ip_bytes"] "bytes sent by the destination (IP bytes where known)";
    DESTINATION_PACKETS "destination.packets" Int Application ["zeek" "resp_pkts"] "packets sent by the destination";
    NETWORK_TRANSPORT "network.transport" Text Application ["zeek" "proto"] "tcp, udp, icmp";
    NETWORK_PROTOCOL "network.protocol" Text Application ["zeek" "service"] "the application protocol";
    NETWORK_DIRECTION "network.direction" Text Application [] "inbound, outbound, internal, external";
    NETWORK_COMMUNITY_ID "network.community_id" Text Application ["zeek" "community_id"] "the flow's Community ID";
    SERVICE_NAME "service.name" Text Application [] "the PAM service or systemd unit";
    SESSION_ID "session.id" Text Application [] "the login session's number";
    SSH_METHOD "ssh.method" Text Application [] "password, publickey, keyboard-interactive/pam, none, ...";
    SSH_KEY_FINGERPRINT "ssh.key.fingerprint" Text Application [] "fingerprint of the key that was offered";
    SSH_KEY_TYPE "ssh.key.type" Text Application [] "RSA, ED25519, ECDSA, ...";
    LOG_LEVEL "log.level" Text Application [] "the severity in the envelope";
    SYSLOG_PRIORITY "log.syslog.priority" Int Application [] "PRI of the envelope";
    SYSLOG_APPNAME "log.syslog.appname" Text Application [] "APP-NAME of the envelope";
    SYSLOG_MSGID "log.syslog.msgid" Text Application [] "MSGID of the envelope";
    RULE_NAME "rule.name" Text Application ["notice" "note"] "what the sensor itself calls it";
    DNS_ID "dns.id" Int Application ["dns" "trans_id"] "the query's transaction id";
    DNS_QUESTION_NAME "dns.question.name" Text User ["dns" "query"] "the name that was asked for";
    DNS_REGISTERED_DOMAIN "dns.question.registered_domain" Text User [] "the domain that the name is registered under, by the Public Suffix List: example.co.uk";
    DNS_QUESTION_TYPE "dns.question.type" Text Application ["dns" "qtype_name", "dns" "record_type"] "A, AAAA, TXT, ...";
    DNS_RESPONSE_CODE "dns.response_code" Text Application ["dns" "rcode_name"] "NOERROR, NXDOMAIN, ...";
    DNS_ANSWERS_DATA "dns.answers.data" Text User ["dns" "answers", "dns" "answer"] "what the name stands for";
    HTTP_METHOD "http.request.method" Text User ["http" "method", "webserver" "cs-method", "proxy" "cs-method"] "GET, POST, ...";
    HTTP_REFERRER "http.request.referrer" Text User ["http" "referrer", "webserver" "cs-referer", "proxy" "cs-referrer", "proxy" "cs-referer"] "the page that led there";
    HTTP_REQUEST_BYTES "http.request.body.bytes" Int Application ["http" "request_body_len"] "length of the request's body";
    HTTP_REQUEST_MIME "http.request.mime_type" Text Application ["http" "orig_mime_types"] "kind of the request's body";
    HTTP_STATUS "http.response.status_code" Int Application ["http" "status_code", "webserver" "sc-status", "proxy" "sc-status"] "200, 404, ...";
    HTTP_RESPONSE_BYTES "http.response.body.bytes" Int Application ["http" "response_body_len", "webserver" "sc-bytes", "proxy" "sc-bytes"] "length of the answer's body";
    HTTP_RESPONSE_MIME "http.response.mime_type" Text Application ["http" "resp_mime_types"] "kind of the answer's body";
    HTTP_VERSION "http.version" Text Application ["http" "version"] "the protocol's version";
    URL_ORIGINAL "url.original" Text User ["http" "uri", "proxy" "c-uri", "proxy" "cs-uri", "webserver" "c-uri", "webserver" "cs-uri", "webserver" "cs-uri-query", "proxy" "cs-uri-query", "proxy" "c-uri-query"] "the address that was asked for, as written";
    URL_DOMAIN "url.domain" Text User ["http" "host", "webserver" "cs-host", "proxy" "cs-host"] "the host that was asked for";
    USER_AGENT "user_agent.original" Text User ["http" "user_agent", "webserver" "cs-user-agent", "proxy" "c-useragent", "proxy" "cs-user-agent"] "what the client calls itself";
    TLS_SERVER_NAME "tls.client.server_name" Text User ["ssl" "server_name"] "the name that the client asked for (SNI)";
    TLS_CIPHER "tls.cipher" Text Application ["ssl" "cipher"] "the cipher suite";
    TLS_ESTABLISHED "tls.established" Bool Application ["ssl" "established"] "whether the handshake was completed";
    TLS_JA3 "tls.client.ja3" Text Application ["ssl" "ja3"] "fingerprint of the client's hello";
    TLS_SERVER_SUBJECT "tls.server.subject" Text User ["ssl" "subject"] "whom the server's certificate names";
    TLS_SERVER_ISSUER "tls.server.issuer" Text User ["ssl" "issuer"] "who signed the server's certificate";
    EMAIL_FROM "email.from.address" Text User ["smtp" "mailfrom"] "the envelope's sender";
    EMAIL_TO "email.to.address" Text User ["smtp" "rcptto"] "the envelope's recipients";
    EMAIL_SUBJECT "email.subject" Text User ["smtp" "subject"] "the message's subject";
    FILE_NAME "file.name" Text User ["files" "filename", "smb_files" "name"] "the file's name";
    FILE_MIME "file.mime_type" Text Application ["files" "mime_type"] "the file's kind";
    FILE_SIZE "file.size" Int Application ["files" "total_bytes", "smb_files" "size"] "the file's length";
    FILE_MD5 "file.hash.md5" Text Application ["files" "md5"] "the file's MD5";
    FILE_SHA1 "file.hash.sha1" Text Application ["files" "sha1"] "the file's SHA-1";
    FILE_SHA256 "file.hash.sha256" Text Application ["files" "sha256"] "the file's SHA-256";
    ZEEK_UID "zeek.uid" Text Application [] "Zeek's id of the connection";
    ZEEK_FUID "zeek.fuid" Text Application ["zeek" "fuid"] "Zeek's id of the file";
    ZEEK_CONN_STATE "zeek.conn_state" Text Application ["zeek" "conn_state"] "how the connection went: SF, S0, REJ, ...";
    ZEEK_DURATION "zeek.duration" Float Application ["zeek" "duration"] "how long it took, in seconds";
    ZEEK_HISTORY "zeek.history" Text Application ["zeek" "history"] "the connection's packets, a letter each";
    ZEEK_ORIG_BYTES "zeek.orig_bytes" Int Application ["zeek" "orig_bytes"] "payload bytes sent by the source";
    ZEEK_RESP_BYTES "zeek.resp_bytes" Int Application ["zeek" "resp_bytes"] "payload bytes sent by the destination";
    ZEEK_MISSED_BYTES "zeek.missed_bytes" Int Application ["zeek" "missed_bytes"] "payload bytes that the sensor did not see";
    ZEEK_LOCAL_ORIG "zeek.local_orig" Bool Application ["zeek" "local_orig"] "whether the source is in one of the site's networks";
    ZEEK_LOCAL_RESP "zeek.local_resp" Bool Application ["zeek" "local_resp"] "whether the destination is in one of the site's networks";
    ZEEK_SSH_CLIENT "zeek.ssh.client" Text User ["ssh" "client"] "what the SSH client calls itself";
    ZEEK_SSH_SERVER "zeek.ssh.server" Text User ["ssh" "server"] "what the SSH server calls itself";
    ZEEK_SSH_AUTH_SUCCESS "zeek.ssh.auth_success" Bool Application ["ssh" "auth_success"] "whether Zeek believes that the login worked";
    ZEEK_SSH_AUTH_ATTEMPTS "zeek.ssh.auth_attempts" Int Application ["ssh" "auth_attempts"] "login attempts that Zeek counted";
    ZEEK_SSL_VERSION "zeek.ssl.version" Text Application ["ssl" "version"] "the TLS version as Zeek writes it";
    ZEEK_FTP_ARG "zeek.ftp.arg" Text User ["ftp" "arg"] "the FTP command's argument";
    ZEEK_RDP_COOKIE "zeek.rdp.cookie" Text User ["rdp" "cookie"] "the cookie, often a user name";
    ZEEK_RDP_RESULT "zeek.rdp.result" Text Application ["rdp" "result"] "what came of the RDP connection";
    ZEEK_SMTP_HELO "zeek.smtp.helo" Text User ["smtp" "helo"] "what the mail client calls itself";
    ZEEK_SMB_PATH "zeek.smb.path" Text User ["smb_mapping" "path", "smb_files" "path"] "the share";
    ZEEK_SMB_ACTION "zeek.smb.action" Text Application ["smb_files" "action"] "what was done to the file";
    ZEEK_SMB_SHARE_TYPE "zeek.smb.share_type" Text Application ["smb_mapping" "share_type"] "DISK, PIPE, PRINT";
    ZEEK_MYSQL_CMD "zeek.mysql.cmd" Text Application ["mysql" "cmd"] "the MySQL command";
    ZEEK_WEIRD_NAME "zeek.weird.name" Text Application ["weird" "name"] "what was odd";
    ZEEK_NOTICE_SUB "zeek.notice.sub" Text User ["notice" "sub"] "more about the notice";
    ZEEK_DCE_RPC_PIPE "zeek.dce_rpc.named_pipe" Text Application ["dce_rpc" "named_pipe"] "the pipe it went through";
    ZEEK_DCE_RPC_ENDPOINT "zeek.dce_rpc.endpoint" Text Application ["dce_rpc" "endpoint"] "the RPC service";
    ZEEK_DCE_RPC_OPERATION "zeek.dce_rpc.operation" Text Application ["dce_rpc" "operation"] "the RPC call";
    ZEEK_KERBEROS_REQUEST "zeek.kerberos.request_type" Text Application ["kerberos" "request_type"] "AS or TGS";
    ZEEK_KERBEROS_SERVICE "zeek.kerberos.service" Text User ["kerberos" "service"] "the service that a ticket was asked for";
    ZEEK_KERBEROS_CIPHER "zeek.kerberos.cipher" Text Application ["kerberos" "cipher"] "the ticket's cipher";
    ZEEK_KERBEROS_ERROR "zeek.kerberos.error_msg" Text Application ["kerberos" "error_msg"] "why no ticket was given";
    // Envelopes of appliances.
    OBSERVER_VENDOR "observer.vendor" Text Application ["cef" "deviceVendor", "leef" "vendor"] "who made the device that wrote the line";
    OBSERVER_PRODUCT "observer.product" Text Application ["cef" "deviceProduct", "leef" "product"] "which product the device is";
    EVENT_CODE "event.code" Text Application ["cef" "deviceEventClassId", "leef" "eventId"] "the device's own number of this kind of event";
    EVENT_SEVERITY "event.severity" Int Application ["cef" "severity", "leef" "sev"] "how urgent the device thinks it is, 0 to 10";
    // Accounts, desktops and VPNs.
    USER_HOME "user.home" Text Application [] "the account's home folder";
    USER_SHELL "user.shell" Text Application [] "the account's shell";
    USER_CHANGES_NAME "user.changes.name" Text Application [] "the account's new name";
    POLKIT_ACTION "polkit.action_id" Text Application [] "what polkit was asked to allow";
    VPN_CONNECTION "vpn.connection" Text Application [] "the VPN's connection or interface, as configured";
    VPN_ADDRESS "vpn.address" Ip Application [] "the address that the VPN gave to the user";
    // Web servers, proxies, name servers and DHCP.
    URL_SCHEME "url.scheme" Text User [] "http, https, ftp, ..., where the address says so";
    URL_PORT "url.port" Int User [] "the port that was asked for";
    URL_PATH "url.path" Text User ["webserver" "cs-uri-stem", "proxy" "cs-uri-stem", "proxy" "c-uri-stem"] "the address' path, as written";
    URL_QUERY "url.query" Text User [] "what follows the question mark in the address, as written";
    HTTP_RESPONSE_TOTAL_BYTES "http.response.bytes" Int Application [] "length of the answer with its header";
    ERROR_CODE "error.code" Text Application [] "the program's number of the message: AH01617, ...";
    PROCESS_THREAD_ID "process.thread.id" Int Application [] "the thread that wrote the line";
    HAPROXY_FRONTEND "haproxy.frontend_name" Text Application [] "the frontend that took the connection";
    HAPROXY_BACKEND "haproxy.backend_name" Text Application [] "the backend that it went to";
    HAPROXY_SERVER "haproxy.server_name" Text Application [] "the server of the backend";
    HAPROXY_TERMINATION "haproxy.termination_state" Text Application [] "how the session ended, a letter each";
    SQUID_RESULT "squid.result_code" Text Application ["proxy" "sc-result"] "how squid answered: TCP_MISS, TCP_DENIED, ...";
    SQUID_HIERARCHY "squid.hierarchy_code" Text Application [] "from where squid had the answer";
    DHCP_REQUESTED_IP "dhcp.requested_ip" Ip User [] "the address that a client asked for";
    DHCP_ASSIGNED_IP "dhcp.assigned_ip" Ip Application [] "the address that the server offered or leased";
    // Firewalls, flows and intrusion detection.
    SOURCE_ADDRESS "source.address" Text Application [] "where it came from, as written";
    DESTINATION_ADDRESS "destination.address" Text Application [] "where it went to, as written";
    DESTINATION_MAC "destination.mac" Text Application [] "the destination's hardware address";
    NETWORK_TYPE "network.type" Text Application [] "ipv4 or ipv6";
    NETWORK_IANA_NUMBER "network.iana_number" Int Application [] "the protocol's number, where it has no name here";
    NETWORK_BYTES "network.bytes" Int Application [] "bytes in both directions, or of the packet";
    NETWORK_PACKETS "network.packets" Int Application [] "packets in both directions";
    OBSERVER_INGRESS "observer.ingress.interface.name" Text Application [] "the interface it came in by";
    OBSERVER_EGRESS "observer.egress.interface.name" Text Application [] "the interface it went out by";
    FIREWALL_ACTION "firewall.action" Text Application ["firewall" "action"] "accept, allow, pass, block, deny, drop or reject";
    TCP_FLAGS "tcp.flags" Text Application [] "the packet's flags, as the filter writes them";
    ICMP_TYPE "icmp.type" Int Application [] "the message's type";
    ICMP_CODE "icmp.code" Int Application [] "the message's code";
    RULE_ID "rule.id" Text Application [] "the number of the sensor's own rule";
    RULE_CATEGORY "rule.category" Text Application [] "what kind of thing the sensor's rule finds";
    RULE_VERSION "rule.version" Text Application [] "the version of the sensor's rule";
    SURICATA_EVENT_TYPE "suricata.event_type" Text Application ["suricata" "event_type"] "alert, flow, http, dns, ...";
    SURICATA_FLOW_ID "suricata.flow_id" Int Application ["suricata" "flow_id"] "Suricata's id of the connection";
    SURICATA_ALERT_ACTION "suricata.alert.action" Text Application ["suricata" "alert.action"] "allowed or blocked";
    SURICATA_FLOW_STATE "suricata.flow.state" Text Application ["suricata" "flow.state"] "new, established, closed or bypassed";
    SURICATA_ANOMALY "suricata.anomaly.event" Text Application ["suricata" "anomaly.event"] "what was odd";
    DNS_TYPE "dns.type" Text Application [] "query or answer";
    DNS_HEADER_FLAGS "dns.header_flags" Text Application [] "AA, TC, RD, RA";
    DNS_RESOLVED_IP "dns.resolved_ip" Ip User [] "the addresses in the answer";
    SSH_CLIENT_SOFTWARE "ssh.client.software" Text User ["suricata" "ssh.client.software_version"] "what the SSH client calls itself";
    SSH_SERVER_SOFTWARE "ssh.server.software" Text User ["suricata" "ssh.server.software_version"] "what the SSH server calls itself";
    TLS_VERSION "tls.version" Text Application ["suricata" "tls.version"] "the TLS version, as the sensor writes it";
    TLS_JA3S "tls.server.ja3s" Text Application ["suricata" "tls.ja3s.hash"] "fingerprint of the server's hello";
    TLS_JA4 "tls.client.ja4" Text Application ["suricata" "tls.ja4"] "JA4 fingerprint of the client's hello";
    TLS_SERVER_SHA1 "tls.server.hash.sha1" Text Application ["suricata" "tls.fingerprint"] "SHA-1 of the server's certificate";
    SMB_COMMAND "smb.command" Text Application ["suricata" "smb.command"] "the SMB command";
    SMB_SHARE "smb.share" Text User ["suricata" "smb.share"] "the share";
    SMTP_HELO "smtp.helo" Text User ["suricata" "smtp.helo"] "what the mail client calls itself";
    AWS_VPCFLOW_ACCOUNT "aws.vpcflow.account_id" Text Application ["vpcflow" "account-id"] "the account of the network interface";
    AWS_VPCFLOW_INTERFACE "aws.vpcflow.interface_id" Text Application ["vpcflow" "interface-id"] "the network interface";
    // Hosts: auditd, laurel.
    AUDITD_TYPE "auditd.record_type" Text System ["auditd" "type"] "the record's type in lower case; a list where several are one event";
    AUDITD_SEQUENCE "auditd.sequence" Int System [] "the event's number since the machine was started";
    AUDITD_KEY "auditd.key" Text System ["auditd" "key"] "the key of the audit rule that asked for it";
    AUDITD_OPERATION "auditd.op" Text Application ["auditd" "op"] "what the daemon did, in its words";
    AUDITD_SYSCALL "auditd.syscall" Text System ["auditd" "SYSCALL"] "the system call's name";
    PROCESS_ARGS "process.args" Text User [] "the command's words";
    PROCESS_PARENT_PID "process.parent.pid" Int System ["auditd" "ppid"] "process id of the program that started it";
    PROCESS_PARENT_EXECUTABLE "process.parent.executable" Text Application ["process_creation" "ParentImage"] "path of the program that started it";
    USER_AUDIT_ID "user.audit.id" Text System ["auditd" "auid"] "the numeric id of who logged in; no sudo or su changes it";
    USER_AUDIT_NAME "user.audit.name" Text System [] "who logged in; no sudo or su changes it";
    HOST_ARCHITECTURE "host.architecture" Text System [] "the processor: x86_64, aarch64, ...";
    FILE_PATH "file.path" Text User ["file_event" "TargetFilename", "file_delete" "TargetFilename"] "the file's path";
    // Cloud and identity.
    EVENT_PROVIDER "event.provider" Text Application [] "the service that it happened in";
    CLOUD_REGION "cloud.region" Text Application [] "the provider's region";
    CLOUD_ACCOUNT_ID "cloud.account.id" Text Application [] "the account at the provider";
    ORCHESTRATOR_NAMESPACE "orchestrator.namespace" Text User [] "Kubernetes' namespace";
    ORCHESTRATOR_RESOURCE_TYPE "orchestrator.resource.type" Text Application [] "pods, secrets, ...";
    ORCHESTRATOR_RESOURCE_NAME "orchestrator.resource.name" Text User [] "the resource's name";
    // Mail, FTP, directory and database servers.
    AUTH_METHOD "auth.method" Text User [] "how the client proved who it is: PLAIN, LOGIN, CRAM-MD5, NTLMv2, ...";
    RADIUS_CLIENT "radius.client.name" Text Application [] "the access server that asked the RADIUS server";
    DB_NAME "db.name" Text User [] "the database that was asked for";
    // What follows from an address alone, and from a table of networks where there is one.
    SOURCE_NETWORK "source.network" Text System [] "the network it came from: AS64500 where a table says so, else a prefix, 198.51.0.0/16";
    SOURCE_PRIVATE_IP "source.private.ip" Ip System [] "the address it came from if it is of the site's own networks (RFC 1918, RFC 4193); none of others";
    DESTINATION_NETWORK "destination.network" Text System [] "the network it went to: AS64500 where a table says so, else a prefix, 198.51.0.0/16";
    // What the site's own tables say (`--networks`, `--directory`).
    SOURCE_AS_NUMBER "source.as.number" Int System [] "the autonomous system of the source, from the table of networks";
    SOURCE_AS_NAME "source.as.organization.name" Text System [] "who runs that autonomous system";
    SOURCE_GEO_COUNTRY "source.geo.country_iso_code" Text System [] "the source's country, two letters";
    SOURCE_GEO_LOCATION "source.geo.location" Text System [] "the source's latitude and longitude in degrees";
    SOURCE_GEO_POINT "source.geo.point" Int System [] "the same as one number, for baselines of type travel";
    DESTINATION_AS_NUMBER "destination.as.number" Int System [] "the autonomous system of the destination, from the table of networks";
    DESTINATION_AS_NAME "destination.as.organization.name" Text System [] "who runs that autonomous system";
    DESTINATION_GEO_COUNTRY "destination.geo.country_iso_code" Text System [] "the destination's country, two letters";
    DESTINATION_GEO_LOCATION "destination.geo.location" Text System [] "the destination's latitude and longitude in degrees";
    DESTINATION_GEO_POINT "destination.geo.point" Int System [] "the same as one number, for baselines of type travel";
    DIRECTORY_USER "directory.user" Text System [] "the user as the directory has it; none where it does not have him";
    DIRECTORY_UID "directory.uid" Text System [] "the user's number, from the directory";
    DIRECTORY_ROLE "directory.role" Text System [] "what the user does, from the directory";
    DIRECTORY_TEAM "directory.team" Text System [] "the team that the user is in, from the directory";
    DIRECTORY_SITE "directory.site" Text System [] "where the user works, from the directory";
    DIRECTORY_START_DAY "directory.start_day" Text System [] "the user's first day, as the directory has it";
    DIRECTORY_END_DAY "directory.end_day" Text System [] "the user's last day, as the directory has it";
    DIRECTORY_STATUS "directory.status" Text System [] "active, not-started before the user's first day, left after the last";
}

impl Field {
    /// The row of a field of the table.
    pub fn info(self) -> Option<&'static FieldInfo> {
        FIELDS.get(usize::from(self.0))
    }

    /// The table's field of that ECS name.
    pub fn named(name: &str) -> Option<Field> {
        let at = FIELDS.iter().position(|f| f.name == name)?;
        u16::try_from(at).ok().map(Field)
    }
}

/// The names of all fields that a rule set can see: the table's and its own.
#[derive(Clone, Debug, Default)]
pub struct Names {
    extra: Vec<Box<str>>,
    by_name: HashMap<Box<str>, Field, std::hash::RandomState>,
}

impl Names {
    /// Most names a rule set may add; a rule file cannot exhaust the numbers.
    pub const EXTRA_MAX: usize = 20_000;

    /// The field of that exact name (case matters in Sigma), if known.
    pub fn get(&self, name: &str) -> Option<Field> {
        Field::named(name).or_else(|| self.by_name.get(name).copied())
    }

    /// The field of that exact name among those that are not in the table.
    pub fn extra_named(&self, name: &str) -> Option<Field> {
        self.by_name.get(name).copied()
    }

    /// The field of that name, added if it is new; `None` when there are too many.
    pub fn intern(&mut self, name: &str) -> Option<Field> {
        if let Some(field) = self.get(name) {
            return Some(field);
        }
        if self.extra.len() >= Self::EXTRA_MAX {
            return None;
        }
        let field = Field(u16::try_from(FIELDS.len() + self.extra.len()).ok()?);
        self.extra.push(name.into());
        self.by_name.insert(name.into(), field);
        Some(field)
    }

    /// A field's name.
    pub fn name(&self, field: Field) -> &str {
        let at = usize::from(field.0);
        match FIELDS.get(at) {
            Some(info) => info.name,
            None => self.extra.get(at - FIELDS.len()).map_or("?", |n| n),
        }
    }

    /// How many fields there are, the table's included.
    pub fn len(&self) -> usize {
        FIELDS.len() + self.extra.len()
    }

    /// Never true: the table is not empty.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The names that are not in the table, with their fields.
    pub fn extra(&self) -> impl Iterator<Item = (&str, Field)> {
        self.extra.iter().enumerate().filter_map(|(i, name)| {
            let number = u16::try_from(FIELDS.len() + i).ok()?;
            Some((&**name, Field(number)))
        })
    }
}

/// Which fields a parser should decode: those that rules, keys and evidence need.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// Decode everything, also fields that no rule names (`tipstaff parse`).
    pub all: bool,
    /// The rule set's names.
    pub names: Names,
    wanted: Vec<bool>,
}

impl Projection {
    /// Everything.
    pub fn everything() -> Projection {
        Projection {
            all: true,
            ..Projection::default()
        }
    }

    /// Nothing yet, over these names; add with [`Projection::want`].
    pub fn over(names: Names) -> Projection {
        let wanted = vec![false; names.len()];
        Projection {
            all: false,
            names,
            wanted,
        }
    }

    /// Asks for a field.
    pub fn want(&mut self, field: Field) {
        if let Some(slot) = self.wanted.get_mut(usize::from(field.0)) {
            *slot = true;
        }
    }

    /// Whether a field is needed.
    pub fn wants(&self, field: Field) -> bool {
        self.all
            || self
                .wanted
                .get(usize::from(field.0))
                .copied()
                .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for (i, info) in FIELDS.iter().enumerate() {
            assert_eq!(
                Field::named(info.name),
                u16::try_from(i).ok().map(Field),
                "{}",
                info.name
            );
        }
        assert_eq!(Field::SOURCE_IP.info().unwrap().name, "source.ip");
    }

    #[test]
    fn the_least_trusted_of_all_that_a_name_may_mean_counts() {
        assert_eq!(Trust::of("source.ip"), Some(Trust::Application));
        assert_eq!(Trust::of("user.name"), Some(Trust::User));
        assert_eq!(Trust::of("COMMAND"), Some(Trust::User));
        // `method` is HTTP's; `name` a file's (a user's) and a weird's.
        assert_eq!(Trust::of("name"), Some(Trust::User));
        assert_eq!(Trust::of("nothing"), None);
    }

    #[test]
    fn a_rule_sets_own_names_come_after_the_table() {
        let mut names = Names::default();
        let field = names.intern("EventID").unwrap();
        assert_eq!(names.intern("EventID"), Some(field));
        assert_eq!(names.get("eventid"), None);
        assert_eq!(names.name(field), "EventID");
    }
}
