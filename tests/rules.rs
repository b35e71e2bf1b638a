//! The shipped rules: sound, tested, and found by what they are for.

use std::process::Command;

use std::sync::Arc;

use serde_json::Value;
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, replay};

use crate::support::{conformance, shipped};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[test]
fn every_rule_passes_the_strict_check() {
    let (sound, said) = run(&["check", "--strict", "rules"]);
    assert!(sound, "{said}");
}

#[test]
fn every_log_beside_a_rule_has_the_effect_that_its_name_says() {
    let (sound, said) = run(&["test", "rules"]);
    assert!(sound, "{said}");
    let passed: usize = said
        .lines()
        .last()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(passed >= 600, "{said}");
}

/// Other projects' attack logs on which the pack must raise an alert; the
/// others are of programs or signatures that it has no rules for.
const IN_SCOPE: &[&str] = &[
    "CVE-2017-9841",
    "CVE-2019-18935",
    "CVE-2021-4034",
    "CVE-2022-44877",
    "CVE-2022-46169",
    "CVE-2023-22515",
    "CVE-2023-22518",
    "CVE-2023-4911",
    "CVE-2025-0108",
    "amavis-blocked",
    "apache-cve-2021-41773",
    "auditd-postexploit-exec-from-net",
    "authelia-bf",
    "authentik-bf",
    "aws-bf",
    "baikal-bf",
    "bind9-refused",
    "bitwarden-bf",
    "bookstack-bf",
    "bunkerweb-bad-user-agent",
    "charon-ipsec-bf",
    "cowrie_telnet-bf",
    "cve-2021-42013",
    "cve-2023-23397",
    "dockge-bf",
    "dovecot-slow-bf",
    "dovecot-slow-bf-no-overlap",
    "dovecot-time-based-bf-user-enum",
    "f5-big-ip-cve-2020-5902",
    "fortinet-vpn-bf",
    "freeswitch-bf",
    "freeswitch-user-enumeration",
    "gitea-bf",
    "grafana_cve-2021-43798",
    "http-cve-probing",
    "http-dos-invalid-http-versions",
    "http-dos-random-uri",
    "http-wordpress-scan",
    "http-wordpress_user-enum",
    "iptables-scan-multi-port",
    "iptables/fin_scan_1000_1150",
    "iptables/invalid_icmp_type_code",
    "iptables/ipv6_invalid_icmp6_type_code",
    "iptables/ipv6_ms_sql_server_sig_match",
    "iptables/ipv6_tcp_connect_nmap_default_scan",
    "iptables/mirai_default_credentials_scan",
    "iptables/ms_sql_server_sig_match",
    "iptables/null_scan_1000_1150",
    "iptables/proto_scan",
    "iptables/syn_scan_1000_1500",
    "iptables/syn_scan_1000_1500_multi_dst",
    "iptables/syn_sweep",
    "iptables/topera_ipv6_syn_scan_no_ip_opts",
    "iptables/topera_ipv6_syn_scan_with_ip_opts",
    "iptables/udp_scan_1000_1150",
    "iptables/xmas_scan_1000_1150",
    "jellyfin-bf",
    "jira_cve-2021-26086",
    "keycloak-slow-bf",
    "laurel-suid-crash",
    "litespeed-admin-bf",
    "meshcentral-bf",
    "mikrotik-bf",
    "modsecurity-nginx",
    "netgear_rce",
    "nginx-http-backdoor",
    "nginx-http-malformed",
    "nginx-http-open-proxy",
    "nginx-http-sensitive-files",
    "nginx-http-sqli-probing",
    "odoo-bf_user-enum",
    "ombi-bf",
    "opensearch-dashboard-bf",
    "overseerr-bf",
    "palo-alto-threat",
    "postfix-helo",
    "postfix-non-smtp",
    "postfix-spam",
    "proftpd-bf",
    "proxmox-logs",
    "pulse-secure-sslvpn-cve-2019-11510",
    "pureftpd-bf",
    "ssh-bf",
    "ssh-slow-bf",
    "ssh-time-based-bf",
    "ssh-timeout",
    "stirling-pdf-bf",
    "suricata-eve-detect",
    "thinkphp-cve-2018-20062",
    "vaultwarden-bf",
    "vmware-vcenter-vmsa-2021-0027",
    "wireguard-auth",
];

#[test]
fn attacks_that_others_find_are_found() {
    let name = "attacks_that_others_find_are_found";
    let Some(text) = conformance(name, "scenarios/known.jsonl") else {
        return;
    };
    let temporary = tempfile::tempdir().unwrap();
    let mut silent = IN_SCOPE.to_vec();
    for (number, row) in text.lines().enumerate() {
        let row: Value = serde_json::from_str(row).unwrap();
        let lines: Vec<&str> = row["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let log = temporary.path().join(format!("{number}.log"));
        std::fs::write(&log, lines.join("\n") + "\n").unwrap();
        let options = ReplayOptions {
            paths: vec![log],
            threads: 1,
            start: Start::in_year(2025),
            readings: Readings::default(),
            tables: Arc::default(),
        };
        let mut alerts = 0;
        let summary = replay(&options, shipped(), &Progress::default(), &mut |_| {
            alerts += 1;
        });
        assert!(
            summary.counts.lines >= lines.len() as u64,
            "{}",
            row["group"]
        );
        if alerts > 0 {
            silent.retain(|group| row["group"] != **group);
        }
    }
    assert!(silent.is_empty(), "no alert on {silent:?}");
}
