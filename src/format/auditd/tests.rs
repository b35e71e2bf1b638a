use super::*;
use crate::format::{FORMATS, parse};
use crate::time::Time;

/// Verdict, format, and the fields that were asked for.
fn read(line: &str, fields: &[Field]) -> (Verdict, &'static str, String) {
    let context = Context::utc(Time::from_secs(1_718_409_600));
    let arena = Bump::new();
    let mut event = Event::new();
    let parsed = parse(line.as_bytes(), &context, &arena, &mut event);
    let shown = |field: &Field| event.get(*field).map_or("-".to_owned(), shown);
    let shown: Vec<_> = fields.iter().map(shown).collect();
    let format = parsed
        .format
        .map_or("-", |row| FORMATS[usize::from(row)].name);
    (parsed.verdict, format, shown.join("|"))
}

fn shown(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Ip(ip) => ip.to_string(),
        Value::Int(n) => n.to_string(),
        Value::List(list) => {
            let list: Vec<_> = list.iter().map(|&value| shown(value)).collect();
            list.join(",")
        }
        other => format!("{other:?}"),
    }
}

const WHO: &[Field] = &[
    Field::EVENT_ACTION,
    Field::EVENT_OUTCOME,
    Field::USER_NAME,
    Field::SOURCE_IP,
    Field::PROCESS_NAME,
];

fn login(said: &str) -> String {
    format!(
        "type=USER_LOGIN msg=audit(1700000000.125:77): pid=8 uid=0 auid=4294967295 ses=4294967295 msg='{said}'"
    )
}

#[test]
fn a_daemons_record_in_every_envelope() {
    let said = r#"op=login acct="alice" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=failed"#;
    let bare = login(said);
    let readings = format!("{bare}\u{1d}UID=\"root\" AUID=\"unset\"");
    let untyped = bare.strip_prefix("type=").unwrap();
    let (kind, rest) = untyped
        .split_once(" msg=audit(1700000000.125:77): ")
        .unwrap();
    for line in [
        bare.clone(),
        readings,
        format!("node=web1 {bare}"),
        format!("May  1 10:00:00 web1 audispd: {bare}"),
        format!("<13>1 2024-05-01T10:00:00Z web1 audispd - - - node=web1 {bare}"),
        format!("May  1 10:00:00 web1 audit[8]: {kind} {rest}"),
        bare.replace("alice", "616C696365")
            .replace("\"616C696365\"", "616C696365"),
    ] {
        let expected = "user_login|failure|alice|192.0.2.7|sshd".to_owned();
        assert_eq!(
            read(&line, WHO),
            (Verdict::Event, "auditd", expected),
            "{line}"
        );
    }
}

#[test]
fn the_kernels_own_records_in_syslog() {
    let line = r#"May  1 10:00:00 web1 kernel: [   12.345678] audit: type=1400 audit(1700000000.125:77): apparmor="DENIED" operation="open" name="/etc/shadow" pid=77 comm="cat""#;
    let expected = "avc|failure|-|-|cat".to_owned();
    assert_eq!(read(line, WHO), (Verdict::Event, "auditd", expected));
}

#[test]
fn a_daemons_own_user_is_not_who_logs_in() {
    let line = login(
        r#"op=login id=1000 exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=success"#,
    );
    let line = format!("{line}\u{1d}UID=\"root\" AUID=\"unset\" ID=\"alice\"");
    assert_eq!(
        read(&line, WHO).2,
        "user_login|success|alice|192.0.2.7|sshd"
    );
}

#[test]
fn words_that_stand_twice_or_are_not_encoded_name_nobody() {
    for said in [
        r#"op=login acct="a" exe="/x" hostname=h addr=198.51.100.66 addr=192.0.2.7 terminal=ssh res=failed"#,
        r#"op=login acct=root exe="/x" acct="eve" hostname=? addr=192.0.2.7 terminal=ssh res=failed"#,
        r#"PAM: setcred acct=root : exe="/x" (hostname=?, addr=198.51.100.66, terminal=cron res=success) : exe="/usr/sbin/crond" (hostname=?, addr=192.0.2.7, terminal=cron res=failed)"#,
        r#"PAM: setcred acct=root : : exe="/x" (hostname=?, addr=?, terminal=cron res=failed)"#,
        r#"PAM: setcred acct=root two : exe="/x" (hostname=?, addr=?, terminal=cron res=failed)"#,
    ] {
        let (verdict, _, shown) = read(&login(said), WHO);
        assert!(matches!(verdict, Verdict::Malformed(_)), "{said}");
        assert_eq!(shown, "-|-|-|-|-", "{said}");
    }
    let quoted = r#"op=login acct="o'neil' addr=198.51.100.66" exe="/x" hostname=? addr=192.0.2.7 terminal=ssh res=failed"#;
    let expected = "user_login|failure|o'neil' addr=198.51.100.66|192.0.2.7|x";
    assert_eq!(read(&login(quoted), WHO).2, expected);
}

