//! Types of audit records: their names, numbers, and what kind of thing they
//! tell of. Numbers are of `linux/audit.h` (1300 and above) and libaudit.

/// A type of record.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Kind {
    /// Its name, as `event.action` and `auditd.record_type` have it.
    pub(in crate::format) name: &'static str,
    /// What kind of thing it tells of.
    pub(super) category: &'static str,
    number: u16,
}

macro_rules! kinds {
    ($($category:literal { $($number:literal $name:literal)* })*) => {
        /// Every type that has a name; those of a system call's event first.
        static KINDS: &[Kind] = &[
            $($(Kind { name: $name, category: $category, number: $number }),*),*
        ];
    };
}

kinds! {
    "process" {
        1300 "syscall" 1309 "execve" 1302 "path" 1307 "cwd" 1327 "proctitle" 1320 "eoe"
        1303 "ipc" 1304 "socketcall" 1311 "ipc_set_perm" 1312 "mq_open" 1313 "mq_sendrecv"
        1314 "mq_notify" 1315 "mq_getsetattr" 1316 "kernel_other" 1317 "fd_pair"
        1318 "obj_pid" 1319 "tty" 1321 "bprm_fcaps" 1322 "capset" 1323 "mmap" 1326 "seccomp"
        1330 "kern_module" 1331 "fanotify" 1334 "bpf" 1336 "uringop" 1337 "openat2"
        1400 "avc" 1402 "avc_path" 1107 "user_avc" 1123 "user_cmd" 1124 "user_tty"
        1130 "service_start" 1131 "service_stop" 1121 "trusted_app" 1120 "test"
        1701 "anom_abend" 1702 "anom_link" 1703 "anom_creat" 1503 "apparmor_denied"
    }
    "network" {
        1306 "sockaddr" 1324 "netfilter_pkt" 1700 "anom_promiscuous" 1415 "mac_ipsec_event"
        2407 "crypto_session"
    }
    "authentication" {
        1100 "user_auth" 1101 "user_acct" 1109 "user_err" 1112 "user_login" 1103 "cred_acq"
        1104 "cred_disp" 1110 "cred_refr" 1006 "login" 1126 "grp_auth" 1119 "chgrp_id"
        1125 "chuser_id" 2404 "crypto_key_user" 2405 "crypto_failure_user"
        2100 "anom_login_failures" 2101 "anom_login_time" 2102 "anom_login_sessions"
        2103 "anom_login_acct" 2104 "anom_login_location"
    }
    "session" { 1105 "user_start" 1106 "user_end" 1113 "user_logout" }
    "iam" {
        1102 "user_mgmt" 1132 "grp_mgmt" 1108 "user_chauthtok" 1133 "grp_chauthtok"
        1114 "add_user" 1115 "del_user" 1116 "add_group" 1117 "del_group" 1135 "acct_lock"
        1136 "acct_unlock" 2300 "user_role_change" 2301 "role_assign" 2302 "role_remove"
    }
    "configuration" {
        1305 "config_change" 1325 "netfilter_cfg" 1328 "feature_change" 1329 "replace"
        1332 "time_injoffset" 1333 "time_adjntpval" 1335 "event_listener" 1111 "usys_config"
        1127 "system_boot" 1128 "system_shutdown" 1129 "system_runlevel" 1137 "user_device"
        1138 "software_update" 1200 "daemon_start" 1201 "daemon_end" 1202 "daemon_abort"
        1203 "daemon_config" 1204 "daemon_reconfig" 1205 "daemon_rotate" 1206 "daemon_resume"
        1207 "daemon_accept" 1208 "daemon_close" 1209 "daemon_err" 1338 "dm_ctrl"
        1339 "dm_event" 1401 "selinux_err" 1122 "user_selinux_err" 1403 "mac_policy_load"
        1404 "mac_status" 1405 "mac_config_change" 1406 "mac_unlbl_allow"
        1407 "mac_cipsov4_add" 1408 "mac_cipsov4_del" 1409 "mac_map_add" 1410 "mac_map_del"
        1416 "mac_unlbl_stcadd" 1417 "mac_unlbl_stcdel" 1134 "mac_check" 1118 "dac_check"
        1800 "integrity_data" 1801 "integrity_metadata" 1802 "integrity_status"
        1803 "integrity_hash" 1804 "integrity_pcr" 1805 "integrity_rule" 2000 "kernel"
        2500 "virt_control" 2501 "virt_resource" 2502 "virt_machine_id"
    }
}

/// A type that has no name here (there are some 200, and new ones each year).
pub(super) static OTHER: Kind = Kind {
    name: "other",
    category: "process",
    number: 0,
};

/// The type of a record by its name, `USER_LOGIN`, or number, `1112` or
/// `UNKNOWN[1112]`.
pub(in crate::format) fn kind(word: &[u8]) -> Option<&'static Kind> {
    let digits = word
        .strip_prefix(b"UNKNOWN[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .unwrap_or(word);
    if let Some(number) = crate::format::token::number(digits) {
        return KINDS.iter().find(|kind| i64::from(kind.number) == number);
    }
    let named = |kind: &&Kind| kind.name.as_bytes().eq_ignore_ascii_case(word);
    KINDS.iter().find(named)
}

/// Whether records of the same event may follow one of this type: those that a
/// daemon writes are alone, and the kernel ends an event with these two.
pub(super) fn goes_on(kind: &Kind) -> bool {
    kind.number >= 1300 && kind.number < 2000 && !matches!(kind.name, "eoe" | "proctitle")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_by_name_and_by_number() {
        for word in ["USER_LOGIN", "user_login", "1112", "UNKNOWN[1112]"] {
            assert_eq!(kind(word.as_bytes()).unwrap().name, "user_login", "{word}");
        }
        assert!(kind(b"NO_SUCH_TYPE").is_none());
        for (at, one) in KINDS.iter().enumerate() {
            let twice = |other: &Kind| other.name == one.name || other.number == one.number;
            assert!(!KINDS[at + 1..].iter().any(twice), "{}", one.name);
        }
    }
}