/// Records of one event, with the head that each has.
fn event(records: &[(&str, &str)]) -> String {
    let record =
        |(kind, body): &(&str, &str)| format!("type={kind} msg=audit(1700000000.125:77): {body}");
    let records: Vec<_> = records.iter().map(record).collect();
    records.join("\n")
}

const CALL: &str = r#"success=yes exit=0 a0=1 a1=241 a2=2 a3=4 ppid=7 pid=8 auid=1000 uid=0 ses=3 comm="x" exe="/usr/bin/x" key="k""#;

#[test]
fn a_started_program_is_its_arguments_not_its_title() {
    let call = format!("arch=c00000b7 syscall=221 {CALL}");
    let line = event(&[
        ("SYSCALL", &call),
        ("BPRM_FCAPS", "fver=0"),
        ("EXECVE", r#"argc=3 a0="x" a1_len=4 a1[0]=6162 a2="-c""#),
        ("EXECVE", "a1[1]=6364"),
        ("CWD", r#"cwd="/root""#),
        ("PROCTITLE", "proctitle=6C6965"),
    ]);
    let fields = [
        Field::EVENT_ACTION,
        Field::PROCESS_EXECUTABLE,
        Field::PROCESS_ARGS,
        Field::PROCESS_WORKING_DIRECTORY,
        Field::PROCESS_PARENT_PID,
        Field::AUDITD_SYSCALL,
        Field::HOST_ARCHITECTURE,
    ];
    let expected = "process_started|/usr/bin/x|x,ab,-c|/root|7|execve|aarch64";
    let whole = line.replace(" a2=\"-c\"", "");
    let expected_whole = expected.replace("x,ab,-c", "x,abcd");
    assert_eq!(read(&whole, &fields).2, expected_whole);
    assert_eq!(read(&line, &fields).0, Verdict::Event);
}

#[test]
fn connections_and_files_by_their_call() {
    let fields = [
        Field::EVENT_ACTION,
        Field::SOURCE_IP,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
        Field::FILE_PATH,
    ];
    let address = ("SOCKADDR", "saddr=02000050C00002070000000000000000");
    let path = ("PATH", r#"item=1 name="cron.d/x" nametype=CREATE"#);
    let parent = ("PATH", r#"item=0 name="/etc/cron.d/" nametype=PARENT"#);
    let folder = ("CWD", r#"cwd="/etc""#);
    let known = ("PATH", r#"item=0 name="/etc/motd" nametype=NORMAL"#);
    for (number, others, expected) in [
        (42, vec![address], "connection|-|192.0.2.7|80|-"),
        (43, vec![address], "connection_accepted|192.0.2.7|-|-|-"),
        (49, vec![address], "syscall|-|-|-|-"),
        (
            2,
            vec![folder, parent, path],
            "file_created|-|-|-|/etc/cron.d/x",
        ),
        (2, vec![known], "file_created|-|-|-|/etc/motd"),
        (257, vec![known], "syscall|-|-|-|/etc/motd"),
    ] {
        let call = format!("arch=c000003e syscall={number} {CALL}");
        let records: Vec<_> = [("SYSCALL", call.as_str())]
            .into_iter()
            .chain(others)
            .collect();
        assert_eq!(read(&event(&records), &fields).2, expected, "{number}");
    }
}

#[test]
fn records_of_two_events_are_not_one() {
    let two = format!(
        "{}\n{}",
        login("res=failed"),
        login("res=failed").replace(":77", ":78")
    );
    assert!(matches!(read(&two, &[]).0, Verdict::Malformed(_)));
    let eoe = "type=EOE msg=audit(1700000000.125:77): ";
    assert_eq!(read(eoe, &[]).0, Verdict::NotMine);
    let broken = "type=CWD msg=audit(x): cwd=\"/\"";
    assert!(matches!(read(broken, &[]).0, Verdict::Malformed(_)));
    assert_eq!(read("type=tea and more", &[]).0, Verdict::NotMine);
}

#[test]
fn rules_reach_every_key_by_the_records_own_name() {
    let mut names = crate::field::Names::default();
    let fields = ["name", "a0", "exit"].map(|name| names.intern(name).unwrap());
    let mut projection = crate::field::Projection::over(names);
    for field in fields {
        projection.want(field);
    }
    let mut context = Context::utc(Time::from_secs(0));
    context.project(projection.into());
    let line = event(&[
        ("SYSCALL", CALL),
        ("EXECVE", r#"argc=1 a0="id""#),
        ("PATH", r#"name="/usr/bin/id""#),
        ("PATH", "name=2F612062"),
    ]);
    let arena = Bump::new();
    let mut event = Event::new();
    parse(line.as_bytes(), &context, &arena, &mut event);
    let got = fields.map(|field| event.get(field).map_or("-".to_owned(), shown));
    assert_eq!(got, ["/usr/bin/id,/a b", "1,id", "0"]);
}
